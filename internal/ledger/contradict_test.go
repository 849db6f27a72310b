package ledger_test

import (
	"sync"
	"testing"

	"github.com/united24media/support/internal/store"
)

// TestAContradictionIsCounted: Stripe names one charge's PaymentIntent, and then
// another. It is booked once, and somebody hears of it.
func TestAContradictionIsCounted(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		b.deliver(t, "charge.succeeded", charge("ch_1", "pi_1", marked, 1000, 0))
		b.deliver(t, "charge.updated", charge("ch_1", "pi_1", marked, 1000, 0))
		if n := b.Contradictions(); n != 0 {
			t.Fatalf("%d contradictions before the first", n)
		}
		b.deliver(t, "charge.updated", charge("ch_1", "pi_2", marked, 1000, 0))
		if n := b.Contradictions(); n != 1 {
			t.Errorf("%d contradictions, want 1", n)
		}
		if found := b.donations(t); len(found) != 1 || found["pi_2"] == nil {
			t.Errorf("recorded: %+v", found)
		}
		if drifts, err := b.Verify(t.Context()); err != nil || len(drifts) > 0 {
			t.Errorf("verify: %v, %v", drifts, err)
		}
		if before, after, err := b.Rebuild(t.Context(), func(int) {}); err != nil || before != after {
			t.Errorf("the rebuild ends with %v, hash %s before and %s after", err, before, after)
		}
		if n := b.Contradictions(); n != 1 {
			t.Errorf("%d contradictions after a look at what is stored, want 1", n)
		}
	})
}

// TestAContradictionIsCountedOnceAnEvent: Stripe sends an event again for three
// days, two replicas may get it at once, and staff apply it again; what it
// contradicts is the same one thing.
func TestAContradictionIsCountedOnceAnEvent(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		b.deliver(t, "charge.succeeded", charge("ch_1", "pi_2", marked, 1000, 0))
		var at sync.WaitGroup
		for range 8 {
			at.Go(func() { b.deliverAs(t, "evt_odd", "charge.updated", charge("ch_1", "pi_1", marked, 1000, 0)) })
		}
		at.Wait()
		if n := b.Contradictions(); n != 1 {
			t.Errorf("%d contradictions of one event that came eight times, want 1", n)
		}
		if _, err := b.Replay(t.Context(), "evt_odd"); err != nil {
			t.Fatal(err)
		}
		if n := b.Contradictions(); n != 1 {
			t.Errorf("%d contradictions once it was applied again, want 1", n)
		}
		b.deliver(t, "charge.updated", charge("ch_1", "pi_1", marked, 1000, 0))
		if n := b.Contradictions(); n != 2 {
			t.Errorf("%d contradictions of two events, want 2", n)
		}
		assertClean(t, b)
	})
}

// TestARefundOfNothingWaitsForSomebody: it is parked, so that staff see it, and
// takes nothing from any gift. Applied again it is passed over; and once Stripe
// says whose it is it counts.
func TestARefundOfNothingWaitsForSomebody(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, b *book) {
		const orphan = `{"id":"re_1","object":"refund","created":1769850100,"amount":300,"currency":"eur","status":"succeeded"`
		b.deliver(t, "charge.succeeded", charge("ch_1", "pi_1", marked, 1000, 0))
		b.deliverAs(t, "evt_orphan", "refund.created", orphan+`}`)
		if n, err := b.store.CountParked(t.Context()); n != 1 || err != nil {
			t.Errorf("%d events are parked, %v; want 1", n, err)
		}
		assertClean(t, b)
		if tried, left, err := b.ReplayParked(t.Context()); tried != 1 || left != 0 || err != nil {
			t.Errorf("replay of parked events: %d tried, %d left, %v; want 1, 0", tried, left, err)
		}
		err := b.store.Look(t.Context(), func(tx *store.Tx) error {
			found, err := tx.EventsByID(t.Context(), []string{"evt_orphan"})
			if len(found) != 1 || found[0].State != store.Foreign || found[0].Error != "" {
				t.Errorf("stored: %+v", found)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := b.donations(t)["pi_1"]; d.Refunded != 0 {
			t.Errorf("%d refunded by a refund of nothing", d.Refunded)
		}
		assertClean(t, b)
		b.deliver(t, "refund.updated", orphan+`,"charge":"ch_1","payment_intent":"pi_1"}`)
		if d := b.donations(t)["pi_1"]; d.Refunded != 300 {
			t.Errorf("%d refunded, want 300", d.Refunded)
		}
		assertClean(t, b)
	})
}
