// Package world makes random histories of gifts as Stripe would tell them, and
// keeps its own book of what it decided should happen.
//
// It plays people who give once or monthly, and a Stripe account that records
// them: the bodies of webhook events at API version 2023-10-16, and the
// answers of Stripe's lists as of any moment. Its book is written beside, from
// the decisions and never from the objects. It imports nothing of the product,
// so that a ledger which ends at the same book is right by two accounts.
package world

import (
	"encoding/json"
	"time"
	_ "time/tzdata" // the book's days are Kyiv's on every machine
)

// Version is the API version of every event and object.
const Version = "2023-10-16"

// Every history plays between Begin and End. Lists are answered after End, and
// the book says who is a member at End. Both are Unix seconds.
var (
	Begin = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	End   = time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC).Unix()
)

// Options say what kind of world to play. The zero value is a small calm one.
type Options struct {
	// Name keeps the ids, articles and addresses of worlds apart that share a
	// database. It is part of every id: letters and digits.
	Name string

	// Murky adds what events alone leave open and only Stripe's API decides:
	// a subscription, dispute or customer that changed twice within one
	// second, disputes in another currency than their charge, objects marked
	// after they were told. Only [World.AfterFetches] is promised then.
	Murky bool
}

// A World is what happened: what Stripe told, what it would answer, and the
// book of it.
type World struct {
	Events []Event

	// AfterEvents is the book of one who received every event and asked
	// nothing: gifts are not settled, and a refund that was never listed
	// stands at the charge's newest amount_refunded. It is not promised for
	// a murky world.
	AfterEvents Book

	// AfterFetches is the book of one who also knows every answer of
	// [World.Sweep].
	AfterFetches Book

	account *account
}

// An Event is one webhook delivery.
type Event struct {
	ID, Type string
	Created  int64  // Unix seconds
	Object   string // the id of the object it tells about
	Body     []byte // the bytes Stripe signs

	// Needed marks an event whose loss no list repairs: the last word on the
	// e-mail address of a customer who was deleted.
	Needed bool
}

// An Answer is a page of one of Stripe's lists, or one object that was asked
// for by its id.
type Answer struct {
	AsOf    int64             // Unix seconds: the answer's Date
	Type    string            // what the objects are, such as "charge"
	Of      string            // the charge or payout whose refunds or balance transactions these are, or empty
	Objects []json.RawMessage // complete for Of
	IDs     []string          // the objects'
}

// OneGift plays one person's one-time gift.
func OneGift(tape Tape, o Options) *World {
	a := newAccount(o)
	a.play(tape, (*story).gift)
	return a.world()
}

// OneMembership plays one monthly or yearly membership.
func OneMembership(tape Tape, o Options) *World {
	a := newAccount(o)
	a.play(tape, (*story).membership)
	return a.world()
}

// Many plays one story for each tape: gifts, memberships, foreign objects, by
// people who share articles, addresses and customers. The payouts of what they
// gave have a tape of their own.
func Many(tapes []Tape, payouts Tape, o Options) *World {
	a := newAccount(o)
	for _, tape := range tapes {
		a.play(tape, (*story).any)
	}
	a.play(payouts, (*story).payOut)
	return a.world()
}

func (a *account) world() *World {
	a.settleDown()
	return &World{
		Events: a.events, AfterEvents: a.book(true), AfterFetches: a.book(false),
		account: a,
	}
}

// any plays one story of any kind.
func (s *story) any() {
	switch s.pick(10, 8, 2, 1) {
	case 0:
		s.gift()
	case 1:
		s.membership()
	case 2:
		s.foreign = true
		s.gift()
	case 3:
		s.foreign = true
		s.membership()
	}
}
