package objects

import (
	"fmt"
	"slices"
	"testing"

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
		"turned by a dispute, under review": {
			[]said{charge("ch_1", 100, details), {280, "charge.dispute.updated", `{"id":"dp_1","object":"dispute","charge":"ch_1","created":270,"currency":"eur","amount":400,"status":"under_review"}`}},
			"payment_intent/pi_1", disputed,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := know(t, tt.said...).Donation(tt.root)
			if d == nil || fmt.Sprintf("%+v", *d) != fmt.Sprintf("%+v", tt.want) {
				t.Errorf("got  %+v\nwant %+v", d, tt.want)
			}
			if d != nil && RootOf(d) != tt.root {
				t.Errorf("its root is %s, want %s", RootOf(d), tt.root)
			}
		})
	}
}
