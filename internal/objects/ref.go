// Package objects holds what Stripe said, and nothing else: one register for
// each object, which is the join of all that was ever said of it, and the
// projection of registers to donations and memberships. It is pure.
//
// A snapshot (an object in an event, or in an answer of the API) is a register
// that has seen one thing. The join of two registers is commutative,
// associative and idempotent, so the order and number of deliveries can't
// matter.
package objects

import "strings"

// A Kind is a type of object: the value of Stripe's `object` field, or one of
// our own facts.
type Kind string

// The kinds that have registers.
const (
	KindCharge       Kind = "charge"
	KindIntent       Kind = "payment_intent"
	KindInvoice      Kind = "invoice"
	KindSubscription Kind = "subscription"
	KindSession      Kind = "checkout.session"
	KindCustomer     Kind = "customer"
	KindRefund       Kind = "refund"
	KindDispute      Kind = "dispute"
	KindTransaction  Kind = "balance_transaction"
	KindPayout       Kind = "payout"
	KindWarning      Kind = "radar.early_fraud_warning"
	KindOffline      Kind = "offline"    // a gift outside Stripe, as imported
	KindAdopted      Kind = "adopted"    // a Stripe object of an earlier system, as imported
	KindCorrection   Kind = "correction" // what staff say won a gift or membership
	KindErasure      Kind = "erasure"    // that somebody was erased, and who stands for them
)

// A Ref names one object: its kind and id, written charge/ch_1.
type Ref string

// NewRef returns the name of an object; it is "" if id is.
func NewRef(kind Kind, id string) Ref {
	if id == "" {
		return ""
	}
	return Ref(string(kind) + "/" + id)
}

// Kind returns the kind of the object that r names.
func (r Ref) Kind() Kind {
	kind, _, _ := strings.Cut(string(r), "/")
	return Kind(kind)
}

// ID returns Stripe's id of the object that r names.
func (r Ref) ID() string {
	_, id, _ := strings.Cut(string(r), "/")
	return id
}
