package world

// A checkout is a one-time gift on its way through Stripe.
type checkout struct {
	session, intent *object // nil where the gift came without
	gift            *gift
	card            card
	metadata        fields // what the product writes on ours; may be empty
	marked          marked
}

// marked says which objects of a gift carry the product's metadata.
type marked struct{ session, intent, charge bool }

// gift plays one one-time gift, from the checkout to its last refund.
func (s *story) gift() {
	s.start()
	switch s.pick(12, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1) {
	case 0:
		s.paidAtOnce(0)
	case 1:
		s.paidAtOnce(int(s.between(1, 3)))
	case 2:
		s.delayedGift(true)
	case 3:
		s.delayedGift(false)
	case 4:
		s.withoutSession()
	case 5:
		s.abandoned(int(s.between(0, 2)))
	case 6:
		s.authorized(true)
	case 7:
		s.authorized(false)
	case 8:
		s.bareCharge()
	case 9:
		s.invoicedGift(false)
	case 10:
		s.invoicedGift(true)
	case 11:
		s.twice()
	}
}

// twice is a double click that was paid twice in one second: two gifts.
func (s *story) twice() {
	c := s.opened(false)
	again := *c
	again.gift = s.newGift(c.gift.donor, c.gift.price, c.gift.origin, c.card, "once")
	again.session = s.openSession(again.gift, "payment")
	again.session.set(fields{"metadata": c.session.fields["metadata"]})
	if !s.pass(minute, hour) {
		return
	}
	s.aside(func() { s.payNow(c, 0) })
	s.payNow(&again, 0)
}

func (s *story) newGift(d donor, p price, o origin, c card, interval string) *gift {
	return &gift{
		price: p, origin: o, donor: d, country: c.from(), interval: interval,
		rate: s.between(300, 1700),
	}
}

// opened returns a checkout whose session the donor has before them.
func (s *story) opened(delayed bool) *checkout {
	c := s.unopened(delayed)
	c.marked = choose(s.Tape, marked{true, true, true}, marked{session: true})
	if s.opts.Murky {
		c.marked = choose(s.Tape, c.marked, marked{intent: true}, marked{intent: true, charge: true})
	}
	c.session = s.openSession(c.gift, "payment")
	if c.marked.session {
		c.session.set(fields{"metadata": c.metadata})
	}
	s.save(c.session)
	return c
}

// unopened returns a gift that has not reached Stripe.
func (s *story) unopened(delayed bool) *checkout {
	o := s.origin()
	c := &checkout{card: s.card(delayed), metadata: s.marks(o), marked: marked{true, true, true}}
	c.gift = s.newGift(s.donor(false), s.price(), o, c.card, "once")
	return c
}

func (s *story) openSession(g *gift, mode string) *object {
	session := s.create(sessionShape(s.newID("cs_test")).with(fields{
		"amount_subtotal": g.price.amount, "amount_total": g.price.amount, "currency": g.price.currency,
		"mode": mode, "expires_at": s.now + day, "url": "https://checkout.stripe.com/c/pay/x",
	}))
	if !s.foreign {
		session.set(fields{"client_reference_id": s.newID("chk")})
	}
	return session
}

// complete ends a session; status is its payment_status.
func (s *story) complete(session *object, d donor, status string) {
	session.set(fields{
		"status": "complete", "payment_status": status, "url": nil,
		"customer_details": nulls("address name phone tax_ids").with(fields{"email": d.email, "tax_exempt": "none"}),
	})
	if d.customer != nil {
		session.set(fields{"customer": d.customer.object.id})
	}
	s.tell("checkout.session.completed", session)
}

func (s *story) newIntent(p price, d donor) *object {
	intent := s.create(intentShape(s.newID("pi")).with(fields{"amount": p.amount, "currency": p.currency}))
	if d.customer != nil {
		intent.set(fields{"customer": d.customer.object.id})
	}
	return intent
}

// submit is the donor pressing the button for the first time.
func (s *story) submit(c *checkout) {
	c.intent = s.newIntent(c.gift.price, c.gift.donor)
	if c.marked.charge {
		c.intent.set(fields{"metadata": c.metadata})
	}
	if c.session != nil {
		c.session.set(fields{"payment_intent": c.intent.id})
	}
}

// newCharge makes a charge of g; intent may be nil.
func (s *story) newCharge(g *gift, card card, intent *object, metadata fields) *object {
	charge := s.create(chargeShape(s.newID("ch")).with(fields{
		"amount": g.price.amount, "currency": g.price.currency, "status": "pending", "metadata": metadata,
		"payment_method_details": card.details(),
		"billing_details": fields{
			"address": nulls("city line1 line2 postal_code state").with(fields{"country": nullable(card.billing)}),
			"email":   nullable(g.donor.card), "name": "Jenny Rosen", "phone": nil,
		},
	}))
	if g.donor.customer != nil {
		charge.set(fields{"customer": g.donor.customer.object.id})
	}
	if intent != nil {
		charge.set(fields{"payment_intent": intent.id})
		intent.set(fields{"latest_charge": charge.id})
	}
	charge.told = func() {
		refunded, _ := charge.fields["amount_refunded"].(int64)
		g.takeDownRefunded(s.now, refunded)
	}
	return charge
}

// charge makes a charge of c under its intent.
func (s *story) charge(c *checkout) *object {
	metadata := fields{}
	if c.marked.charge {
		metadata = c.metadata
	}
	return s.newCharge(c.gift, c.card, c.intent, metadata)
}

// decline is an attempt that the bank refuses.
func (s *story) decline(g *gift, card card, intent *object, metadata fields) {
	charge := s.newCharge(g, card, intent, metadata)
	s.fail(charge, intent)
}

// fail tells that charge did not go through, and that intent waits for another.
func (s *story) fail(charge, intent *object) {
	charge.set(fields{
		"status": "failed", "failure_code": "card_declined", "paid": false, "captured": false,
		"failure_message": "Your card was declined.", "amount_captured": 0,
	})
	intent.set(fields{
		"status":             "requires_payment_method",
		"last_payment_error": fields{"type": "card_error", "code": "card_declined"},
	})
	s.tell("charge.failed", charge)
	s.tick()
	s.tell("payment_intent.payment_failed", intent)
}

// succeed tells that charge was paid.
func (s *story) succeed(g *gift, charge, intent *object) {
	charge.set(fields{
		"status": "succeeded", "paid": true, "captured": true, "amount_captured": g.price.amount,
		"outcome": fields{"network_status": "approved_by_network", "type": "authorized"},
	})
	if s.pick(6, 3) == 0 {
		s.settle(g, charge)
	}
	s.tell("charge.succeeded", charge)
	if intent == nil {
		return
	}
	s.tick()
	intent.set(fields{"status": "succeeded", "amount_received": g.price.amount, "last_payment_error": nil})
	s.maybe("payment_intent.succeeded", intent)
}

// book takes down that g was received as key by charge.
func (s *story) book(g *gift, key string, charge *object) {
	created, _ := charge.fields["created"].(int64)
	g.key, g.created, g.booked = key, created, !s.foreign
	if g.booked {
		s.gifts = append(s.gifts, g)
	}
}

// paidAtOnce is the usual gift, after a number of declined attempts.
func (s *story) paidAtOnce(declined int) {
	c := s.opened(false)
	if s.pass(minute, 20*minute) {
		s.payNow(c, declined)
	}
}

// payNow pays an open checkout.
func (s *story) payNow(c *checkout, declined int) {
	s.submit(c)
	for range declined {
		s.declineOnce(c)
	}
	charge := s.charge(c)
	s.succeed(c.gift, charge, c.intent)
	s.markLate(c)
	s.tick()
	s.complete(c.session, c.gift.donor, "paid")
	s.book(c.gift, c.intent.id, charge)
	s.aftermath(c.gift, charge)
}

func (s *story) declineOnce(c *checkout) {
	metadata := fields{}
	if c.marked.charge {
		metadata = c.metadata
	}
	s.decline(c.gift, c.card, c.intent, metadata)
	s.now += s.between(0, 60)
}

// markLate writes the metadata on an intent whose charge went without: only a
// list of intents brings it.
func (s *story) markLate(c *checkout) {
	if c.marked.intent && !c.marked.charge {
		c.intent.set(fields{"metadata": c.metadata})
		s.save(c.intent)
	}
}

// abandoned is a checkout that is left after some attempts.
func (s *story) abandoned(declined int) {
	c := s.opened(false)
	if declined > 0 && s.pass(minute, hour) {
		s.submit(c)
		for range declined {
			s.declineOnce(c)
		}
	}
	if s.pass(day, day+minute) {
		c.session.set(fields{"status": "expired", "url": nil})
		s.tell("checkout.session.expired", c.session)
		if c.intent != nil {
			c.intent.set(fields{"status": "canceled", "canceled_at": s.now, "cancellation_reason": "automatic"})
			s.maybe("payment_intent.canceled", c.intent)
		}
	}
}

// delayedGift is promised by bank debit: the session completes unpaid, and
// the money comes days later or never.
func (s *story) delayedGift(paid bool) {
	c := s.opened(true)
	if !s.pass(minute, hour) {
		return
	}
	s.submit(c)
	charge := s.charge(c)
	if s.one(2) {
		charge.set(fields{"amount_captured": c.gift.price.amount})
	}
	c.intent.set(fields{"status": "processing"})
	s.tell("charge.pending", charge)
	s.tick()
	s.complete(c.session, c.gift.donor, "unpaid")
	if s.one(3) || !s.pass(2*day, 14*day) {
		return // still on its way
	}
	if !paid {
		s.fail(charge, c.intent)
		s.tick()
		s.tell("checkout.session.async_payment_failed", c.session)
		return
	}
	s.succeed(c.gift, charge, c.intent)
	s.markLate(c)
	s.tick()
	c.session.set(fields{"payment_status": "paid"})
	s.tell("checkout.session.async_payment_succeeded", c.session)
	s.book(c.gift, c.intent.id, charge)
	s.aftermath(c.gift, charge)
}

// withoutSession is a marked PaymentIntent of our own form.
func (s *story) withoutSession() {
	c := s.unopened(false)
	c.gift.donor.email = "" // nobody typed one
	s.submit(c)
	if s.one(3) {
		s.declineOnce(c)
	}
	charge := s.charge(c)
	s.succeed(c.gift, charge, c.intent)
	s.book(c.gift, c.intent.id, charge)
	s.aftermath(c.gift, charge)
}

// bareCharge is a marked charge without a PaymentIntent.
func (s *story) bareCharge() {
	c := s.unopened(false)
	c.gift.donor.email = ""
	charge := s.charge(c)
	s.succeed(c.gift, charge, nil)
	s.book(c.gift, charge.id, charge)
	s.aftermath(c.gift, charge)
}

// authorized is a charge that is captured later, or never.
func (s *story) authorized(captured bool) {
	c := s.unopened(false)
	c.gift.donor.email = ""
	s.submit(c)
	c.intent.set(fields{"capture_method": "manual", "status": "requires_capture"})
	charge := s.charge(c)
	charge.set(fields{"status": "succeeded", "paid": true, "captured": false})
	s.tell("charge.succeeded", charge)
	if !s.pass(hour, 5*day) {
		return
	}
	if !captured {
		c.intent.set(fields{"status": "canceled", "canceled_at": s.now})
		s.tell("charge.expired", charge)
		s.maybe("payment_intent.canceled", c.intent)
		return
	}
	charge.set(fields{"captured": true, "amount_captured": c.gift.price.amount})
	s.tell("charge.captured", charge)
	c.intent.set(fields{"status": "succeeded", "amount_received": c.gift.price.amount})
	s.maybe("payment_intent.succeeded", c.intent)
	s.book(c.gift, c.intent.id, charge)
	s.aftermath(c.gift, charge)
}
