package sandbox

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/united24media/support/internal/sandbox/params"
)

// newInvoice drafts an invoice for a subscription's period, with lines that
// are paid once or were kept for it.
func (s *Sandbox) newInvoice(sub Object, reason string, once []any) Object {
	id := s.newID(kindInvoice)
	var lines []any
	for _, item := range sub.obj("items").list("data") {
		lines = append(lines, s.periodLine(id, sub, item.(Object)))
	}
	for _, l := range once {
		line := l.(Object)
		if line.str("object") == "item" {
			line = s.onceLine(id, line)
		}
		lines = append(lines, line.with(Object{"invoice": id}))
	}
	invoice := s.invoiceObject(id, s.st.get(kindCustomer, sub.str("customer")), sub.str("currency"), reason, lines).with(Object{
		"subscription": sub["id"], "subscription_details": Object{"metadata": cloned(sub["metadata"])},
		"period_start": sub["current_period_start"], "period_end": sub["current_period_start"],
	})
	s.st.put(kindInvoice, invoice)
	s.emit("invoice.created", invoice)
	return invoice
}

// periodLine charges for the period that begins now, nothing during a trial.
func (s *Sandbox) periodLine(invoice string, sub, item Object) Object {
	price, quantity := item.obj("price"), item.int("quantity")
	amount := price.int("unit_amount") * quantity
	name := s.st.get(kindProduct, price.str("product")).str("name")
	description := fmt.Sprintf("%d × %s (per %s)", quantity, name, price.obj("recurring").str("interval"))
	if sub.str("status") == "trialing" {
		amount, description = 0, "Trial period for "+name
	}
	return s.invoiceLine(invoice, amount, price, quantity, description, Object{
		"period":       Object{"start": sub["current_period_start"], "end": sub["current_period_end"]},
		"subscription": sub["id"], "subscription_item": item["id"], "type": "subscription",
	})
}

func (s *Sandbox) onceLine(invoice string, line Object) Object {
	return s.invoiceLine(invoice, line.int("amount_total"), line.obj("price"), line.int("quantity"), line.str("description"), nil)
}

func (s *Sandbox) invoiceLine(invoice string, amount int64, price Object, quantity int64, description string, more Object) Object {
	line := Object{
		"id": "il_" + randomText(s.random, idLength), "object": "line_item", "amount": amount, "amount_excluding_tax": amount,
		"currency": price["currency"], "description": description, "discount_amounts": []any{}, "discountable": true, "discounts": []any{},
		"invoice": invoice, "livemode": false, "metadata": Object{}, "period": Object{"start": s.now(), "end": s.now()},
		"price": price, "proration": false, "proration_details": Object{"credited_items": nil}, "quantity": quantity, "subscription": nil,
		"tax_amounts": []any{}, "tax_rates": []any{}, "type": "invoiceitem",
		"unit_amount_excluding_tax": strconv.FormatInt(amount/max(quantity, 1), 10),
	}.with(more)
	if line.str("type") == "invoiceitem" {
		line["invoice_item"] = "ii_" + randomText(s.random, idLength)
	}
	return line
}

func (s *Sandbox) invoiceObject(id string, customer Object, currency, reason string, lines []any) Object {
	var total int64
	for _, line := range lines {
		total += line.(Object).int("amount")
	}
	return Object{
		"id": id, "object": "invoice", "account_country": "DE", "account_name": "Support sandbox", "account_tax_ids": nil,
		"amount_due": max(total, 0), "amount_paid": int64(0), "amount_remaining": max(total, 0), "amount_shipping": int64(0), "application": nil,
		"application_fee_amount": nil, "attempt_count": int64(0), "attempted": false, "auto_advance": true,
		"automatic_tax": Object{"enabled": false, "liability": nil, "status": nil}, "billing_reason": reason, "charge": nil,
		"collection_method": "charge_automatically", "created": s.now(), "currency": currency, "custom_fields": nil, "customer": customer["id"],
		"customer_address": cloned(customer["address"]), "customer_email": customer["email"], "customer_name": customer["name"],
		"customer_phone": customer["phone"], "customer_shipping": nil, "customer_tax_exempt": "none", "customer_tax_ids": []any{},
		"default_payment_method": nil, "default_source": nil, "default_tax_rates": []any{}, "description": nil, "discount": nil,
		"discounts": []any{}, "due_date": nil, "effective_at": nil, "ending_balance": nil, "footer": nil, "from_invoice": nil,
		"hosted_invoice_url": nil, "invoice_pdf": nil, "issuer": Object{"type": "self"}, "last_finalization_error": nil, "latest_revision": nil,
		"lines": listOf("/v1/invoices/"+id+"/lines", lines...), "livemode": false, "metadata": Object{}, "next_payment_attempt": s.now() + draftTime, "number": nil, "on_behalf_of": nil,
		"paid": false, "paid_out_of_band": false, "payment_intent": nil,
		"payment_settings": Object{"default_mandate": nil, "payment_method_options": nil, "payment_method_types": nil},
		"period_end":       s.now(), "period_start": s.now(), "post_payment_credit_notes_amount": int64(0),
		"pre_payment_credit_notes_amount": int64(0), "quote": nil, "receipt_number": nil, "rendering": nil, "shipping_cost": nil,
		"shipping_details": nil, "starting_balance": int64(0), "statement_descriptor": nil, "status": "draft",
		"status_transitions": Object{"finalized_at": nil, "marked_uncollectible_at": nil, "paid_at": nil, "voided_at": nil},
		"subscription":       nil, "subscription_details": Object{"metadata": nil}, "subtotal": total, "subtotal_excluding_tax": total,
		"tax": nil, "test_clock": nil, "total": total, "total_discount_amounts": []any{}, "total_excluding_tax": total,
		"total_tax_amounts": []any{}, "transfer_data": nil, "webhooks_delivered_at": s.now(),
	}
}

// finalizeInvoice makes a draft payable: it takes the customer's balance into
// account and makes the PaymentIntent, or is paid at once if nothing is due.
func (s *Sandbox) finalizeInvoice(id string) Object {
	invoice := s.st.get(kindInvoice, id)
	customer := s.st.get(kindCustomer, invoice.str("customer"))
	balance := customer.int("balance")
	due := max(invoice.int("total")+balance, 0)
	left := invoice.int("total") + balance - due
	if left != balance {
		after := s.st.change(kindCustomer, customer.id(), func(o Object) { o["balance"] = left })
		s.emitChange("customer.updated", customer, after)
	}
	sequence := max(customer.int("next_invoice_sequence"), 1)
	s.st.change(kindCustomer, customer.id(), func(o Object) { o["next_invoice_sequence"] = sequence + 1 })
	invoice = s.st.change(kindInvoice, id, func(o Object) {
		o["status"], o["amount_due"], o["amount_remaining"] = "open", due, due
		o["starting_balance"], o["ending_balance"], o["effective_at"] = balance, left, s.now()
		o["number"] = customer.str("invoice_prefix") + "-" + strconv.FormatInt(10000+sequence, 10)[1:]
		o["hosted_invoice_url"], o["invoice_pdf"] = s.opts.BaseURL+"/invoices/"+id, s.opts.BaseURL+"/invoices/"+id+"/pdf"
		o["status_transitions"] = o.obj("status_transitions").with(Object{"finalized_at": s.now()})
		o["next_payment_attempt"] = nil
	})
	if due > 0 {
		description := map[string]string{"subscription_create": "Subscription creation", "subscription_cycle": "Subscription update", "manual": "Payment for Invoice"}[invoice.str("billing_reason")]
		pi := s.newIntent(due, invoice.str("currency"), Object{
			"customer": customer["id"], "description": text(description), "invoice": id, "setup_future_usage": "off_session",
		})
		invoice = s.st.change(kindInvoice, id, func(o Object) { o["payment_intent"] = pi["id"] })
	}
	s.emit("invoice.finalized", invoice)
	if due == 0 {
		return s.closePaid(id, nil, false)
	}
	return invoice
}

// invoicePaid closes an invoice with the charge that paid it. The first attempt
// counts as one, and later those that were planned: what a customer pays by
// hand does not.
func (s *Sandbox) invoicePaid(id string, charge Object) {
	invoice := s.st.get(kindInvoice, id)
	planned := invoice.int("next_payment_attempt")
	s.closePaid(id, charge["id"], invoice.int("attempt_count") == 0 || planned != 0 && planned <= s.now())
	if sub := s.st.get(kindSubscription, invoice.str("subscription")); sub != nil {
		switch sub.str("status") {
		case "incomplete", "past_due", "unpaid":
			s.setStatus(sub.id(), "active")
		}
	}
}

func (s *Sandbox) closePaid(id string, charge any, attempt bool) Object {
	invoice := s.st.change(kindInvoice, id, func(o Object) {
		o["status"], o["paid"], o["attempted"], o["auto_advance"] = "paid", true, true, false
		o["amount_paid"], o["amount_remaining"], o["next_payment_attempt"] = o["amount_due"], int64(0), nil
		o["status_transitions"] = o.obj("status_transitions").with(Object{"paid_at": s.now()})
		if charge != nil {
			o["charge"] = charge
		}
		if attempt {
			o["attempt_count"] = o.int("attempt_count") + 1
		}
	})
	s.emit("invoice.paid", invoice)
	s.emit("invoice.payment_succeeded", invoice)
	return invoice
}

// voidInvoice ends an invoice as if it had never been.
func (s *Sandbox) voidInvoice(id string) {
	invoice := s.st.change(kindInvoice, id, func(o Object) {
		o["status"], o["auto_advance"], o["next_payment_attempt"] = "void", false, nil
		o["status_transitions"] = o.obj("status_transitions").with(Object{"voided_at": s.now()})
	})
	if intent := invoice.str("payment_intent"); intent != "" {
		s.cancelIntent(intent, "void_invoice")
	}
	s.emit("invoice.voided", invoice)
}

func (s *Sandbox) writeOffInvoice(id string) {
	invoice := s.st.change(kindInvoice, id, func(o Object) {
		o["status"], o["auto_advance"], o["next_payment_attempt"] = "uncollectible", false, nil
		o["status_transitions"] = o.obj("status_transitions").with(Object{"marked_uncollectible_at": s.now()})
	})
	s.emit("invoice.marked_uncollectible", invoice)
}

// payOutOfBand closes an invoice that was paid by other means, in cash or by
// bank transfer: there is no charge, and the PaymentIntent ends.
func (s *Sandbox) payOutOfBand(id string) Object {
	s.st.change(kindInvoice, id, func(o Object) { o["paid_out_of_band"] = true })
	if intent := s.st.get(kindInvoice, id).str("payment_intent"); intent != "" {
		s.cancelIntent(intent, "requested_by_customer")
	}
	invoice := s.closePaid(id, nil, false)
	if sub := s.st.get(kindSubscription, invoice.str("subscription")); sub.str("status") == "past_due" || sub.str("status") == "unpaid" {
		s.setStatus(sub.id(), "active")
	}
	return invoice
}

// OutOfBandInvoice writes an invoice over amount minor units for a customer
// and marks it as paid by other means. It returns the invoice's id.
func (s *Sandbox) OutOfBandInvoice(customerID string, amount int64, currency string, metadata map[string]string) (string, error) {
	id := ""
	err := s.do(func() error {
		customer := s.st.get(kindCustomer, customerID)
		if customer == nil || customer.bool("deleted") {
			return missing("customer", customerID)
		}
		price, err := s.newPrice(params.Values{"currency": currency, "unit_amount": amount,
			"product_data": params.Values{"name": "Gift"}}, "", false)
		if err != nil {
			return err
		}
		id = s.newID(kindInvoice)
		line := s.invoiceLine(id, amount, price, 1, "Gift", nil)
		invoice := s.invoiceObject(id, customer, price.str("currency"), "manual", []any{line})
		for key, value := range metadata {
			invoice.obj("metadata")[key] = value
		}
		s.st.put(kindInvoice, invoice)
		s.emit("invoice.created", invoice)
		s.finalizeInvoice(id)
		s.payOutOfBand(id)
		return nil
	})
	return id, err
}

var invoiceFilters = params.Schema{
	"created": params.Range(), "customer": params.Text(), "subscription": params.Text(), "due_date": params.Range(),
	"status":            params.OneOf("draft", "open", "paid", "uncollectible", "void"),
	"collection_method": params.OneOf("charge_automatically", "send_invoice"),
}

func (s *Sandbox) listInvoices(c *call) (Object, error) {
	return s.list(c, kindInvoice, equal(c, "customer", "subscription", "status", "collection_method"))
}

// payInvoice answers POST /v1/invoices/{id}/pay.
func (s *Sandbox) payInvoice(c *call) (Object, error) {
	invoice, err := s.openInvoice(c)
	if err != nil {
		return nil, err
	}
	if c.params.Bool("paid_out_of_band") {
		return s.payOutOfBand(invoice.id()), nil
	}
	charge := s.collectInvoice(invoice.id())
	switch {
	case charge == nil:
		return nil, &apiError{status: http.StatusPaymentRequired, kind: "card_error", code: "invoice_payment_intent_requires_action",
			message: "This invoice's payment requires an action of the customer.", effectsStay: true}
	case charge.str("status") == "failed":
		return nil, declined(charge)
	}
	return s.st.get(kindInvoice, invoice.id()), nil
}

// openInvoice returns the invoice a call names, if it can be paid or ended.
func (s *Sandbox) openInvoice(c *call) (Object, error) {
	id := c.path("id")
	invoice := s.st.get(kindInvoice, id)
	if invoice == nil {
		return nil, missing("invoice", id)
	}
	switch status := invoice.str("status"); status {
	case "open", "uncollectible":
		return invoice, nil
	default:
		return nil, invalidCode("invoice_not_open", "", "This invoice can't be changed in this way: its status is "+status+".")
	}
}

func (s *Sandbox) endInvoice(end func(string)) endpoint {
	return func(c *call) (Object, error) {
		invoice, err := s.openInvoice(c)
		if err != nil {
			return nil, err
		}
		end(invoice.id())
		return s.st.get(kindInvoice, invoice.id()), nil
	}
}
