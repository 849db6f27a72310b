package world

// A bill is an invoice being played.
type bill struct {
	object, intent *object // no intent while nothing is due
	due            int64   // minor units
	price          price   // what was billed, before credit
	donor          donor
	member         *member // nil for an invoice of its own
	created        int64   // Unix seconds
	later          bool    // of a membership, but not its first
}

// newBill drafts an invoice of p, of which credit is already paid from the
// customer's balance. Invoices of a membership are open facts of it.
func (s *story) newBill(d donor, m *course, p price, credit int64, reason string) *bill {
	b := &bill{donor: d, price: p, due: p.amount - credit, created: s.now, later: m != nil && reason != "subscription_create"}
	id := s.newID("in")
	line := fields{
		"id": s.newID("il"), "object": "line_item", "amount": p.amount, "amount_excluding_tax": p.amount,
		"currency": p.currency, "description": "Support", "discount_amounts": []any{}, "discountable": true,
		"discounts": []any{}, "invoice": id, "livemode": false, "metadata": fields{}, "proration": false,
		"period":            fields{"start": s.now, "end": s.now},
		"price":             priceShape("price_x", p.currency, "", p.amount, s.now),
		"proration_details": fields{"credited_items": nil}, "quantity": 1, "subscription": nil,
		"tax_amounts": []any{}, "tax_rates": []any{}, "type": "invoiceitem",
	}
	b.object = s.create(invoiceShape(id).with(fields{
		"amount_due": b.due, "amount_remaining": b.due, "billing_reason": reason, "currency": p.currency,
		"customer": d.customer.object.id, "customer_email": d.customer.object.fields["email"],
		"period_start": s.now, "period_end": s.now, "starting_balance": -credit, "subtotal": p.amount,
		"subtotal_excluding_tax": p.amount, "total": p.amount, "total_excluding_tax": p.amount,
	}))
	if m != nil {
		b.member = m.member
		b.object.set(fields{"subscription": m.object.id})
		line["type"], line["subscription"] = "subscription", m.object.id
		line["price"] = priceShape("price_x", p.currency, m.interval, p.amount, s.now)
		// Invoices of before June 2023 lack the copy of the metadata.
		if metadata := m.object.fields["metadata"]; !s.one(3) {
			b.object.set(fields{"subscription_details": fields{"metadata": metadata}})
		}
		m.object.set(fields{"latest_invoice": id})
	}
	b.object.set(fields{"lines": listShape("/v1/invoices/"+id+"/lines", line)})
	s.maybe("invoice.created", b.object)
	return b
}

// finalize opens b for payment. Where nothing is due it is paid at once, and
// no charge is made.
func (s *story) finalize(b *bill) {
	b.object.set(fields{"number": "U24-" + b.object.id, "effective_at": s.now, "webhooks_delivered_at": s.now})
	s.transition(b, "finalized_at", "open")
	if b.due == 0 {
		s.tick()
		s.paid(b)
		return
	}
	if b.member != nil {
		b.member.open[b] = b.created
	}
	b.intent = s.newIntent(price{b.due, b.price.currency}, b.donor)
	b.intent.set(fields{"invoice": b.object.id, "description": "Subscription creation"})
	s.save(b.intent)
	b.object.set(fields{"payment_intent": b.intent.id})
	s.tell("invoice.finalized", b.object)
}

func (s *story) transition(b *bill, at, status string) {
	transitions, _ := b.object.fields["status_transitions"].(fields)
	transitions[at] = s.now
	b.object.set(fields{"status": status})
}

// paid closes b. What was due came by a charge, from the balance, or from
// outside of Stripe.
func (s *story) paid(b *bill) {
	s.close(b, "paid_at", "paid")
	b.object.set(fields{
		"amount_paid": b.due, "amount_remaining": 0, "paid": true, "attempted": true,
		"next_payment_attempt": nil,
	})
	s.tell("invoice.paid", b.object)
	s.maybe("invoice.payment_succeeded", b.object)
}

// close ends b in a status after which nothing is owed.
func (s *story) close(b *bill, at, status string) {
	s.transition(b, at, status)
	if b.member != nil {
		delete(b.member.open, b)
	}
}

// billed is the gift that paying b makes.
func (s *story) billed(b *bill, o origin, c card, interval string) *gift {
	g := s.newGift(b.donor, price{b.due, b.price.currency}, o, c, interval)
	g.member, g.renewal = b.member, b.later
	return g
}

// chargeFor makes a charge of g for b. It carries no metadata, as Stripe has
// it: memberships are known by their subscription.
func (s *story) chargeFor(b *bill, g *gift, c card) *object {
	charge := s.newCharge(g, c, b.intent, fields{})
	charge.set(fields{"invoice": b.object.id, "description": "Subscription update"})
	b.object.set(fields{"charge": charge.id})
	attempts, _ := b.object.fields["attempt_count"].(int)
	b.object.set(fields{"attempt_count": attempts + 1, "attempted": true})
	return charge
}

// received tells that charge paid b and books it.
func (s *story) received(b *bill, g *gift, charge *object) {
	s.succeed(g, charge, b.intent)
	s.tick()
	s.paid(b)
	s.book(g, b.intent.id, charge)
}

// refuse is an attempt to collect b that fails; last is the end of trying.
func (s *story) refuse(b *bill, g *gift, c card, last bool) {
	s.refuseCharge(b, s.chargeFor(b, g, c), last)
}

func (s *story) refuseCharge(b *bill, charge *object, last bool) {
	s.fail(charge, b.intent)
	next := any(s.now + 3*day)
	if last {
		next = nil
	}
	b.object.set(fields{"next_payment_attempt": next})
	s.tick()
	s.tell("invoice.payment_failed", b.object)
}

// outOfBand books b as paid by bank transfer or cash: a gift without a charge.
func (s *story) outOfBand(b *bill, o origin, interval string) {
	g := s.billed(b, o, card{}, interval)
	g.donor.card = ""
	b.object.set(fields{"paid_out_of_band": true})
	b.intent.set(fields{"status": "canceled", "canceled_at": s.now})
	s.save(b.intent)
	s.paid(b)
	s.book(g, b.object.id, fakeCharge(s.now))
}

// fakeCharge stands for the moment an out-of-band invoice was paid.
func fakeCharge(at int64) *object { return &object{fields: fields{"created": at}} }

// invoicedGift is a marked invoice that staff sent to one person.
func (s *story) invoicedGift(outOfBand bool) {
	d, o, c := s.donor(true), s.origin(), s.card(false)
	d.email = ""
	b := s.newBill(d, nil, s.price(), 0, "manual")
	b.object.set(fields{"metadata": s.marks(o), "collection_method": "send_invoice", "due_date": s.now + 30*day})
	s.finalize(b)
	if !s.pass(hour, 30*day) {
		return
	}
	g := s.billed(b, o, c, "once")
	if s.one(3) {
		s.refuse(b, g, c, false)
		s.tick()
	}
	if outOfBand {
		s.outOfBand(b, o, "once")
		return
	}
	charge := s.chargeFor(b, g, c)
	s.received(b, g, charge)
	s.aftermath(g, charge)
}
