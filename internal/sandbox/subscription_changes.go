package sandbox

import (
	"strconv"

	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/sandbox/params"
)

var cancellationDetails = params.Group(params.Schema{
	"comment":  params.Text().Clearable(),
	"feedback": params.OneOf("customer_service", "low_quality", "missing_features", "other", "switched_service", "too_complex", "too_expensive", "unused").Clearable(),
})

var subscriptionUpdate = params.Schema{
	"cancel_at_period_end": params.Bool(), "cancellation_details": cancellationDetails, "default_payment_method": params.Text(),
	"description": params.TextUpTo(500).Clearable(), "metadata": params.Metadata(), "trial_end": params.IntOr("now"),
	"proration_behavior": params.OneOf("always_invoice", "create_prorations", "none"),
	"payment_behavior":   params.OneOf("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"),
	"pause_collection": params.Group(params.Schema{
		"behavior": params.OneOf("keep_as_draft", "mark_uncollectible", "void").Required(), "resumes_at": params.Int(),
	}).Clearable(),
	"items": params.List(params.Group(params.Schema{
		"id": params.Text(), "price": params.Text(), "quantity": params.Int(), "price_data": params.Group(priceFields.With(params.Schema{
			"product": params.Text().Required(),
		})),
	}), maxPeriodicLine),
}

// updateSubscription answers POST /v1/subscriptions/{id}.
func (s *Sandbox) updateSubscription(c *call) (Object, error) {
	id := c.path("id")
	sub := s.st.get(kindSubscription, id)
	if sub == nil {
		return nil, missing("subscription", id)
	}
	if ended(sub) {
		return nil, invalid("", "A canceled subscription can only update its cancellation_details and metadata.")
	}
	if method := c.params.Text("default_payment_method"); method != "" && s.st.get(kindMethod, method) == nil {
		return nil, missingParam("PaymentMethod", "default_payment_method", method)
	}
	pause := c.params.Group("pause_collection")
	if pause.Has("resumes_at") && pause.Int("resumes_at") <= s.now() {
		return nil, invalid("pause_collection[resumes_at]", "The resumes_at timestamp must be in the future.")
	}
	trial := c.params.Int("trial_end")
	if trial != 0 && trial <= s.now() {
		return nil, invalid("trial_end", "Invalid timestamp: must be in the future, or now.")
	}
	edits, err := s.itemEdits(sub, c.params)
	if err != nil {
		return nil, err
	}
	after := s.editSubscription(id, func(o Object) {
		copyFields(o, c.params, "default_payment_method", "description")
		mergeMetadata(o, c.params)
		s.applyCancellation(o, c.params)
		if c.params.Has("pause_collection") {
			o["pause_collection"] = nil
			if pause != nil {
				o["pause_collection"] = Object{"behavior": pause["behavior"], "resumes_at": pause["resumes_at"]}
			}
		}
		for _, edit := range edits {
			edit(o)
		}
	})
	if pause.Has("resumes_at") {
		s.schedule(pause.Int("resumes_at"), taskResume, id, nil)
	}
	if trial != 0 {
		s.beginTrial(id, trial)
	}
	if c.params.Text("trial_end") == "now" && after.str("status") == "trialing" {
		s.editSubscription(id, func(o Object) {
			o["trial_end"], o["current_period_end"], o["billing_cycle_anchor"] = s.now(), s.now(), s.now()
		})
		s.endPeriod(id, s.now())
	}
	return s.st.get(kindSubscription, id), nil
}

// beginTrial lets a subscription go on unpaid until an instant, from which its
// periods are counted then.
func (s *Sandbox) beginTrial(id string, end int64) {
	sub := s.editSubscription(id, func(o Object) {
		o["status"], o["trial_start"], o["trial_end"] = "trialing", s.now(), end
		o["billing_cycle_anchor"], o["current_period_start"], o["current_period_end"] = end, s.now(), end
	})
	s.schedule(max(s.now(), end-trialWarning), taskWarn, id, nil)
	s.schedule(end, taskRenew, id, nil)
	invoice := s.newInvoice(sub, "subscription_update", nil)
	s.st.change(kindSubscription, id, func(o Object) { o["latest_invoice"] = invoice["id"] })
	s.finalizeInvoice(invoice.id())
}

// endPause collects again for a subscription that was paused until now.
func (s *Sandbox) endPause(id string, due int64) {
	if s.st.get(kindSubscription, id).obj("pause_collection").int("resumes_at") == due {
		s.editSubscription(id, func(o Object) { o["pause_collection"] = nil })
	}
}

func (s *Sandbox) applyCancellation(o Object, v params.Values) {
	details := o.obj("cancellation_details").clone()
	copyFields(details, v.Group("cancellation_details"), "comment", "feedback")
	if v.Has("cancel_at_period_end") {
		o["cancel_at_period_end"] = v.Bool("cancel_at_period_end")
		if v.Bool("cancel_at_period_end") {
			o["cancel_at"], o["canceled_at"], details["reason"] = o["current_period_end"], s.now(), "cancellation_requested"
		} else {
			o["cancel_at"], o["canceled_at"], details["reason"] = nil, nil, nil
		}
	}
	o["cancellation_details"] = details
}

// itemEdits checks the changes to the first item, the only one the sandbox
// changes, and keeps the prorations for the next invoice.
func (s *Sandbox) itemEdits(sub Object, v params.Values) ([]func(Object), error) {
	var edits []func(Object)
	for i, sent := range v.Groups("items") {
		at := "items[" + strconv.Itoa(i) + "]"
		item := sub.obj("items").list("data")[0].(Object)
		if id := sent.Text("id"); id != item.id() || i > 0 {
			return nil, missingParam("subscription item", at+"[id]", id)
		}
		price := item.obj("price")
		if sent.Has("price") || sent.Has("price_data") {
			changed, err := s.linePrice(sent, at)
			if err != nil {
				return nil, err
			}
			if changed.str("type") != "recurring" || changed.str("currency") != sub.str("currency") {
				return nil, invalid(at, "The price must be recurring and in the subscription's currency.")
			}
			price = changed
		}
		quantity := item.int("quantity")
		if sent.Has("quantity") {
			quantity = sent.Int("quantity")
		}
		if v.Text("proration_behavior") != "none" {
			s.prorate(sub, item, price, quantity)
		}
		edits = append(edits, func(o Object) {
			item := o.obj("items").list("data")[0].(Object)
			item["price"], item["quantity"] = price, quantity
		})
	}
	return edits, nil
}

// prorate keeps two lines for the next invoice: the unused rest of the period
// at the old price back, and at the new one.
func (s *Sandbox) prorate(sub, item, price Object, quantity int64) {
	start, end := sub.int("current_period_start"), sub.int("current_period_end")
	if sub.str("status") == "trialing" || end <= start {
		return
	}
	old := item.obj("price")
	line := func(price Object, quantity, sign int64, text string) Object {
		amount := money.Share(sign*price.int("unit_amount")*quantity, end-s.now(), end-start)
		return s.invoiceLine("", amount, price, quantity, text, Object{
			"period": Object{"start": s.now(), "end": end}, "proration": true, "subscription": sub["id"], "subscription_item": item["id"],
		})
	}
	s.keep(sub.id(), Object{"pending": append(cloned(s.st.get(kindNote, sub.id()).list("pending")).([]any),
		line(old, item.int("quantity"), -1, "Unused time"), line(price, quantity, 1, "Remaining time"))})
}

var subscriptionCancel = params.Schema{"cancellation_details": cancellationDetails, "invoice_now": params.Bool(), "prorate": params.Bool()}

func (s *Sandbox) cancelSubscription(c *call) (Object, error) {
	id := c.path("id")
	sub := s.st.get(kindSubscription, id)
	if sub == nil || sub.str("status") == "canceled" {
		return nil, missing("subscription", id)
	}
	details := Object{"comment": nil, "feedback": nil, "reason": "cancellation_requested"}
	copyFields(details, c.params.Group("cancellation_details"), "comment", "feedback")
	return s.cancelNow(id, details), nil
}

// resumeSubscription ends the pause after a trial without a payment method.
func (s *Sandbox) resumeSubscription(c *call) (Object, error) {
	id := c.path("id")
	sub := s.st.get(kindSubscription, id)
	switch {
	case sub == nil:
		return nil, missing("subscription", id)
	case sub.str("status") != "paused":
		return nil, invalid("", "Only a paused subscription can be resumed; its status is "+sub.str("status")+".")
	}
	if sub["default_payment_method"] == nil {
		customer := s.st.get(kindCustomer, sub.str("customer"))
		method := s.newMethod(Payer{Email: customer.str("email"), Name: customer.str("name")}, sub["customer"], Paid)
		s.st.change(kindSubscription, id, func(o Object) { o["default_payment_method"] = method["id"] })
	}
	s.st.change(kindSubscription, id, func(o Object) { o["billing_cycle_anchor"] = s.now() })
	s.beginPeriod(id)
	sub = s.st.get(kindSubscription, id)
	s.emit("customer.subscription.resumed", sub)
	return sub, nil
}
