package objects

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
)

// TestRoots has a case for each way from an object to what is projected from
// it: taken away, it leaves a root out.
func TestRoots(t *testing.T) {
	t.Parallel()
	object := func(kind, id, fields string) said {
		if fields != "" {
			fields = "," + fields
		}
		return said{200, "some.event", fmt.Sprintf(`{"id":%q,"object":%q%s}`, id, kind, fields)}
	}
	charge := func(fields string) said { return object("charge", "ch_1", fields) }
	customer := object("customer", "cus_1", `"email":"olena@example.org"`)
	adopted := said{200, "", string(Fact("adopted/a_1", &Adopted{
		Object: "subscription/sub_1", Won: Latest[giving.Attribution]{Stamp: Stamp{At: 1}},
	}))}
	tests := map[string]struct {
		said   []said
		change Change
		want   string
	}{
		"a PaymentIntent":            {[]said{object("payment_intent", "pi_1", "")}, Change{"payment_intent/pi_1", false}, "[payment_intent/pi_1]"},
		"a payout":                   {[]said{object("payout", "po_1", "")}, Change{"payout/po_1", false}, "[payout/po_1]"},
		"a charge":                   {[]said{charge(`"payment_intent":"pi_1"`)}, Change{"charge/ch_1", false}, "[charge/ch_1 payment_intent/pi_1]"},
		"a refund of a charge":       {[]said{object("refund", "re_1", `"charge":"ch_1"`), charge(`"payment_intent":"pi_1"`)}, Change{"refund/re_1", false}, "[charge/ch_1 payment_intent/pi_1]"},
		"a refund without a charge":  {[]said{object("refund", "re_1", `"payment_intent":"pi_1"`)}, Change{"refund/re_1", false}, "[payment_intent/pi_1]"},
		"a dispute of a charge":      {[]said{object("dispute", "dp_1", `"charge":"ch_1"`), charge(`"payment_intent":"pi_1"`)}, Change{"dispute/dp_1", false}, "[charge/ch_1 payment_intent/pi_1]"},
		"a dispute without a charge": {[]said{object("dispute", "dp_1", `"payment_intent":"pi_1"`)}, Change{"dispute/dp_1", false}, "[payment_intent/pi_1]"},
		"a charge's transaction":     {[]said{object("balance_transaction", "txn_1", `"source":"ch_1"`)}, Change{"balance_transaction/txn_1", false}, "[charge/ch_1]"},
		"a refund's transaction":     {[]said{object("balance_transaction", "txn_1", `"source":"re_1"`), object("refund", "re_1", `"charge":"ch_1"`)}, Change{"balance_transaction/txn_1", false}, "[charge/ch_1]"},
		"a dispute's transaction":    {[]said{object("balance_transaction", "txn_1", `"source":"dp_1"`), object("dispute", "dp_1", `"charge":"ch_1"`)}, Change{"balance_transaction/txn_1", false}, "[charge/ch_1]"},
		"an invoice, by what it names": {
			[]said{object("invoice", "in_1", `"charge":"ch_1","payment_intent":"pi_2","subscription":"sub_1"`)},
			Change{"invoice/in_1", false}, "[charge/ch_1 invoice/in_1 payment_intent/pi_2 subscription/sub_1]",
		},
		"an invoice, by what names it": {
			[]said{object("invoice", "in_1", ""), charge(`"invoice":"in_1"`), object("payment_intent", "pi_2", `"invoice":"in_1"`)},
			Change{"invoice/in_1", false}, "[charge/ch_1 invoice/in_1 payment_intent/pi_2]",
		},
		"a session of a gift":         {[]said{object("checkout.session", "cs_1", `"payment_intent":"pi_1"`)}, Change{"checkout.session/cs_1", false}, "[payment_intent/pi_1]"},
		"a session of an invoice":     {[]said{object("checkout.session", "cs_1", `"invoice":"in_1"`)}, Change{"checkout.session/cs_1", false}, "[invoice/in_1]"},
		"a session of a subscription": {[]said{object("checkout.session", "cs_1", `"subscription":"sub_1"`)}, Change{"checkout.session/cs_1", false}, "[subscription/sub_1]"},
		"a session that says more reaches a subscription's invoices": {
			[]said{object("checkout.session", "cs_1", `"subscription":"sub_1"`), object("invoice", "in_1", `"subscription":"sub_1"`)},
			Change{"checkout.session/cs_1", true}, "[invoice/in_1 subscription/sub_1]",
		},
		"a subscription whose state changed": {
			[]said{object("subscription", "sub_1", ""), object("invoice", "in_1", `"subscription":"sub_1"`)},
			Change{"subscription/sub_1", false}, "[subscription/sub_1]",
		},
		"a subscription that says more": {
			[]said{object("subscription", "sub_1", ""), object("invoice", "in_1", `"subscription":"sub_1"`)},
			Change{"subscription/sub_1", true}, "[invoice/in_1 subscription/sub_1]",
		},
		"a customer of whom nothing that matters changed": {[]said{customer, charge(`"customer":"cus_1"`)}, Change{"customer/cus_1", false}, "[]"},
		"a customer's charge":                             {[]said{customer, charge(`"customer":"cus_1"`)}, Change{"customer/cus_1", true}, "[charge/ch_1]"},
		"a customer's PaymentIntent":                      {[]said{customer, object("payment_intent", "pi_1", `"customer":"cus_1"`)}, Change{"customer/cus_1", true}, "[payment_intent/pi_1]"},
		"a customer's invoice":                            {[]said{customer, object("invoice", "in_1", `"customer":"cus_1"`)}, Change{"customer/cus_1", true}, "[invoice/in_1]"},
		"a customer's subscription":                       {[]said{customer, object("subscription", "sub_1", `"customer":"cus_1"`)}, Change{"customer/cus_1", true}, "[subscription/sub_1]"},
		"a customer's session":                            {[]said{customer, object("checkout.session", "cs_1", `"customer":"cus_1","payment_intent":"pi_1"`)}, Change{"customer/cus_1", true}, "[payment_intent/pi_1]"},
		"a gift outside Stripe":                           {[]said{{200, "", string(Fact("offline/a", &Offline{}))}}, Change{"offline/a", false}, "[offline/a]"},
		"a dispute's, of a newer kind":                    {[]said{object("balance_transaction", "txn_1", `"source":"du_1"`), object("dispute", "du_1", `"payment_intent":"pi_1"`)}, Change{"balance_transaction/txn_1", false}, "[payment_intent/pi_1]"},
		"a payout's transaction":                          {[]said{object("balance_transaction", "txn_1", `"source":"po_1"`)}, Change{"balance_transaction/txn_1", false}, "[payout/po_1]"},
		"what was corrected": {
			[]said{
				{200, "", string(Correct("subscription/sub_1", Corrected{}, time.Unix(200, 0)))}, object("invoice", "in_1", `"subscription":"sub_1"`),
			}, Change{"correction/subscription/sub_1", false}, "[invoice/in_1 subscription/sub_1]",
		},
		"who was erased": {
			[]said{{200, "", string(Fact("erasure/customer/cus_1", &Erasure{Object: "customer/cus_1"}))}, charge(`"customer":"cus_1"`)},
			Change{"erasure/customer/cus_1", false}, "[charge/ch_1]",
		},
		"a warning moves nothing": {[]said{object("radar.early_fraud_warning", "w_1", `"charge":"ch_1"`)}, Change{"radar.early_fraud_warning/w_1", true}, "[]"},
		"a customer who names each way to one gift": {
			[]said{
				customer, object("payment_intent", "pi_1", `"customer":"cus_1","invoice":"in_1"`),
				object("invoice", "in_1", `"customer":"cus_1","charge":"ch_1","payment_intent":"pi_1"`), charge(`"customer":"cus_1","payment_intent":"pi_1","invoice":"in_1"`),
			}, Change{"customer/cus_1", true}, "[charge/ch_1 invoice/in_1 payment_intent/pi_1]",
		},
		"what was adopted": {
			[]said{adopted, object("invoice", "in_1", `"subscription":"sub_1"`)},
			Change{"adopted/a_1", false}, "[invoice/in_1 subscription/sub_1]",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fmt.Sprint(append([]Ref{}, know(t, tt.said...).Roots([]Change{tt.change})...)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestAWalkNotesWhatItMisses: what a walk asks for and is not loaded is told
// once, whatever it is, and nothing is made up of it.
func TestAWalkNotesWhatItMisses(t *testing.T) {
	t.Parallel()
	for _, kind := range append(slices.Clone(kinds), KindErasure, "of_no_kind") {
		g := NewGraph()
		ref := NewRef(kind, "x")
		roots := g.Roots([]Change{{ref, true}, {ref, false}, {"", true}})
		if len(roots) > 1 || len(roots) == 1 && roots[0] != ref {
			t.Errorf("%s alone leads to %v", ref, roots)
		}
		for _, root := range roots {
			if d, m := g.Donation(root), g.Membership(root, 0, 0); d != nil || m != nil {
				t.Errorf("of %s, of which nothing is known, there is %+v, %+v", root, d, m)
			}
			g.Needs(root)
			g.RefundedAt(root)
		}
		registers, names := g.Missing()
		if len(registers)+len(names) == 0 && kind != KindPayout && kind != KindWarning && kind != "of_no_kind" {
			t.Errorf("nothing is missing of %s", ref)
		}
		if more, again := g.Missing(); len(more)+len(again) > 0 {
			t.Errorf("%s: told twice", ref)
		}
	}
}

// TestWhatIsLoadedLaterLeadsOn: who names an object may be loaded, told in the
// same batch, or both.
func TestWhatIsLoadedLaterLeadsOn(t *testing.T) {
	t.Parallel()
	g := NewGraph()
	g.PutName("invoice/in_1", "charge/ch_2")
	g.PutName("invoice/in_1", "payment_intent/pi_1")
	g.AddName("invoice/in_1", "charge/ch_1")
	g.AddName("invoice/in_1", "charge/ch_2")
	want := "[charge/ch_1 charge/ch_2 invoice/in_1 payment_intent/pi_1]"
	if got := fmt.Sprint(g.Roots([]Change{{"invoice/in_1", false}})); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if ids := g.naming("invoice/in_1", KindCharge); fmt.Sprint(ids) != "[ch_1 ch_2]" {
		t.Errorf("charges that name it: %v", ids)
	}
}

// What is loaded is not loaded again, nor emptied.
func TestLoadedOnce(t *testing.T) {
	t.Parallel()
	g, known, unknown := NewGraph(), Ref("charge/ch_1"), Ref("charge/ch_2")
	g.Put(known, &Charge{Intent: "pi_1"})
	g.PutName(known, "refund/re_1")
	for i, first := range []bool{true, false} {
		if g.PutEmpty(unknown) != first || g.PutUnnamed(unknown) != first {
			t.Errorf("time %d: what was asked for is %v to be loaded", i+1, !first)
		}
		if r, loaded := g.Get(unknown); r != nil || !loaded {
			t.Errorf("what nobody ever spoke of: %v, loaded: %v", r, loaded)
		}
	}
	if g.PutEmpty(known) || g.PutUnnamed(known) {
		t.Error("what is there is loaded again")
	}
	if r := find[*Charge](g, KindCharge, "ch_1"); r == nil || r.Intent != "pi_1" {
		t.Errorf("what was loaded: %+v", r)
	}
	if by := g.naming(known, KindRefund); !slices.Equal(by, []string{"re_1"}) {
		t.Errorf("named by %v", by)
	}
}
