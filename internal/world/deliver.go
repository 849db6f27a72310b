package world

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
)

// Shuffled returns the bodies of events in another order, about one in four of
// them twice.
func Shuffled(events []Event, r *rand.Rand) [][]byte {
	var bodies [][]byte
	for _, e := range events {
		bodies = append(bodies, e.Body)
		if r.IntN(4) == 0 {
			bodies = append(bodies, e.Body)
		}
	}
	r.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	return bodies
}

// Bodies returns the bodies of events in their order.
func Bodies(events []Event) [][]byte {
	bodies := make([][]byte, len(events))
	for i, e := range events {
		bodies[i] = e.Body
	}
	return bodies
}

// Lose returns the events without about the given fraction of them. Together
// with [World.Sweep] what is left leads to [World.AfterFetches].
func (w *World) Lose(fraction float64, r *rand.Rand) []Event {
	return slices.DeleteFunc(slices.Clone(w.Events), func(e Event) bool {
		return !e.Needed && r.Float64() < fraction
	})
}

// page is how many objects an [Answer] of a list holds: Stripe's largest page.
const page = 100

// Sweep returns what Stripe's lists answer after End: every object by pages,
// the refunds of every charge that has any, and the balance transactions of
// every automatic payout. Some charges come with their refunds and balance
// transaction inside, as Stripe answers where it is asked to; the other
// refunds' answers are younger than the charges'.
func (w *World) Sweep() []Answer { return w.account.answers(End+minute, true) }

// FollowUps are those answers of a sweep that who has heard every event still
// asks for: refunds by charge, disputes, subscriptions, customers, balance
// transactions, payouts and their lines.
func (w *World) FollowUps() []Answer {
	var asked []Answer
	for _, answer := range w.account.answers(End+minute, false) {
		switch answer.Type {
		case "dispute", "subscription", "customer", "balance_transaction", "payout":
			asked = append(asked, answer)
		case "refund":
			if answer.Of != "" {
				asked = append(asked, answer)
			}
		}
	}
	for _, answer := range w.Sweep() {
		if answer.Type == "balance_transaction" && answer.Of != "" {
			asked = append(asked, answer)
		}
	}
	return asked
}

// Glimpse returns what Stripe's lists answered at a moment before End, which
// later events and answers outdate.
func (w *World) Glimpse(at int64) []Answer { return w.account.answers(at, false) }

// Lagging returns answers that show what an object was before it last changed,
// though they are as of the very second in which it did and an event tells the
// change; and, where a subscription ended, which is never undone, as of a
// moment after. Whoever heard the events learns nothing from them.
func (w *World) Lagging() []Answer {
	var late []Answer
	for _, o := range w.account.objects {
		before := o.asOf(o.turned - 1)
		if before == nil || o.fields["deleted"] == true {
			continue
		}
		at := o.turned
		if status := o.fields["status"]; o.kind == "subscription" && (status == "canceled" || status == "incomplete_expired") {
			at += 2
		}
		late = append(late, Answer{AsOf: at, Type: o.kind, Objects: []json.RawMessage{before}, IDs: []string{o.id}})
	}
	return late
}

// answers lists everything as of at. Only a last look sees deleted customers,
// as stubs, the lines of payouts, and objects inside of others.
func (a *account) answers(at int64, last bool) []Answer {
	var lists listing
	inside := map[*object]bool{}
	if last {
		inside = a.expanded()
	}
	for _, o := range a.objects {
		body := o.asOf(at)
		if body == nil || (!last && o.kind == "customer" && o.fields["deleted"] == true) {
			continue
		}
		if inside[o] {
			body = a.expand(o)
		}
		lists.add(Answer{AsOf: at, Type: o.kind}, o.id, body)
		if o.parent != nil && !inside[o.parent] {
			lists.add(Answer{AsOf: at + 1, Type: o.kind, Of: o.parent.id}, o.id, body)
		}
		if o.payout != "" && last {
			lists.add(Answer{AsOf: at + 1, Type: o.kind, Of: o.payout}, o.id, body)
		}
	}
	return lists.pages
}

// expanded returns the charges that a sweep shows with what belongs to them:
// every third.
func (a *account) expanded() map[*object]bool {
	charges, n := map[*object]bool{}, 0
	for _, o := range a.objects {
		if o.kind != "charge" {
			continue
		}
		n++
		charges[o] = n%3 == 0
	}
	return charges
}

// expand is charge as Stripe answers with its balance transaction and refunds
// inside.
func (a *account) expand(charge *object) json.RawMessage {
	refunds := []any{}
	whole := maps.Clone(charge.fields)
	for _, o := range a.objects {
		switch {
		case o.parent == charge:
			refunds = append(refunds, o.fields)
		case o.kind == "balance_transaction" && o.id == charge.fields["balance_transaction"]:
			whole["balance_transaction"] = o.fields
		}
	}
	whole["refunds"] = listShape("/v1/charges/"+charge.id+"/refunds", refunds...)
	return encode(whole)
}

// A listing is several lists being filled, in pages.
type listing struct {
	pages []Answer
	open  map[[2]string]int // by type and Of, the page that is not full
}

func (l *listing) add(list Answer, id string, body json.RawMessage) {
	key := [2]string{list.Type, list.Of}
	at, found := l.open[key]
	if !found || (list.Of == "" && len(l.pages[at].IDs) == page) {
		if l.open == nil {
			l.open = map[[2]string]int{}
		}
		at, l.pages = len(l.pages), append(l.pages, list)
		l.open[key] = at
	}
	l.pages[at].IDs = append(l.pages[at].IDs, id)
	l.pages[at].Objects = append(l.pages[at].Objects, body)
}

// asOf is o as Stripe answered for it at a moment, or nil if it was not there.
func (o *object) asOf(at int64) json.RawMessage {
	for _, s := range slices.Backward(o.states) {
		if s.at <= at {
			return s.body
		}
	}
	return nil
}
