package objects

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
)

// said is an object, and when it was said.
type said struct {
	at     int64
	event  string // "" for an answer of the API
	object string
}

// know returns the graph of everything that was said.
func know(t *testing.T, all ...said) *Graph {
	t.Helper()
	g := NewGraph()
	for _, s := range all {
		found, err := Decode([]byte(s.object), Source{At: s.at, Event: s.event})
		if err != nil {
			t.Fatalf("%s: %v", s.object, err)
		}
		for _, f := range found {
			r, _ := g.Get(f.Ref)
			if r == nil {
				r = Empty(f.Ref.Kind())
				g.Put(f.Ref, r)
			}
			r.Join(f.Register)
			for _, link := range f.Register.Links() {
				g.AddName(link, f.Ref)
			}
		}
	}
	return g
}

const (
	ours    = `"metadata":{"support_v":"1","article":"troops","placement":"mid"}`
	foreign = `"metadata":{}`
)

func chargeOf(more string) string {
	return `{"id":"ch_1","object":"charge","created":100,"currency":"eur","status":"succeeded","amount_captured":1000,` +
		`"payment_intent":"pi_1","balance_transaction":"txn_1",` + more + `}`
}

func refundOf(id, status string, amount int) string {
	return fmt.Sprintf(`{"id":%q,"object":"refund","charge":"ch_1","payment_intent":"pi_1","status":%q,"amount":%d,
		"balance_transaction":"txn_%s"}`, id, status, amount, id)
}

func disputeOf(status, currency string, amount int, transactions string) string {
	return fmt.Sprintf(`{"id":"dp_1","object":"dispute","charge":"ch_1","payment_intent":"pi_1","status":%q,"currency":%q,
		"amount":%d,"balance_transactions":[%s]}`, status, currency, amount, transactions)
}

func transactionOf(id, source, currency string, amount, fee int) string {
	return fmt.Sprintf(`{"id":%q,"object":"balance_transaction","created":100,"source":%q,"currency":%q,"amount":%d,"fee":%d,
		"net":%d,"type":"charge"}`, id, source, currency, amount, fee, amount-fee)
}

// donationOf loads what a projection misses, as the ledger does, and returns
// the donation.
func donationOf(t *testing.T, g *Graph, root Ref) *giving.Donation {
	t.Helper()
	for range 10 {
		d := g.Donation(root)
		registers, names := g.Missing()
		if len(registers)+len(names) == 0 {
			return d
		}
		if slices.Contains(registers, "") || slices.Contains(names, "") {
			t.Error("an object without a name is missing")
		}
		for _, ref := range registers {
			g.Put(ref, nil)
		}
		for _, ref := range names {
			g.PutUnnamed(ref)
		}
	}
	t.Fatal("what is missing was loaded and is missing still")
	return nil
}

// TestDonation is what counts, rule by rule.
func TestDonation(t *testing.T) {
	t.Parallel()
	event := func(kind, object string) said { return said{200, kind, object} }
	gift := event("charge.succeeded", chargeOf(ours))
	renewal := []said{
		event("charge.succeeded", chargeOf(`"invoice":"in_1",`+foreign)),
		event("invoice.paid", `{"id":"in_1","object":"invoice","status":"paid","subscription":"sub_1","payment_intent":"pi_1",
			"lines":{"data":[{"type":"subscription","price":{"recurring":{"interval":"month","interval_count":1}}}]}}`),
		event("customer.subscription.created", `{"id":"sub_1","object":"subscription","created":1,`+ours+`}`),
	}
	correction := func(object Ref, article string, at int64) said {
		return said{at, "", string(Correct(object, Corrected{Article: article}, time.Unix(at, 0)))}
	}
	tests := map[string]struct {
		said []said
		want string // gross, refunded, disputed, lost; settled currency, fee, net; article; interval
	}{
		"a marked charge":    {[]said{gift}, "1000 0 0 0 - 0 0 troops once"},
		"an unmarked charge": {[]said{event("charge.succeeded", chargeOf(foreign))}, "none"},
		"a failed charge":    {[]said{event("charge.failed", `{"id":"ch_1","object":"charge","payment_intent":"pi_1","status":"failed","amount_captured":0,`+ours+`}`)}, "none"},
		"not captured yet":   {[]said{event("charge.succeeded", `{"id":"ch_1","object":"charge","payment_intent":"pi_1","status":"succeeded","amount_captured":0,`+ours+`}`)}, "none"},
		"failed, then paid": {[]said{
			event("charge.failed", `{"id":"ch_0","object":"charge","created":90,"payment_intent":"pi_1","status":"failed",`+ours+`}`), gift,
		}, "1000 0 0 0 - 0 0 troops once"},
		"ours by its intent": {[]said{
			event("charge.succeeded", chargeOf(foreign)),
			event("payment_intent.succeeded", `{"id":"pi_1","object":"payment_intent",`+ours+`}`),
		}, "1000 0 0 0 - 0 0 troops once"},
		"ours by its session": {[]said{
			event("charge.succeeded", chargeOf(foreign)),
			event("checkout.session.completed", `{"id":"cs_1","object":"checkout.session","payment_intent":"pi_1",`+ours+`}`),
		}, "1000 0 0 0 - 0 0 troops once"},
		"the same customer makes nothing ours": {[]said{
			event("charge.succeeded", chargeOf(`"customer":"cus_1",`+foreign)),
			event("charge.succeeded", `{"id":"ch_2","object":"charge","status":"succeeded","amount_captured":5,"payment_intent":"pi_2","customer":"cus_1",`+ours+`}`),
		}, "none"},
		"adopted": {[]said{
			event("charge.succeeded", chargeOf(foreign)),
			{300, "", string(Fact("adopted/pi_1", &Adopted{Object: "payment_intent/pi_1", Won: Latest[giving.Attribution]{Stamp: Stamp{At: 300}, Value: giving.Attribution{Article: "old"}}}))},
		}, "1000 0 0 0 - 0 0 old once"},
		"corrected": {[]said{gift, correction("payment_intent/pi_1", "front", 300)}, "1000 0 0 0 - 0 0 front once"},
		"corrected twice": {[]said{
			gift, correction("payment_intent/pi_1", "front", 300), correction("payment_intent/pi_1", "", 301),
		}, "1000 0 0 0 - 0 0  once"},
		"a correction makes nothing ours": {[]said{
			event("charge.succeeded", chargeOf(foreign)), correction("payment_intent/pi_1", "front", 300),
		}, "none"},
		"a renewal of a corrected membership": {append(renewal, correction("subscription/sub_1", "front", 300)), "1000 0 0 0 - 0 0 front month"},
		"a corrected renewal of one": {append(renewal, correction("payment_intent/pi_1", "back", 300), correction("subscription/sub_1", "front", 301)),
			"1000 0 0 0 - 0 0 back month"},
		"a renewal, ours by its subscription": {renewal, "1000 0 0 0 - 0 0 troops month"},
		"an invoice that is not known yet": {[]said{
			event("charge.succeeded", chargeOf(`"invoice":"in_1",`+ours)),
		}, "1000 0 0 0 - 0 0 troops "},
		"settled": {[]said{
			gift, {300, "", transactionOf("txn_1", "ch_1", "usd", 1100, 60)},
		}, "1000 0 0 0 USD 60 1040 troops once"},
		"settled, though the charge does not name it yet": {[]said{
			event("charge.succeeded", `{"id":"ch_1","object":"charge","created":100,"currency":"eur","status":"succeeded","amount_captured":1000,"payment_intent":"pi_1",`+ours+`}`),
			{300, "", transactionOf("txn_1", "ch_1", "usd", 1100, 60)},
		}, "1000 0 0 0 USD 60 1040 troops once"},
		"refunds, one of which failed": {[]said{
			gift, event("charge.refund.updated", refundOf("re_1", "succeeded", 300)), event("charge.refund.updated", refundOf("re_2", "failed", 200)),
		}, "1000 300 0 0 - 0 0 troops once"},
		"a refund that is only heard of": {[]said{
			gift, {210, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)},
		}, "1000 400 0 0 - 0 0 troops once"},
		"the newest amount refunded counts, not the greatest": {[]said{
			gift, {210, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)}, {220, "charge.updated", chargeOf(`"amount_refunded":100,` + ours)},
		}, "1000 100 0 0 - 0 0 troops once"},
		"of one second the greater amount refunded counts": {[]said{
			gift, {210, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)}, {210, "charge.updated", chargeOf(`"amount_refunded":100,` + ours)},
		}, "1000 400 0 0 - 0 0 troops once"},
		"once the refunds were listed they alone count": {[]said{
			gift, {210, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)},
			event("charge.refund.updated", refundOf("re_1", "failed", 400)),
			{230, "", string(Fact("charge/ch_1", &Charge{RefundsListed: 230}))},
		}, "1000 0 0 0 - 0 0 troops once"},
		"listed before the charge was last seen, they do not": {[]said{
			gift, {210, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)},
			{205, "", string(Fact("charge/ch_1", &Charge{RefundsListed: 205}))},
		}, "1000 400 0 0 - 0 0 troops once"},
		"listed in the second in which the charge was last seen, they do": {[]said{
			gift, {210, "charge.refunded", chargeOf(`"amount_refunded":400,` + ours)},
			{210, "", string(Fact("charge/ch_1", &Charge{RefundsListed: 210}))},
		}, "1000 0 0 0 - 0 0 troops once"},
		"an inquiry takes nothing":      {[]said{gift, event("charge.dispute.created", disputeOf("warning_needs_response", "eur", 1000, ""))}, "1000 0 0 0 - 0 0 troops once"},
		"an open dispute takes":         {[]said{gift, event("charge.dispute.created", disputeOf("needs_response", "eur", 1000, ""))}, "1000 0 1000 0 - 0 0 troops once"},
		"a lost dispute takes for good": {[]said{gift, event("charge.dispute.closed", disputeOf("lost", "eur", 900, ""))}, "1000 0 900 900 - 0 0 troops once"},
		"a won dispute takes nothing":   {[]said{gift, event("charge.dispute.closed", disputeOf("won", "eur", 1000, ""))}, "1000 0 0 0 - 0 0 troops once"},
		"a dispute in another currency takes its share": {[]said{
			gift, {300, "", transactionOf("txn_1", "ch_1", "usd", 2000, 60)},
			event("charge.dispute.created", disputeOf("lost", "gbp", 7777, transactionOf("txn_2", "dp_1", "usd", -1000, 1500))),
		}, "1000 0 500 500 USD 1560 -560 troops once"},
		"a dispute's share, by the withdrawal in the charge's own settlement": {[]said{
			gift, {300, "", transactionOf("txn_1", "ch_1", "usd", 2000, 60)},
			event("charge.dispute.created", disputeOf("needs_response", "gbp", 7777,
				transactionOf("txn_0", "dp_1", "chf", -400, 0)+","+transactionOf("txn_2", "dp_1", "usd", 500, 0)+","+transactionOf("txn_3", "dp_1", "usd", -1000, 0))),
		}, "1000 0 500 0 USD 60 1440 troops once"},
		"a dispute's share that can't be told": {[]said{
			gift, event("charge.dispute.created", disputeOf("needs_response", "gbp", 7777, transactionOf("txn_2", "dp_1", "usd", -1000, 0))),
		}, "1000 0 1000 0 - 0 0 troops once"},
		"a dispute's share before it is withdrawn": {[]said{
			gift, {300, "", transactionOf("txn_1", "ch_1", "usd", 2000, 60)}, event("charge.dispute.created", disputeOf("needs_response", "gbp", 7777, "")),
		}, "1000 0 1000 0 USD 60 1940 troops once"},
		"a dispute's transactions, though only they name it": {[]said{
			gift, {300, "", transactionOf("txn_1", "ch_1", "eur", 1000, 60)}, event("charge.dispute.closed", disputeOf("lost", "eur", 1000, "")),
			{300, "", transactionOf("txn_2", "dp_1", "eur", -1000, 1500)},
		}, "1000 0 1000 1000 EUR 1560 -1560 troops once"},
		"a dispute's transactions, though they do not name it": {[]said{
			gift, {300, "", transactionOf("txn_1", "ch_1", "eur", 1000, 60)},
			event("charge.dispute.closed", disputeOf("lost", "eur", 1000, transactionOf("txn_2", "", "eur", -1000, 1500))),
		}, "1000 0 1000 1000 EUR 1560 -1560 troops once"},
		"a dispute won, and the fee given back": {[]said{
			gift, {300, "", transactionOf("txn_1", "ch_1", "eur", 1000, 60)},
			event("charge.dispute.closed", disputeOf("won", "eur", 1000, transactionOf("txn_2", "dp_1", "eur", -1000, 1500)+","+transactionOf("txn_3", "dp_1", "eur", 1000, -1500))),
		}, "1000 0 0 0 EUR 60 940 troops once"},
		"a dispute lost, and reversed": {[]said{
			gift, event("charge.dispute.closed", disputeOf("lost", "eur", 1000, "")), {201, "charge.dispute.funds_reinstated", disputeOf("won", "eur", 1000, "")},
		}, "1000 0 0 0 - 0 0 troops once"},
		"an inquiry that became a dispute": {[]said{
			gift, event("charge.dispute.created", disputeOf("warning_needs_response", "eur", 1000, "")), {201, "charge.dispute.updated", disputeOf("under_review", "eur", 1000, "")},
		}, "1000 0 1000 0 - 0 0 troops once"},
		"funds given back while the status is lost": {[]said{
			gift, {201, "charge.dispute.funds_reinstated", disputeOf("lost", "eur", 1000, "")},
		}, "1000 0 1000 1000 - 0 0 troops once"},
		"a refund and a dispute of one charge": {[]said{
			gift, event("charge.refund.updated", refundOf("re_1", "succeeded", 300)), event("charge.dispute.closed", disputeOf("lost", "eur", 1000, "")),
		}, "1000 300 1000 1000 - 0 0 troops once"},
		"a transaction that is only named": {[]said{
			gift, {300, "", string(Fact("balance_transaction/txn_1", &Transaction{Payout: "po_1"}))},
		}, "1000 0 0 0 - 0 0 troops once"},
		"another one of the charge settles nothing": {[]said{
			gift, {300, "", `{"id":"txn_9","object":"balance_transaction","created":100,"source":"ch_1","currency":"usd","amount":5,"fee":0,"net":5,"type":"adjustment"}`},
		}, "1000 0 0 0 - 0 0 troops once"},
		"a payment, as bank debits are": {[]said{
			event("charge.succeeded", `{"id":"ch_1","object":"charge","created":100,"currency":"eur","status":"succeeded","amount_captured":1000,"payment_intent":"pi_1",`+ours+`}`),
			{300, "", `{"id":"txn_9","object":"balance_transaction","created":100,"source":"ch_1","currency":"usd","amount":1100,"fee":60,"net":1040,"type":"payment"}`},
		}, "1000 0 0 0 USD 60 1040 troops once"},
		"a failed refund gives net back": {[]said{
			gift, {300, "", transactionOf("txn_1", "ch_1", "eur", 1000, 60)},
			event("charge.refund.updated", `{"id":"re_1","object":"refund","charge":"ch_1","status":"failed","amount":1000,"balance_transaction":"txn_2","failure_balance_transaction":"txn_3"}`),
			{300, "", transactionOf("txn_2", "re_1", "eur", -1000, 0)}, {300, "", transactionOf("txn_3", "re_1", "eur", 1000, 0)},
		}, "1000 0 0 0 EUR 60 940 troops once"},
		"two charges that both took money, one of them refunded in part": {[]said{
			gift,
			event("charge.succeeded", `{"id":"ch_2","object":"charge","created":110,"currency":"eur","status":"succeeded","amount_captured":500,"payment_intent":"pi_1",`+ours+`}`),
			event("charge.refund.updated", refundOf("re_1", "succeeded", 300)),
		}, "1500 300 0 0 - 0 0 troops once"},
		"two charges that both took money, one of them disputed": {[]said{
			gift,
			event("charge.succeeded", `{"id":"ch_2","object":"charge","created":110,"currency":"eur","status":"succeeded","amount_captured":500,"payment_intent":"pi_1",`+ours+`}`),
			event("charge.dispute.created", disputeOf("needs_response", "eur", 1000, "")),
		}, "1500 0 1000 0 - 0 0 troops once"},
		"the second of two charges refunded and disputed": {[]said{
			gift,
			event("charge.succeeded", `{"id":"ch_2","object":"charge","created":110,"currency":"eur","status":"succeeded","amount_captured":500,"payment_intent":"pi_1",`+ours+`}`),
			event("refund.created", `{"id":"re_1","object":"refund","charge":"ch_2","payment_intent":"pi_1","status":"succeeded","amount":300}`),
			event("charge.dispute.created", `{"id":"dp_1","object":"dispute","charge":"ch_2","payment_intent":"pi_1","status":"lost","amount":200,"currency":"eur"}`),
		}, "1500 300 200 200 - 0 0 troops once"},
		"the bill of a membership whose lines say nothing": {[]said{
			event("charge.succeeded", chargeOf(`"invoice":"in_1",`+ours)), event("invoice.paid", `{"id":"in_1","object":"invoice","subscription":"sub_1"}`),
			event("customer.subscription.updated", `{"id":"sub_1","object":"subscription","items":{"data":[{"price":{"recurring":{"interval":"year"}}}]}}`),
		}, "1000 0 0 0 - 0 0 troops year"},
		"the bill of a membership of which nothing is known": {[]said{
			event("charge.succeeded", chargeOf(`"invoice":"in_1",`+ours)), event("invoice.paid", `{"id":"in_1","object":"invoice","subscription":"sub_1"}`),
		}, "1000 0 0 0 - 0 0 troops "},
		"a refund and a dispute that name no charge count once": {[]said{
			gift,
			event("charge.succeeded", `{"id":"ch_2","object":"charge","created":110,"currency":"eur","status":"succeeded","amount_captured":500,"payment_intent":"pi_1",`+ours+`}`),
			event("refund.created", `{"id":"re_1","object":"refund","payment_intent":"pi_1","status":"succeeded","amount":300}`),
			event("charge.dispute.created", `{"id":"dp_1","object":"dispute","payment_intent":"pi_1","status":"lost","amount":200,"currency":"eur"}`),
		}, "1500 300 200 200 - 0 0 troops once"},
		"an inherited mark of the invoice": {[]said{
			event("charge.succeeded", chargeOf(`"invoice":"in_1",`+foreign)),
			event("invoice.paid", `{"id":"in_1","object":"invoice","subscription_details":{`+ours+`}}`),
		}, "1000 0 0 0 - 0 0 troops once"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := "none"
			if d := donationOf(t, know(t, tt.said...), "payment_intent/pi_1"); d != nil {
				currency := d.Settled.Currency
				if currency == "" {
					currency = "-"
				}
				got = fmt.Sprint(d.Gross, d.Refunded, d.Disputed, d.Lost, " ", currency, " ", d.Settled.Fee, d.Settled.Net, " "+d.Article+" "+string(d.Interval))
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestADonationHasOneKey(t *testing.T) {
	t.Parallel()
	g := know(t, said{200, "charge.succeeded", chargeOf(ours)},
		said{200, "invoice.paid", `{"id":"in_1","object":"invoice","status":"paid","paid_out_of_band":true,"amount_paid":1000,"payment_intent":"pi_1",` + ours + `}`})
	for _, root := range []Ref{"charge/ch_1", "invoice/in_1"} {
		if d := g.Donation(root); d != nil {
			t.Errorf("%s is a donation beside its PaymentIntent's: %+v", root, d)
		}
	}
	g = know(t, said{200, "invoice.paid", `{"id":"in_1","object":"invoice","created":50,"currency":"eur","status":"paid",
		"paid_out_of_band":true,"amount_paid":1000,"payment_intent":"pi_1","status_transitions":{"paid_at":60},` + ours + `}`})
	if d := g.Donation("invoice/in_1"); d == nil || d.Key != "in_1" || d.Gross != 1000 || d.Created != 60 {
		t.Errorf("an invoice paid outside Stripe is %+v", d)
	}
}

// TestALinkThatWasDeniedLeadsNowhere: where Stripe contradicts itself each root
// goes by what the registers hold, in any order.
func TestALinkThatWasDeniedLeadsNowhere(t *testing.T) {
	t.Parallel()
	object := func(kind, id, fields string) said {
		return said{200, "some.event", fmt.Sprintf(`{"id":%q,"object":%q,%s}`, id, kind, fields)}
	}
	charge := func(intent string) said {
		return object("charge", "ch_1", `"created":100,"currency":"eur","status":"succeeded","amount_captured":1000,"payment_intent":"`+intent+`",`+foreign)
	}
	session := func(intent string) said {
		return object("checkout.session", "cs_1", `"payment_intent":"`+intent+`",`+ours)
	}
	invoice := func(subscription string) said {
		return object("invoice", "in_1", `"status":"open","attempt_count":1,"created":150,"subscription":"`+subscription+`"`)
	}
	bill := object("invoice", "in_2", `"status":"paid","paid_out_of_band":true,"amount_paid":700,`+ours)
	billed := func(invoice string) said {
		return object("charge", "ch_2", `"status":"succeeded","amount_captured":5,"invoice":"`+invoice+`"`)
	}
	late := func(id string) said { return object("subscription", id, `"created":10,"status":"past_due",`+ours) }
	for _, order := range permutations([]said{charge("pi_1"), charge("pi_2"), session("pi_1"), session("pi_2")}) {
		g := know(t, order...)
		if d := g.Donation("payment_intent/pi_1"); d != nil {
			t.Errorf("a charge that belongs to another PaymentIntent is %+v", d)
		}
		if d := g.Donation("payment_intent/pi_2"); d == nil || d.Gross != 1000 {
			t.Errorf("the charge is %+v", d)
		}
	}
	for _, order := range permutations([]said{charge("pi_1"), session("pi_1"), session("pi_2")}) {
		if d := know(t, order...).Donation("payment_intent/pi_1"); d != nil {
			t.Errorf("another PaymentIntent's session makes it ours: %+v", d)
		}
	}
	for _, order := range permutations([]said{bill, billed("in_2"), billed("in_3")}) {
		if d := know(t, order...).Donation("invoice/in_2"); d == nil || d.Gross != 700 {
			t.Errorf("a bill that another bill's charge did not pay is %+v", d)
		}
	}
	for _, order := range permutations([]said{late("sub_1"), invoice("sub_1"), invoice("sub_2")}) {
		g := know(t, order...)
		if m := g.Membership("subscription/sub_1", 300, 100*time.Second); m == nil || m.LiveUntil != 300 {
			t.Errorf("another membership's bill starts its grace: %+v", m)
		}
		if owed := g.Owed("subscription/sub_1"); len(owed) > 0 {
			t.Errorf("it owes another's bill: %+v", owed)
		}
	}
}

func TestAnInvoicePaidOutsideStripe(t *testing.T) {
	t.Parallel()
	invoice := func(at int64, status, more string) said {
		return said{at, "invoice.updated", fmt.Sprintf(`{"id":"in_1","object":"invoice","created":50,"currency":"eur","status":%q,
			"amount_paid":1000,%s%s}`, status, more, ours)}
	}
	const outside = `"paid_out_of_band":true,`
	charged := func(status, more string) said {
		return said{200, "charge.updated", fmt.Sprintf(`{"id":"ch_1","object":"charge","created":60,"currency":"eur","status":%q,"amount_captured":1000%s}`, status, more)}
	}
	tests := map[string]struct {
		said []said
		want int64 // gross
	}{
		"paid":                             {[]said{invoice(100, "paid", outside)}, 1000},
		"not paid yet":                     {[]said{invoice(100, "open", outside)}, 0},
		"paid by Stripe":                   {[]said{invoice(100, "paid", "")}, 0},
		"paid, and said to be void before": {[]said{invoice(100, "void", ""), invoice(101, "paid", outside)}, 1000},
		"paid, and said to be void later":  {[]said{invoice(100, "paid", outside), invoice(101, "void", "")}, 1000},
		"a failed charge beside":           {[]said{invoice(100, "paid", outside), charged("failed", `,"invoice":"in_1"`)}, 1000},
		"a charge that names it took money": {
			[]said{invoice(100, "paid", outside), charged("succeeded", `,"invoice":"in_1"`)}, 0,
		},
		"a charge that it names took money": {[]said{invoice(100, "paid", outside+`"charge":"ch_1",`), charged("succeeded", "")}, 0},
		"a charge of its PaymentIntent took money": {
			[]said{invoice(100, "paid", outside+`"payment_intent":"pi_1",`), charged("succeeded", `,"payment_intent":"pi_1"`)}, 0,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gross := int64(0)
			if d := know(t, tt.said...).Donation("invoice/in_1"); d != nil {
				gross = d.Gross
			}
			if gross != tt.want {
				t.Errorf("gross %d, want %d", gross, tt.want)
			}
		})
	}
}

func TestMembership(t *testing.T) {
	t.Parallel()
	const now, grace = 1_000_000, 14 * 24 * time.Hour
	subscription := func(at int64, status, more string) said {
		return said{at, "customer.subscription.updated", `{"id":"sub_1","object":"subscription","created":100,"customer":"cus_1","status":"` + status + `",` + more + ours + `}`}
	}
	invoice := func(id, status string, created int64) said {
		return said{created, "invoice.payment_failed", fmt.Sprintf(`{"id":%q,"object":"invoice","subscription":"sub_1","status":%q,"created":%d}`, id, status, created)}
	}
	graceTime := int64(grace / time.Second)
	tests := map[string]struct {
		said []said
		live bool
	}{
		"active":                     {[]said{subscription(200, "active", "")}, true},
		"trialing":                   {[]said{subscription(200, "trialing", "")}, true},
		"incomplete":                 {[]said{subscription(200, "incomplete", "")}, false},
		"unpaid":                     {[]said{subscription(200, "unpaid", "")}, false},
		"canceled":                   {[]said{subscription(200, "canceled", "")}, false},
		"canceled, then told active": {[]said{subscription(200, "canceled", ""), subscription(300, "active", "")}, false},
		"paused":                     {[]said{subscription(200, "active", `"pause_collection":{"behavior":"void"},`)}, false},
		"resumed":                    {[]said{subscription(200, "active", `"pause_collection":{"behavior":"void"},`), subscription(300, "active", `"pause_collection":null,`)}, true},
		"past due, within grace":     {[]said{subscription(200, "past_due", ""), invoice("in_1", "open", now-graceTime+1)}, true},
		"past due, grace over":       {[]said{subscription(200, "past_due", ""), invoice("in_1", "open", now-graceTime)}, false},
		"grace runs from the oldest open invoice": {[]said{
			subscription(200, "past_due", ""), invoice("in_1", "open", now-graceTime), invoice("in_2", "open", now-5),
		}, false},
		"in whatever order they are named": {[]said{
			subscription(200, "past_due", ""), invoice("in_1", "open", now-5), invoice("in_2", "open", now-graceTime),
		}, false},
		"a paid invoice starts no grace": {[]said{
			subscription(200, "past_due", ""), invoice("in_1", "paid", now-2*graceTime), invoice("in_2", "open", now-5),
		}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := know(t, tt.said...).Membership("subscription/sub_1", now, grace)
			if m == nil || m.Live != tt.live || m.Supporter != "customer:cus_1" {
				t.Errorf("got %+v, want live %t", m, tt.live)
			}
		})
	}
}

// TestWhatIsNamedAndNotKnown: a link may be stored of what was never said.
func TestWhatIsNamedAndNotKnown(t *testing.T) {
	t.Parallel()
	g := know(t, said{200, "charge.succeeded", chargeOf(`"invoice":"in_1","customer":"cus_1",` + ours)},
		said{200, "invoice.paid", `{"id":"in_1","object":"invoice","subscription":"sub_1"}`},
		said{200, "customer.subscription.updated", `{"id":"sub_1","object":"subscription","created":5,"status":"past_due",` + ours + `}`})
	for _, ref := range []Ref{"charge/ch_1", "payment_intent/pi_1", "invoice/in_1", "subscription/sub_1", "customer/cus_1"} {
		for _, kind := range append(slices.Clone(kinds), KindErasure) {
			g.PutName(ref, NewRef(kind, "never_said"))
			g.Put(NewRef(kind, "never_said"), nil)
		}
	}
	if d := donationOf(t, g, "payment_intent/pi_1"); d == nil || d.Gross != 1000 || d.Refunded != 0 || d.Disputed != 0 {
		t.Errorf("the gift is %+v", d)
	}
	donationOf(t, g, "invoice/in_1")
	if m := g.Membership("subscription/sub_1", 300, time.Hour); m == nil || m.LiveUntil != 200+3600 {
		t.Errorf("the membership is %+v", m)
	}
	if owed := g.Owed("subscription/sub_1"); len(owed) > 0 {
		t.Errorf("it owes %+v", owed)
	}
	if needs := fmt.Sprint(g.Needs("payment_intent/pi_1")); needs != "[{transactions/0 2}]" {
		t.Errorf("asked is %s", needs)
	}
	g.RefundedAt("payment_intent/pi_1")
	strangers := know(t, said{200, "charge.succeeded", chargeOf(foreign)})
	strangers.PutName("charge/ch_1", "adopted/never_said")
	if d := donationOf(t, strangers, "payment_intent/pi_1"); d != nil {
		t.Errorf("what nobody adopted is %+v", d)
	}
}
