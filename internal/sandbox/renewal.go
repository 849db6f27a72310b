package sandbox

// retryAfter are the days after which a failed renewal is tried again; then
// the subscription ends as Options.DunningEnds says.
var retryAfter = [...]int64{3, 5, 7}

// endPeriod begins a subscription's next period, or ends it.
func (s *Sandbox) endPeriod(id string, due int64) {
	sub := s.st.get(kindSubscription, id)
	if ended(sub) || sub.int("current_period_end") != due || sub.str("status") == "paused" || sub.str("status") == "incomplete" {
		return
	}
	if sub.bool("cancel_at_period_end") {
		s.cancelNow(id, sub.obj("cancellation_details").with(Object{"reason": "cancellation_requested"}))
		return
	}
	if sub.str("status") == "trialing" && sub["default_payment_method"] == nil {
		switch sub.obj("trial_settings").obj("end_behavior").str("missing_payment_method") {
		case "cancel":
			s.cancelNow(id, Object{"comment": nil, "feedback": nil, "reason": "payment_failed"})
			return
		case "pause":
			s.emit("customer.subscription.paused", s.editSubscription(id, func(o Object) { o["status"] = "paused" }))
			return
		}
	}
	s.beginPeriod(id)
}

// beginPeriod moves a subscription to the period that begins now and drafts
// its invoice, which becomes payable an hour later.
func (s *Sandbox) beginPeriod(id string) {
	now := s.now()
	sub := s.editSubscription(id, func(o Object) {
		price := o.obj("items").list("data")[0].(Object).obj("price")
		o["current_period_start"], o["current_period_end"] = now, periodEnd(o.int("billing_cycle_anchor"), now, price)
		if o.str("status") == "trialing" || o.str("status") == "paused" {
			o["status"] = "active"
		}
	})
	s.schedule(sub.int("current_period_end"), taskRenew, id, nil)
	kept := s.st.get(kindNote, id).list("pending")
	if len(kept) > 0 {
		s.keep(id, Object{"pending": []any{}})
	}
	invoice := s.newInvoice(sub, "subscription_cycle", kept)
	s.st.change(kindSubscription, id, func(o Object) { o["latest_invoice"] = invoice["id"] })
	held := sub.str("status") == "unpaid" || sub.obj("pause_collection").str("behavior") == "keep_as_draft"
	if held {
		s.st.change(kindInvoice, invoice.id(), func(o Object) { o["auto_advance"], o["next_payment_attempt"] = false, nil })
		return
	}
	s.schedule(now+draftTime, taskFinalize, invoice.id(), nil)
}

// keep notes something about an object beside what is noted already.
func (s *Sandbox) keep(id string, more Object) {
	s.st.put(kindNote, Object{"id": id}.with(s.st.get(kindNote, id)).with(more))
}

func (s *Sandbox) finalizeDraft(id string) {
	invoice := s.st.get(kindInvoice, id)
	if invoice.str("status") != "draft" || !invoice.bool("auto_advance") {
		return
	}
	if s.finalizeInvoice(id).str("status") != "open" {
		return
	}
	switch s.st.get(kindSubscription, invoice.str("subscription")).obj("pause_collection").str("behavior") {
	case "void":
		s.voidInvoice(id)
	case "mark_uncollectible":
		s.writeOffInvoice(id)
	default:
		s.collectInvoice(id)
	}
}

// collectInvoice charges an invoice to the payment method of its subscription,
// and returns the charge. Without one, or where [Sandbox.FailPayments] says
// so, it is declined; where [Sandbox.AskForAction] says so, there is none.
func (s *Sandbox) collectInvoice(id string) Object {
	invoice := s.st.get(kindInvoice, id)
	sub := s.st.get(kindSubscription, invoice.str("subscription"))
	method := s.st.get(kindMethod, sub.str("default_payment_method"))
	outcome := Paid
	if method == nil {
		customer := s.st.get(kindCustomer, invoice.str("customer"))
		method, outcome = s.newMethod(Payer{Email: customer.str("email"), Name: customer.str("name")}, invoice["customer"], Declined), Declined
	}
	switch note := s.st.get(kindNote, sub.id()); {
	case note.bool("declines"):
		outcome = Declined
	case note.bool("asks"):
		outcome = requiresAction
	}
	return s.collect(invoice.str("payment_intent"), method, outcome)
}

// FailPayments lets every payment of a subscription fail from now on, or
// succeed again.
func (s *Sandbox) FailPayments(subscriptionID string, fail bool) error {
	return s.do(func() error {
		if s.st.get(kindSubscription, subscriptionID) == nil {
			return missing("subscription", subscriptionID)
		}
		s.keep(subscriptionID, Object{"declines": fail})
		return nil
	})
}

// AskForAction lets every payment of a subscription wait for 3-D Secure from
// now on, or go through again. The invoice's page takes that step.
func (s *Sandbox) AskForAction(subscriptionID string, ask bool) error {
	return s.do(func() error {
		if s.st.get(kindSubscription, subscriptionID) == nil {
			return missing("subscription", subscriptionID)
		}
		s.keep(subscriptionID, Object{"asks": ask})
		return nil
	})
}

func (s *Sandbox) retryInvoice(id string) {
	if invoice := s.st.get(kindInvoice, id); invoice.str("status") == "open" && invoice.bool("auto_advance") {
		s.collectInvoice(id)
	}
}

// invoiceFailed notes a failed attempt, plans the next, and after the last
// ends the dunning. There is no charge if the bank asks for 3-D Secure.
func (s *Sandbox) invoiceFailed(id string, charge Object) {
	sub := s.st.get(kindSubscription, s.st.get(kindInvoice, id).str("subscription"))
	first := sub.str("status") == "incomplete"
	attempts := s.st.get(kindInvoice, id).int("attempt_count") + 1
	var next any
	if !first && sub != nil && !ended(sub) && attempts <= int64(len(retryAfter)) {
		due := s.now() + retryAfter[attempts-1]*day
		s.schedule(due, taskRetry, id, nil)
		next = due
	}
	invoice := s.st.change(kindInvoice, id, func(o Object) {
		o["attempt_count"], o["attempted"], o["next_payment_attempt"] = attempts, true, next
		if charge != nil {
			o["charge"] = charge["id"]
		}
		o["auto_advance"] = next != nil
	})
	s.emit("invoice.payment_failed", invoice)
	if first || sub == nil || ended(sub) {
		return
	}
	if sub.str("status") == "active" {
		s.setStatus(sub.id(), "past_due")
	}
	if next == nil {
		s.endDunning(sub.id())
	}
}

func (s *Sandbox) endDunning(id string) {
	switch s.opts.DunningEnds {
	case "canceled":
		s.cancelNow(id, Object{"comment": nil, "feedback": nil, "reason": "payment_failed"})
	case "unpaid":
		s.setStatus(id, "unpaid")
	}
}
