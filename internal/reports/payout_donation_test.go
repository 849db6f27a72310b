package reports_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// TestADonationShowsWhatBecameOfIt follows a gift in another currency through
// refunds, a dispute and the bank.
func TestADonationShowsWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o *office) {
		key, charge := o.give(10_000, "USD")
		first, err := o.box.Refund(charge, 1_000)
		ok(t, err)
		_, err = o.box.Refund(charge, 500)
		ok(t, err)
		ok(t, o.box.FailRefund(first))
		dispute, err := o.box.Dispute(charge, sandbox.Complaint{Amount: 2_000, Reason: "fraudulent"})
		ok(t, err)
		nothing := func(stripeapi.Page) []ledger.Answer { return nil }
		o.apply(stripeapi.PathRefunds, nil, nothing)
		now := o.box.Now()
		ok(t, o.book.Apply(t.Context(), said(objects.KindCharge, charge, &objects.Charge{RefundsListed: now.Unix()}, now)))
		o.apply(stripeapi.PathDisputes, nil, nothing)
		o.apply(stripeapi.PathTransactions, nil, nothing)
		o.give(90_000, "EUR") // so that there is a deposit
		o.advance(10 * day)
		payout := o.all(stripeapi.PathPayouts, nil)[0]["id"].(string)
		o.listLines(payout)

		got := o.donation("finance", key)
		var booked map[string]any
		fee, net := 0.0, 0.0
		ofGift := map[any]bool{charge: true, dispute: true}
		for _, r := range o.all(stripeapi.PathRefunds, nil) {
			ofGift[r["id"]] = true
		}
		for _, txn := range o.all(stripeapi.PathTransactions, nil) {
			if ofGift[txn["source"]] {
				fee, net = fee+txn["fee"].(float64), net+txn["net"].(float64)
			}
			if txn["source"] == charge {
				booked = txn
			}
		}
		rate, err := json.Marshal(booked["exchange_rate"])
		ok(t, err)
		for name, want := range map[string]any{
			"gross_minor": 10_000.0, "refunded_minor": 500.0, "disputed_minor": 2_000.0, "received_minor": 7_500.0,
			"settlement_currency": "EUR", "fee_minor": fee, "net_minor": net, "settlement_rate": string(rate),
		} {
			if got[name] != want {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		}
		refunds := got["refunds"].([]any)
		statuses := map[any]any{}
		for _, r := range refunds {
			statuses[r.(map[string]any)["amount_minor"]] = r.(map[string]any)["status"]
		}
		if len(refunds) != 2 || statuses[1_000.0] != "failed" || statuses[500.0] != "succeeded" {
			t.Errorf("refunds %v", refunds)
		}
		disputes := got["disputes"].([]any)
		if len(disputes) != 1 {
			t.Fatalf("disputes %v", disputes)
		}
		theirs := o.all(stripeapi.PathDisputes, nil)[0]
		due := int64(theirs["evidence_details"].(map[string]any)["due_by"].(float64))
		d := disputes[0].(map[string]any)
		if d["id"] != dispute || d["status"] != "needs_response" || d["reason"] != "fraudulent" || d["amount_minor"] != 2_000.0 ||
			d["respond_by"] != time.Unix(due, 0).UTC().Format(time.RFC3339) {
			t.Errorf("dispute %v", d)
		}
		if p, _ := got["payout"].(map[string]any); p["id"] != payout || p["status"] != "paid" {
			t.Errorf("payout %v, want %s", got["payout"], payout)
		}
		text, err := json.Marshal(o.donation("viewer", key))
		ok(t, err)
		for _, hidden := range []string{charge, dispute, first, "olena"} {
			if strings.Contains(string(text), hidden) {
				t.Errorf("a viewer sees %s: %s", hidden, text)
			}
		}
	})
}

// donation returns the answer of GET /v1/donations/ID to a role.
func (o *office) donation(role, key string) map[string]any {
	o.t.Helper()
	token, err := o.CreateToken(o.t.Context(), rand.Text(), role, store.Entry{})
	ok(o.t, err)
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Params = gin.Params{{Key: "id", Value: key}}
	c.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	c.Request.Header.Set("Authorization", "Bearer "+token)
	ok(o.t, o.Service.Donation(c))
	var got map[string]any
	ok(o.t, json.Unmarshal(w.Body.Bytes(), &got))
	return got
}
