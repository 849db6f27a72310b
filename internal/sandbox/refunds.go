package sandbox

import (
	"strconv"

	"github.com/united24media/support/internal/sandbox/params"
)

var refundCreate = params.Schema{
	"charge": params.Text(), "payment_intent": params.Text(), "amount": params.Int(), "metadata": params.Metadata(),
	"reason": params.OneOf("duplicate", "fraudulent", "requested_by_customer"),
}

func (s *Sandbox) createRefund(c *call) (Object, error) {
	charge, err := s.refundable(c.params)
	if err != nil {
		return nil, err
	}
	rest := charge.int("amount_captured") - charge.int("amount_refunded")
	amount := rest
	if c.params.Has("amount") {
		amount = c.params.Int("amount")
	}
	switch {
	case charge.bool("refunded"):
		return nil, invalidCode("charge_already_refunded", "", "Charge "+charge.id()+" has already been refunded.")
	case amount < 1:
		return nil, invalidCode("parameter_invalid_integer", "amount", "Invalid positive integer")
	case amount > rest:
		return nil, invalid("amount", "Refund amount ("+strconv.FormatInt(amount, 10)+") is greater than unrefunded amount on charge ("+strconv.FormatInt(rest, 10)+")")
	}
	return s.refund(charge, amount, c.params), nil
}

// refundable finds the charge a refund is for.
func (s *Sandbox) refundable(v params.Values) (Object, error) {
	id, intent := v.Text("charge"), v.Text("payment_intent")
	switch {
	case id == "" && intent == "":
		return nil, invalidCode("parameter_missing", "", "One of the following params should be provided for this request: payment_intent or charge.")
	case id != "" && intent != "":
		return nil, invalid("charge", "You may only specify one of these parameters: charge, payment_intent.")
	}
	if intent != "" {
		pi := s.st.get(kindIntent, intent)
		if pi == nil {
			return nil, missingParam("payment_intent", "payment_intent", intent)
		}
		id = pi.str("latest_charge")
		if id == "" {
			return nil, invalid("payment_intent", "This PaymentIntent ("+intent+") does not have a successful charge to refund.")
		}
	}
	charge := s.st.get(kindCharge, id)
	switch {
	case charge == nil:
		return nil, missingParam("charge", "charge", id)
	case charge.str("status") != "succeeded":
		return nil, invalid("charge", "This charge ("+id+") was not successful and cannot be refunded.")
	case s.openDispute(id):
		return nil, invalidCode("charge_disputed", "", "Charge "+id+" has been charged back; cannot issue a refund.")
	}
	return charge, nil
}

// refund gives amount minor units of a charge back.
func (s *Sandbox) refund(charge Object, amount int64, v params.Values) Object {
	id := s.newID(kindRefund)
	txn := s.book(movement{kind: "refund", category: "refund", source: id, amount: -amount, currency: charge.str("currency"),
		description: "REFUND FOR CHARGE"})
	refund := Object{
		"id": id, "object": "refund", "amount": amount, "balance_transaction": txn["id"], "charge": charge["id"], "created": s.now(),
		"currency": charge["currency"], "destination_details": Object{"card": Object{
			"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund",
		}, "type": "card"}, "metadata": Object{}, "payment_intent": charge["payment_intent"], "reason": nil, "receipt_number": nil,
		"source_transfer_reversal": nil, "status": "succeeded", "transfer_reversal": nil,
	}
	copyFields(refund, v, "reason")
	mergeMetadata(refund, v)
	s.st.put(kindRefund, refund)
	before := charge
	after := s.st.change(kindCharge, charge.id(), func(o Object) {
		o["amount_refunded"] = o.int("amount_refunded") + amount
		o["refunded"] = o.int("amount_refunded") == o.int("amount_captured")
	})
	s.emitChange("charge.refunded", before, after)
	return refund
}

// Refund gives amount minor units of a charge back, or all that is left of it
// for 0, and returns the refund's id.
func (s *Sandbox) Refund(chargeID string, amount int64) (string, error) {
	v := params.Values{"charge": chargeID}
	if amount != 0 {
		v["amount"] = amount
	}
	id := ""
	err := s.do(func() error {
		refund, err := s.createRefund(&call{params: v})
		id = refund.id()
		return err
	})
	return id, err
}

// FailRefund lets a refund fail after it succeeded: the donor's bank sends the
// money back, up to weeks later.
func (s *Sandbox) FailRefund(refundID string) error {
	return s.do(func() error {
		before := s.st.get(kindRefund, refundID)
		switch {
		case before == nil:
			return missing("refund", refundID)
		case before.str("status") == "failed" || before.str("status") == "canceled":
			return invalid("", "The refund has the status "+before.str("status")+" already.")
		}
		txn := s.book(movement{kind: "refund_failure", category: "refund_failure", source: refundID, amount: before.int("amount"),
			currency: before.str("currency"), description: "REFUND FAILURE"})
		refund := s.st.change(kindRefund, refundID, func(o Object) {
			o["status"], o["failure_reason"], o["failure_balance_transaction"] = "failed", "expired_or_canceled_card", txn["id"]
		})
		s.st.change(kindCharge, refund.str("charge"), func(o Object) {
			o["amount_refunded"] = o.int("amount_refunded") - refund.int("amount")
			o["refunded"] = false
		})
		s.emitChange("charge.refund.updated", before, refund)
		return nil
	})
}

var refundFilters = params.Schema{"charge": params.Text(), "created": params.Range(), "payment_intent": params.Text()}

func (s *Sandbox) listRefunds(c *call) (Object, error) {
	return s.list(c, kindRefund, equal(c, "charge", "payment_intent"))
}
