package reconcile_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
)

// later is more than a wish waits before it is due.
const later = 10 * time.Second

func TestWhatIsOpenIsAsked(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		h.give(1000, "USD", "once")
		h.advance(later)
		d := h.donation("fee and net", func(d *giving.Donation) bool { return d.Settled.Currency != "" })
		if d.Settled.Currency != "EUR" || d.Settled.Net != 920-27-30 || d.Settled.Fee != 27+30 {
			t.Errorf("settled as %+v", d.Settled)
		}

		refund, err := h.box.Refund(d.Charge, 400)
		ok(t, err)
		h.advance(later)
		d = h.donation("the refund's transaction", func(d *giving.Donation) bool { return d.Settled.Net == 920-57-368 })
		if d.Refunded != 400 {
			t.Errorf("refunded %d, want 400", d.Refunded)
		}
		ok(t, h.box.FailRefund(refund))
		h.advance(later)
		h.donation("the refund's failure", func(d *giving.Donation) bool { return d.Refunded == 0 && d.Settled.Net == 920-57 })

		dispute, err := h.box.Dispute(d.Charge, sandbox.Complaint{})
		ok(t, err)
		h.advance(later)
		h.donation("the dispute", func(d *giving.Donation) bool { return d.Disputed == 1000 && d.Settled.Net == -57-1500 })
		ok(t, h.box.CloseDispute(dispute, "won", true))
		h.advance(later)
		h.donation("the dispute's end", func(d *giving.Donation) bool { return d.Disputed == 0 && d.Settled.Net == 920-57 })
	})
}

func TestSeveralRefundsAreListed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		h.give(1000, "EUR", "once")
		h.advance(later)
		d := h.donation("fee and net", func(d *giving.Donation) bool { return d.Settled.Net != 0 })
		_, err := h.box.Refund(d.Charge, 300)
		ok(t, err)
		_, err = h.box.Refund(d.Charge, 200)
		ok(t, err)
		h.advance(later)
		h.donation("both refunds", func(d *giving.Donation) bool { return d.Refunded == 500 && d.Settled.Net == 1000-59-500 })
	})
}

func TestFollowUpsOutliveABadAPI(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		ok(t, h.box.SetChaos(sandbox.Chaos{Refuse: 30, Double: 50, Twice: 50, Extra: true}))
		d := h.payWithChaos()
		_, err := h.box.Refund(d.Charge, 0)
		ok(t, err)
		h.advance(later)
		h.donation("the refund in spite of 500s", func(d *giving.Donation) bool { return d.Refunded == 1000 && d.Settled.Net == -59 })
	})
}

// payWithChaos gives once, though the API refuses at random.
func (h *house) payWithChaos() *giving.Donation {
	h.t.Helper()
	h.give(1000, "EUR", "once")
	h.advance(later)
	return h.donation("fee and net", func(d *giving.Donation) bool { return d.Settled.Net == 1000-59 })
}

func TestWhatStripeDoesNotHaveIsKeptWithItsReason(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		now := h.box.Now()
		wish := store.Wish{Ref: "charge/ch_nobody", Due: now}
		unknown := store.Wish{Ref: "product/prod_1", Due: now}
		ok(t, h.store.Ledger(t.Context(), func(tx *store.Tx) error {
			return tx.PutWishes(t.Context(), now, []store.Wish{wish, unknown})
		}))
		for range missedTries {
			ok(t, h.FollowDue(t.Context()))
			h.advance(time.Minute)
		}
		waiting, err := h.store.WaitingFetches(t.Context(), 10)
		ok(t, err)
		if len(waiting) != 1 {
			t.Fatalf("waiting: %+v", waiting)
		}
		if w := waiting[0]; w.Ref != wish.Ref || w.Attempts != missedTries || w.Error == "" || w.Due.Sub(h.box.Now()) < 3*24*time.Hour {
			t.Errorf("what is kept of it: %+v", w)
		}
	})
}

// missedTries is how often something that Stripe does not have is asked for.
const missedTries = 3

func TestTheWorkerLooksByItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db"))
	h.give(1000, "EUR", "once")
	h.advance(later)
	ctx, end := context.WithCancel(t.Context())
	<-h.asked // by the giver
	stopped := make(chan error)
	go func() { stopped <- h.Run(ctx) }()
	select {
	case <-h.asked:
	case <-time.After(time.Minute):
		t.Error("nothing was asked in a minute")
	}
	end()
	ok(t, <-stopped)
}
