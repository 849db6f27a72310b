package reconcile_test

import (
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/sandbox"
)

// A lost dispute is finished, and older than the lists that are read: that it
// was reversed only its events tell.
func TestWhatOnlyEventsTell(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		h.give(1000, "EUR", "once")
		dispute, err := h.box.Dispute(h.donations()[0].Charge, sandbox.Complaint{})
		ok(t, err)
		ok(t, h.box.CloseDispute(dispute, "lost", false))
		h.advance(20 * day)
		h.sweep(reconcile.Sweep{Full: true})
		ok(t, h.box.SetChaos(sandbox.Chaos{Vanish: 100}))
		ok(t, h.box.ReverseDispute(dispute, true))
		ok(t, h.box.SetChaos(sandbox.Chaos{}))
		h.advance(10 * day)
		if d := h.donations()[0]; d.Lost != 1000 {
			t.Fatalf("before the sweep: %+v", d)
		}
		report, found := h.sweep(reconcile.Sweep{Since: reconcile.Window, Full: true})
		if report.Events == 0 || !strings.Contains(found, "lost 1000 → 0") {
			t.Errorf("%d events had not arrived; found:\n%s", report.Events, found)
		}
		if d := h.donations()[0]; d.Lost != 0 || d.Disputed != 0 {
			t.Errorf("after the sweep: %+v", d)
		}
		h.level()
	})
}

func TestWhoseFirstGiftItIsFollowsFromTheOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "sqlite:"+t.TempDir()+"/support.db")
	ok(t, h.box.SetChaos(sandbox.Chaos{Vanish: 100}))
	h.give(1000, "EUR", "once")
	ok(t, h.box.SetChaos(sandbox.Chaos{}))
	h.advance(time.Minute)
	h.give(2000, "EUR", "once")
	h.advance(time.Hour)
	second := h.donation("the second gift", func(d *giving.Donation) bool { return d.First })
	_, found := h.sweep(reconcile.Sweep{Full: true})
	if strings.Contains(found, second.Key) || !strings.Contains(found, "missing: 10.00 EUR") {
		t.Errorf("found:\n%s", found)
	}
	if d := h.byKey()[second.Key]; d.First {
		t.Error("the second gift is still the first")
	}
	h.level()
}

// A balance transaction may be booked so much later than its charge that no
// list over the charge's hour shows it: then the charge itself is asked.
func TestABalanceTransactionThatComesLate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "sqlite:"+t.TempDir()+"/support.db", func(o *sandbox.Options) { o.DelayedAfter = 5 * time.Hour })
	_, err := h.box.Pay(h.session(1000, "EUR", "once"), sandbox.Payer{Email: "olena@example.org"}, sandbox.DelayedPaid)
	ok(t, err)
	h.advance(5 * time.Hour)
	h.donation("fee and net", func(d *giving.Donation) bool {
		ok(t, h.box.Advance(5*time.Second))
		return d.Settled.Net == 1000-59
	})
}
