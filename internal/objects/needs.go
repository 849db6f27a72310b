package objects

import (
	"strconv"
	"time"
)

// A Need is something to ask of Stripe, since what was said so far leaves it
// open.
type Need struct {
	What     string // the object to fetch (dispute/dp_1) or the list (refunds/ch_1)
	Priority int    // lower first
}

// The lists that a [Need] can name, each with what follows the slash.
const (
	ListRefunds      = "refunds"      // of a charge, by its id
	ListDisputes     = "disputes"     // of a charge, by its id
	ListTransactions = "transactions" // balance transactions created in an hour, by its start in seconds since 1970
	ListPayout       = "payout_lines" // balance transactions of a payout, by its id
)

// Priorities of needs: what takes money away first, what only adds detail last.
const (
	PriorityMoney = iota
	PriorityMembership
	PriorityFees
	PriorityContact
)

// TransactionsWindow is how much one list of balance transactions covers.
const TransactionsWindow = time.Hour

// Needs returns what is open about a root that is ours. It is right once
// nothing is missing.
func (g *Graph) Needs(root Ref) []Need {
	n := needs{g: g}
	switch root.Kind() {
	case KindIntent:
		for id, c := range g.chargesOf(root.ID()) {
			n.charge(root, id, c)
		}
	case KindCharge:
		if c := find[*Charge](g, KindCharge, root.ID()); c != nil {
			n.charge(root, root.ID(), c)
		}
	case KindSubscription:
		if s := find[*Subscription](g, KindSubscription, root.ID()); s != nil {
			n.again(root, s.State.Stamp, PriorityMembership)
			n.customer(s.Customer)
		}
	case KindPayout:
		p := find[*Payout](g, KindPayout, root.ID())
		if p != nil {
			n.again(root, p.State.Stamp, PriorityFees)
		}
		if p != nil && p.Automatic && p.State.Value.Reconciliation == "completed" && p.Listed < p.State.At {
			n.add(ListPayout, root.ID(), PriorityFees)
		}
	}
	return n.found
}

type needs struct {
	g     *Graph
	found []Need
}

func (n *needs) add(what, id string, priority int) {
	n.found = append(n.found, Need{what + "/" + id, priority})
}

// again asks for an object whose newest state was said by an event: of two
// events in one second nobody can tell which was later, but the API can.
func (n *needs) again(ref Ref, said Stamp, priority int) {
	if said.By != ByAnswer && !said.Final {
		n.found = append(n.found, Need{string(ref), priority})
	}
}

func (n *needs) customer(id string) {
	if c := find[*Customer](n.g, KindCustomer, id); c != nil && !c.Deleted {
		n.again(NewRef(KindCustomer, id), c.Contact.Stamp, PriorityContact)
	}
}

func (n *needs) charge(root Ref, id string, c *Charge) {
	if !c.received() {
		return
	}
	n.customer(c.Customer)
	if newBooks(n.g).charged(id, c) == nil {
		window := int64(TransactionsWindow / time.Second)
		n.add(ListTransactions, strconv.FormatInt(c.Created/window*window, 10), PriorityFees)
	}
	sum := int64(0)
	for _, r := range n.g.refunds(root, id) {
		if r.Counts() {
			sum += r.Amount
		}
		n.transaction(r.Transaction)
		n.transaction(r.FailureTransaction)
	}
	if c.RefundsListed < c.RefundedAt && c.Refunded > sum {
		n.add(ListRefunds, id, PriorityMoney)
	}
	disputes := n.g.disputes(root, id)
	for dispute, p := range disputes {
		n.again(NewRef(KindDispute, dispute), p.State.Stamp, PriorityMoney)
		for t := range p.Transactions {
			n.transaction(t)
		}
	}
	if c.Disputed && len(disputes) == 0 {
		n.add(ListDisputes, id, PriorityMoney)
	}
}

// transaction asks for one balance transaction that is named but not known.
func (n *needs) transaction(id string) {
	if id == "" {
		return
	}
	if t := find[*Transaction](n.g, KindTransaction, id); t == nil || t.Created == 0 {
		n.add(string(KindTransaction), id, PriorityFees)
	}
}
