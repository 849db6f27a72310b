package sandbox_test

import (
	"slices"
	"testing"

	"github.com/united24media/support/internal/sandbox"
)

func TestOneTimeGift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.must("POST", "/checkout/sessions", once("1000", "eur", "metadata[checkout]", "c1")...)
	if session.str("status") != "open" || session.get("payment_intent") != nil || session.int("amount_total") != 1000 {
		t.Fatalf("new session: %v", session)
	}
	to, err := w.Pay(session.str("id"), olena, sandbox.Paid)
	w.ok(err)
	if want := "https://site.example/thanks?session_id=" + session.str("id"); to != want {
		t.Errorf("the donor goes to %s, want %s", to, want)
	}
	session = w.must("GET", "/checkout/sessions/"+session.str("id"), "expand[]", "payment_intent.latest_charge.balance_transaction")
	for path, want := range map[string]any{
		"status": "complete", "payment_status": "paid", "url": nil, "customer": nil, "customer_details.email": "olena@example.org",
		"metadata.checkout": "c1", "payment_intent.status": "succeeded", "payment_intent.metadata.article": "a-day-at-the-front",
		"payment_intent.latest_charge.metadata.article":                "a-day-at-the-front",
		"payment_intent.latest_charge.amount_captured":                 1000.0,
		"payment_intent.latest_charge.balance_transaction.fee":         59.0,
		"payment_intent.latest_charge.balance_transaction.net":         941.0,
		"payment_intent.latest_charge.balance_transaction.status":      "pending",
		"payment_intent.latest_charge.billing_details.email":           "olena@example.org",
		"payment_intent.latest_charge.billing_details.address.country": "UA",
	} {
		if got := session.get(path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	w.DeliverAll(t.Context())
	got := types(w.inbox.events(t))
	want := []string{"product.created", "price.created", "payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}
	if !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
}

func TestMonthlyGift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.paid(monthly("500", "eur"), sandbox.Paid)
	sub := w.must("GET", "/subscriptions/"+session.str("subscription"), "expand[]", "latest_invoice.payment_intent.latest_charge")
	for path, want := range map[string]any{
		"status": "active", "metadata.article": "a-day-at-the-front", "latest_invoice.id": session.get("invoice"),
		"latest_invoice.status": "paid", "latest_invoice.subscription_details.metadata.article": "a-day-at-the-front",
		"latest_invoice.billing_reason": "subscription_create", "latest_invoice.payment_intent.latest_charge.status": "succeeded",
		"latest_invoice.payment_intent.latest_charge.invoice": session.get("invoice"),
	} {
		if got := sub.get(path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	for _, path := range []string{"latest_invoice.payment_intent.metadata", "latest_invoice.payment_intent.latest_charge.metadata"} {
		if m, _ := sub.get(path).(map[string]any); m == nil || len(m) > 0 {
			t.Errorf("%s = %v, want it empty, as Stripe leaves it", path, m)
		}
	}
}
