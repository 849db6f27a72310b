package objects

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// fill gives every field of v a value of its own that is not zero.
func fill(v reflect.Value, next *int64) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next)
		}
	case reflect.String:
		*next++
		if v.Type() == reflect.TypeFor[History]() {
			v.SetString(string(historyOf([]sight{sightOf(Stamp{At: *next, By: ByEvent}, &SubState{Status: "active", Amount: *next})})))
			return
		}
		v.SetString(fmt.Sprint("s", *next))
	case reflect.Int64, reflect.Int8:
		*next++
		v.SetInt(*next)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Map:
		*next++
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, next)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(fmt.Sprint("k", *next)), value)
	}
}

func filled(kind Kind) Register {
	r, next := Empty(kind), int64(0)
	fill(reflect.ValueOf(r).Elem(), &next)
	return r
}

// TestJoinTakesEverything: whoever knows nothing knows all of it after a join,
// and joining nothing leaves it so.
func TestJoinTakesEverything(t *testing.T) {
	t.Parallel()
	for _, kind := range append(slices.Clone(kinds), KindErasure) {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			r, want := Empty(kind), Encode(filled(kind))
			if r.Join(filled(kind)); Encode(r) != want {
				t.Errorf("joined to nothing:\n%s\nwant\n%s", Encode(r), want)
			}
			if r.Join(Empty(kind)); Encode(r) != want {
				t.Errorf("with nothing joined to it:\n%s\nwant\n%s", Encode(r), want)
			}
			if again, err := DecodeRegister(kind, want); err != nil || Encode(again) != want {
				t.Errorf("stored, it reads back as %v, %v", again, err)
			}
		})
	}
}

// TestWhatIsSetOnceIsNeverLost: two that contradict each other come to the
// greater, in any order, and one that says nothing changes nothing.
func TestWhatIsSetOnceIsNeverLost(t *testing.T) {
	t.Parallel()
	for _, order := range [][3]string{{"pi_1", "pi_2", ""}, {"pi_2", "", "pi_1"}, {"", "pi_2", "pi_1"}} {
		c := &Charge{}
		for _, intent := range order {
			c.Join(&Charge{Intent: intent})
		}
		if c.Intent != "pi_2" {
			t.Errorf("%q comes to %q", order, c.Intent)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	tests := map[Ref]struct {
		register Register
		want     string
	}{
		"charge": {
			&Charge{Intent: "pi_1", Invoice: "in_1", Customer: "cus_1", Transaction: "txn_1"},
			"[payment_intent/pi_1 invoice/in_1 customer/cus_1 balance_transaction/txn_1]",
		},
		"intent":  {&Intent{Customer: "cus_1", Invoice: "in_1"}, "[customer/cus_1 invoice/in_1]"},
		"session": {&Session{Intent: "pi_1", Subscription: "sub_1", Invoice: "in_1", Customer: "cus_1"}, "[payment_intent/pi_1 subscription/sub_1 invoice/in_1 customer/cus_1]"},
		"invoice": {
			&Invoice{Subscription: "sub_1", Intent: "pi_1", Charge: "ch_1", Customer: "cus_1"},
			"[subscription/sub_1 payment_intent/pi_1 charge/ch_1 customer/cus_1]",
		},
		"subscription": {&Subscription{Customer: "cus_1"}, "[customer/cus_1]"},
		"customer":     {&Customer{}, "[]"},
		"refund": {
			&Refund{Charge: "ch_1", Intent: "pi_1", Transaction: "txn_1", FailureTransaction: "txn_2"},
			"[charge/ch_1 payment_intent/pi_1 balance_transaction/txn_1 balance_transaction/txn_2]",
		},
		"dispute": {
			&Dispute{Charge: "ch_1", Intent: "pi_1", Transactions: map[string]bool{"txn_1": true}},
			"[charge/ch_1 payment_intent/pi_1 balance_transaction/txn_1]",
		},
		"a charge's transaction":   {&Transaction{Source: "ch_1", Payout: "po_1"}, "[charge/ch_1 payout/po_1]"},
		"a payment's transaction":  {&Transaction{Source: "py_1"}, "[charge/py_1]"},
		"a refund's transaction":   {&Transaction{Source: "re_1"}, "[refund/re_1]"},
		"of a payment's refund":    {&Transaction{Source: "pyr_1"}, "[refund/pyr_1]"},
		"a dispute's transaction":  {&Transaction{Source: "dp_1"}, "[dispute/dp_1]"},
		"of a newer dispute":       {&Transaction{Source: "du_1"}, "[dispute/du_1]"},
		"a payout's transaction":   {&Transaction{Source: "po_1"}, "[payout/po_1]"},
		"a transaction of a topup": {&Transaction{Source: "tu_1"}, "[]"},
		"warning":                  {&Warning{Charge: "ch_1"}, "[charge/ch_1]"},
		"payout":                   {&Payout{}, "[]"},
		"adopted":                  {&Adopted{Object: "charge/ch_1"}, "[charge/ch_1]"},
		"correction":               {&Correction{Object: "charge/ch_1"}, "[charge/ch_1]"},
	}
	for name, tt := range tests {
		if got := fmt.Sprint(tt.register.Links()); got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

// TestReach has what of an object matters to those that it does not name.
func TestReach(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b    Register
		reaches bool
	}{
		"a session's PaymentIntent":  {&Session{}, &Session{Intent: "pi_1"}, true},
		"a session's subscription":   {&Session{}, &Session{Subscription: "sub_1"}, true},
		"a session's invoice":        {&Session{}, &Session{Invoice: "in_1"}, true},
		"a session's customer":       {&Session{}, &Session{Customer: "cus_1"}, true},
		"a session's metadata":       {&Session{}, &Session{Metadata: Metadata{Value: map[string]string{"a": "b"}}}, true},
		"a session's donor":          {&Session{}, &Session{Donor: Latest[Payer]{Value: Payer{Email: "a@example.org"}}}, true},
		"a session's status":         {&Session{}, &Session{Status: "complete"}, false},
		"a subscription's customer":  {&Subscription{}, &Subscription{Customer: "cus_1"}, true},
		"a subscription's metadata":  {&Subscription{}, &Subscription{Metadata: Metadata{Value: map[string]string{"a": "b"}}}, true},
		"a subscription's interval":  {&Subscription{}, &Subscription{State: Latest[SubState]{Value: SubState{Interval: "year"}}}, true},
		"a subscription's status":    {&Subscription{}, &Subscription{State: Latest[SubState]{Value: SubState{Status: "active"}}}, false},
		"a customer's address":       {&Customer{}, &Customer{Contact: Latest[Payer]{Value: Payer{Email: "a@example.org"}}}, true},
		"a customer's name":          {&Customer{}, &Customer{Contact: Latest[Payer]{Value: Payer{Name: "Olena"}}}, true},
		"when an address was said":   {&Customer{}, &Customer{Contact: Latest[Payer]{Stamp: Stamp{At: 5}}}, false},
		"that a customer is no more": {&Customer{}, &Customer{Deleted: true}, false},
	}
	for name, tt := range tests {
		if got := tt.a.Reach() != tt.b.Reach(); got != tt.reaches {
			t.Errorf("%s: reaches %t, want %t", name, got, tt.reaches)
		}
	}
}
