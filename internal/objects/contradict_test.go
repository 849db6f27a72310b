package objects

import "testing"

func TestContradicts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		known, said Register
		want        bool
	}{
		"a charge of two PaymentIntents":      {&Charge{Intent: "pi_1"}, &Charge{Intent: "pi_2"}, true},
		"a charge of two invoices":            {&Charge{Invoice: "in_1"}, &Charge{Invoice: "in_2"}, true},
		"a charge that settled twice":         {&Charge{Transaction: "txn_1"}, &Charge{Transaction: "txn_2"}, true},
		"a charge in two currencies":          {&Charge{Currency: "eur"}, &Charge{Currency: "usd"}, true},
		"the same charge":                     {&Charge{Intent: "pi_1", Currency: "eur"}, &Charge{Intent: "pi_1", Currency: "eur"}, false},
		"a charge that says less":             {&Charge{Intent: "pi_1", Currency: "eur"}, &Charge{}, false},
		"a charge that says more":             {&Charge{}, &Charge{Intent: "pi_1", Transaction: "txn_1"}, false},
		"a charge that goes on":               {&Charge{Status: "pending", Captured: 1}, &Charge{Status: "succeeded", Captured: 2}, false},
		"a PaymentIntent of two invoices":     {&Intent{Invoice: "in_1"}, &Intent{Invoice: "in_2"}, true},
		"a PaymentIntent of another amount":   {&Intent{Amount: 1}, &Intent{Amount: 2}, false},
		"a session of two PaymentIntents":     {&Session{Intent: "pi_1"}, &Session{Intent: "pi_2"}, true},
		"a session of two subscriptions":      {&Session{Subscription: "sub_1"}, &Session{Subscription: "sub_2"}, true},
		"a session of two invoices":           {&Session{Invoice: "in_1"}, &Session{Invoice: "in_2"}, true},
		"an invoice of two subscriptions":     {&Invoice{Subscription: "sub_1"}, &Invoice{Subscription: "sub_2"}, true},
		"an invoice of two PaymentIntents":    {&Invoice{Intent: "pi_1"}, &Invoice{Intent: "pi_2"}, true},
		"an invoice that was tried once more": {&Invoice{Charge: "ch_1"}, &Invoice{Charge: "ch_2"}, false},
		"a refund of two charges":             {&Refund{Charge: "ch_1"}, &Refund{Charge: "ch_2"}, true},
		"a refund of two amounts":             {&Refund{Amount: 1}, &Refund{Amount: 2}, true},
		"a refund in two currencies":          {&Refund{Currency: "eur"}, &Refund{Currency: "usd"}, true},
		"a refund that failed twice":          {&Refund{FailureTransaction: "txn_1"}, &Refund{FailureTransaction: "txn_2"}, true},
		"a dispute of two charges":            {&Dispute{Charge: "ch_1"}, &Dispute{Charge: "ch_2"}, true},
		"a transaction of two amounts":        {&Transaction{Amount: 1}, &Transaction{Amount: 2}, true},
		"a transaction of two nets":           {&Transaction{Net: 1}, &Transaction{Net: 2}, true},
		"a transaction in two currencies":     {&Transaction{Currency: "eur"}, &Transaction{Currency: "usd"}, true},
		"a customer":                          {&Customer{Deleted: true}, &Customer{}, false},
	}
	for name, tt := range tests {
		if a, b := Contradicts(tt.known, tt.said), Contradicts(tt.said, tt.known); a != tt.want || b != tt.want {
			t.Errorf("%s: %t and %t, want %t", name, a, b, tt.want)
		}
	}
}
