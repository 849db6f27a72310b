package objects

import (
	"fmt"
	"strings"
	"testing"
)

// TestNeeds has what is asked of Stripe, with its priority, of a PaymentIntent
// or of the root that is named.
func TestNeeds(t *testing.T) {
	t.Parallel()
	settled := said{300, "", transactionOf("txn_1", "ch_1", "eur", 1000, 60)}
	tests := map[string]struct {
		said []said
		want string
	}{
		"a new gift": {[]said{{200, "charge.succeeded", chargeOf(ours)}}, "[{transactions/0 2}]"},
		"settled by what only a payout names": {[]said{
			{200, "charge.succeeded", chargeOf(ours)}, {300, "", string(Fact("balance_transaction/txn_1", &Transaction{Payout: "po_1"}))},
		}, "[{transactions/0 2}]"},
		"settled": {[]said{{200, "charge.succeeded", chargeOf(ours)}, settled}, "[]"},
		"a refund only heard of": {[]said{
			{200, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)}, settled,
		}, "[{refunds/ch_1 0}]"},
		"a refund that is known": {[]said{
			{200, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)}, settled,
			{200, "refund.created", refundOf("re_1", "succeeded", 400)}, {300, "", transactionOf("txn_re_1", "re_1", "eur", -400, 0)},
		}, "[]"},
		"a dispute said by an event": {[]said{
			{200, "charge.succeeded", chargeOf(ours)}, settled, {200, "charge.dispute.closed", disputeOf("lost", "eur", 1000, "")},
		}, "[{dispute/dp_1 0}]"},
		"a dispute said by the API": {[]said{
			{200, "charge.succeeded", chargeOf(ours)}, settled, {300, "", disputeOf("lost", "eur", 1000, "")},
		}, "[]"},
		"a dispute only heard of, and not said again": {[]said{
			{200, "charge.updated", chargeOf(`"disputed":true,` + ours)}, {201, "charge.updated", chargeOf(`"disputed":false,` + ours)}, settled,
		}, "[{disputes/ch_1 0}]"},
		"a dispute only heard of": {[]said{
			{200, "charge.updated", chargeOf(`"disputed":true,` + ours)}, settled,
		}, "[{disputes/ch_1 0}]"},
		"a charge without a PaymentIntent": {[]said{
			{200, "charge.succeeded", `{"id":"ch_1","object":"charge","created":7300,"status":"succeeded","amount_captured":5,` + ours + `}`},
		}, "charge/ch_1 [{transactions/7200 2}]"},
		"a refund of a charge without one": {[]said{
			{200, "charge.refunded", `{"id":"ch_1","object":"charge","status":"succeeded","amount_captured":5,"amount_refunded":5,"balance_transaction":"txn_1",` + ours + `}`}, settled,
		}, "charge/ch_1 [{refunds/ch_1 0}]"},
		"a refund that names the PaymentIntent alone": {[]said{
			{200, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)}, settled, {200, "refund.created", `{"id":"re_1","object":"refund","payment_intent":"pi_1","amount":400}`},
		}, "[]"},
		"a dispute that does": {[]said{
			{200, "charge.updated", chargeOf(`"disputed":true,` + ours)}, settled, {300, "", `{"id":"dp_1","object":"dispute","payment_intent":"pi_1"}`},
		}, "[]"},
		"settled, though the charge does not name it": {[]said{
			{200, "charge.succeeded", strings.Replace(chargeOf(ours), "txn_1", "", 1)}, settled,
		}, "[]"},
		"a refund's transaction that only a payout names": {[]said{
			{200, "charge.succeeded", chargeOf(ours)}, settled, {200, "refund.created", refundOf("re_1", "succeeded", 400)},
			{300, "", string(Fact("balance_transaction/txn_re_1", &Transaction{Payout: "po_1"}))},
		}, "[{balance_transaction/txn_re_1 2}]"},
		"a charge that took nothing": {[]said{{200, "charge.failed", `{"id":"ch_1","object":"charge","payment_intent":"pi_1","status":"failed","customer":"cus_1"}`},
			{200, "customer.updated", `{"id":"cus_1","object":"customer"}`}}, "[]"},
		"a refund's transactions": {[]said{
			{200, "charge.succeeded", chargeOf(ours)}, settled,
			{200, "charge.refund.updated", `{"id":"re_1","object":"refund","charge":"ch_1","status":"failed","amount":400,"balance_transaction":"txn_2","failure_balance_transaction":"txn_3"}`},
		}, "[{balance_transaction/txn_2 2} {balance_transaction/txn_3 2}]"},
		"a refund more, though one failed": {[]said{
			{200, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)}, settled,
			{200, "refund.created", refundOf("re_1", "failed", 400)}, {300, "", transactionOf("txn_re_1", "re_1", "eur", -400, 0)},
		}, "[{refunds/ch_1 0}]"},
		"refunds that were listed since": {[]said{
			{200, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)}, settled,
			{200, "", string(Fact("charge/ch_1", &Charge{RefundsListed: 200}))},
		}, "[]"},
		"refunds that were listed before": {[]said{
			{200, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)}, settled,
			{199, "", string(Fact("charge/ch_1", &Charge{RefundsListed: 199}))},
		}, "[{refunds/ch_1 0}]"},
		"a dispute's transactions": {[]said{
			{200, "charge.succeeded", chargeOf(ours)}, settled, {300, "", disputeOf("lost", "eur", 1000, `"txn_2"`)},
		}, "[{balance_transaction/txn_2 2}]"},
		"a dispute that is known": {[]said{
			{200, "charge.updated", chargeOf(`"disputed":true,` + ours)}, settled, {300, "", disputeOf("lost", "eur", 1000, "")},
		}, "[]"},
		"a customer whose address an event told": {[]said{
			{200, "charge.succeeded", chargeOf(`"customer":"cus_1",` + ours)}, settled, {200, "customer.updated", `{"id":"cus_1","object":"customer"}`},
		}, "[{customer/cus_1 3}]"},
		"a customer that the API told": {[]said{
			{200, "charge.succeeded", chargeOf(`"customer":"cus_1",` + ours)}, settled, {200, "", `{"id":"cus_1","object":"customer"}`},
		}, "[]"},
		"a customer who is no more": {[]said{
			{200, "charge.succeeded", chargeOf(`"customer":"cus_1",` + ours)}, settled, {200, "customer.deleted", `{"id":"cus_1","object":"customer"}`},
		}, "[]"},
		"a subscription that an event told": {[]said{
			{200, "customer.subscription.updated", `{"id":"sub_1","object":"subscription","status":"active","customer":"cus_1"}`},
			{200, "customer.updated", `{"id":"cus_1","object":"customer"}`},
		}, "subscription/sub_1 [{subscription/sub_1 1} {customer/cus_1 3}]"},
		"a subscription that the API told": {[]said{
			{200, "", `{"id":"sub_1","object":"subscription","status":"active"}`},
		}, "subscription/sub_1 []"},
		"two events of one second, and an answer of it": {[]said{
			{200, "customer.subscription.updated", `{"id":"sub_1","object":"subscription","status":"active"}`},
			{200, "customer.subscription.updated", `{"id":"sub_1","object":"subscription","status":"past_due"}`},
			{200, "", `{"id":"sub_1","object":"subscription","status":"active"}`},
		}, "subscription/sub_1 [{subscription/sub_1 1}]"},
		"a subscription that has ended": {[]said{
			{200, "customer.subscription.deleted", `{"id":"sub_1","object":"subscription","status":"canceled"}`},
		}, "subscription/sub_1 []"},
		"a payout that an event told": {[]said{
			{200, "payout.paid", `{"id":"po_1","object":"payout","automatic":true,"status":"paid"}`},
		}, "payout/po_1 [{payout/po_1 2}]"},
		"a payout to itemise": {[]said{
			{200, "", `{"id":"po_1","object":"payout","automatic":true,"reconciliation_status":"completed"}`},
		}, "payout/po_1 [{payout_lines/po_1 2}]"},
		"a payout that was itemised": {[]said{
			{200, "", `{"id":"po_1","object":"payout","automatic":true,"reconciliation_status":"completed"}`},
			{200, "", string(Fact("payout/po_1", &Payout{Listed: 200}))},
		}, "payout/po_1 []"},
		"a payout that is not ready": {[]said{
			{200, "", `{"id":"po_1","object":"payout","automatic":true,"reconciliation_status":"in_progress"}`},
		}, "payout/po_1 []"},
		"a payout by hand": {[]said{
			{200, "", `{"id":"po_1","object":"payout","automatic":false,"reconciliation_status":"completed"}`},
		}, "payout/po_1 []"},
		"nothing known":         {nil, "charge/ch_1 []"},
		"no subscription known": {nil, "subscription/sub_1 []"},
		"no payout known":       {nil, "payout/po_1 []"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, want, other := strings.Cut(tt.want, " [")
			if want = "[" + want; !other || strings.HasPrefix(root, "[") {
				root, want = "payment_intent/pi_1", tt.want
			}
			if got := fmt.Sprint(append([]Need{}, know(t, tt.said...).Needs(Ref(root))...)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func TestOwed(t *testing.T) {
	t.Parallel()
	invoice := func(id, fields string) said {
		return said{200, "invoice.payment_failed", fmt.Sprintf(`{"id":%q,"object":"invoice","created":50,"subscription":"sub_1",%s}`, id, fields)}
	}
	g := know(t, invoice("in_1", `"status":"open","attempt_count":1,"next_payment_attempt":900`), invoice("in_2", `"status":"open","attempt_count":0`),
		invoice("in_3", `"status":"paid","attempt_count":1`), invoice("in_4", `"status":"uncollectible","attempt_count":4`))
	if got, want := fmt.Sprint(g.Owed("subscription/sub_1")), "[{in_1 50 1 900 200}]"; got != want {
		t.Errorf("owed: %s, want %s", got, want)
	}
}

func TestRefundedAt(t *testing.T) {
	t.Parallel()
	refund := func(id, status string, created int) said {
		return said{200, "charge.refund.updated", fmt.Sprintf(`{"id":%q,"object":"refund","charge":"ch_1","status":%q,"amount":300,"created":%d}`, id, status, created)}
	}
	const direct = `{"id":"ch_1","object":"charge","status":"succeeded","amount_captured":1000,"amount_refunded":%d,` + ours + `}`
	heard := func(at int64, minor int) said {
		return said{at, "charge.refunded", chargeOf(fmt.Sprintf(`"amount_refunded":%d,`, minor) + ours)}
	}
	tests := map[string]struct {
		root Ref
		said []said
		want int64
	}{
		"never":                      {"payment_intent/pi_1", []said{heard(100, 0)}, 0},
		"the newest":                 {"payment_intent/pi_1", []said{heard(100, 0), refund("re_1", "succeeded", 160), refund("re_2", "succeeded", 150)}, 160},
		"one that failed":            {"payment_intent/pi_1", []said{heard(100, 0), refund("re_1", "failed", 150)}, 0},
		"one only heard of":          {"payment_intent/pi_1", []said{heard(170, 300)}, 170},
		"heard of, and known":        {"payment_intent/pi_1", []said{heard(170, 300), refund("re_1", "succeeded", 150)}, 150},
		"heard of one more":          {"payment_intent/pi_1", []said{heard(170, 600), refund("re_1", "succeeded", 150)}, 170},
		"heard of, one failed":       {"payment_intent/pi_1", []said{heard(170, 300), refund("re_1", "failed", 150)}, 170},
		"without a PaymentIntent":    {"charge/ch_1", []said{{100, "charge.succeeded", fmt.Sprintf(direct, 0)}, refund("re_1", "succeeded", 150)}, 150},
		"one only heard of, without": {"charge/ch_1", []said{{170, "charge.refunded", fmt.Sprintf(direct, 300)}}, 170},
		"one of the PaymentIntent":   {"payment_intent/pi_1", []said{heard(100, 0), {200, "refund.created", `{"id":"re_1","object":"refund","payment_intent":"pi_1","amount":300,"created":150}`}}, 150},
		"of nothing known":           {"charge/ch_1", nil, 0},
		"of an invoice":              {"invoice/in_1", []said{refund("re_1", "succeeded", 150)}, 0},
	}
	for name, tt := range tests {
		if got := know(t, tt.said...).RefundedAt(tt.root); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
