package objects

import (
	"cmp"
	"slices"

	"github.com/united24media/support/internal/giving"
)

// A Stamp places one observation in the total order by which the last writer
// wins: final states last, then Stripe's time, then who said it.
type Stamp struct {
	Final bool  // a state that nothing follows
	At    int64 // event.created, or the answer's Date; seconds since 1970
	By    By
}

func (s *Stamp) fields(f *form) {
	f.truth("final", &s.Final)
	f.number("at", &s.At)
	f.small("by", (*int8)(&s.By))
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
	Value T
}

func (l *Latest[T]) fields(f *form) {
	l.Stamp.fields(f)
	f.always()
	switch v := any(&l.Value).(type) {
	case *Words:
		f.words("value", v)
	case *bool:
		f.truth("value", v)
	case *giving.Attribution:
		f.object("value", (*attributed)(v))
	default:
		f.object("value", v.(described))
	}
}

func (l *Latest[T]) join(m *Latest[T]) {
	c := m.compare(l.Stamp)
	if c == 0 {
		c = compare(m, l) // which is of their values
	}
	if c > 0 {
		*l = *m
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

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
