package sandbox

import (
	"slices"

	"github.com/united24media/support/internal/sandbox/params"
)

// A Complaint says how a donor disputes a charge at their bank.
type Complaint struct {
	Amount       int64  // minor units of the charge's currency; 0 is all of it
	Reason       string // Stripe's word; "" is "fraudulent"
	Inquiry      bool   // the bank asks first: no money moves yet
	InSettlement bool   // the bank states the amount in the settlement currency
}

// Dispute opens a dispute on a charge and returns its id. Unless it is an
// inquiry, the money is withdrawn at once, with a fee.
func (s *Sandbox) Dispute(chargeID string, complaint Complaint) (string, error) {
	id := ""
	err := s.do(func() error {
		charge := s.st.get(kindCharge, chargeID)
		switch {
		case charge == nil:
			return missing("charge", chargeID)
		case charge.str("status") != "succeeded":
			return invalid("charge", "Only a succeeded charge can be disputed.")
		case complaint.Amount < 0 || complaint.Amount > charge.int("amount"):
			return invalid("amount", "The disputed amount must be between 1 and the charge's amount.")
		}
		id = s.openDisputeOn(charge, complaint)
		return nil
	})
	return id, err
}

func (s *Sandbox) openDisputeOn(charge Object, complaint Complaint) string {
	amount, currency := charge.int("amount"), charge.str("currency")
	if complaint.Amount > 0 {
		amount = complaint.Amount
	}
	if complaint.InSettlement {
		amount, _ = s.convert(amount, currency)
		currency = s.opts.Settlement
	}
	reason, status := complaint.Reason, "needs_response"
	if reason == "" {
		reason = "fraudulent"
	}
	if complaint.Inquiry {
		status = "warning_needs_response"
	}
	id := s.newID(kindDispute)
	evidence := Object{}
	for _, name := range disputeEvidence {
		evidence[name] = nil
	}
	evidence["customer_email_address"] = charge.obj("billing_details")["email"]
	dispute := s.st.put(kindDispute, Object{
		"id": id, "object": "dispute", "amount": amount, "balance_transactions": []any{}, "charge": charge["id"], "created": s.now(),
		"currency": currency, "evidence": evidence, "evidence_details": Object{
			"due_by": s.now() + 9*day, "has_evidence": false, "past_due": false, "submission_count": int64(0),
		}, "is_charge_refundable": complaint.Inquiry, "livemode": false, "metadata": Object{}, "payment_intent": charge["payment_intent"],
		"payment_method_details": Object{"card": Object{"brand": "visa", "network_reason_code": "10.4"}, "type": "card"},
		"reason":                 reason, "status": status,
	})
	s.st.change(kindCharge, charge.id(), func(o Object) { o["disputed"] = true })
	s.emit("charge.dispute.created", dispute)
	if !complaint.Inquiry {
		s.withdraw(id)
	}
	return id
}

var disputeEvidence = []string{
	"access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure", "cancellation_rebuttal",
	"customer_communication", "customer_email_address", "customer_name", "customer_purchase_ip", "customer_signature",
	"duplicate_charge_documentation", "duplicate_charge_explanation", "duplicate_charge_id", "product_description", "receipt",
	"refund_policy", "refund_policy_disclosure", "refund_refusal_explanation", "service_date", "service_documentation",
	"shipping_address", "shipping_carrier", "shipping_date", "shipping_documentation", "shipping_tracking_number",
	"uncategorized_file", "uncategorized_text",
}

// withdraw takes a dispute's amount and the bank's fee from the balance.
func (s *Sandbox) withdraw(id string) {
	d := s.st.get(kindDispute, id)
	s.moveDispute(id, movement{kind: "adjustment", category: "dispute", source: id, amount: -d.int("amount"), currency: d.str("currency"),
		fee: disputeFee, feeText: "Dispute fee", description: "Chargeback withdrawal for " + d.str("charge")})
	s.emit("charge.dispute.funds_withdrawn", s.st.get(kindDispute, id))
}

// reinstate gives a dispute's amount back, with the fee or without.
func (s *Sandbox) reinstate(id string, feeBack bool) {
	d := s.st.get(kindDispute, id)
	back := movement{kind: "adjustment", category: "dispute_reversal", source: id, amount: d.int("amount"), currency: d.str("currency"),
		description: "Chargeback reversal for " + d.str("charge")}
	if feeBack {
		back.fee, back.feeText = -disputeFee, "Dispute fee refund"
	}
	s.moveDispute(id, back)
	s.emit("charge.dispute.funds_reinstated", s.st.get(kindDispute, id))
}

func (s *Sandbox) moveDispute(id string, m movement) {
	txn := s.book(m)
	s.st.change(kindDispute, id, func(o Object) {
		o["balance_transactions"] = append(o.list("balance_transactions"), txn["id"])
	})
}

// CloseDispute ends a dispute as "won" (with the fee given back or not),
// "lost", or, for an inquiry, "warning_closed".
func (s *Sandbox) CloseDispute(disputeID, outcome string, feeBack bool) error {
	return s.do(func() error {
		d := s.st.get(kindDispute, disputeID)
		if d == nil {
			return missing("dispute", disputeID)
		}
		inquiry := slices.Contains([]string{"warning_needs_response", "warning_under_review"}, d.str("status"))
		if !openDisputeStatus(d.str("status")) || inquiry != (outcome == "warning_closed") ||
			!slices.Contains([]string{"won", "lost", "warning_closed"}, outcome) {
			return invalid("outcome", "A dispute with the status "+d.str("status")+" can't become "+outcome+".")
		}
		s.st.change(kindDispute, disputeID, func(o Object) { o["status"], o["is_charge_refundable"] = outcome, false })
		if outcome == "won" {
			s.reinstate(disputeID, feeBack)
		}
		s.emit("charge.dispute.closed", s.st.get(kindDispute, disputeID))
		return nil
	})
}

// EscalateDispute turns an inquiry into a dispute: the money is withdrawn.
func (s *Sandbox) EscalateDispute(disputeID string) error {
	return s.do(func() error {
		before := s.st.get(kindDispute, disputeID)
		switch {
		case before == nil:
			return missing("dispute", disputeID)
		case before.str("status") != "warning_needs_response" && before.str("status") != "warning_under_review":
			return invalid("", "Only an inquiry can become a dispute.")
		}
		after := s.st.change(kindDispute, disputeID, func(o Object) { o["status"], o["is_charge_refundable"] = "needs_response", false })
		s.emitChange("charge.dispute.updated", before, after)
		s.withdraw(disputeID)
		return nil
	})
}

// ReverseDispute lets a lost dispute be decided the other way later.
func (s *Sandbox) ReverseDispute(disputeID string, feeBack bool) error {
	return s.do(func() error {
		before := s.st.get(kindDispute, disputeID)
		switch {
		case before == nil:
			return missing("dispute", disputeID)
		case before.str("status") != "lost":
			return invalid("", "Only a lost dispute can be reversed.")
		}
		after := s.st.change(kindDispute, disputeID, func(o Object) { o["status"] = "won" })
		s.emitChange("charge.dispute.updated", before, after)
		s.reinstate(disputeID, feeBack)
		return nil
	})
}

// WarnOfFraud issues an early fraud warning for a charge and returns its id.
func (s *Sandbox) WarnOfFraud(chargeID string) (string, error) {
	id := ""
	err := s.do(func() error {
		charge := s.st.get(kindCharge, chargeID)
		if charge == nil {
			return missing("charge", chargeID)
		}
		id = s.newID(kindWarning)
		s.emit("radar.early_fraud_warning.created", s.st.put(kindWarning, Object{
			"id": id, "object": "radar.early_fraud_warning", "actionable": !charge.bool("refunded") && !charge.bool("disputed"),
			"charge": chargeID, "created": s.now(), "fraud_type": "misc", "livemode": false, "payment_intent": charge["payment_intent"],
		}))
		return nil
	})
	return id, err
}

func openDisputeStatus(status string) bool {
	switch status {
	case "won", "lost", "warning_closed":
		return false
	}
	return true
}

// openDispute reports whether a dispute, not only an inquiry, is open or lost.
func (s *Sandbox) openDispute(charge string) bool {
	for _, o := range s.where(kindDispute, "charge", charge) {
		if status := o.(Object).str("status"); status == "needs_response" || status == "under_review" || status == "lost" {
			return true
		}
	}
	return false
}

var disputeFilters = params.Schema{"charge": params.Text(), "created": params.Range(), "payment_intent": params.Text()}

func (s *Sandbox) listDisputes(c *call) (Object, error) {
	return s.list(c, kindDispute, equal(c, "charge", "payment_intent"))
}

func (s *Sandbox) listWarnings(c *call) (Object, error) {
	return s.list(c, kindWarning, equal(c, "charge", "payment_intent"))
}

// closeDisputeNow answers POST /v1/disputes/{id}/close: it is given up.
func (s *Sandbox) closeDisputeNow(c *call) (Object, error) {
	id := c.path("id")
	d := s.st.get(kindDispute, id)
	switch {
	case d == nil:
		return nil, missing("dispute", id)
	case !openDisputeStatus(d.str("status")):
		return nil, invalid("", "This dispute is already closed.")
	}
	d = s.st.change(kindDispute, id, func(o Object) { o["status"], o["is_charge_refundable"] = "lost", false })
	s.emit("charge.dispute.closed", d)
	return s.view(d), nil
}
