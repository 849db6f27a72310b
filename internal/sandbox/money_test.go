package sandbox_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/sandbox"
)

// gift pays once and returns the charge.
func (w *world) gift(amount, currency string) object {
	w.t.Helper()
	session := w.paid(once(amount, currency), sandbox.Paid)
	return w.must("GET", "/payment_intents/"+session.str("payment_intent"), "expand[]", "latest_charge.balance_transaction").get("latest_charge").(map[string]any)
}

func TestSettlement(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		amount, currency string
		settled, fee     int64
		rate             any
	}{
		"euros settle as they are":       {"1000", "eur", 1000, 59, nil},
		"dollars by the fixed rate":      {"1000", "usd", 920, 57, 0.92},
		"yen have no minor unit":         {"1000", "jpy", 620, 48, 0.62},
		"a rate that does not end early": {"12345", "uah", 290, 38, 0.0235},
		"three decimals":                 {"10000", "kwd", 2990, 117, 0.299},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			txn := object(w.gift(tt.amount, tt.currency).get("balance_transaction").(map[string]any))
			if txn.str("currency") != "eur" || txn.int("amount") != tt.settled || txn.int("fee") != tt.fee ||
				txn.int("net") != tt.settled-tt.fee || txn.get("exchange_rate") != tt.rate {
				t.Errorf("settled as %v", txn)
			}
		})
	}
}

func TestDeclineThenSuccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.must("POST", "/checkout/sessions", once("1000", "eur")...)
	id := session.str("id")
	for _, outcome := range []sandbox.Outcome{sandbox.Declined, sandbox.Declined, sandbox.Paid} {
		_, err := w.Pay(id, olena, outcome)
		w.ok(err)
	}
	intent := w.must("GET", "/checkout/sessions/"+id).str("payment_intent")
	charges := w.must("GET", "/charges", "payment_intent", intent).list("data")
	if len(charges) != 3 || charges[0].str("status") != "succeeded" || charges[1].str("status") != "failed" || charges[2].str("failure_code") != "card_declined" {
		t.Errorf("charges under one PaymentIntent: %v", charges)
	}
	if charges[1].get("balance_transaction") != nil {
		t.Error("a failed charge moved money")
	}
	if found := w.must("GET", "/checkout/sessions", "payment_intent", intent).list("data"); len(found) != 1 || found[0].str("id") != id {
		t.Errorf("the session of the PaymentIntent: %v", found)
	}
	if to, err := w.Pay(id, olena, sandbox.Paid); err != nil || to != "https://site.example/thanks?session_id="+id {
		t.Errorf("paying again leads to %s, %v", to, err)
	}
	if again := w.must("GET", "/charges").list("data"); len(again) != 3 {
		t.Errorf("paying again made a charge: %d", len(again))
	}
}

func TestDelayedPayment(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		outcome                      sandbox.Outcome
		session, intent, charge, end string
	}{
		"arrives": {sandbox.DelayedPaid, "paid", "succeeded", "succeeded", "checkout.session.async_payment_succeeded"},
		"fails":   {sandbox.DelayedFailed, "unpaid", "requires_payment_method", "failed", "checkout.session.async_payment_failed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			session := w.paid(once("1000", "eur"), tt.outcome)
			if session.str("status") != "complete" || session.str("payment_status") != "unpaid" {
				t.Fatalf("before: %v", session)
			}
			charge := w.must("GET", "/charges").list("data")[0]
			if charge.str("status") != "pending" || charge.get("balance_transaction") != nil || charge.int("amount_captured") != 0 {
				t.Errorf("charge before: %v", charge)
			}
			w.advance(9 * time.Second)
			if got := w.must("GET", "/charges/"+charge.str("id")).str("status"); got != "pending" {
				t.Errorf("after 9 s the charge is %s", got)
			}
			w.advance(time.Second)
			w.DeliverAll(t.Context())
			names := types(w.inbox.events(t))
			session = w.must("GET", "/checkout/sessions/"+session.str("id"), "expand[]", "payment_intent.latest_charge")
			if session.str("status") != "complete" || session.str("payment_status") != tt.session || session.str("payment_intent.status") != tt.intent ||
				session.str("payment_intent.latest_charge.status") != tt.charge || names[len(names)-1] != tt.end {
				t.Errorf("after: %v, events %v", session, names)
			}
		})
	}
}

func TestRefunds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charge := w.gift("1000", "usd").str("id")
	first := w.must("POST", "/refunds", "charge", charge, "amount", "300", "reason", "requested_by_customer", "expand[]", "balance_transaction")
	if first.str("status") != "succeeded" || first.int("balance_transaction.net") != -276 {
		t.Errorf("partial refund: %v", first)
	}
	id, err := w.Refund(charge, 0)
	w.ok(err)
	if rest := w.must("GET", "/refunds/"+id); rest.int("amount") != 700 {
		t.Errorf("the rest is %d, want 700", rest.int("amount"))
	}
	whole := w.must("GET", "/charges/"+charge, "expand[]", "refunds")
	if whole.get("refunded") != true || whole.int("amount_refunded") != 1000 || len(whole.list("refunds.data")) != 2 {
		t.Errorf("refunded charge: %v", whole)
	}
	if a := w.call("POST", "/refunds", "charge", charge); a.str("error.code") != "charge_already_refunded" {
		t.Errorf("a third refund: %v", a.object)
	}
	w.ok(w.FailRefund(id))
	failed := w.must("GET", "/refunds/"+id, "expand[]", "failure_balance_transaction")
	after := w.must("GET", "/charges/"+charge)
	if failed.str("status") != "failed" || failed.int("failure_balance_transaction.net") != 644 || after.int("amount_refunded") != 300 || after.get("refunded") != false {
		t.Errorf("failed refund: %v, charge %v", failed, after)
	}
	if _, shown := after["refunds"]; shown {
		t.Error("a charge shows its refunds without being asked: not at this API version")
	}
	w.DeliverAll(t.Context())
	events := w.inbox.events(t)
	if last := events[len(events)-1]; last.str("type") != "charge.refund.updated" || last.str("data.previous_attributes.status") != "succeeded" {
		t.Errorf("last event: %v", last)
	}
}

func TestDisputes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		complaint sandbox.Complaint
		then      func(*world, string)
		status    string
		net       int64 // of all its balance transactions
	}{
		"open":                           {sandbox.Complaint{}, func(*world, string) {}, "needs_response", -2500},
		"lost":                           {sandbox.Complaint{}, func(w *world, id string) { w.ok(w.CloseDispute(id, "lost", false)) }, "lost", -2500},
		"won":                            {sandbox.Complaint{}, func(w *world, id string) { w.ok(w.CloseDispute(id, "won", false)) }, "won", -1500},
		"won, fee given back":            {sandbox.Complaint{}, func(w *world, id string) { w.ok(w.CloseDispute(id, "won", true)) }, "won", 0},
		"a part":                         {sandbox.Complaint{Amount: 400}, func(*world, string) {}, "needs_response", -1900},
		"inquiry":                        {sandbox.Complaint{Inquiry: true}, func(*world, string) {}, "warning_needs_response", 0},
		"inquiry closed":                 {sandbox.Complaint{Inquiry: true}, func(w *world, id string) { w.ok(w.CloseDispute(id, "warning_closed", false)) }, "warning_closed", 0},
		"inquiry that becomes a dispute": {sandbox.Complaint{Inquiry: true}, func(w *world, id string) { w.ok(w.EscalateDispute(id)) }, "needs_response", -2500},
		"lost, then reversed": {sandbox.Complaint{}, func(w *world, id string) {
			w.ok(w.CloseDispute(id, "lost", false))
			w.ok(w.ReverseDispute(id, true))
		}, "won", 0},
		"given up": {sandbox.Complaint{}, func(w *world, id string) { w.must("POST", "/disputes/"+id+"/close") }, "lost", -2500},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			charge := w.gift("1000", "eur").str("id")
			id, err := w.Dispute(charge, tt.complaint)
			w.ok(err)
			tt.then(w, id)
			d := w.must("GET", "/disputes/"+id)
			var net int64
			for _, txn := range d.list("balance_transactions") {
				net += txn.int("net")
			}
			if d.str("status") != tt.status || net != tt.net {
				t.Errorf("status %s, net %d; want %s, %d", d.str("status"), net, tt.status, tt.net)
			}
			c := w.must("GET", "/charges/"+charge)
			if c.get("disputed") != true || c.int("amount_refunded") != 0 {
				t.Errorf("charge: %v", c)
			}
			w.DeliverAll(t.Context())
		})
	}
}

func TestRefundOfADisputedCharge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charge := w.gift("1000", "eur").str("id")
	_, err := w.Dispute(charge, sandbox.Complaint{})
	w.ok(err)
	if a := w.call("POST", "/refunds", "charge", charge); a.status != 400 || a.str("error.code") != "charge_disputed" {
		t.Errorf("answered %d %v", a.status, a.object)
	}
}

func TestDisputeInTheSettlementCurrency(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, err := w.Dispute(w.gift("1000", "usd").str("id"), sandbox.Complaint{InSettlement: true})
	w.ok(err)
	if d := w.must("GET", "/disputes/"+id); d.str("currency") != "eur" || d.int("amount") != 920 || d.int("balance_transactions.0.amount") != -920 {
		t.Errorf("dispute: %v", d)
	}
}

func TestFraudWarning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charge := w.gift("1000", "eur").str("id")
	id, err := w.WarnOfFraud(charge)
	w.ok(err)
	list := w.must("GET", "/radar/early_fraud_warnings", "charge", charge).list("data")
	if len(list) != 1 || list[0].str("id") != id || list[0].get("actionable") != true {
		t.Errorf("warnings: %v", list)
	}
}

// itemised returns the transactions of a payout and the sum of all but its own.
func (w *world) itemised(payout string) (items []object, sum int64) {
	w.t.Helper()
	items = w.must("GET", "/balance_transactions", "payout", payout, "limit", "100").list("data")
	for _, txn := range items {
		if txn.str("type") != "payout" {
			sum += txn.int("net")
		}
	}
	return items, sum
}

func TestPayouts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charge := w.gift("1000", "eur").str("id")
	_, err := w.ForeignCharge(5000, "usd", "shop@example.org")
	w.ok(err)
	_, err = w.TakeFee(200, "Radar")
	w.ok(err)
	refund, err := w.Refund(charge, 100)
	w.ok(err)
	w.advance(4 * aDay)
	payouts := w.must("GET", "/payouts").list("data")
	if len(payouts) != 1 {
		t.Fatalf("%d payouts, want 1", len(payouts))
	}
	p := payouts[0]
	items, sum := w.itemised(p.str("id"))
	if p.str("status") != "paid" || p.get("automatic") != true || p.str("reconciliation_status") != "completed" || len(items) != 5 || sum != p.int("amount") {
		t.Errorf("payout %v of %d items that sum to %d", p, len(items), sum)
	}
	t.Run("one that fails after it was paid", func(t *testing.T) {
		w.ok(w.FailPayout(p.str("id")))
		w.ok(w.FailRefund(refund))
		w.advance(4 * aDay)
		failed := w.must("GET", "/payouts/"+p.str("id"), "expand[]", "failure_balance_transaction")
		next := w.must("GET", "/payouts", "status", "paid").list("data")
		if failed.str("status") != "failed" || failed.int("failure_balance_transaction.net") != p.int("amount") || len(next) == 0 {
			t.Fatalf("failed %v, next %v", failed, next)
		}
		var paid int64
		for _, n := range next {
			_, sum := w.itemised(n.str("id"))
			if sum != n.int("amount") {
				t.Errorf("payout %s: items sum to %d, want %d", n.str("id"), sum, n.int("amount"))
			}
			paid += sum
		}
		if paid != p.int("amount")+100 {
			t.Errorf("%d was paid out in the end, want %d", paid, p.int("amount")+100)
		}
	})
	t.Run("a manual one is not itemised", func(t *testing.T) {
		id, err := w.ManualPayout(50)
		w.ok(err)
		a := w.call("GET", "/balance_transactions", "payout", id)
		if manual := w.must("GET", "/payouts/"+id); a.status != 400 || manual.str("reconciliation_status") != "not_applicable" {
			t.Errorf("answered %d, payout %v", a.status, manual)
		}
	})
}

func TestBalanceSumsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gift("1000", "eur")
	balance := w.must("GET", "/balance")
	if got := strconv.FormatInt(balance.int("pending.0.amount"), 10); got != "941" || balance.int("available.0.amount") != 0 {
		t.Errorf("balance: %v", balance)
	}
}

func TestUnbookedCharge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ok(w.SetChaos(sandbox.Chaos{Unbooked: true}))
	session := w.paid(once("1000", "eur"), sandbox.Paid)
	charge := w.must("GET", "/charges", "payment_intent", session.str("payment_intent")).list("data")[0]
	if charge.str("status") != "succeeded" || charge.get("balance_transaction") != nil {
		t.Errorf("at first: %v", charge)
	}
	w.advance(time.Minute)
	w.DeliverAll(t.Context())
	events := w.inbox.events(t)
	last := events[len(events)-1]
	if _, told := last.get("data.previous_attributes").(map[string]any)["balance_transaction"]; last.str("type") != "charge.updated" || !told || last.str("data.object.balance_transaction") == "" {
		t.Errorf("a minute later: %v", last)
	}
}

func TestCallWithoutNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body, err := w.Call(t.Context(), "POST", "/v1/customers", url.Values{"email": {"a@example.org"}})
	w.ok(err)
	if made := decode(t, body); made.str("email") != "a@example.org" {
		t.Errorf("made %v", made)
	}
	if _, err := w.Call(t.Context(), "GET", "/v1/customers/cus_none", nil); err == nil || !strings.Contains(err.Error(), "No such customer") {
		t.Errorf("no such customer: %v", err)
	}
}
