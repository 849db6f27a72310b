package sandbox

import "net/http"

// An Outcome is how a payment on the checkout page ends. The values are the
// words its form posts.
type Outcome string

// The outcomes of the checkout page.
const (
	Paid          Outcome = "paid"
	Declined      Outcome = "declined"
	DelayedPaid   Outcome = "delayed_paid"   // a bank debit that arrives later
	DelayedFailed Outcome = "delayed_failed" // a bank debit that fails later
	Canceled      Outcome = "canceled"       // the donor goes back without paying

	requiresAction Outcome = "requires_action" // 3-D Secure asks first
)

// delayed reports whether the bank answers later.
func (o Outcome) delayed() bool { return o == DelayedPaid || o == DelayedFailed }

// A Payer is who pays on the checkout page. Only Email is needed.
type Payer struct {
	Email   string
	Name    string
	Country string // ISO 3166 alpha-2 of the billing address
}

func (p Payer) address() Object {
	return Object{"city": nil, "country": text(p.Country), "line1": nil, "line2": nil, "postal_code": nil, "state": nil}
}

func (p Payer) billing() Object {
	return Object{"address": p.address(), "email": text(p.Email), "name": text(p.Name), "phone": nil}
}

// newMethod stores a card or bank account of the payer.
func (s *Sandbox) newMethod(p Payer, customer any, outcome Outcome) Object {
	m := Object{
		"id": s.newID(kindMethod), "object": "payment_method", "billing_details": p.billing(), "created": s.now(),
		"customer": customer, "livemode": false, "metadata": Object{}, "type": "card", "card": methodCard(outcome),
	}
	if outcome.delayed() {
		delete(m, "card")
		m["type"], m["sepa_debit"] = "sepa_debit", Object{
			"bank_code": "37040044", "branch_code": "", "country": "DE", "fingerprint": "sandboxFingerDE1",
			"generated_from": Object{"charge": nil, "setup_attempt": nil}, "last4": "3000",
		}
	}
	return s.st.put(kindMethod, m)
}

func methodCard(outcome Outcome) Object {
	last4 := "4242"
	if outcome == Declined {
		last4 = "0002"
	}
	return Object{
		"brand": "visa", "checks": Object{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": "pass"}, "country": "US",
		"display_brand": "visa", "exp_month": int64(12), "exp_year": int64(2034), "fingerprint": "sandboxFinger" + last4[:3], "funding": "credit",
		"generated_from": nil, "last4": last4, "networks": Object{"available": []any{"visa"}, "preferred": nil},
		"three_d_secure_usage": Object{"supported": true}, "wallet": nil,
	}
}

// newIntent stores a PaymentIntent that waits for a payment method.
func (s *Sandbox) newIntent(amount int64, currency string, more Object) Object {
	id := s.newID(kindIntent)
	pi := Object{
		"id": id, "object": "payment_intent", "amount": amount, "amount_capturable": int64(0), "amount_details": Object{"tip": Object{}},
		"amount_received": int64(0), "application": nil, "application_fee_amount": nil, "automatic_payment_methods": nil, "canceled_at": nil,
		"cancellation_reason": nil, "capture_method": "automatic", "client_secret": id + "_secret_" + randomText(s.random, 25),
		"confirmation_method": "automatic", "created": s.now(), "currency": currency, "customer": nil, "description": nil, "invoice": nil,
		"last_payment_error": nil, "latest_charge": nil, "livemode": false, "metadata": Object{}, "next_action": nil, "on_behalf_of": nil,
		"payment_method": nil, "payment_method_configuration_details": nil,
		"payment_method_options": Object{
			"card":       Object{"installments": nil, "mandate_options": nil, "network": nil, "request_three_d_secure": "automatic"},
			"sepa_debit": Object{},
		},
		"payment_method_types": []any{"card", "sepa_debit"}, "processing": nil, "receipt_email": nil, "review": nil, "setup_future_usage": nil,
		"shipping": nil, "statement_descriptor": nil, "statement_descriptor_suffix": nil, "status": "requires_payment_method",
		"transfer_data": nil, "transfer_group": nil,
	}.with(more)
	s.st.put(kindIntent, pi)
	s.emit("payment_intent.created", pi)
	return pi
}

// newCharge stores an attempt to collect a PaymentIntent, pending, with the
// PaymentIntent's metadata as it is now.
func (s *Sandbox) newCharge(pi, method Object) Object {
	id := s.newID(kindCharge)
	charge := Object{
		"id": id, "object": "charge", "amount": pi["amount"], "amount_captured": int64(0), "amount_refunded": int64(0), "application": nil,
		"application_fee": nil, "application_fee_amount": nil, "balance_transaction": nil, "billing_details": cloned(method["billing_details"]),
		"calculated_statement_descriptor": "SUPPORT SANDBOX", "captured": false, "created": s.now(), "currency": pi["currency"],
		"customer": pi["customer"], "description": pi["description"], "disputed": false, "failure_balance_transaction": nil,
		"failure_code": nil, "failure_message": nil, "fraud_details": Object{}, "invoice": pi["invoice"], "livemode": false,
		"metadata": cloned(pi["metadata"]), "on_behalf_of": nil, "outcome": nil, "paid": false, "payment_intent": pi["id"],
		"payment_method": method["id"], "payment_method_details": chargeMethod(method, pi.int("amount")), "receipt_email": pi["receipt_email"],
		"receipt_number": nil, "receipt_url": nil, "refunded": false, "review": nil, "shipping": pi["shipping"], "source_transfer": nil,
		"statement_descriptor": nil, "statement_descriptor_suffix": nil, "status": "pending", "transfer_data": nil, "transfer_group": nil,
	}
	s.st.put(kindCharge, charge)
	s.st.change(kindIntent, pi.id(), func(pi Object) { pi["latest_charge"] = id })
	return charge
}

func chargeMethod(method Object, amount int64) Object {
	if method.str("type") == "sepa_debit" {
		return Object{"type": "sepa_debit", "sepa_debit": Object{
			"bank_code": "37040044", "branch_code": "", "country": "DE", "fingerprint": "sandboxFingerDE1", "last4": "3000", "mandate": nil,
		}}
	}
	card := method.obj("card")
	return Object{"type": "card", "card": Object{
		"amount_authorized": amount, "brand": card["brand"], "checks": cloned(card["checks"]), "country": card["country"],
		"exp_month": card["exp_month"], "exp_year": card["exp_year"], "extended_authorization": Object{"status": "disabled"},
		"fingerprint": card["fingerprint"], "funding": card["funding"], "incremental_authorization": Object{"status": "unavailable"},
		"installments": nil, "last4": card["last4"], "mandate": nil, "multicapture": Object{"status": "unavailable"}, "network": "visa",
		"network_token": Object{"used": false}, "overcapture": Object{"maximum_amount_capturable": amount, "status": "unavailable"},
		"three_d_secure": nil, "wallet": nil,
	}}
}

// collect tries to collect a PaymentIntent with a method and lets what hangs
// on it know: its invoice and, through that, its subscription.
func (s *Sandbox) collect(intentID string, method Object, outcome Outcome) Object {
	pi := s.st.change(kindIntent, intentID, func(pi Object) { pi["payment_method"], pi["next_action"] = method["id"], nil })
	if outcome == requiresAction {
		s.askForAction(intentID)
		if invoice := pi.str("invoice"); invoice != "" {
			s.emit("invoice.payment_action_required", s.st.get(kindInvoice, invoice))
			s.invoiceFailed(invoice, nil)
		}
		return nil
	}
	charge := s.newCharge(pi, method)
	switch outcome {
	case Declined:
		s.failCharge(charge.id(), "card_declined", "Your card was declined.")
	case DelayedPaid, DelayedFailed:
		s.await(charge.id(), outcome == DelayedPaid)
	default:
		s.succeedCharge(charge.id())
	}
	return s.st.get(kindCharge, charge.id())
}

// await leaves a charge to the bank, which answers after Options.DelayedAfter.
func (s *Sandbox) await(chargeID string, succeeds bool) {
	charge := s.st.get(kindCharge, chargeID)
	pi := s.st.change(kindIntent, charge.str("payment_intent"), func(pi Object) { pi["status"] = "processing" })
	s.emit("charge.pending", charge)
	s.emit("payment_intent.processing", pi)
	if sub := s.st.get(kindSubscription, s.st.get(kindInvoice, pi.str("invoice")).str("subscription")); sub.str("status") == "incomplete" {
		s.setStatus(sub.id(), "active") // Stripe trusts a debit that is underway
	}
	s.schedule(s.now()+s.delaySeconds(), taskSettle, chargeID, Object{"succeeds": succeeds})
}

// delaySeconds is how long a delayed payment takes: the clock's tick at least.
func (s *Sandbox) delaySeconds() int64 { return max(int64(s.opts.DelayedAfter.Seconds()), 1) }

func (s *Sandbox) settleDelayed(chargeID string, succeeds bool) {
	if s.st.get(kindCharge, chargeID).str("status") != "pending" {
		return
	}
	if succeeds {
		s.succeedCharge(chargeID)
	} else {
		s.failCharge(chargeID, "insufficient_funds", "The customer's account has insufficient funds to cover this payment.")
	}
	intent := s.st.get(kindCharge, chargeID).str("payment_intent")
	s.settleSession(intent, succeeds)
}

// succeedCharge books the money and tells whoever waits for it.
func (s *Sandbox) succeedCharge(id string) {
	if s.chaos().Unbooked {
		s.schedule(s.now()+bookedLate, taskBook, id, nil)
	} else {
		s.bookCharge(id)
	}
	charge := s.st.change(kindCharge, id, func(c Object) {
		c["status"], c["paid"], c["captured"], c["amount_captured"] = "succeeded", true, true, c["amount"]
		c["receipt_url"] = "https://pay.stripe.com/receipts/payment/" + id
		c["outcome"] = Object{"network_status": "approved_by_network", "reason": nil, "risk_level": "normal", "risk_score": int64(18),
			"seller_message": "Payment complete.", "type": "authorized"}
	})
	pi := s.st.change(kindIntent, charge.str("payment_intent"), func(pi Object) {
		pi["status"], pi["amount_received"], pi["last_payment_error"] = "succeeded", pi["amount"], nil
	})
	s.emit("charge.succeeded", charge)
	s.emit("payment_intent.succeeded", pi)
	if invoice := pi.str("invoice"); invoice != "" {
		s.invoicePaid(invoice, charge)
	}
}

// bookedLate is when the chaos switch lets a charge be booked, in seconds
// after it succeeded. Stripe does so by itself from API 2024-04-10 on.
const bookedLate = 60

// bookCharge writes a charge's balance transaction.
func (s *Sandbox) bookCharge(id string) Object {
	charge := s.st.get(kindCharge, id)
	settled, _ := s.convert(charge.int("amount"), charge.str("currency"))
	booked := movement{
		kind: "charge", category: "charge", source: id, amount: charge.int("amount"), currency: charge.str("currency"),
		fee: chargeFee(settled), feeText: "Stripe processing fees", description: charge.str("description"),
	}
	if charge.obj("payment_method_details").str("type") == "sepa_debit" {
		booked.kind = "payment"
	}
	txn := s.book(booked)
	return s.st.change(kindCharge, id, func(c Object) { c["balance_transaction"] = txn["id"] })
}

// bookLate books a charge that succeeded before.
func (s *Sandbox) bookLate(id string) {
	before := s.st.get(kindCharge, id)
	s.emitChange("charge.updated", before, s.bookCharge(id))
}

// failCharge refuses a charge with Stripe's decline code.
func (s *Sandbox) failCharge(id, code, message string) {
	charge := s.st.change(kindCharge, id, func(c Object) {
		c["status"], c["failure_code"], c["failure_message"] = "failed", code, message
		c["outcome"] = Object{"network_status": "declined_by_network", "reason": "generic_decline", "risk_level": "normal", "risk_score": int64(42),
			"seller_message": "The bank did not return any further details with this decline.", "type": "issuer_declined"}
	})
	method := s.st.get(kindMethod, charge.str("payment_method"))
	pi := s.st.change(kindIntent, charge.str("payment_intent"), func(pi Object) {
		pi["status"], pi["payment_method"] = "requires_payment_method", nil
		pi["last_payment_error"] = Object{
			"charge": id, "code": code, "decline_code": "generic_decline", "doc_url": "https://stripe.com/docs/error-codes/card-declined",
			"message": message, "payment_method": cloned(method), "type": "card_error",
		}
	})
	s.emit("charge.failed", charge)
	s.emit("payment_intent.payment_failed", pi)
	if invoice := pi.str("invoice"); invoice != "" {
		s.invoiceFailed(invoice, charge)
	}
}

// declined is what the API answers when a payment it was asked for fails.
func declined(charge Object) *apiError {
	return &apiError{status: http.StatusPaymentRequired, kind: "card_error", code: charge.str("failure_code"),
		declineCode: "generic_decline", message: charge.str("failure_message"), charge: charge.id(), effectsStay: true}
}
