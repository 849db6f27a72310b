package world

import "time"

// A course is a membership being played.
type course struct {
	*member
	session  *object // nil where staff made the subscription
	card     card
	metadata fields
	late     bool  // the subscription itself is not marked: the session's completion makes it ours
	credit   int64 // on the customer's balance
	end      int64 // Unix seconds: when the period ends
	leaving  bool  // at the end of the period
}

// membership plays a subscription from its first invoice to the world's end
// or its own.
func (s *story) membership() {
	c := s.newCourse()
	if c.session != nil && !s.pass(minute, 20*minute) {
		return
	}
	first := s.pick(10, 2, 2, 2, 2, 2, 1)
	c.late = c.session != nil && first != 2 && s.one(5)
	if c.session != nil && (c.late || s.pick(2, 1) == 0) {
		c.session.set(fields{"metadata": c.metadata})
	}
	s.subscribe(c)
	switch first {
	case 0:
		s.firstPaid(c, 0)
	case 1:
		s.firstPaid(c, 1)
	case 2:
		s.firstNeverPaid(c)
	case 3:
		s.firstTrial(c)
	case 4:
		s.firstDelayed(c, true)
	case 5:
		s.firstDelayed(c, false)
	case 6:
		s.firstFree(c)
	}
	for s.running(c) {
		s.happen(c)
		if !s.running(c) || c.end > End-day {
			return
		}
		s.now = max(s.now, c.end)
		s.renew(c)
	}
}

// newCourse draws who joins, when, and for what. Half of the memberships began
// a few periods before the world's end, so that all their states are met there.
func (s *story) newCourse() *course {
	interval := choose(s.Tape, "month", "month", "year")
	periods := s.pick(2, 3, 3, 2, 2, 1, 1)
	began := time.Unix(End, 0).UTC().AddDate(0, -periods, 0)
	if interval == "year" {
		began = time.Unix(End, 0).UTC().AddDate(-periods/3, 0, 0)
	}
	s.now = began.Unix() - s.between(2, 29)*day - s.between(0, day)
	c := &course{card: s.card(false)}
	c.member = &member{
		interval: interval, price: s.price(), origin: s.origin(), open: map[*bill]int64{},
		donor: s.donor(true),
	}
	c.metadata = s.marks(c.origin)
	if s.one(6) {
		c.donor.email, c.donor.card = "", ""
		return c
	}
	c.session = s.openSession(&gift{price: c.price}, "subscription")
	return c
}

// subscribe makes the subscription, which Stripe starts as incomplete.
func (s *story) subscribe(c *course) {
	c.id = s.newID("sub")
	c.object = s.create(subscriptionShape(c.id).with(fields{
		"currency": c.price.currency, "customer": c.donor.customer.object.id, "start_date": s.now,
		"billing_cycle_anchor": s.now, "status": "incomplete",
	}))
	c.object.turned = s.now
	c.object.told = func() { c.note(s.now) }
	c.status = "incomplete"
	if !c.late {
		c.object.set(fields{"metadata": c.metadata})
		s.register(c)
	}
	s.setPrice(c, c.price)
	s.setPeriod(c)
	if c.session != nil {
		c.session.set(fields{"subscription": c.id, "customer": c.donor.customer.object.id})
	}
}

// register makes the membership one of the book's.
func (s *story) register(c *course) {
	if !s.foreign && !c.ours {
		c.ours = true
		s.members = append(s.members, c.member)
	}
}

func (s *story) setPrice(c *course, p price) {
	c.price = p
	c.object.set(fields{"items": listShape("/v1/subscription_items?subscription="+c.id, fields{
		"id": "si_" + c.id, "object": "subscription_item", "billing_thresholds": nil, "created": s.now,
		"metadata": fields{}, "quantity": 1, "subscription": c.id, "tax_rates": []any{},
		"price": priceShape("price_x", p.currency, c.interval, p.amount, s.now),
	})})
}

// setPeriod starts a period now.
func (s *story) setPeriod(c *course) {
	at := time.Unix(s.now, 0).UTC()
	if c.interval == "year" {
		c.end = at.AddDate(1, 0, 0).Unix()
	} else {
		c.end = at.AddDate(0, 1, 0).Unix()
	}
	c.object.set(fields{"current_period_start": s.now, "current_period_end": c.end})
}

// become changes the subscription's status and tells it by an event of kind.
func (s *story) become(c *course, status, kind string) {
	s.turn(c.object)
	c.status = status
	c.object.set(fields{"status": status})
	if status == "canceled" || status == "incomplete_expired" {
		c.object.set(fields{"ended_at": s.now, "canceled_at": s.now})
	}
	s.tell(kind, c.object)
}

// running reports whether the subscription still has invoices to come.
func (s *story) running(c *course) bool {
	return c.status == "active" || c.status == "trialing" || c.status == "past_due"
}

// finish completes the checkout a membership began with, if it had one.
func (s *story) finish(c *course, paymentStatus string, b *bill) {
	if c.session == nil {
		return
	}
	c.session.set(fields{"invoice": b.object.id})
	s.complete(c.session, c.donor, paymentStatus)
	s.register(c)
}

func (s *story) firstBill(c *course, credit int64, p price) *bill {
	s.tell("customer.subscription.created", c.object)
	b := s.newBill(c.donor, c, p, credit, "subscription_create")
	s.finalize(b)
	return b
}

func (s *story) firstPaid(c *course, declined int) {
	b := s.firstBill(c, 0, c.price)
	g := s.billed(b, c.origin, c.card, c.interval)
	for range declined {
		s.refuse(b, g, c.card, false)
		s.now += s.between(0, hour)
	}
	charge := s.chargeFor(b, g, c.card)
	s.received(b, g, charge)
	s.become(c, "active", "customer.subscription.updated")
	s.finish(c, "paid", b)
	s.aside(func() { s.aftermath(g, charge) })
}

// firstNeverPaid ends as incomplete_expired after a day, its invoice void. The
// checkout is not completed, so that nobody hears what was typed into it.
func (s *story) firstNeverPaid(c *course) {
	c.donor.email, c.donor.card = "", ""
	b := s.firstBill(c, 0, c.price)
	s.refuse(b, s.billed(b, c.origin, c.card, c.interval), c.card, false)
	if s.one(4) || !s.pass(23*hour, 23*hour+minute) {
		return // Stripe says no more of it
	}
	s.close(b, "voided_at", "void")
	s.tell("invoice.voided", b.object)
	s.become(c, "incomplete_expired", "customer.subscription.updated")
	if c.session != nil {
		c.session.set(fields{"status": "expired", "subscription": nil})
		s.tell("checkout.session.expired", c.session)
	}
}

// firstTrial begins with an invoice of nothing.
func (s *story) firstTrial(c *course) {
	s.turn(c.object)
	c.status = "trialing"
	c.end = s.now + choose[int64](s.Tape, 7, 14, 30)*day
	c.object.set(fields{
		"status": "trialing", "trial_start": s.now, "trial_end": c.end,
		"current_period_end": c.end,
	})
	b := s.firstBill(c, 0, price{0, c.price.currency})
	s.finish(c, "no_payment_required", b)
}

// firstFree is paid from the customer's balance: no charge, and a member.
func (s *story) firstFree(c *course) {
	b := s.firstBill(c, c.price.amount, c.price)
	s.become(c, "active", "customer.subscription.updated")
	s.finish(c, "no_payment_required", b)
}

// firstDelayed is active on the promise of a bank debit.
func (s *story) firstDelayed(c *course, paid bool) {
	c.card = s.card(true)
	b := s.firstBill(c, 0, c.price)
	g := s.billed(b, c.origin, c.card, c.interval)
	charge := s.chargeFor(b, g, c.card)
	s.tell("charge.pending", charge)
	s.become(c, "active", "customer.subscription.updated")
	s.finish(c, "unpaid", b)
	if !s.pass(2*day, 10*day) {
		return
	}
	if !paid {
		s.refuseCharge(b, charge, true)
		s.become(c, "past_due", "customer.subscription.updated")
		if c.session != nil {
			s.tell("checkout.session.async_payment_failed", c.session)
		}
		return
	}
	s.received(b, g, charge)
	if c.session != nil {
		c.session.set(fields{"payment_status": "paid"})
		s.tell("checkout.session.async_payment_succeeded", c.session)
	}
	s.aside(func() { s.aftermath(g, charge) })
}
