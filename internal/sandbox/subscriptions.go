package sandbox

import (
	"time"

	"github.com/united24media/support/internal/sandbox/params"
)

const (
	day              = int64(24 * 3600)     // seconds
	firstPaymentTime = int64(23 * 3600)     // seconds until a subscription without its first payment ends
	trialWarning     = int64(3 * 24 * 3600) // seconds before the end of a trial
	draftTime        = int64(3600)          // seconds a renewal's invoice stays a draft
)

// ended reports whether a subscription is over for good.
func ended(sub Object) bool {
	return sub.str("status") == "canceled" || sub.str("status") == "incomplete_expired"
}

// newSubscription begins a subscription to the recurring lines; the others are
// on its first invoice only. It is incomplete until that is paid, or trialing.
func (s *Sandbox) newSubscription(customer string, lines []any, data Object) Object {
	id, now := s.newID(kindSubscription), s.now()
	var items, once []any
	for _, l := range lines {
		line := l.(Object)
		if price := line.obj("price"); price.str("type") == "recurring" {
			items = append(items, s.subscriptionItem(id, price, line.int("quantity")))
		} else {
			once = append(once, line)
		}
	}
	price := items[0].(Object).obj("price")
	sub := subscriptionObject(id, customer, price, items, now).with(Object{"metadata": metadataOf(data), "description": data["description"]})
	if behavior := data.obj("trial_settings"); behavior != nil {
		sub["trial_settings"] = behavior
	}
	trialEnd := data.int("trial_end")
	if days := data.int("trial_period_days"); days > 0 {
		trialEnd = now + days*day
	}
	if trialEnd > 0 {
		sub["status"], sub["trial_start"], sub["trial_end"] = "trialing", now, trialEnd
		sub["billing_cycle_anchor"], sub["current_period_end"] = trialEnd, trialEnd
		s.schedule(max(now, trialEnd-trialWarning), taskWarn, id, nil)
	} else {
		s.schedule(now+firstPaymentTime, taskGiveUp, id, nil)
	}
	s.st.put(kindSubscription, sub)
	s.schedule(sub.int("current_period_end"), taskRenew, id, nil)
	s.useCurrency(customer, price.str("currency"))
	invoice := s.newInvoice(sub, "subscription_create", once)
	sub = s.st.change(kindSubscription, id, func(o Object) { o["latest_invoice"] = invoice["id"] })
	s.emit("customer.subscription.created", sub)
	s.finalizeInvoice(invoice.id())
	return s.st.get(kindSubscription, id)
}

func subscriptionObject(id, customer string, price Object, items []any, now int64) Object {
	return Object{
		"id": id, "object": "subscription", "application": nil, "application_fee_percent": nil,
		"automatic_tax": Object{"enabled": false, "liability": nil}, "billing_cycle_anchor": now, "billing_cycle_anchor_config": nil,
		"billing_thresholds": nil, "cancel_at": nil, "cancel_at_period_end": false, "canceled_at": nil,
		"cancellation_details": Object{"comment": nil, "feedback": nil, "reason": nil}, "collection_method": "charge_automatically",
		"created": now, "currency": price["currency"], "current_period_end": periodEnd(now, now, price), "current_period_start": now,
		"customer": customer, "days_until_due": nil, "default_payment_method": nil, "default_source": nil, "default_tax_rates": []any{},
		"description": nil, "discount": nil, "ended_at": nil, "items": listOf("/v1/subscription_items?subscription="+id, items...), "latest_invoice": nil, "livemode": false,
		"metadata": Object{}, "next_pending_invoice_item_invoice": nil, "on_behalf_of": nil, "pause_collection": nil,
		"payment_settings":              Object{"payment_method_options": nil, "payment_method_types": nil, "save_default_payment_method": "off"},
		"pending_invoice_item_interval": nil, "pending_setup_intent": nil, "pending_update": nil, "schedule": nil, "start_date": now,
		"status": "incomplete", "test_clock": nil, "transfer_data": nil, "trial_end": nil,
		"trial_settings": Object{"end_behavior": Object{"missing_payment_method": "create_invoice"}}, "trial_start": nil,
	}
}

func (s *Sandbox) subscriptionItem(sub string, price Object, quantity int64) Object {
	return Object{
		"id": "si_" + randomText(s.random, 14), "object": "subscription_item", "billing_thresholds": nil, "created": s.now(),
		"metadata": Object{}, "price": price, "quantity": quantity, "subscription": sub, "tax_rates": []any{},
	}
}

// useCurrency fixes a customer's currency with the first subscription.
func (s *Sandbox) useCurrency(customer, currency string) {
	before := s.st.get(kindCustomer, customer)
	if before.str("currency") != "" {
		return
	}
	after := s.st.change(kindCustomer, customer, func(o Object) { o["currency"] = currency })
	s.emitChange("customer.updated", before, after)
}

// periodEnd returns the first multiple of a price's period, counted from
// anchor, that lies after start. A month that lacks the anchor's day ends the
// period on its last day.
func periodEnd(anchor, start int64, price Object) int64 {
	period := price.obj("recurring")
	count := int(period.int("interval_count"))
	from := time.Unix(anchor, 0).UTC()
	for n := 1; ; n++ {
		var end time.Time
		switch period.str("interval") {
		case "day":
			end = from.AddDate(0, 0, n*count)
		case "week":
			end = from.AddDate(0, 0, 7*n*count)
		case "year":
			end = addMonths(from, 12*n*count)
		default:
			end = addMonths(from, n*count)
		}
		if end.Unix() > start {
			return end.Unix()
		}
	}
}

func addMonths(t time.Time, months int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}

// editSubscription changes a subscription and says so.
func (s *Sandbox) editSubscription(id string, edit func(Object)) Object {
	before := s.st.get(kindSubscription, id)
	after := s.st.change(kindSubscription, id, edit)
	if len(previous(before, after)) > 0 {
		s.emitChange("customer.subscription.updated", before, after)
	}
	return after
}

func (s *Sandbox) setStatus(id, status string) {
	s.editSubscription(id, func(o Object) { o["status"] = status })
}

// cancelNow ends a subscription; open invoices stay, but are tried no more.
func (s *Sandbox) cancelNow(id string, details Object) Object {
	now := s.now()
	sub := s.st.change(kindSubscription, id, func(o Object) {
		o["status"], o["ended_at"], o["cancellation_details"] = "canceled", now, details
		if o["canceled_at"] == nil {
			o["canceled_at"] = now
		}
	})
	for _, o := range s.where(kindInvoice, "subscription", id) {
		if invoice := o.(Object); invoice.str("status") == "open" || invoice.str("status") == "draft" {
			s.st.change(kindInvoice, invoice.id(), func(o Object) { o["auto_advance"], o["next_payment_attempt"] = false, nil })
		}
	}
	s.emit("customer.subscription.deleted", sub)
	return sub
}

// giveUpFirstPayment ends a subscription whose first payment never came.
func (s *Sandbox) giveUpFirstPayment(id string) {
	sub := s.st.get(kindSubscription, id)
	if sub.str("status") != "incomplete" {
		return
	}
	s.editSubscription(id, func(o Object) { o["status"], o["ended_at"] = "incomplete_expired", s.now() })
	if s.st.get(kindInvoice, sub.str("latest_invoice")).str("status") == "open" {
		s.voidInvoice(sub.str("latest_invoice"))
	}
}

func (s *Sandbox) warnTrialEnd(id string) {
	if sub := s.st.get(kindSubscription, id); sub.str("status") == "trialing" {
		s.emit("customer.subscription.trial_will_end", sub)
	}
}

var subscriptionFilters = params.Schema{
	"created": params.Range(), "customer": params.Text(), "price": params.Text(), "current_period_end": params.Range(),
	"current_period_start": params.Range(),
	"status":               params.OneOf("active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused", "trialing", "unpaid"),
}

// listSubscriptions leaves out canceled ones unless they are asked for.
func (s *Sandbox) listSubscriptions(c *call) (Object, error) {
	status, price := c.params.Text("status"), c.params.Text("price")
	return s.list(c, kindSubscription, func(o Object) bool {
		switch status {
		case "":
			if o.str("status") == "canceled" {
				return false
			}
		case "all":
		case "ended":
			if !ended(o) {
				return false
			}
		default:
			if o.str("status") != status {
				return false
			}
		}
		return (!c.params.Has("customer") || o.str("customer") == c.params.Text("customer")) &&
			(price == "" || o.obj("items").list("data")[0].(Object).obj("price").id() == price) &&
			within(c.params["current_period_end"], o.int("current_period_end")) &&
			within(c.params["current_period_start"], o.int("current_period_start"))
	})
}
