package objects

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/go-json-experiment/json"
)

// A Stamp places one observation in the total order by which the last writer
// wins: final states last, then Stripe's time, then who said it.
type Stamp struct {
	Final bool  `json:"final,omitzero"` // a state that nothing follows
	At    int64 `json:"at,omitzero"`    // event.created, or the answer's Date; seconds since 1970
	By    By    `json:"by,omitzero"`
}

// By is who said something. Stripe's times are whole seconds; within one, the
// event of an object's creation tells the earliest state, and any other event
// a later one than an answer of the API.
type By int8

// The ways in which Stripe says something, by their order within a second.
const (
	ByCreation By = iota + 1 // an event named *.created
	ByAnswer                 // an answer of the API
	ByEvent                  // any other event
)

func (s Stamp) compare(t Stamp) int {
	if s.Final != t.Final {
		return truth(s.Final) - truth(t.Final)
	}
	return cmp.Or(cmp.Compare(s.At, t.At), cmp.Compare(s.By, t.By))
}

// A Latest is a value that may go back and forth: the last one said holds.
// Values of one instant are ordered by their JSON, which is arbitrary but the
// same for everybody; asking Stripe again makes it right.
type Latest[T any] struct {
	Stamp
	Value T `json:"value"`
}

func (l *Latest[T]) join(m Latest[T]) {
	c := m.compare(l.Stamp)
	if c == 0 {
		c = bytes.Compare(encode(m.Value), encode(l.Value))
	}
	if c > 0 {
		*l = m
	}
}

// A rank is a list of statuses in the order in which they overrule each other.
// A status that is not in the list stands below all that are.
type rank []string

// higher returns the status that overrules the other. Two unknown ones are
// ordered by their letters, so that the result is the same either way.
func (r rank) higher(a, b string) string {
	i, j := slices.Index(r, a), slices.Index(r, b)
	if i == j {
		return max(a, b)
	}
	if i > j {
		return a
	}
	return b
}

// Where an API version brings a status we don't know it stands below the known
// ones. https://docs.stripe.com/api (2023-10-16), each object's `status`.
var (
	chargeRank  = rank{"pending", "failed", "succeeded"}
	refundRank  = rank{"requires_action", "pending", "succeeded", "canceled", "failed"}
	intentRank  = rank{"canceled", "succeeded"}
	invoiceRank = rank{"draft", "open", "uncollectible", "void", "paid"}
	sessionRank = rank{"open", "expired", "complete"}
	paymentRank = rank{"unpaid", "no_payment_required", "paid"}
	payoutRank  = rank{"pending", "in_transit", "paid", "canceled", "failed"}
)

// once joins a value that Stripe sets at most once; the zero value is "not said
// yet". Two different ones are a contradiction: the greater is kept, so that
// all orders agree.
func once[T int64 | string](a *T, b T) {
	var unsaid T
	switch {
	case *a == unsaid:
		*a = b
	case b != unsaid:
		*a = max(*a, b)
	}
}

// canonical is how registers are written: equal ones are equal text.
var canonical = json.Deterministic(true)

// encode returns v as canonical JSON.
func encode(v any) []byte {
	text, err := json.Marshal(v, canonical)
	if err != nil {
		panic("objects: a register that can't be written: " + err.Error()) // no field has such a value
	}
	return text
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
