package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

const day = 24 * time.Hour

// sweep sweeps and returns the report and the differences, one a line.
func (h *house) sweep(w reconcile.Sweep) (reconcile.Report, string) {
	h.t.Helper()
	var lines strings.Builder
	w.Found = func(d store.Difference) {
		fmt.Fprintf(&lines, "%s: %s (%s) %t\n", d.Ref, d.Detail, d.Cause, d.Repaired)
	}
	if w.Since == 0 {
		w.Since = 60 * day
	}
	report, err := h.SweepNow(h.t.Context(), w)
	ok(h.t, err)
	return report, lines.String()
}

// level fails the test unless a sweep finds nothing and what is stored follows
// from what was said.
func (h *house) level() {
	h.t.Helper()
	if report, found := h.sweep(reconcile.Sweep{Full: true}); report.Differences != 0 {
		h.t.Errorf("a sweep finds %d more:\n%s", report.Differences, found)
	}
	drifts, err := h.ledger.Verify(h.t.Context())
	ok(h.t, err)
	for _, d := range drifts {
		h.t.Errorf("drift: %s", d)
	}
}

// story lets everything happen that a newsroom's books must show, some of it
// long ago.
func (h *house) story() {
	h.t.Helper()
	h.give(1000, "USD", "month")
	h.advance(40 * day) // renewed once
	h.give(2500, "EUR", "once")
	h.give(900, "JPY", "once")
	charges := map[int64]string{}
	for page, err := range h.stripe.List(h.t.Context(), "/v1/charges", nil) {
		ok(h.t, err)
		for i, object := range page.Objects {
			for _, amount := range []int64{2500, 900} {
				if strings.Contains(string(object), fmt.Sprintf(`"amount": %d,`, amount)) {
					charges[amount] = page.IDs[i]
				}
			}
		}
	}
	first, err := h.box.Refund(charges[2500], 700)
	ok(h.t, err)
	_, err = h.box.Refund(charges[2500], 300)
	ok(h.t, err)
	ok(h.t, h.box.FailRefund(first))
	_, err = h.box.Dispute(charges[900], sandbox.Complaint{})
	ok(h.t, err)
	h.deliver()
	h.advance(time.Minute)
}

// told is what a story comes to.
func (h *house) told() {
	h.t.Helper()
	sums := map[string]giving.Donation{}
	for _, d := range h.donations() {
		sum := sums[d.Currency]
		sum.Gross, sum.Refunded, sum.Disputed = sum.Gross+d.Gross, sum.Refunded+d.Refunded, sum.Disputed+d.Disputed
		sum.Settled.Net += d.Settled.Net
		sums[d.Currency] = sum
	}
	for currency, want := range map[string][4]int64{ // gross, refunded, disputed, net in EUR
		"USD": {2000, 0, 0, 2 * (920 - 27 - 30)},
		"EUR": {2500, 300, 0, 2500 - 73 - 30 - 300},
		"JPY": {900, 0, 900, -16 - 30 - 1500},
	} {
		d := sums[currency]
		if got := [4]int64{d.Gross, d.Refunded, d.Disputed, d.Settled.Net}; got != want {
			h.t.Errorf("%s: gross, refunded, disputed, net %v, want %v", currency, got, want)
		}
	}
	if n := len(h.donations()); n != 4 {
		h.t.Errorf("%d donations, want 4", n)
	}
	if m := h.memberships(); len(m) != 1 || m[0].Status != "active" {
		h.t.Errorf("memberships: %+v", m)
	}
}

func TestOneSweepMendsWhatWasLost(t *testing.T) {
	t.Parallel()
	for name, chaos := range map[string]sandbox.Chaos{
		"undelivered, and Stripe knows":  {Lose: 100},
		"undelivered, and nobody knows":  {Vanish: 100},
		"a third undelivered":            {Vanish: 33, Twice: 20},
		"delivered, but half of it only": {Lose: 50, Double: 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, h *house) {
				ok(t, h.box.SetChaos(chaos))
				h.story()
				ok(t, h.box.SetChaos(sandbox.Chaos{}))
				before, err := h.ledger.Hash(t.Context(), h.store)
				ok(t, err)
				dry, _ := h.sweep(reconcile.Sweep{Full: true, Dry: true})
				after, err := h.ledger.Hash(t.Context(), h.store)
				ok(t, err)
				if before != after {
					t.Error("a dry sweep changed what is stored")
				}
				report, found := h.sweep(reconcile.Sweep{Full: true})
				if dry.Differences < 2 || report.Differences < 2 {
					t.Errorf("%d differences found dry and %d then:\n%s", dry.Differences, report.Differences, found)
				}
				if strings.Contains(found, "olena") || strings.Contains(found, "Olena") {
					t.Errorf("personal data in:\n%s", found)
				}
				kept, err := h.store.Differences(t.Context(), time.Time{}, 1000)
				ok(t, err)
				if len(kept) != report.Differences {
					t.Errorf("%d differences kept, %d told", len(kept), report.Differences)
				}
				h.told()
				h.level()
			})
		})
	}
}

func TestASweepFindsNothingWhereAllArrived(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		h.story()
		// Nobody follows up here: what only Stripe's lists tell is not there, and
		// known to be open.
		if dry, found := h.sweep(reconcile.Sweep{Full: true, Dry: true}); dry.Differences != 0 {
			t.Errorf("found dry:\n%s", found)
		}
		report, found := h.sweep(reconcile.Sweep{Full: true})
		if report.Differences != 0 {
			t.Errorf("found:\n%s", found)
		}
		if report.Events != 0 {
			t.Errorf("%d events never arrived", report.Events)
		}
		h.told()
		h.level()
		h.advance(7 * day) // paid out meanwhile
		h.level()
	})
}

func TestWhatEndedLongAgoIsNoticed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		h.give(1000, "EUR", "month")
		h.advance(200 * day)
		h.sweep(reconcile.Sweep{Full: true})
		ok(t, h.box.SetChaos(sandbox.Chaos{Vanish: 100}))
		ok(t, h.box.FailPayments(h.memberships()[0].Subscription, true))
		h.advance(35 * day) // tried again four times, and canceled
		h.advance(31 * day) // so long ago that no event tells it any more
		ok(t, h.box.SetChaos(sandbox.Chaos{}))
		if report, found := h.sweep(reconcile.Sweep{Since: reconcile.Window}); report.Differences != 0 {
			t.Errorf("a sweep of the last days alone finds what is older:\n%s", found)
		}
		if _, found := h.sweep(reconcile.Sweep{Full: true}); !strings.Contains(found, "status active → canceled") {
			t.Errorf("found:\n%s", found)
		}
		h.level()
	})
}

func TestADatabaseIsFilledFromStripeAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "sqlite:"+t.TempDir()+"/first.db")
	h.story()
	h.sweep(reconcile.Sweep{Full: true})
	h.told()
	h.open("sqlite:" + t.TempDir() + "/second.db") // nothing of it was kept
	if n := len(h.donations()); n != 0 {
		t.Fatalf("%d donations in an empty database", n)
	}
	h.sweep(reconcile.Sweep{Full: true, Since: 60 * day})
	h.told()
	h.level()
}

func TestASweepGoesOnWhereItWasCutOff(t *testing.T) {
	t.Parallel()
	cuts := map[string]struct {
		at   func(h *house, w *reconcile.Sweep, cut func())
		then []string // the steps with one of which it goes on
	}{
		"after a page": {func(_ *house, w *reconcile.Sweep, cut func()) {
			w.Progress = func(p reconcile.Progress) {
				if p.Name == "charges" {
					cut()
				}
			}
		}, []string{"charges", "refunds"}},
		"between a repair and its note": {func(h *house, _ *reconcile.Sweep, cut func()) { h.moved = cut }, []string{"subscriptions"}},
	}
	for name, tt := range cuts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, h *house) {
				ok(t, h.box.SetChaos(sandbox.Chaos{Vanish: 100}))
				h.story()
				ok(t, h.box.SetChaos(sandbox.Chaos{}))
				dry, _ := h.sweep(reconcile.Sweep{Full: true, Dry: true})
				ctx, cancel := context.WithCancel(t.Context())
				w := reconcile.Sweep{Full: true, Since: 60 * day}
				tt.at(h, &w, cancel)
				cut, err := h.SweepNow(ctx, w)
				if !errors.Is(err, context.Canceled) && !strings.Contains(fmt.Sprint(err), "context canceled") {
					t.Fatalf("the sweep was not cut off: %v", err)
				}
				h.moved = nil
				_, err = h.SweepNow(t.Context(), reconcile.Sweep{Since: time.Hour}) // another kind takes its turn meanwhile
				ok(t, err)
				first := ""
				w.Progress = func(p reconcile.Progress) {
					if first == "" {
						first = p.Name
					}
				}
				report, err := h.SweepNow(t.Context(), w)
				ok(t, err)
				if !slices.Contains(tt.then, first) {
					t.Errorf("it went on with %s", first)
				}
				kept, err := h.store.Differences(t.Context(), time.Time{}, 1000)
				ok(t, err)
				if slices.ContainsFunc(kept, func(d store.Difference) bool { return !d.Repaired }) {
					t.Errorf("not repaired, as it says: %+v", kept)
				}
				if !report.Through.Equal(cut.Through) || report.Differences < dry.Differences || len(kept) != report.Differences {
					t.Errorf("first %+v, then %+v: want one sweep, with at least the %d differences of a dry one; %d are kept", cut, report, dry.Differences, len(kept))
				}
				h.told()
				h.level()
			})
		})
	}
}

func TestSweepsTakeTurns(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		release, free, err := h.store.TrySweep(t.Context())
		ok(t, err)
		if !free {
			t.Fatal("nobody sweeps, and the place is taken")
		}
		waits, done := make(chan struct{}), make(chan error, 1)
		go func() {
			_, err := h.SweepNow(t.Context(), reconcile.Sweep{Since: time.Hour, Waiting: func() { close(waits) }})
			done <- err
		}()
		select {
		case <-waits:
		case err := <-done:
			t.Fatalf("a second sweep did not wait: %v", err)
		}
		release()
		ok(t, <-done)
	})
}

func TestWhatIsYoungIsLeftToItsDelivery(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		_, err := h.box.Pay(h.session(1000, "EUR", "once"), sandbox.Payer{Email: "olena@example.org"}, sandbox.Paid)
		ok(t, err) // and its delivery is under way
		if report, found := h.sweep(reconcile.Sweep{Since: day, Settle: 10 * time.Minute}); report.Differences != 0 {
			t.Errorf("found:\n%s", found)
		}
		ok(t, h.box.Advance(time.Hour))
		if report, _ := h.sweep(reconcile.Sweep{Since: day, Settle: 10 * time.Minute}); report.Differences == 0 {
			t.Error("what never arrived in an hour is not found")
		}
	})
}

func TestTwoReplicasSweepWhileDeliveriesArrive(t *testing.T) {
	t.Parallel()
	h := newHouse(t, testenv.Postgres(t))
	_, book, second := h.replica()
	h.others = append(h.others, book)
	h.background(h.Run)
	h.background(second.Run)
	var sessions []string
	for range 3 {
		sessions = append(sessions, h.session(1000, "EUR", "once"), h.session(500, "USD", "month"))
	}
	ok(t, h.box.SetChaos(sandbox.Chaos{Lose: 10, Vanish: 10, Double: 20, Twice: 20, Refuse: 5, Limit: 5, Extra: true}))
	var sweeps sync.WaitGroup
	for _, s := range []*reconcile.Service{h.Service, second} {
		sweeps.Go(func() {
			for range 3 {
				if _, err := s.SweepNow(t.Context(), reconcile.Sweep{Since: 60 * day, Full: true}); err != nil {
					t.Errorf("sweep: %v", err)
				}
			}
		})
	}
	for _, session := range sessions {
		h.pay(session)
	}
	for _, d := range h.donations() {
		if d.Gross == 1000 && d.Charge != "" {
			_, err := h.box.Refund(d.Charge, 100)
			ok(t, err)
		}
	}
	h.deliver()
	sweeps.Wait()
	ok(t, h.box.SetChaos(sandbox.Chaos{}))
	h.advance(time.Minute)
	h.sweep(reconcile.Sweep{Full: true})
	if n := len(h.donations()); n != 6 {
		t.Errorf("%d donations, want 6", n)
	}
	h.level()
}
