package world

// happen plays what a member does between two invoices, or nothing.
func (s *story) happen(c *course) {
	act := s.pick(14, 2, 2, 2, 2, 2, 1, 1, 1)
	if act == 0 || !s.pass(hour, 20*day) {
		return
	}
	switch act {
	case 1:
		s.changeAmount(c)
	case 2:
		s.pauseOrResume(c)
	case 3:
		s.turn(c.object)
		c.leaving = !c.leaving
		c.object.set(fields{"cancel_at_period_end": c.leaving, "canceled_at": s.now, "cancel_at": c.end})
		s.tell("customer.subscription.updated", c.object)
	case 4:
		s.become(c, "canceled", "customer.subscription.deleted")
	case 5:
		s.changeEmail(c.donor.customer)
	case 6:
		if !c.donor.customer.shared && c.donor.customer.object.turned <= s.now {
			s.become(c, "canceled", "customer.subscription.deleted")
			s.remove(c.donor.customer)
		}
	case 7:
		s.tell("customer.subscription.updated", c.object)
	case 8:
		s.changeInterval(c)
	}
}

// changeInterval moves to monthly or yearly from the next period on. What was
// given before stays what it was.
func (s *story) changeInterval(c *course) {
	s.turn(c.object)
	c.interval = map[string]string{"month": "year", "year": "month"}[c.interval]
	s.setPrice(c, c.price)
	s.tell("customer.subscription.updated", c.object)
}

// changeAmount moves the price, with a charge for the rest of the period, a
// credit, or neither.
func (s *story) changeAmount(c *course) {
	old := c.price
	s.turn(c.object)
	s.setPrice(c, price{max(1, choose(s.Tape, 2*old.amount, old.amount/2)), old.currency})
	s.tell("customer.subscription.updated", c.object)
	switch {
	case s.one(2):
	case c.price.amount > old.amount:
		b := s.newBill(c.donor, c, price{s.between(1, old.amount), old.currency}, 0, "subscription_update")
		s.finalize(b)
		s.collect(c, b)
	default:
		c.credit += s.between(1, old.amount)
	}
}

// collect charges b at once and books it.
func (s *story) collect(c *course, b *bill) {
	g := s.billed(b, c.origin, c.card, c.interval)
	charge := s.chargeFor(b, g, c.card)
	s.received(b, g, charge)
	s.aside(func() { s.aftermath(g, charge) })
}

func (s *story) pauseOrResume(c *course) {
	s.turn(c.object)
	c.paused = !c.paused
	c.object.set(fields{"pause_collection": nil})
	if c.paused {
		c.object.set(fields{"pause_collection": fields{"behavior": "void", "resumes_at": nil}})
	}
	s.tell("customer.subscription.updated", c.object)
}

// renew plays the end of a period and the next invoice.
func (s *story) renew(c *course) {
	if c.leaving {
		s.become(c, "canceled", "customer.subscription.deleted")
		return
	}
	if c.status == "trialing" && !s.endTrial(c) {
		return
	}
	s.turn(c.object)
	s.setPeriod(c)
	b := s.newBill(c.donor, c, c.price, s.useCredit(c), "subscription_cycle")
	s.tell("customer.subscription.updated", c.object)
	if !s.pass(hour, hour+minute) {
		return
	}
	s.finalize(b)
	switch {
	case b.due == 0:
		s.recover(c)
	case c.paused:
		s.close(b, "voided_at", "void")
		s.tell("invoice.voided", b.object)
	default:
		s.charging(c, b)
	}
}

// endTrial goes on to the first real invoice, or pauses for want of a card and
// perhaps resumes; it reports whether invoices go on.
func (s *story) endTrial(c *course) bool {
	if s.pick(3, 1) == 0 {
		c.status = "active"
		c.object.set(fields{"status": "active"})
		return true // told with the new period
	}
	s.become(c, "paused", "customer.subscription.paused")
	if s.one(2) || !s.pass(day, 20*day) {
		return false
	}
	s.become(c, "active", "customer.subscription.resumed")
	return true
}

// useCredit takes what the balance has towards the next invoice.
func (s *story) useCredit(c *course) int64 {
	if s.one(12) {
		c.credit += c.price.amount // a gesture of staff
	}
	used := min(c.credit, c.price.amount)
	c.credit -= used
	return used
}

// recover ends being past due.
func (s *story) recover(c *course) {
	if c.status != "active" {
		s.become(c, "active", "customer.subscription.updated")
	}
}

// charging plays the attempts to collect a renewal.
func (s *story) charging(c *course, b *bill) {
	refusals := s.pick(10, 2, 1, 1, 4)
	g := s.billed(b, c.origin, c.card, c.interval)
	for i := range min(refusals, 3) {
		s.refuse(b, g, c.card, i == 2)
		if c.status != "past_due" {
			s.become(c, "past_due", "customer.subscription.updated")
		}
		if !s.pass(day, 5*day) {
			return
		}
	}
	switch {
	case refusals == 4:
		s.giveUp(c, b)
	case s.one(10):
		s.outOfBand(b, c.origin, c.interval)
		s.recover(c)
	default:
		s.collect(c, b)
		s.recover(c)
	}
}

// giveUp is what the account's settings do when a renewal can't be collected.
func (s *story) giveUp(c *course, b *bill) {
	switch s.pick(2, 2, 2, 1) {
	case 0:
		s.become(c, "canceled", "customer.subscription.deleted")
		if s.one(2) {
			s.close(b, "marked_uncollectible_at", "uncollectible")
			s.tell("invoice.marked_uncollectible", b.object)
			if s.one(2) && s.later(30*day) { // somebody pays it after all
				s.outOfBand(b, c.origin, c.interval)
			}
		}
	case 1:
		s.become(c, "unpaid", "customer.subscription.updated")
		if s.one(2) && s.pass(day, 20*day) {
			s.collect(c, b)
			s.recover(c)
		}
	case 2: // it stays past due, and the next invoice comes
	case 3:
		s.close(b, "voided_at", "void")
		s.tell("invoice.voided", b.object)
		s.become(c, "canceled", "customer.subscription.deleted")
	}
}
