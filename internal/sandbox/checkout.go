package sandbox

import "strings"

// Pay ends (or, for a declined card, tries) an open session as a donor on the
// checkout page would, and returns the address to which the donor goes then:
// the session's success_url or cancel_url, or after a declined payment the
// page itself, where it can be tried again. Of a session that is no longer
// open it changes nothing. Delayed outcomes are bank debits, taken in every
// currency here, though Stripe takes them in euros only.
func (s *Sandbox) Pay(sessionID string, payer Payer, outcome Outcome) (string, error) {
	to := ""
	err := s.do(func() (err error) {
		to, _, err = s.pay(sessionID, payer, outcome)
		return err
	})
	return to, err
}

// pay also returns the id of the session's completed event, "" without one.
func (s *Sandbox) pay(id string, payer Payer, outcome Outcome) (to, event string, err error) {
	session := s.st.get(kindSession, id)
	if session == nil {
		return "", "", missing("checkout.session", id)
	}
	switch outcome {
	case Paid, Declined, DelayedPaid, DelayedFailed, Canceled, requiresAction:
	default:
		return "", "", invalid("outcome", "Choose how the payment ends: paid, declined, delayed_paid, delayed_failed or canceled.")
	}
	page := s.opts.BaseURL + "/checkout/" + id
	switch session.str("status") {
	case "complete":
		return successURL(session), "", nil
	case "expired":
		return page, "", nil
	}
	if outcome == Canceled {
		if back := session.str("cancel_url"); back != "" {
			return back, "", nil
		}
		return page, "", nil
	}
	payer = s.known(session, payer)
	if payer.Email == "" {
		return "", "", invalidCode("parameter_missing", "email", "An e-mail address is required.")
	}
	if err := checkEmail("email", payer.Email); err != nil {
		return "", "", err
	}
	s.keep(id, Object{"payer": Object{"email": payer.Email, "name": payer.Name, "country": payer.Country}})
	s.begin(id, payer)
	switch outcome {
	case Declined:
		s.tryPayment(id, payer, Declined)
		return page + "?attempt=declined", "", nil
	case requiresAction:
		if intent := s.st.get(kindNote, id).str("intent"); intent != "" {
			s.askForAction(intent)
		}
		return page + "/authenticate", "", nil
	}
	s.tryPayment(id, payer, outcome)
	event = s.complete(id, payer, outcome)
	return successURL(s.st.get(kindSession, id)), event, nil
}

func successURL(session Object) string {
	return strings.ReplaceAll(session.str("success_url"), sessionPlaceholder, session.id())
}

// known fills in what the session knows of the payer already.
func (s *Sandbox) known(session Object, p Payer) Payer {
	customer := s.st.get(kindCustomer, session.str("customer"))
	for _, email := range []string{session.str("customer_email"), customer.str("email")} {
		if p.Email == "" {
			p.Email = email
		}
	}
	if p.Name == "" {
		p.Name = customer.str("name")
	}
	return p
}

// begin makes what a first attempt makes and later ones use again: the
// customer, and the PaymentIntent or the subscription with its first invoice.
func (s *Sandbox) begin(id string, payer Payer) {
	session, note := s.st.get(kindSession, id), s.st.get(kindNote, id)
	if note.bool("begun") {
		return
	}
	customer := session["customer"]
	if customer == nil && (session.str("mode") == "subscription" || session.str("customer_creation") == "always") {
		customer = s.newCustomer(Object{"email": payer.Email, "name": text(payer.Name), "address": payer.address(),
			"preferred_locales": []any{"en"}})["id"]
	}
	intent, subscription := "", ""
	if session.str("mode") == "payment" {
		data := note.obj("intent_data")
		intent = s.newIntent(session.int("amount_total"), session.str("currency"), Object{
			"customer": customer, "metadata": metadataOf(data), "description": data["description"], "receipt_email": data["receipt_email"],
			"setup_future_usage": data["setup_future_usage"], "statement_descriptor": data["statement_descriptor"],
			"statement_descriptor_suffix": data["statement_descriptor_suffix"], "payment_method_types": session["payment_method_types"],
		}).id()
		s.st.change(kindSession, id, func(o Object) { o["payment_intent"] = intent })
	} else {
		subscription = s.newSubscription(customer.(string), note.list("lines"), note.obj("subscription_data")).id()
		intent = s.st.get(kindInvoice, s.st.get(kindSubscription, subscription).str("latest_invoice")).str("payment_intent")
	}
	s.st.change(kindNote, id, func(n Object) {
		n["begun"], n["customer"], n["intent"], n["subscription"] = true, customer, text(intent), text(subscription)
	})
	if intent != "" {
		s.st.put(kindNote, Object{"id": intent, "session": id})
	}
}

func metadataOf(data Object) Object {
	if m := data.obj("metadata"); m != nil {
		return m
	}
	return Object{}
}

// tryPayment collects what is due now. A trial has nothing due; its page asks
// for a payment method only where the session says always.
func (s *Sandbox) tryPayment(id string, payer Payer, outcome Outcome) {
	note := s.st.get(kindNote, id)
	if note.str("intent") == "" && s.st.get(kindSession, id).str("payment_method_collection") == "if_required" {
		return
	}
	method := s.newMethod(payer, note["customer"], outcome)
	if outcome != Declined && note.str("subscription") != "" {
		s.st.change(kindSubscription, note.str("subscription"), func(o Object) { o["default_payment_method"] = method["id"] })
	}
	if intent := note.str("intent"); intent != "" {
		s.collect(intent, method, outcome)
	}
}

// askForAction leaves a PaymentIntent to 3-D Secure: on the page of its
// session, or of the invoice where there is none any more.
func (s *Sandbox) askForAction(intent string) {
	before := s.st.get(kindIntent, intent)
	back := s.opts.BaseURL + "/invoices/" + before.str("invoice")
	step := back
	if id := s.st.get(kindNote, intent).str("session"); id != "" {
		back = s.opts.BaseURL + "/checkout/" + id
		step = back + "/authenticate"
	}
	pi := s.st.change(kindIntent, intent, func(pi Object) {
		pi["status"] = "requires_action"
		pi["next_action"] = Object{"type": "redirect_to_url", "redirect_to_url": Object{"return_url": back, "url": step}}
	})
	s.emit("payment_intent.requires_action", pi)
}

// complete ends the session after a payment that went through or is underway.
func (s *Sandbox) complete(id string, payer Payer, outcome Outcome) string {
	note := s.st.get(kindNote, id)
	status := "paid"
	switch {
	case note.str("intent") == "":
		status = "no_payment_required"
	case outcome.delayed():
		status = "unpaid"
	}
	session := s.st.change(kindSession, id, func(o Object) {
		o["status"], o["url"], o["payment_status"], o["customer"] = "complete", nil, status, note["customer"]
		o["customer_details"] = Object{"address": payer.address(), "email": payer.Email, "name": text(payer.Name), "phone": nil,
			"tax_exempt": "none", "tax_ids": []any{}}
		if sub := s.st.get(kindSubscription, note.str("subscription")); sub != nil {
			o["subscription"], o["invoice"] = sub["id"], sub["latest_invoice"]
		}
	})
	return s.emit("checkout.session.completed", session)
}

// settleSession tells a session what became of its delayed payment.
func (s *Sandbox) settleSession(intent string, succeeded bool) {
	id := s.st.get(kindNote, intent).str("session")
	session := s.st.get(kindSession, id)
	if session.str("status") != "complete" || session.str("payment_status") != "unpaid" {
		return
	}
	if !succeeded {
		s.emit("checkout.session.async_payment_failed", session)
		return
	}
	session = s.st.change(kindSession, id, func(o Object) { o["payment_status"] = "paid" })
	s.emit("checkout.session.async_payment_succeeded", session)
}

// cancelIntent ends a PaymentIntent that was not paid.
func (s *Sandbox) cancelIntent(id, reason string) {
	switch s.st.get(kindIntent, id).str("status") {
	case "succeeded", "canceled", "processing":
		return
	}
	pi := s.st.change(kindIntent, id, func(pi Object) {
		pi["status"], pi["canceled_at"], pi["cancellation_reason"], pi["next_action"] = "canceled", s.now(), reason, nil
	})
	s.emit("payment_intent.canceled", pi)
}

func (s *Sandbox) cancelIntentNow(c *call) (Object, error) {
	id := c.path("id")
	pi := s.st.get(kindIntent, id)
	if pi == nil {
		return nil, missing("payment_intent", id)
	}
	switch status := pi.str("status"); status {
	case "succeeded", "canceled", "processing":
		return nil, invalidCode("payment_intent_unexpected_state", "", "You cannot cancel this PaymentIntent because it has a status of "+status+".")
	}
	if s.st.get(kindSession, s.st.get(kindNote, id).str("session")).str("status") == "open" {
		return nil, invalidCode("payment_intent_unexpected_state", "", "You cannot cancel a PaymentIntent of an open Checkout Session. Expire the session instead.")
	}
	reason := c.params.Text("cancellation_reason")
	if reason == "" {
		reason = "requested_by_customer"
	}
	s.cancelIntent(id, reason)
	return s.st.get(kindIntent, id), nil
}
