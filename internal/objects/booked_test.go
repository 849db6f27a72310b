package objects

import (
	"fmt"
	"testing"
)

// TestWhatIsBooked has what the rules come to where more than one refund,
// dispute or transaction has a say.
func TestWhatIsBooked(t *testing.T) {
	t.Parallel()
	gift := said{200, "charge.succeeded", chargeOf(ours)}
	settled := said{300, "", transactionOf("txn_1", "ch_1", "usd", 2000, 60)}
	refund := func(id string, created int) said {
		return said{200, "refund.created", fmt.Sprintf(`{"id":%q,"object":"refund","charge":"ch_1","status":"succeeded","amount":100,"created":%d}`, id, created)}
	}
	dispute := func(id, status string, created, amount int) said {
		return said{200, "charge.dispute.created", fmt.Sprintf(`{"id":%q,"object":"dispute","charge":"ch_1","status":%q,"currency":"eur","amount":%d,"created":%d}`,
			id, status, amount, created)}
	}
	share := func(before string) said {
		return said{200, "charge.dispute.created", disputeOf("lost", "gbp", 7777, before+","+transactionOf("txn_2", "dp_1", "usd", -1000, 0))}
	}
	tests := map[string]struct {
		said []said
		want string // refunded, disputed, lost; when it turned; settled; elsewhere
	}{
		"it turned with the newer of two refunds": {[]said{gift, refund("re_1", 180), refund("re_2", 160)}, "200 0 0 180 { 0 0} []"},
		"not with a dispute that was before":      {[]said{gift, refund("re_1", 180), dispute("dp_1", "lost", 150, 300)}, "100 300 300 180 { 0 0} []"},
		"nor with the older of two disputes":      {[]said{gift, dispute("dp_1", "won", 190, 300), dispute("dp_2", "won", 150, 300)}, "0 0 0 190 { 0 0} []"},
		"nor with what was heard of another charge before": {[]said{gift, refund("re_1", 300), {210, "charge.refunded", `{"id":"ch_2","object":"charge","created":110,"currency":"eur",
			"status":"succeeded","amount_captured":500,"amount_refunded":50,"payment_intent":"pi_1",` + ours + `}`}}, "150 0 0 300 { 0 0} []"},
		"two disputes of one charge":                      {[]said{gift, dispute("dp_1", "lost", 150, 300), dispute("dp_2", "needs_response", 160, 200)}, "0 500 300 160 { 0 0} []"},
		"a share beside a transaction that is not known":  {[]said{gift, settled, share(`"txn_0"`)}, "0 500 500 100 {USD 60 940} []"},
		"a share beside one that moved nothing":           {[]said{gift, settled, share(transactionOf("txn_0", "dp_1", "usd", 0, 0))}, "0 500 500 100 {USD 60 940} []"},
		"settled by what the charge names, and no more":   {[]said{gift, {300, "", transactionOf("txn_1", "", "usd", 2000, 60)}}, "0 0 0 100 {USD 60 1940} []"},
		"a refund's transaction that only a payout names": {[]said{gift, settled, {200, "refund.created", refundOf("re_1", "succeeded", 100)}, {300, "", string(Fact("balance_transaction/txn_re_1", &Transaction{Payout: "po_1"}))}}, "100 0 0 100 {USD 60 1940} []"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := donationOf(t, know(t, tt.said...), "payment_intent/pi_1")
			if got := fmt.Sprint(d.Refunded, d.Disputed, d.Lost, d.Turned, d.Settled, d.Elsewhere); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestOrphan has a refund name what it gives back in either way.
func TestOrphan(t *testing.T) {
	t.Parallel()
	for r, want := range map[Refund]bool{{}: true, {Charge: "ch_1"}: false, {Intent: "pi_1"}: false} {
		if r.Orphan() != want {
			t.Errorf("%+v is an orphan: %t", r, !want)
		}
	}
}
