package objects

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
)

// TestWhoseGiftItIs has each object that may say whose a gift is and what won
// it, from the nearest to the furthest.
func TestWhoseGiftItIs(t *testing.T) {
	t.Parallel()
	said200 := func(kind, id, fields string) said {
		return said{200, "some.event", fmt.Sprintf(`{"id":%q,"object":%q,%s}`, id, kind, fields)}
	}
	charge := func(fields string) said {
		return said200("charge", "ch_1", `"created":100,"currency":"eur","status":"succeeded","amount_captured":1000,"payment_intent":"pi_1",`+fields)
	}
	won := func(article string) string { return `"metadata":{"support_v":"1","article":"` + article + `"}` }
	gift := charge(won("troops"))
	adopted := func(object Ref) said {
		return said{300, "", string(Fact("adopted/a_1", &Adopted{
			Object: object, Won: Latest[giving.Attribution]{Stamp{At: 300}, giving.Attribution{Article: "old"}},
		}))}
	}
	session := func(id, fields string) said { return said200("checkout.session", id, fields) }
	donor := func(email, name string) string {
		return fmt.Sprintf(`"customer_details":{"email":%q,"name":%q}`, email, name)
	}
	invoice := func(fields string) said { return said200("invoice", "in_1", `"subscription":"sub_1",`+fields) }
	subscription := func(fields string) said { return said200("subscription", "sub_1", `"created":50,`+fields) }
	tests := map[string]struct {
		said []said
		want string // article; customer; email, name; supporter; renewal; invoice and subscription
	}{
		// What won it.
		"the charge's metadata before its PaymentIntent's": {
			[]said{gift, said200("payment_intent", "pi_1", won("intent"))}, "troops | | | gift:pi_1 | false | ",
		},
		"the PaymentIntent's before its invoice's": {
			[]said{charge(`"invoice":"in_1",` + foreign), said200("payment_intent", "pi_1", won("intent")), invoice(won("own"))},
			"intent | | | gift:pi_1 | false | in_1 sub_1",
		},
		"what an invoice inherited before its own": {
			[]said{charge(`"invoice":"in_1",` + foreign), invoice(`"subscription_details":{` + won("inherited") + `},` + won("own"))},
			"inherited | | | gift:pi_1 | false | in_1 sub_1",
		},
		"the invoice's before its subscription's": {
			[]said{charge(`"invoice":"in_1",` + foreign), invoice(won("own")), subscription(won("membership"))},
			"own | | | gift:pi_1 | false | in_1 sub_1",
		},
		"the subscription's before its session's": {
			[]said{
				charge(`"invoice":"in_1",` + foreign), invoice(foreign), subscription(won("membership")),
				session("cs_1", `"subscription":"sub_1",`+won("session")),
			}, "membership | | | gift:pi_1 | false | in_1 sub_1",
		},
		"the session of the subscription": {
			[]said{charge(`"invoice":"in_1",` + foreign), invoice(foreign), session("cs_1", `"subscription":"sub_1",`+won("session"))},
			"session | | | gift:pi_1 | false | in_1 sub_1",
		},
		"the session of the invoice": {
			[]said{charge(`"invoice":"in_1",` + foreign), session("cs_1", `"invoice":"in_1",`+won("session"))},
			"session | | | gift:pi_1 | false | in_1",
		},
		"the earliest of two sessions": {
			[]said{
				charge(foreign), session("cs_1", `"created":2,"payment_intent":"pi_1",`+won("second")),
				session("cs_2", `"created":1,"payment_intent":"pi_1",`+won("first")),
			}, "first | | | gift:pi_1 | false | ",
		},
		"a marked session before what was adopted": {
			[]said{charge(foreign), session("cs_1", `"payment_intent":"pi_1",`+won("session")), adopted("payment_intent/pi_1")},
			"session | | | gift:pi_1 | false | ",
		},
		"an adopted charge":         {[]said{charge(foreign), adopted("charge/ch_1")}, "old | | | gift:pi_1 | false | "},
		"an adopted session":        {[]said{charge(foreign), session("cs_1", `"payment_intent":"pi_1"`), adopted("checkout.session/cs_1")}, "old | | | gift:pi_1 | false | "},
		"an adopted invoice":        {[]said{charge(`"invoice":"in_1",` + foreign), adopted("invoice/in_1")}, "old | | | gift:pi_1 | false | in_1"},
		"an adopted subscription":   {[]said{charge(`"invoice":"in_1",` + foreign), invoice(foreign), adopted("subscription/sub_1")}, "old | | | gift:pi_1 | false | in_1 sub_1"},
		"nothing marked":            {[]said{charge(`"invoice":"in_1",` + foreign), invoice(foreign), subscription(foreign)}, "none"},
		"another version's mark":    {[]said{charge(`"metadata":{"support_v":"2"}`)}, "none"},
		"a mark of no value":        {[]said{charge(`"metadata":{"support_v":""}`)}, "none"},
		"an article without a mark": {[]said{charge(`"metadata":{"article":"troops"}`)}, "none"},

		// Which invoice it paid.
		"the invoice of the PaymentIntent": {
			[]said{gift, said200("payment_intent", "pi_1", `"invoice":"in_1"`), invoice(`"billing_reason":"subscription_cycle"`)},
			"troops | | | gift:pi_1 | true | in_1 sub_1",
		},
		"the invoice that names the PaymentIntent": {
			[]said{gift, invoice(`"payment_intent":"pi_1","billing_reason":"subscription_cycle"`)}, "troops | | | gift:pi_1 | true | in_1 sub_1",
		},
		"the invoice that names the charge": {
			[]said{gift, invoice(`"charge":"ch_1","billing_reason":"subscription_cycle"`)}, "troops | | | gift:pi_1 | true | in_1 sub_1",
		},
		"the charge's invoice before the PaymentIntent's": {
			[]said{charge(`"invoice":"in_1",` + won("troops")), said200("payment_intent", "pi_1", `"invoice":"in_2"`)},
			"troops | | | gift:pi_1 | false | in_1",
		},

		// Whether an ask won it.
		"a first bill":        {[]said{charge(`"invoice":"in_1",` + won("troops")), invoice(`"billing_reason":"subscription_create"`)}, "troops | | | gift:pi_1 | false | in_1 sub_1"},
		"a bill by hand":      {[]said{charge(`"invoice":"in_1",` + won("troops")), invoice(`"billing_reason":"manual"`)}, "troops | | | gift:pi_1 | false | in_1 sub_1"},
		"a bill for a change": {[]said{charge(`"invoice":"in_1",` + won("troops")), invoice(`"billing_reason":"subscription_update"`)}, "troops | | | gift:pi_1 | true | in_1 sub_1"},
		"a bill of no membership": {
			[]said{charge(`"invoice":"in_1",` + won("troops")), said200("invoice", "in_1", `"billing_reason":"subscription_cycle"`)},
			"troops | | | gift:pi_1 | false | in_1",
		},

		// Who gave it.
		"the charge's customer first": {
			[]said{charge(`"customer":"cus_1",` + won("troops")), said200("payment_intent", "pi_1", `"customer":"cus_2"`)},
			"troops | cus_1 | | customer:cus_1 | false | ",
		},
		"the PaymentIntent's customer": {
			[]said{charge(`"invoice":"in_1",` + won("troops")), said200("payment_intent", "pi_1", `"customer":"cus_2"`), invoice(`"customer":"cus_3"`)},
			"troops | cus_2 | | customer:cus_2 | false | in_1 sub_1",
		},
		"the invoice's customer": {
			[]said{charge(`"invoice":"in_1",` + won("troops")), invoice(`"customer":"cus_3"`), subscription(`"customer":"cus_4"`)},
			"troops | cus_3 | | customer:cus_3 | false | in_1 sub_1",
		},
		"the subscription's customer": {
			[]said{
				charge(`"invoice":"in_1",` + won("troops")), invoice(foreign), subscription(`"customer":"cus_4"`),
				session("cs_1", `"payment_intent":"pi_1","customer":"cus_5"`),
			}, "troops | cus_4 | | customer:cus_4 | false | in_1 sub_1",
		},
		"the session's customer": {
			[]said{gift, session("cs_1", `"payment_intent":"pi_1","customer":"cus_5"`)}, "troops | cus_5 | | customer:cus_5 | false | ",
		},
		"the customer's address before the session's before the charge's": {
			[]said{
				charge(`"customer":"cus_1","billing_details":{"email":"card@example.org","name":"Card"},` + won("troops")),
				session("cs_1", `"payment_intent":"pi_1",`+donor("session@example.org", "Session")),
				said200("customer", "cus_1", `"email":"Customer@example.org","name":"Customer"`),
			}, "troops | cus_1 | Customer@example.org Card | address:customer@example.org | false | ",
		},
		"the session's address, where the customer has none": {
			[]said{
				charge(`"customer":"cus_1","billing_details":{"email":"card@example.org"},` + won("troops")),
				session("cs_1", `"payment_intent":"pi_1",`+donor("", "")), session("cs_2", `"payment_intent":"pi_1",`+donor("session@example.org", "Session")),
				said200("customer", "cus_1", `"name":"Customer"`),
			}, "troops | cus_1 | session@example.org Session | address:session@example.org | false | ",
		},
		"the charge's address and the customer's name": {
			[]said{charge(`"customer":"cus_1","billing_details":{"email":"card@example.org"},` + won("troops")), said200("customer", "cus_1", `"name":"Customer"`)},
			"troops | cus_1 | card@example.org Customer | address:card@example.org | false | ",
		},
		"the newest address of a customer": {
			[]said{
				charge(`"customer":"cus_1",` + won("troops")), said200("customer", "cus_1", `"email":"old@example.org"`),
				{201, "customer.updated", `{"id":"cus_1","object":"customer","email":"new@example.org"}`},
			}, "troops | cus_1 | new@example.org | address:new@example.org | false | ",
		},
		"the address that a deleted customer had": {
			[]said{
				charge(`"customer":"cus_1",` + won("troops")), {201, "customer.deleted", `{"id":"cus_1","object":"customer","email":"old@example.org"}`},
				{202, "", `{"id":"cus_1","object":"customer","deleted":true}`},
			}, "troops | cus_1 | old@example.org | address:old@example.org | false | ",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backwards := slices.Clone(tt.said)
			slices.Reverse(backwards)
			for _, order := range [][]said{tt.said, backwards} {
				got := "none"
				if d := know(t, order...).Donation("payment_intent/pi_1"); d != nil {
					who := join(d.Email, d.Name)
					got = fmt.Sprintf("%s | %s| %s| %s | %t | %s", d.Article, after(d.Customer), after(who), d.Supporter, d.Renewal, join(d.Invoice, d.Subscription))
				}
				if got != tt.want {
					t.Errorf("got  %s\nwant %s", got, tt.want)
				}
			}
		})
	}
}

// join and after leave out what is empty.
func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

func after(word string) string {
	if word == "" {
		return ""
	}
	return word + " "
}

// TestWhatAGiftIs has the rest of what a charge says of its gift.
func TestWhatAGiftIs(t *testing.T) {
	t.Parallel()
	charge := func(id string, created int, fields string) said {
		return said{200, "charge.succeeded", fmt.Sprintf(`{"id":%q,"object":"charge","created":%d,"currency":"eur","status":"succeeded",
			"amount_captured":1000,%s,"metadata":{"support_v":"1","checkout":"chk_1","article":"troops","placement":"mid","campaign":"winter",
			"variant":"a","locale":"uk","tier":"friend","attribution":"signed","utm_source":"s","utm_medium":"m","utm_campaign":"c"}}`, id, created, fields)}
	}
	const details = `"payment_intent":"pi_1","billing_details":{"address":{"country":"ua"}},"payment_method_details":{"type":"card","card":{"country":"DE"}}`
	won := giving.Attribution{
		Checkout: "chk_1", Article: "troops", Placement: "mid", Campaign: "winter", Variant: "a", Locale: "uk", Tier: "friend", Status: "signed",
		UTMSource: "s", UTMMedium: "m", UTMCampaign: "c",
	}
	gift := func(key, charge, country, method string, created, turned int64) giving.Donation {
		return giving.Donation{
			Key: key, Charge: charge, Supporter: "gift:" + key, Country: country, Method: method, Source: "stripe", Created: created,
			Interval: giving.Once, Currency: "EUR", Gross: 1000, Turned: turned, Attribution: won,
		}
	}
	refund := func(status string, created int) said {
		return said{300, "charge.refund.updated", fmt.Sprintf(`{"id":"re_1","object":"refund","charge":"ch_1","created":%d,"status":%q,"amount":1000}`, created, status)}
	}
	outside := giving.Donation{
		Key: "in_1", Invoice: "in_1", Subscription: "sub_1", Customer: "cus_1", Supporter: "address:a@example.org", Email: "a@example.org",
		Name: "Olena", Method: "out_of_band", Source: "stripe", Created: 60, Interval: giving.Month, Currency: "EUR", Gross: 700, Renewal: true,
		Turned: 60, Attribution: giving.Attribution{Article: "troops"},
	}
	bill := func(more string) said {
		return said{200, "invoice.paid", `{"id":"in_1","object":"invoice","created":50,"currency":"eur","status":"paid","paid_out_of_band":true,
			"amount_paid":700,"subscription":"sub_1","customer":"cus_1","billing_reason":"subscription_cycle",` + more + `
			"lines":{"data":[{"type":"subscription","price":{"recurring":{"interval":"month","interval_count":1}}}]},
			"metadata":{"support_v":"1","article":"troops"}}`}
	}
	customer := said{200, "customer.updated", `{"id":"cus_1","object":"customer","email":"a@example.org","name":"Olena"}`}
	unpaid := outside
	unpaid.Created, unpaid.Turned = 50, 50
	billed := unpaid
	billed.Article = "front"
	imported := func(g OfflineGift) said {
		return said{300, "", string(Fact("offline/BANK-1", &Offline{Gift: Latest[OfflineGift]{Stamp{At: 300}, g}}))}
	}
	bank := OfflineGift{
		Received: 70, Currency: "eur", Amount: 900, Refunded: 100, Email: "b@example.org", Name: "Petro", Country: "ua", Method: "bank",
		Interval: giving.Year, Won: giving.Attribution{Article: "old"},
	}
	offline := giving.Donation{
		Key: "BANK-1", Supporter: "address:b@example.org", Email: "b@example.org", Name: "Petro", Country: "UA", Method: "bank", Source: "offline",
		Created: 70, Interval: giving.Year, Currency: "EUR", Gross: 900, Refunded: 100, Turned: 70, Attribution: giving.Attribution{Article: "old"},
	}
	cash := giving.Donation{Key: "BANK-1", Supporter: "gift:BANK-1", Source: "offline", Created: 70, Interval: giving.Once, Currency: "EUR", Gross: 1, Turned: 70}
	fixed := offline
	fixed.Article = "front"
	erase := func(object Ref) said { return said{300, "", string(Erase(object, giving.ErasedKey("x")))} }
	forgotten := func(d giving.Donation) giving.Donation { d.Supporter, d.Email, d.Name = "erased:x", "", ""; return d }
	who := gift("pi_1", "ch_1", "UA", "card", 100, 100)
	who.Customer, who.Email, who.Name, who.Supporter = "cus_1", "a@example.org", "Olena", "address:a@example.org"
	elsewhere := gift("pi_1", "ch_1", "UA", "card", 100, 100)
	elsewhere.Settled = giving.Balance{Currency: "USD", Fee: 60, Net: 1040}
	elsewhere.Elsewhere = []giving.Balance{{Currency: "CHF", Fee: 4, Net: -44}, {Currency: "GBP", Fee: 5, Net: -75}}
	elsewhere.Disputed, elsewhere.Turned = 40, 100
	thrice := gift("pi_1", "ch_1", "UA", "card", 100, 100)
	thrice.Gross, thrice.Settled = 3000, giving.Balance{Currency: "USD", Fee: 60, Net: 1040}
	thrice.Elsewhere = []giving.Balance{{Currency: "EUR", Fee: 70, Net: 1930}}
	heard := gift("pi_1", "ch_1", "UA", "card", 100, 260)
	heard.Refunded = 1000
	refunded := func(d giving.Donation) giving.Donation { d.Refunded = 1000; return d }
	twice := gift("pi_1", "ch_1", "UA", "card", 100, 100)
	twice.Gross = 2000
	disputed := gift("pi_1", "ch_1", "UA", "card", 100, 270)
	disputed.Disputed = 400
	tests := map[string]struct {
		said []said
		root Ref
		want giving.Donation
	}{
		"by its PaymentIntent": {[]said{charge("ch_1", 100, details)}, "payment_intent/pi_1", gift("pi_1", "ch_1", "UA", "card", 100, 100)},
		"without one": {
			[]said{charge("ch_1", 100, `"payment_method_details":{"type":"link","card":{"country":"de"}}`)}, "charge/ch_1",
			gift("ch_1", "ch_1", "DE", "link", 100, 100),
		},
		"two charges: the first one's day": {
			[]said{charge("ch_0", 110, `"payment_intent":"pi_1"`), charge("ch_1", 100, details)}, "payment_intent/pi_1", twice,
		},
		"turned by a refund":              {[]said{charge("ch_1", 100, details), refund("succeeded", 250)}, "payment_intent/pi_1", refunded(gift("pi_1", "ch_1", "UA", "card", 100, 250))},
		"not by one that failed":          {[]said{charge("ch_1", 100, details), refund("failed", 250)}, "payment_intent/pi_1", gift("pi_1", "ch_1", "UA", "card", 100, 100)},
		"nor by one that was canceled":    {[]said{charge("ch_1", 100, details), refund("canceled", 250)}, "payment_intent/pi_1", gift("pi_1", "ch_1", "UA", "card", 100, 100)},
		"a refund that is under way":      {[]said{charge("ch_1", 100, details), refund("pending", 250)}, "payment_intent/pi_1", refunded(gift("pi_1", "ch_1", "UA", "card", 100, 250))},
		"a refund that waits for a donor": {[]said{charge("ch_1", 100, details), refund("requires_action", 250)}, "payment_intent/pi_1", refunded(gift("pi_1", "ch_1", "UA", "card", 100, 250))},
		"turned by a refund only heard of": {
			[]said{charge("ch_1", 100, details), {260, "charge.refunded", charge("ch_1", 100, details+`,"amount_refunded":1000`).object}},
			"payment_intent/pi_1", heard,
		},
		"transactions in yet other currencies": {
			[]said{
				charge("ch_1", 100, details), {300, "", transactionOf("txn_1", "ch_1", "usd", 1100, 60)},
				{300, "charge.dispute.created", disputeOf("needs_response", "eur", 40, transactionOf("txn_2", "dp_1", "gbp", -40, 3)+","+
					transactionOf("txn_3", "dp_1", "chf", -40, 4)+","+transactionOf("txn_4", "dp_1", "gbp", -30, 2))},
			}, "payment_intent/pi_1", elsewhere,
		},
		"charges that settled in two currencies": {
			[]said{
				charge("ch_1", 100, details), charge("ch_2", 110, `"payment_intent":"pi_1"`), charge("ch_3", 120, `"payment_intent":"pi_1"`),
				{300, "", transactionOf("txn_1", "ch_1", "usd", 1100, 60)}, {300, "", transactionOf("txn_2", "ch_2", "eur", 1000, 30)},
				{300, "", transactionOf("txn_3", "ch_3", "eur", 1000, 40)},
			}, "payment_intent/pi_1", thrice,
		},
		"paid outside Stripe":                    {[]said{bill(`"status_transitions":{"paid_at":60},`), customer}, "invoice/in_1", outside},
		"paid outside Stripe, nobody knows when": {[]said{bill(""), customer}, "invoice/in_1", unpaid},
		"paid outside Stripe, and corrected": {
			[]said{bill(""), customer, {400, "", string(Correct("invoice/in_1", Corrected{Article: "front"}, time.Unix(400, 0)))}}, "invoice/in_1", billed,
		},
		"imported":                {[]said{imported(bank)}, "offline/BANK-1", offline},
		"imported, nothing known": {[]said{imported(OfflineGift{Received: 70, Currency: "eur", Amount: 1})}, "offline/BANK-1", cash},
		"imported and corrected": {
			[]said{imported(bank), {400, "", string(Correct("offline/BANK-1", Corrected{Article: "front"}, time.Unix(400, 0)))}}, "offline/BANK-1", fixed,
		},
		"imported and erased":             {[]said{imported(bank), erase("offline/BANK-1")}, "offline/BANK-1", forgotten(offline)},
		"a bill, its subscription erased": {[]said{bill(`"status_transitions":{"paid_at":60},`), customer, erase("subscription/sub_1")}, "invoice/in_1", forgotten(outside)},
		"a gift, its customer known":      {[]said{charge("ch_1", 100, details+`,"customer":"cus_1"`), customer}, "payment_intent/pi_1", who},
		"a gift, its customer erased":     {[]said{charge("ch_1", 100, details+`,"customer":"cus_1"`), customer, erase("customer/cus_1")}, "payment_intent/pi_1", forgotten(who)},
		"turned by a dispute, under review": {
			[]said{charge("ch_1", 100, details), {280, "charge.dispute.updated", `{"id":"dp_1","object":"dispute","charge":"ch_1","created":270,"currency":"eur","amount":400,"status":"under_review"}`}},
			"payment_intent/pi_1", disputed,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := donationOf(t, know(t, tt.said...), tt.root)
			if d == nil || fmt.Sprintf("%+v", *d) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("got  %+v\nwant %+v", d, tt.want)
			}
			if d != nil && RootOf(d) != tt.root {
				t.Errorf("its root is %s, want %s", RootOf(d), tt.root)
			}
		})
	}
}

// TestWhatIsNoGift has roots that are none.
func TestWhatIsNoGift(t *testing.T) {
	t.Parallel()
	const bill = `{"id":"in_1","object":"invoice","status":%q,"paid_out_of_band":%t,"amount_paid":%d,%s}`
	tests := map[string]struct {
		said []said
		root Ref
	}{
		"a foreign bill":                 {[]said{{200, "invoice.paid", fmt.Sprintf(bill, "paid", true, 700, foreign)}}, "invoice/in_1"},
		"a bill of nothing":              {[]said{{200, "invoice.paid", fmt.Sprintf(bill, "paid", true, 0, ours)}}, "invoice/in_1"},
		"a bill that Stripe was paid":    {[]said{{200, "invoice.paid", fmt.Sprintf(bill, "paid", false, 700, ours)}}, "invoice/in_1"},
		"a bill that is not paid":        {[]said{{200, "invoice.paid", fmt.Sprintf(bill, "uncollectible", true, 700, ours)}}, "invoice/in_1"},
		"a bill that nobody knows":       {nil, "invoice/in_1"},
		"a row of nothing":               {[]said{{300, "", string(Fact("offline/a", &Offline{}))}}, "offline/a"},
		"a charge that its intent keys":  {[]said{{200, "charge.succeeded", chargeOf(ours)}}, "charge/ch_1"},
		"an intent without charges":      {[]said{{200, "payment_intent.succeeded", `{"id":"pi_1","object":"payment_intent","status":"succeeded",` + ours + `}`}}, "payment_intent/pi_1"},
		"a session that says it is paid": {[]said{{200, "checkout.session.completed", `{"id":"cs_1","object":"checkout.session","payment_status":"paid","payment_intent":"pi_1","amount_total":1000,` + ours + `}`}}, "payment_intent/pi_1"},
		"a subscription":                 {[]said{{200, "customer.subscription.created", `{"id":"sub_1","object":"subscription","created":1,` + ours + `}`}}, "subscription/sub_1"},
	}
	for name, tt := range tests {
		if d := donationOf(t, know(t, tt.said...), tt.root); d != nil {
			t.Errorf("%s is %+v", name, d)
		}
	}
}

func TestWhatAMembershipIs(t *testing.T) {
	t.Parallel()
	const text = `{"id":"sub_1","object":"subscription","created":100,"customer":"cus_1","status":"active","cancel_at_period_end":true,
		"ended_at":150,"current_period_end":400,"currency":"eur","items":{"data":[{"quantity":1,"price":{"unit_amount":600,
		"recurring":{"interval":"month","interval_count":1}}}]},%s}`
	customer := said{200, "customer.updated", `{"id":"cus_1","object":"customer","email":"A@example.org"}`}
	want := giving.Membership{
		Subscription: "sub_1", Customer: "cus_1", Supporter: "address:a@example.org", Email: "A@example.org", Status: "active", Live: true, Created: 100,
		Ended: 150, PeriodEnd: 400, CancelAtEnd: true, Currency: "EUR", Amount: 600, Interval: giving.Month, Steps: "100:EUR:600",
		Attribution: giving.Attribution{Article: "troops", Placement: "mid"},
	}
	erased := want
	erased.Supporter, erased.Email = "erased:x", ""
	corrected := want
	corrected.Article, corrected.Placement = "front", ""
	tests := map[string]struct {
		said []said
		want *giving.Membership
	}{
		"ours":    {[]said{{200, "customer.subscription.updated", fmt.Sprintf(text, ours)}, customer}, &want},
		"foreign": {[]said{{200, "customer.subscription.updated", fmt.Sprintf(text, foreign)}, customer}, nil},
		"erased": {
			[]said{{200, "customer.subscription.updated", fmt.Sprintf(text, ours)}, customer, {300, "", string(Erase("customer/cus_1", "erased:x"))}}, &erased,
		},
		"corrected": {
			[]said{
				{200, "customer.subscription.updated", fmt.Sprintf(text, ours)}, customer,
				{300, "", string(Correct("subscription/sub_1", Corrected{Article: "front"}, time.Unix(300, 0)))},
			}, &corrected,
		},
		"only named": {[]said{{300, "", string(Fact("subscription/sub_1", &Subscription{Customer: "cus_1"}))}}, nil},
		"unknown":    {nil, nil},
		"only named, by a checkout of ours": {
			[]said{
				{300, "", string(Fact("subscription/sub_1", &Subscription{Customer: "cus_1"}))},
				{300, "checkout.session.completed", `{"id":"cs_1","object":"checkout.session","subscription":"sub_1",` + ours + `}`},
			}, nil,
		},
	}
	for name, tt := range tests {
		if got := know(t, tt.said...).Membership("subscription/sub_1", 1000, time.Hour); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", name, got, tt.want)
		}
	}
}

// TestMarked: whether an object itself says that it is ours.
func TestMarked(t *testing.T) {
	t.Parallel()
	mark, other := Metadata{Value: map[string]string{MarkKey: MarkValue}}, Metadata{Value: map[string]string{MarkKey: "2"}}
	for _, r := range []Register{&Charge{Metadata: mark}, &Intent{Metadata: mark}, &Session{Metadata: mark}, &Subscription{Metadata: mark}, &Invoice{Inherited: mark}} {
		if !Marked(r) {
			t.Errorf("%T is not taken for ours", r)
		}
	}
	for _, r := range []Register{&Charge{}, &Intent{Metadata: other}, &Session{}, &Subscription{}, &Invoice{Inherited: other}, &Customer{}, &Payout{}} {
		if Marked(r) {
			t.Errorf("%T is taken for ours", r)
		}
	}
}
