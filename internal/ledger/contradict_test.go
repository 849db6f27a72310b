package ledger_test

import "testing"

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
