package world

import (
	"encoding/json"
	"fmt"
)

// settle gives charge its balance transaction.
func (s *story) settle(g *gift, charge *object) {
	currency := choose(s.Tape, "eur", g.price.currency, "usd")
	amount := g.price.amount
	if currency != g.price.currency {
		amount = max(1, amount*g.rate/1000)
	}
	t := s.transaction(g, "donation", charge, amount, amount*29/1000+25, currency)
	t.object.set(fields{"type": "charge", "reporting_category": "charge", "status": "pending"})
	if currency != g.price.currency {
		t.object.set(fields{"exchange_rate": json.Number(fmt.Sprintf("%d.%03d", g.rate/1000, g.rate%1000))})
	}
	s.save(t.object)
	g.settled = t
	charge.set(fields{"balance_transaction": t.object.id})
}

// transaction adds a line to the balance; source may be nil.
func (s *story) transaction(
	g *gift, kind string, source *object, amount, fee int64, currency string,
) *transaction {
	if s.foreign {
		g, kind = nil, "foreign"
	}
	t := &transaction{kind: kind, gift: g, amount: amount, fee: fee, net: amount - fee, currency: currency}
	details := []any{}
	if fee != 0 {
		details = append(details, fields{
			"amount": fee, "application": nil, "currency": currency,
			"description": "Stripe processing fees", "type": "stripe_fee",
		})
	}
	t.object = s.create(transactionShape(s.newID("txn")).with(fields{
		"amount": amount, "fee": fee, "net": amount - fee, "currency": currency, "fee_details": details,
		"available_on": s.now + 2*day, "type": "adjustment", "reporting_category": "other_adjustment",
	}))
	if source != nil {
		t.object.set(fields{"source": source.id})
	}
	s.save(t.object)
	s.transactions = append(s.transactions, t)
	return t
}

// settlement returns the currency a later transaction of g is in, which is
// rarely another than its charge's, and an amount of g in it.
func (s *story) settlement(g *gift, amount int64) (currency string, settled int64) {
	currency = "eur"
	if g.settled != nil {
		currency = g.settled.currency
	}
	if s.one(10) {
		currency = choose(s.Tape, "usd", "eur")
	}
	switch {
	case g.settled != nil && amount == g.price.amount && currency == g.settled.currency:
		return currency, g.settled.amount
	case currency == g.price.currency:
		return currency, amount
	}
	return currency, max(1, amount*g.rate/1000)
}

// aftermath plays what happens to a paid gift: it settles late, is refunded,
// disputed, warned about, or told of again.
func (s *story) aftermath(g *gift, charge *object) {
	// One in four of those not settled at once never is while the world lasts.
	if g.settled == nil && !s.one(4) && s.pass(hour, 3*day) {
		s.settle(g, charge)
		s.maybe("charge.updated", charge)
	}
	for range s.pick(5, 3, 2, 1) {
		if !s.later(20 * day) {
			return
		}
		switch s.pick(5, 4, 1, 1, 1, 1) {
		case 0:
			s.refund(g, charge)
		case 1:
			s.dispute(g, charge)
		case 2:
			s.warn(charge)
		case 3:
			s.tell("charge.updated", charge)
		case 4:
			s.changeEmail(g.donor.customer)
		case 5:
			s.makeAvailable(g)
		}
	}
	if g.member == nil && s.one(8) && s.pass(hour, 30*day) {
		s.remove(g.donor.customer)
	}
}

// warn is the card networks' early word of fraud. It moves no money.
func (s *story) warn(charge *object) {
	s.tell("radar.early_fraud_warning.created", s.create(fields{
		"id": s.newID("issfr"), "object": "radar.early_fraud_warning", "livemode": false,
		"actionable": true, "charge": charge.id, "fraud_type": "misc",
	}))
}

func (s *story) makeAvailable(g *gift) {
	if g.settled != nil {
		g.settled.object.set(fields{"status": "available"})
		s.save(g.settled.object)
	}
}

// refund gives back some or all of what is left of g.
func (s *story) refund(g *gift, charge *object) {
	left := g.price.amount - g.outstanding()
	if left <= 0 {
		return
	}
	r := &refund{amount: choose(s.Tape, left, max(1, left/2), s.between(1, left)), status: "succeeded"}
	lives := [][]string{
		{"succeeded"}, {"pending", "succeeded"}, {"succeeded", "failed"}, {"pending", "failed"},
		{"requires_action", "canceled"}, {"pending", "canceled"}, {"pending"},
		{"pending", "succeeded", "failed"},
	}
	life := lives[s.pick(8, 3, 3, 2, 1, 1, 1, 1)]
	r.status = life[0]
	g.refunds = append(g.refunds, r)
	o := s.create(refundShape(s.newID("re")).with(fields{
		"amount": r.amount, "currency": g.price.currency, "charge": charge.id, "status": r.status,
		"payment_intent": charge.fields["payment_intent"],
	}))
	o.parent = charge
	o.told = func() { r.toldStatus = r.status }
	if r.status == "succeeded" {
		s.settleRefund(g, r, o)
	}
	s.refunded(g, charge)
	s.tell("charge.refunded", charge)
	s.tick()
	s.maybe("refund.created", o)
	for _, status := range life[1:] {
		if !s.later(10 * day) {
			return
		}
		s.moveRefund(g, r, o, charge, status)
	}
}

// moveRefund is a refund's next status. Stripe sends an event of the refund,
// and not always one of the charge whose amount_refunded moved.
func (s *story) moveRefund(g *gift, r *refund, o, charge *object, status string) {
	r.status = status
	o.set(fields{"status": status})
	switch {
	case status == "succeeded":
		s.settleRefund(g, r, o)
	case status == "failed" && len(r.transactions) > 0:
		first := r.transactions[0]
		back := s.transaction(g, "refund", o, -first.amount, 0, first.currency)
		back.object.set(fields{"type": "refund_failure", "reporting_category": "refund_failure"})
		s.save(back.object)
		r.transactions = append(r.transactions, back)
		o.set(fields{"failure_balance_transaction": back.object.id})
	}
	if status == "failed" {
		o.set(fields{"failure_reason": "expired_or_canceled_card"})
	}
	s.tell("charge.refund.updated", o)
	s.maybe("refund.updated", o)
	s.refunded(g, charge)
	s.tick()
	s.maybe("charge.updated", charge)
}

func (s *story) settleRefund(g *gift, r *refund, o *object) {
	currency, amount := s.settlement(g, r.amount)
	t := s.transaction(g, "refund", o, -amount, choose[int64](s.Tape, 0, 0, -11), currency)
	t.object.set(fields{"type": "refund", "reporting_category": "refund"})
	s.save(t.object)
	r.transactions = append(r.transactions, t)
	o.set(fields{"balance_transaction": t.object.id})
}

// refunded brings charge up to date with its refunds.
func (s *story) refunded(g *gift, charge *object) {
	sum := g.outstanding()
	charge.set(fields{"amount_refunded": sum, "refunded": sum >= g.price.amount})
}

// A claim is a dispute being played.
type claim struct {
	*dispute
	gift      *gift
	object    *object
	withdrawn *transaction
}

// dispute plays an inquiry, a dispute, or an inquiry that becomes one.
func (s *story) dispute(g *gift, charge *object) {
	c := s.newClaim(g, charge)
	charge.set(fields{"disputed": true})
	s.maybe("charge.updated", charge)
	if s.pick(4, 1) == 1 {
		s.setDispute(c, "warning_needs_response")
		s.tell("charge.dispute.created", c.object)
		if !s.pass(hour, 20*day) {
			return
		}
		if s.one(2) {
			s.setDispute(c, "warning_closed")
			s.tell("charge.dispute.closed", c.object)
			return
		}
		s.setDispute(c, "needs_response")
		s.withdraw(c)
		s.tell("charge.dispute.updated", c.object)
	} else {
		s.setDispute(c, "needs_response")
		if s.one(2) || c.foreignCurrency() {
			s.withdraw(c)
		}
		s.tell("charge.dispute.created", c.object)
		s.withdraw(c)
	}
	s.tick()
	s.tell("charge.dispute.funds_withdrawn", c.object)
	s.decide(c)
}

// newClaim draws what a dispute is about: all or half of g, and in a murky
// world the bank's own currency where Stripe's share of it is exact.
func (s *story) newClaim(g *gift, charge *object) *claim {
	part := choose[int64](s.Tape, 1, 1, 2)
	if g.price.amount%part != 0 || (g.settled != nil && g.settled.amount%part != 0) {
		part = 1
	}
	c := &claim{gift: g, dispute: &dispute{taken: g.price.amount / part}}
	amount, currency := c.taken, g.price.currency
	if s.opts.Murky && g.settled != nil && s.one(4) {
		amount, currency = c.taken*7/5+1, map[bool]string{true: "usd", false: "cad"}[currency == "cad"]
		if currency == g.price.currency {
			currency = "chf"
		}
	}
	c.object = s.create(disputeShape(s.newID("dp")).with(fields{
		"amount": amount, "currency": currency, "charge": charge.id,
		"payment_intent": charge.fields["payment_intent"],
	}))
	g.disputes = append(g.disputes, c.dispute)
	return c
}

func (c *claim) foreignCurrency() bool { return c.object.fields["currency"] != c.gift.price.currency }

func (s *story) setDispute(c *claim, status string) {
	s.turn(c.object)
	c.status = status
	c.object.set(fields{"status": status})
}

// withdraw takes the disputed money and a fee from the balance, once.
func (s *story) withdraw(c *claim) {
	if c.withdrawn != nil {
		return
	}
	currency, amount := s.settlement(c.gift, c.taken)
	if c.foreignCurrency() { // exactly the share that is disputed
		currency, amount = c.gift.settled.currency, c.gift.settled.amount*c.taken/c.gift.price.amount
	}
	c.withdrawn = s.transaction(c.gift, "dispute", c.object, -amount, 1500, currency)
	s.addLine(c, c.withdrawn, "dispute")
}

// reinstate gives it back, with or without the fee.
func (s *story) reinstate(c *claim) {
	fee := choose[int64](s.Tape, 0, -1500)
	back := s.transaction(c.gift, "dispute", c.object, -c.withdrawn.amount, fee, c.withdrawn.currency)
	s.addLine(c, back, "dispute_reversal")
}

func (s *story) addLine(c *claim, t *transaction, category string) {
	t.object.set(fields{"reporting_category": category})
	s.save(t.object)
	c.transactions = append(c.transactions, t)
	lines := []any{}
	for _, t := range c.transactions {
		lines = append(lines, t.object.fields)
	}
	c.object.set(fields{"balance_transactions": lines})
}

// decide plays the end of a dispute, as far as the world lasts.
func (s *story) decide(c *claim) {
	if s.one(2) && s.pass(hour, 10*day) {
		s.setDispute(c, "under_review")
		s.tell("charge.dispute.updated", c.object)
	}
	end := s.pick(3, 3, 2, 1)
	if end == 3 || !s.pass(day, 60*day) {
		return // still open
	}
	if end == 0 {
		s.win(c)
		return
	}
	s.setDispute(c, "lost")
	s.tell("charge.dispute.closed", c.object)
	if end == 2 && s.pass(day, 60*day) {
		s.win(c) // the bank reversed its judgement
	}
}

// win ends a dispute in our favour. Stripe may send the money while the object
// still says what it said before.
func (s *story) win(c *claim) {
	if s.one(2) {
		s.reinstate(c)
		s.tell("charge.dispute.funds_reinstated", c.object)
		s.setDispute(c, "won")
		s.tell("charge.dispute.closed", c.object)
		return
	}
	s.setDispute(c, "won")
	s.reinstate(c)
	s.tell("charge.dispute.closed", c.object)
	s.tell("charge.dispute.funds_reinstated", c.object)
}
