package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
)

// TestAnUnknownChargeKeepsNoOtherWaiting: of one charge Stripe says that it is
// not there; the gifts of its hour settle all the same, and so do later ones.
func TestAnUnknownChargeKeepsNoOtherWaiting(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, h *house) {
		ok(t, h.ledger.Deliver(t.Context(), fmt.Appendf(nil, `{"id":"evt_nobody","object":"event","type":"charge.succeeded",
			"api_version":"2023-10-16","livemode":false,"created":%[1]d,"data":{"object":{"id":"ch_nobody","object":"charge",
			"created":%[1]d,"payment_intent":"pi_nobody","currency":"eur","status":"succeeded","amount_captured":500,
			"metadata":{"support_v":"1"}}}}`, h.box.Now().Unix())))
		for range 5 { // until the unknown one was asked for often enough to be given up
			h.advance(time.Minute)
			ok(t, h.FollowDue(t.Context()))
		}
		h.give(1000, "EUR", "once")
		for range 2 { // at first the list of the hour is a little behind
			h.advance(time.Minute)
			ok(t, h.FollowDue(t.Context()))
		}
		settled := func(d *giving.Donation) bool { return d.Settled.Net == 1000-59 }
		if !slices.ContainsFunc(h.donations(), settled) {
			t.Fatal("a gift in the hour of a charge that Stripe does not have never settled")
		}
	})
}
