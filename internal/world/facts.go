package world

// A gift is what a story decided about one donation: the facts the book is
// made of. Amounts are minor units of price.currency.
type gift struct {
	key      string // its PaymentIntent's, charge's or out-of-band invoice's id
	booked   bool   // money was received, and it is ours
	created  int64  // Unix seconds: the charge's
	price    price  // what was received
	origin   origin
	country  string
	interval string
	donor    donor
	member   *member // the membership it is a payment of, or nil
	renewal  bool    // a later payment of it: no ask won it

	settled  *transaction // the charge's, or nil
	rate     int64        // thousandths of settlement units for one minor unit
	refunds  []*refund
	disputes []*dispute

	// The newest amount_refunded that an event about the charge carried.
	toldRefunded   int64
	toldRefundedAt int64
}

// A refund is what became of one attempt to give money back.
type refund struct {
	amount       int64
	status       string
	toldStatus   string // by the newest event about it, or empty
	transactions []*transaction
}

// stands reports whether a refund in that status takes money.
func stands(status string) bool { return status != "" && status != "failed" && status != "canceled" }

// A dispute is what became of one.
type dispute struct {
	taken        int64 // in the charge's currency while open or lost
	status       string
	transactions []*transaction
}

// takes reports whether a dispute in that status takes money.
func takes(status string) bool {
	return status == "needs_response" || status == "under_review" || status == "lost"
}

// A transaction is one line of the account's balance.
type transaction struct {
	object           *object
	kind             string // a line's kind in the book
	gift             *gift  // nil for fees, payouts and what is foreign
	amount, fee, net int64
	currency         string // as Stripe writes it
}

// A member is what a story decided about one membership.
type member struct {
	id, status string
	object     *object
	paused     bool // its collection is
	interval   string
	price      price
	origin     origin
	donor      donor
	open       map[*bill]int64 // open invoices and when they were created
	ours       bool
	standings  []standing // in the order they were told
}

// A payout is what became of one deposit.
type payout struct {
	object *object
	status string
	amount int64
	lines  []*transaction
}

// outstanding is what the refunds of g take at Stripe now: amount_refunded.
func (g *gift) outstanding() int64 {
	sum := int64(0)
	for _, r := range g.refunds {
		if stands(r.status) {
			sum += r.amount
		}
	}
	return sum
}

// takeDownRefunded notes the amount_refunded an event about the charge carries.
func (g *gift) takeDownRefunded(at, amount int64) {
	if at == g.toldRefundedAt {
		amount = max(amount, g.toldRefunded)
	}
	g.toldRefundedAt, g.toldRefunded = at, amount
}
