package objects

// An Owed invoice is one of a membership that waits to be paid.
type Owed struct {
	Invoice     string
	Created     int64
	Attempts    int64
	NextAttempt int64 // 0 after the last
	At          int64 // when that was said, seconds since 1970
}

// Owed returns the open invoices of a subscription that were tried. It is right
// once nothing is missing.
func (g *Graph) Owed(subscription Ref) []Owed {
	var found []Owed
	for _, id := range g.naming(subscription, KindInvoice) {
		i := find[*Invoice](g, KindInvoice, id)
		if i != nil && i.Subscription == subscription.ID() && i.Status == "open" && i.Attempts > 0 {
			found = append(found, Owed{id, i.Created, i.Attempts, i.Billing.Value.NextAttempt, i.Billing.At})
		}
	}
	return found
}

// RefundedAt returns when the newest refund of a donation's root was made, as
// far as that is known; 0 if there is none. It is right once nothing is missing.
func (g *Graph) RefundedAt(root Ref) int64 {
	var charges map[string]*Charge
	switch root.Kind() {
	case KindIntent:
		charges = g.chargesOf(root.ID())
	case KindCharge:
		charges = map[string]*Charge{root.ID(): find[*Charge](g, KindCharge, root.ID())}
	}
	at := int64(0)
	for id, c := range charges {
		listed := int64(0)
		for _, r := range g.refunds(root, id) {
			if r.Counts() {
				listed += r.Amount
				at = max(at, r.Created)
			}
		}
		if c != nil && c.Refunded > listed { // of one we have only heard
			at = max(at, c.RefundedAt)
		}
	}
	return at
}
