package sandbox_test

import (
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/united24media/support/internal/sandbox"
)

const aDay = 24 * time.Hour

func (w *world) subscription(id string) object { return w.must("GET", "/subscriptions/"+id) }

// invoices returns a subscription's invoices, newest first.
func (w *world) invoices(sub string) []object {
	return w.must("GET", "/invoices", "subscription", sub, "limit", "100").list("data")
}

func day(n int64) string { return time.Unix(n, 0).UTC().Format(time.DateOnly) }

func TestRenewals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.paid(monthly("500", "eur"), sandbox.Paid).str("subscription")
	// The subscription begins on 31 January: February ends a period on its last day.
	want := []string{"2024-02-29", "2024-03-31", "2024-04-30"}
	for i, end := range want {
		sub := w.subscription(id)
		if got := day(sub.int("current_period_end")); got != end || sub.str("status") != "active" {
			t.Fatalf("period %d ends on %s, status %s; want %s, active", i, got, sub.str("status"), end)
		}
		w.advance(time.Unix(sub.int("current_period_end"), 0).Sub(w.Now()) + 2*time.Hour)
	}
	invoices := w.invoices(id)
	if len(invoices) != 4 {
		t.Fatalf("%d invoices, want 4", len(invoices))
	}
	renewal := w.must("GET", "/invoices/"+invoices[0].str("id"), "expand[]", "charge.balance_transaction")
	for path, want := range map[string]any{
		"status": "paid", "billing_reason": "subscription_cycle", "charge.amount": 500.0, "charge.status": "succeeded",
		"charge.description": "Subscription update", "charge.balance_transaction.net": 455.0,
		"subscription_details.metadata.article": "a-day-at-the-front",
	} {
		if got := renewal.get(path); got != want {
			t.Errorf("%s = %v, want %v", path, got, want)
		}
	}
	if drafted, paid := renewal.int("created"), renewal.int("status_transitions.paid_at"); paid-drafted != 3600 {
		t.Errorf("paid %d s after it was drafted, want an hour", paid-drafted)
	}
}

func TestDunning(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ ends, status, event string }{
		"canceled": {"", "canceled", "customer.subscription.deleted"},
		"unpaid":   {"unpaid", "unpaid", "customer.subscription.updated"},
		"past due": {"past_due", "past_due", "invoice.payment_failed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *sandbox.Options) { o.DunningEnds = tt.ends })
			id := w.paid(monthly("500", "eur"), sandbox.Paid).str("subscription")
			w.ok(w.FailPayments(id, true))
			w.advance(30 * aDay)
			open := w.invoices(id)[0]
			if sub := w.subscription(id); sub.str("status") != "past_due" || open.str("status") != "open" || open.get("next_payment_attempt") == nil {
				t.Fatalf("after the first failure: subscription %s, invoice %v", sub.str("status"), open)
			}
			for _, days := range []int64{3, 5, 7} {
				before := w.invoices(id)[0]
				if wait := before.int("next_payment_attempt") - w.Now().Unix(); wait > days*24*3600 || wait <= (days-1)*24*3600 {
					t.Errorf("after attempt %d the next is %d s away, want it within %d days", before.int("attempt_count"), wait, days)
				}
				w.advance(time.Duration(days) * aDay)
			}
			last := w.invoices(id)[0]
			if last.int("attempt_count") != 4 || last.get("next_payment_attempt") != nil {
				t.Errorf("%v attempts, next %v; want 4 and none", last.get("attempt_count"), last.get("next_payment_attempt"))
			}
			if sub := w.subscription(id); sub.str("status") != tt.status {
				t.Errorf("the subscription is %s, want %s", sub.str("status"), tt.status)
			}
			w.DeliverAll(t.Context())
			if got := types(w.inbox.events(t)); got[len(got)-1] != tt.event {
				t.Errorf("the last event is %s, want %s", got[len(got)-1], tt.event)
			}
		})
	}
}

func TestRecoveryFromDunning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.paid(monthly("500", "eur"), sandbox.Paid).str("subscription")
	w.ok(w.FailPayments(id, true))
	w.advance(30 * aDay)
	w.ok(w.FailPayments(id, false))
	w.advance(3 * aDay)
	invoice := w.invoices(id)[0]
	if sub := w.subscription(id); sub.str("status") != "active" || invoice.str("status") != "paid" || invoice.int("attempt_count") != 2 {
		t.Errorf("subscription %s, invoice %s after %d attempts", sub.str("status"), invoice.str("status"), invoice.int("attempt_count"))
	}
	charges := w.must("GET", "/charges", "payment_intent", invoice.str("payment_intent")).list("data")
	if len(charges) != 2 || charges[0].str("status") != "succeeded" || charges[1].str("status") != "failed" {
		t.Errorf("charges of the renewal: %v", charges)
	}
}

func TestTrial(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.paid(monthly("500", "eur", "subscription_data[trial_period_days]", "7"), sandbox.Paid)
	id := session.str("subscription")
	first := w.invoices(id)[0]
	if session.str("payment_status") != "no_payment_required" || w.subscription(id).str("status") != "trialing" ||
		first.str("status") != "paid" || first.int("amount_paid") != 0 || first.get("charge") != nil {
		t.Fatalf("trial begins with session %v and invoice %v", session, first)
	}
	w.advance(5 * aDay)
	w.DeliverAll(t.Context())
	if got := types(w.inbox.events(t)); got[len(got)-1] != "customer.subscription.trial_will_end" {
		t.Errorf("three days before the end: %v", got)
	}
	w.advance(3 * aDay)
	if sub, invoice := w.subscription(id), w.invoices(id)[0]; sub.str("status") != "active" || invoice.int("amount_paid") != 500 {
		t.Errorf("after the trial: %s, paid %d", sub.str("status"), invoice.int("amount_paid"))
	}
}

// Another interval from the day to which all is paid: nothing is charged
// before, and then the new price.
func TestIntervalChangesAtThePeriodsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.paid(monthly("500", "eur"), sandbox.Paid).str("subscription")
	before := w.subscription(id)
	end := before.int("current_period_end")
	item := before.list("items.data")[0]
	w.must("POST", "/subscriptions/"+id, "items[0][id]", item.str("id"), "items[0][price_data][currency]", "eur",
		"items[0][price_data][product]", item.str("price.product"), "items[0][price_data][unit_amount]", "5000",
		"items[0][price_data][recurring][interval]", "year", "proration_behavior", "none", "trial_end", strconv.FormatInt(end, 10))
	if sub, invoice := w.subscription(id), w.invoices(id)[0]; sub.str("status") != "trialing" || sub.int("current_period_end") != end ||
		invoice.int("amount_paid") != 0 || invoice.get("charge") != nil {
		t.Fatalf("after the change: %v, %v", sub, invoice)
	}
	w.advance(31 * aDay)
	sub, invoice := w.subscription(id), w.invoices(id)[0]
	if sub.str("status") != "active" || invoice.int("amount_paid") != 5000 || sub.int("current_period_end") < end+364*24*3600 {
		t.Errorf("after the day: %v, paid %d", sub, invoice.int("amount_paid"))
	}
	if n := len(w.invoices(id)); n != 3 {
		t.Errorf("there are %d invoices", n)
	}
}

func TestSubscriptionChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begin := func() string { return w.paid(monthly("500", "eur"), sandbox.Paid).str("subscription") }

	t.Run("cancel at the end of the period", func(t *testing.T) {
		id := begin()
		sub := w.must("POST", "/subscriptions/"+id, "cancel_at_period_end", "true", "cancellation_details[feedback]", "too_expensive")
		if sub.str("status") != "active" || sub.str("cancellation_details.feedback") != "too_expensive" || sub.get("cancel_at") != sub.get("current_period_end") {
			t.Errorf("canceling: %v", sub)
		}
		w.advance(32 * aDay)
		if sub := w.subscription(id); sub.str("status") != "canceled" || len(w.invoices(id)) != 1 {
			t.Errorf("at the end: %s with %d invoices", sub.str("status"), len(w.invoices(id)))
		}
	})
	t.Run("cancel now", func(t *testing.T) {
		id := begin()
		if sub := w.must("DELETE", "/subscriptions/"+id); sub.str("status") != "canceled" || sub.get("ended_at") == nil {
			t.Errorf("canceled: %v", sub)
		}
		if a := w.call("DELETE", "/subscriptions/"+id); a.status != 404 {
			t.Errorf("canceling twice answers %d", a.status)
		}
	})
	t.Run("pause collection", func(t *testing.T) {
		id := begin()
		w.must("POST", "/subscriptions/"+id, "pause_collection[behavior]", "void")
		w.advance(32 * aDay)
		if sub, invoice := w.subscription(id), w.invoices(id)[0]; sub.str("status") != "active" || invoice.str("status") != "void" {
			t.Errorf("paused: %s, invoice %s", sub.str("status"), invoice.str("status"))
		}
		if sub := w.must("POST", "/subscriptions/"+id, "pause_collection", ""); sub.get("pause_collection") != nil {
			t.Errorf("resumed: %v", sub.get("pause_collection"))
		}
		w.advance(32 * aDay)
		if invoice := w.invoices(id)[0]; invoice.str("status") != "paid" {
			t.Errorf("after the pause the invoice is %s", invoice.str("status"))
		}
	})
	t.Run("pause collection for a while", func(t *testing.T) {
		id := begin()
		until := w.Now().Add(40 * aDay)
		w.must("POST", "/subscriptions/"+id, "pause_collection[behavior]", "void", "pause_collection[resumes_at]", strconv.FormatInt(until.Unix(), 10))
		w.advance(32 * aDay)
		if sub, invoice := w.subscription(id), w.invoices(id)[0]; sub.int("pause_collection.resumes_at") != until.Unix() || invoice.str("status") != "void" {
			t.Errorf("paused until %d, invoice %s", sub.int("pause_collection.resumes_at"), invoice.str("status"))
		}
		w.advance(32 * aDay)
		if sub, invoice := w.subscription(id), w.invoices(id)[0]; sub.get("pause_collection") != nil || invoice.str("status") != "paid" {
			t.Errorf("after the pause: %v, invoice %s", sub.get("pause_collection"), invoice.str("status"))
		}
		if a := w.call("POST", "/subscriptions/"+id, "pause_collection[behavior]", "void", "pause_collection[resumes_at]", "1"); a.status != 400 {
			t.Errorf("a pause that is over answers %d", a.status)
		}
	})
	t.Run("another amount", func(t *testing.T) {
		id := begin()
		sub := w.subscription(id)
		item, product := sub.str("items.data.0.id"), sub.str("items.data.0.price.product")
		more := []string{"items[0][id]", item, "items[0][price_data][currency]", "eur", "items[0][price_data][product]", product,
			"items[0][price_data][unit_amount]", "800", "items[0][price_data][recurring][interval]", "month"}
		w.must("POST", "/subscriptions/"+id, append(more, "proration_behavior", "none")...)
		w.advance(32 * aDay)
		if got := w.invoices(id)[0].int("amount_paid"); got != 800 {
			t.Errorf("the renewal takes %d, want 800", got)
		}
	})
	t.Run("another amount with proration", func(t *testing.T) {
		id := begin()
		sub := w.subscription(id)
		price := w.must("POST", "/prices", "currency", "eur", "unit_amount", "1500", "product", sub.str("items.data.0.price.product"), "recurring[interval]", "month")
		half := time.Duration(sub.int("current_period_end")-w.Now().Unix()) * time.Second / 2
		w.advance(half)
		w.must("POST", "/subscriptions/"+id, "items[0][id]", sub.str("items.data.0.id"), "items[0][price]", price.str("id"))
		w.advance(half + 2*time.Hour)
		invoice := w.invoices(id)[0]
		if got := invoice.int("amount_paid"); got != 1500+500 {
			t.Errorf("the renewal takes %d, want 1500 and half of the difference", got)
		}
		var prorated []int64
		for _, line := range invoice.list("lines.data") {
			if line.get("proration") == true {
				prorated = append(prorated, line.int("amount"))
			}
		}
		if !slices.Equal(prorated, []int64{-250, 750}) {
			t.Errorf("prorations %v", prorated)
		}
	})
}

func TestPausedAfterTrial(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.paid(monthly("500", "eur", "subscription_data[trial_period_days]", "7", "payment_method_collection", "if_required",
		"subscription_data[trial_settings][end_behavior][missing_payment_method]", "pause"), sandbox.Paid)
	id := session.str("subscription")
	w.advance(8 * aDay)
	if sub := w.subscription(id); sub.str("status") != "paused" {
		t.Fatalf("without a payment method the trial ends %s", sub.str("status"))
	}
	if sub := w.must("POST", "/subscriptions/"+id+"/resume"); sub.str("status") != "active" {
		t.Errorf("resumed: %s", sub.str("status"))
	}
	w.advance(2 * time.Hour)
	if invoice := w.invoices(id)[0]; invoice.int("amount_paid") != 500 {
		t.Errorf("after the pause %d was paid", invoice.int("amount_paid"))
	}
}

func TestFirstPaymentNeverComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.must("POST", "/checkout/sessions", monthly("500", "eur")...)
	to, err := w.Pay(session.str("id"), olena, sandbox.Declined)
	w.ok(err)
	if to != session.str("url")+"?attempt=declined" {
		t.Errorf("after a declined card the donor goes to %s", to)
	}
	subs := w.must("GET", "/subscriptions", "status", "incomplete").list("data")
	if len(subs) != 1 {
		t.Fatalf("%d incomplete subscriptions", len(subs))
	}
	w.advance(25 * time.Hour)
	if sub := w.subscription(subs[0].str("id")); sub.str("status") != "incomplete_expired" || w.invoices(sub.str("id"))[0].str("status") != "void" {
		t.Errorf("a day later: %v", sub)
	}
	if s := w.must("GET", "/checkout/sessions/"+session.str("id")); s.str("status") != "expired" || s.get("subscription") != nil {
		t.Errorf("session: %v", s)
	}
}

func TestCreditBalanceAndOutOfBand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.paid(monthly("500", "eur"), sandbox.Paid)
	id, customer := session.str("subscription"), session.str("customer")
	w.must("POST", "/customers/"+customer, "balance", "-700")
	w.advance(32 * aDay)
	if invoice := w.invoices(id)[0]; invoice.str("status") != "paid" || invoice.int("amount_due") != 0 || invoice.get("charge") != nil || invoice.int("total") != 500 {
		t.Errorf("paid from credit: %v", invoice)
	}
	w.advance(31 * aDay)
	if invoice := w.invoices(id)[0]; invoice.int("amount_paid") != 300 || invoice.int("starting_balance") != -200 {
		t.Errorf("partly from credit: %v", invoice)
	}
	cash, err := w.OutOfBandInvoice(customer, 2500, "eur", map[string]string{"article": "x"})
	w.ok(err)
	invoice := w.must("GET", "/invoices/"+cash)
	if invoice.str("status") != "paid" || invoice.get("paid_out_of_band") != true || invoice.get("charge") != nil || invoice.int("amount_paid") != 2500 {
		t.Errorf("out of band: %v", invoice)
	}
}

func TestDeletedCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.paid(monthly("500", "eur"), sandbox.Paid)
	customer := session.str("customer")
	if gone := w.must("DELETE", "/customers/"+customer); gone.get("deleted") != true {
		t.Errorf("deleted: %v", gone)
	}
	sub := w.must("GET", "/subscriptions/"+session.str("subscription"), "expand[]", "customer")
	if sub.str("status") != "canceled" || sub.get("customer.deleted") != true {
		t.Errorf("subscription of a deleted customer: %s, %v", sub.str("status"), sub.get("customer"))
	}
	if again := w.must("GET", "/customers/"+customer); again.get("deleted") != true || again.get("email") != nil {
		t.Errorf("tombstone: %v", again)
	}
	if list := w.must("GET", "/customers").list("data"); len(list) != 0 {
		t.Errorf("a deleted customer is listed: %v", list)
	}
}

func TestRenewalThatAsksForAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.paid(monthly("500", "eur"), sandbox.Paid).str("subscription")
	w.ok(w.AskForAction(id, true))
	w.advance(30 * aDay)
	invoice := w.must("GET", "/invoices/"+w.invoices(id)[0].str("id"), "expand[]", "payment_intent")
	if w.subscription(id).str("status") != "past_due" || invoice.str("payment_intent.status") != "requires_action" || invoice.get("charge") != nil {
		t.Errorf("the renewal waits as %v", invoice)
	}
	w.DeliverAll(t.Context())
	if got := types(w.inbox.events(t)); !slices.Contains(got, "invoice.payment_action_required") {
		t.Errorf("events %v", got)
	}
	if a := w.call("POST", "/invoices/"+invoice.str("id")+"/pay"); a.status != 402 || a.str("error.code") != "invoice_payment_intent_requires_action" {
		t.Errorf("paying by the API is answered %d %v", a.status, a.object)
	}
	w.visit(invoice.str("hosted_invoice_url"), url.Values{"outcome": {"paid"}})
	if got := w.invoices(id)[0].str("status"); got != "paid" || w.subscription(id).str("status") != "active" {
		t.Errorf("after the step the invoice is %s", got)
	}
}

func TestDelayedMembership(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		outcome              sandbox.Outcome
		subscription, status string
	}{
		"arrives": {sandbox.DelayedPaid, "active", "paid"},
		"fails":   {sandbox.DelayedFailed, "past_due", "open"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			session := w.paid(monthly("500", "eur"), tt.outcome)
			id := session.str("subscription")
			if before := w.subscription(id).str("status"); before != "active" || session.str("payment_status") != "unpaid" || w.invoices(id)[0].str("status") != "open" {
				t.Errorf("before: %s, %s", before, session.str("payment_status"))
			}
			w.advance(time.Minute)
			if sub, invoice := w.subscription(id), w.invoices(id)[0]; sub.str("status") != tt.subscription || invoice.str("status") != tt.status {
				t.Errorf("after: %s, invoice %s", sub.str("status"), invoice.str("status"))
			}
		})
	}
}
