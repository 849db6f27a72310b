package demo

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
)

// fields are the members of one of Stripe's objects at API 2023-10-16, as far
// as anybody here reads them.
type fields map[string]any

func (f fields) encode() []byte {
	body, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("demo: %v: %v", f["id"], err)) // fields hold plain values only
	}
	return body
}

// list is an object's whole list of others.
func list(data ...any) fields {
	return fields{"object": "list", "data": append([]any{}, data...), "has_more": false}
}

// marks are the metadata that make an object ours.
func marks(won giving.Attribution) fields {
	f := fields{objects.MarkKey: objects.MarkValue}
	for key, value := range map[string]string{
		"checkout": won.Checkout, "article": won.Article, "placement": won.Placement, "campaign": won.Campaign, "variant": won.Variant,
		"locale": won.Locale, "attribution": won.Status,
		"utm_source": won.UTMSource, "utm_medium": won.UTMMedium, "utm_campaign": won.UTMCampaign,
	} {
		if value != "" {
			f[key] = value
		}
	}
	return f
}

// lower is a currency as Stripe writes it.
func lower(currency string) string {
	return string([]byte{currency[0] | 0x20, currency[1] | 0x20, currency[2] | 0x20})
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func chargeShape(p *payment) fields {
	f := attemptShape(p, p.charge, p.at)
	f["status"], f["paid"], f["captured"], f["amount_captured"] = "succeeded", true, true, p.amount
	f["balance_transaction"] = p.transactions[0].shape()
	f["amount_refunded"], f["refunded"], f["refunds"] = p.refunded, p.refunded == p.amount, list(p.refunds...)
	f["disputed"] = p.disputed
	return f
}

// failedShape is an attempt that the bank refused.
func failedShape(p *payment, id string, at time.Time) fields {
	f := attemptShape(p, id, at)
	f["status"], f["paid"], f["captured"], f["amount_captured"] = "failed", false, false, 0
	f["failure_code"], f["failure_message"] = "card_declined", "Your card was declined."
	if p.method == "sepa_debit" {
		f["failure_code"], f["failure_message"] = "insufficient_funds", "The account has insufficient funds."
	}
	return f
}

func attemptShape(p *payment, id string, at time.Time) fields {
	details := fields{"type": string(p.method)}
	if p.method == "card" {
		details["card"] = fields{"brand": "visa", "last4": "4242", "country": p.by.code}
	}
	f := fields{
		"id": id, "object": "charge", "livemode": false, "created": at.Unix(), "amount": p.amount, "currency": lower(p.by.currency),
		"payment_intent": p.intent, "invoice": nullable(p.invoice), "customer": nullable(p.by.customer),
		"balance_transaction": nil, "metadata": fields{}, "payment_method_details": details,
		"billing_details": fields{
			"email": p.by.email, "name": p.by.name, "phone": nil, "address": fields{"country": p.by.code},
		},
	}
	if p.invoice == "" { // what a membership pays is known by its invoice
		f["metadata"], f["customer"] = marks(p.won), nil
	}
	return f
}

func (t *transaction) shape() fields {
	f := fields{
		"id": t.id, "object": "balance_transaction", "created": t.at, "available_on": t.at + int64(available/time.Second),
		"type": t.kind, "source": nullable(t.source), "currency": "eur", "amount": t.amount, "fee": t.fee, "net": t.amount - t.fee,
		"status": "available", "exchange_rate": nil,
	}
	if t.rate != 0 {
		f["exchange_rate"] = json.Number(fmt.Sprintf("%d.%06d", t.rate/1_000_000, t.rate%1_000_000))
	}
	return f
}

func refundShape(id string, p *payment, line *transaction, amount int64, at time.Time) fields {
	return fields{
		"id": id, "object": "refund", "created": at.Unix(), "amount": amount, "currency": lower(p.by.currency), "charge": p.charge,
		"payment_intent": p.intent, "status": "succeeded", "reason": "requested_by_customer", "balance_transaction": line.shape(),
		"metadata": fields{},
	}
}

// evidenceTime is how long Stripe waits for what speaks against a dispute.
const evidenceTime = 21 * 24 * time.Hour

func disputeShape(id string, p *payment, lines []*transaction, status string, at time.Time) fields {
	var transactions []any
	for _, line := range lines {
		transactions = append(transactions, line.shape())
	}
	return fields{
		"id": id, "object": "dispute", "livemode": false, "created": at.Unix(), "amount": p.amount, "currency": lower(p.by.currency),
		"charge": p.charge, "payment_intent": p.intent, "status": status, "reason": "fraudulent", "balance_transactions": transactions,
		"evidence_details": fields{"due_by": at.Add(evidenceTime).Unix(), "has_evidence": false, "past_due": false, "submission_count": 0},
		"metadata":         fields{},
	}
}

func customerShape(by *person, at time.Time) fields {
	return fields{
		"id": by.customer, "object": "customer", "livemode": false, "created": at.Unix(), "email": by.email, "name": by.name,
		"metadata": fields{},
	}
}

func priceShape(m *membership) fields {
	return fields{
		"id": "price_demo", "object": "price", "currency": lower(m.by.currency), "unit_amount": m.amount, "type": "recurring",
		"recurring": fields{"interval": string(m.interval), "interval_count": 1},
	}
}

func subscriptionShape(m *membership) fields {
	f := fields{
		"id": m.id, "object": "subscription", "livemode": false, "created": m.began.Unix(), "start_date": m.began.Unix(),
		"customer": m.by.customer, "currency": lower(m.by.currency), "status": m.status, "metadata": marks(m.won),
		"current_period_end": m.due.Unix(), "cancel_at_period_end": m.leaving, "cancel_at": nil, "ended_at": nil, "canceled_at": nil,
		"pause_collection": nil, "cancellation_details": fields{"reason": nullable(m.reason)},
		"items": list(fields{"id": "si_" + m.id, "object": "subscription_item", "quantity": 1, "price": priceShape(m)}),
	}
	if m.leaving {
		f["cancel_at"] = m.due.Unix()
	}
	if m.paused {
		f["pause_collection"] = fields{"behavior": "void", "resumes_at": nil}
	}
	if !m.ended.IsZero() {
		f["ended_at"], f["canceled_at"] = m.ended.Unix(), m.ended.Unix()
	}
	return f
}

// invoiceShape is a membership's invoice after some attempts; paid and next
// are 0 where it is not paid, or not tried again.
func invoiceShape(m *membership, p *payment, status string, attempts int, paid time.Time, next int64) fields {
	reason := "subscription_cycle"
	if m.periods == 0 {
		reason = "subscription_create"
	}
	f := fields{
		"id": p.invoice, "object": "invoice", "livemode": false, "created": m.due.Unix(), "subscription": m.id, "customer": m.by.customer,
		"payment_intent": p.intent, "currency": lower(m.by.currency), "status": status, "amount_due": p.amount, "amount_paid": 0,
		"attempt_count": attempts, "customer_email": m.by.email, "customer_name": m.by.name, "next_payment_attempt": nil,
		"billing_reason": reason, "paid_out_of_band": false, "metadata": fields{}, "subscription_details": fields{"metadata": marks(m.won)},
		"status_transitions": fields{"paid_at": nil},
		"lines":              list(fields{"object": "line_item", "type": "subscription", "amount": p.amount, "price": priceShape(m)}),
	}
	if next != 0 {
		f["next_payment_attempt"] = next
	}
	if status == "paid" {
		f["amount_paid"], f["status_transitions"] = p.amount, fields{"paid_at": paid.Unix()}
	}
	return f
}

func payoutShape(id string, at time.Time, sum int64, status string, own *transaction) fields {
	f := fields{
		"id": id, "object": "payout", "livemode": false, "created": at.Unix(), "arrival_date": at.Add(2 * 24 * time.Hour).Truncate(24 * time.Hour).Unix(),
		"amount": sum, "currency": "eur", "automatic": true, "method": "standard", "type": "bank_account", "status": status,
		"reconciliation_status": "completed", "balance_transaction": own.shape(), "failure_code": nil,
	}
	if status == "failed" {
		f["failure_code"] = "account_closed"
	}
	return f
}
