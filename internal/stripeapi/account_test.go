package stripeapi

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/united24media/support/internal/money"
)

// account makes each call that a supporter's own pages make.
func (c *Client) account(ctx context.Context, t *testing.T) {
	t.Helper()
	if s, err := c.Standing(ctx, "sub_1"); err != nil || len(s.Answer.Object) == 0 {
		t.Errorf("how a membership stands: %v", err)
	}
	for interval, tier := range map[string]string{"month": "", "year": "camera"} {
		change := SubscriptionChange{Amount: money.Amount{Minor: 1234, Currency: "USD"}, Interval: interval, Tier: tier}
		if _, err := c.ChangeSubscription(ctx, "key_"+interval, "sub_1", change); err != nil {
			t.Errorf("change a membership to a %s: %v", interval, err)
		}
	}
	if _, err := c.CancelSubscriptionFor(ctx, "key_a", "sub_1", "too_expensive"); err != nil {
		t.Errorf("cancel for a reason: %v", err)
	}
	if _, err := c.CancelAtPeriodEndFor(ctx, "key_b", "sub_1", "unused"); err != nil {
		t.Errorf("cancel at the end for a reason: %v", err)
	}
	page := CardPage{Customer: "cus_1", ReturnURL: "https://support.example/account/memberships/sub_1/card", Lang: "uk"}
	if address, err := c.OpenCardPage(ctx, "key_c", page); err != nil || address == "" {
		t.Errorf("open a card page: %q, %v", address, err)
	}
	if _, err := c.SettleCard(ctx, "key_d", "sub_1"); err != nil {
		t.Errorf("settle a card: %v", err)
	}
}

// subscription is one that costs 5 euros a month, with more in it.
func subscription(more string) string {
	return `{"id":"sub_1","current_period_end":1800000000,"metadata":{"tier":"notebook"},"items":{"data":[{"id":"si_1","quantity":1,
		"price":{"unit_amount":500,"product":"prod_1","recurring":{"interval":"month","interval_count":1}}}]}` + more + `}`
}

func TestChangeSubscription(t *testing.T) {
	t.Parallel()
	const item = "items[0][id]=si_1&items[0][price_data][currency]=eur&items[0][price_data][product]=prod_1&items[0][price_data][recurring][interval]=%s" +
		"&items[0][price_data][unit_amount]=%d&items[0][quantity]=1&metadata[tier]=%s&proration_behavior=none"
	tests := map[string]struct {
		change SubscriptionChange
		want   string // what is sent; "" is nothing
	}{
		"another amount":   {SubscriptionChange{money.Amount{Minor: 1000, Currency: "EUR"}, "month", "camera"}, fmt.Sprintf(item, "month", 1000, "camera")},
		"another interval": {SubscriptionChange{money.Amount{Minor: 500, Currency: "EUR"}, "year", ""}, fmt.Sprintf(item, "year", 500, "") + "&trial_end=1800000000"},
		"as it is":         {SubscriptionChange{money.Amount{Minor: 500, Currency: "EUR"}, "month", "notebook"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c, _ := newServer(t, answer(noon, subscription("")), answer(noon, `{"id":"sub_1"}`))
			if _, err := c.ChangeSubscription(t.Context(), "key_1", "sub_1", tt.change); err != nil {
				t.Fatal(err)
			}
			sent := ""
			if len(s.got) > 1 {
				sent = s.bodies[1]
			}
			if sent != tt.want || len(s.got) > 1 && s.got[1].Header.Get("Idempotency-Key") != "key_1" {
				t.Errorf("sent %q, want %q", sent, tt.want)
			}
		})
	}
	_, c, _ := newServer(t, answer(noon, `{"id":"sub_1","items":{"data":[]}}`))
	if _, err := c.ChangeSubscription(t.Context(), "key_1", "sub_1", SubscriptionChange{}); !IsKind(err, Refused) {
		t.Errorf("one without a price: %v", err)
	}
}

func TestSettleCard(t *testing.T) {
	t.Parallel()
	const (
		old    = `,"default_payment_method":{"id":"pm_old","created":1}`
		newest = `,"customer":{"id":"cus_1","invoice_settings":{"default_payment_method":{"id":"pm_new","created":2}}}`
		same   = `,"customer":{"id":"cus_1","invoice_settings":{"default_payment_method":{"id":"pm_older","created":0}}}`
		owed   = `,"latest_invoice":{"id":"in_1","status":"open"}`
	)
	declined := fail(402, map[string]string{"type": "card_error", "code": "card_declined"})
	fine := answer(noon, `{"id":"x_1"}`)
	tests := map[string]struct {
		more    string
		answers []func(http.ResponseWriter)
		posts   []string
		failed  bool
	}{
		"a new card, and nothing owed": {old + newest, []func(http.ResponseWriter){fine, fine}, []string{"default_payment_method=pm_new"}, false},
		"no new card":                  {old + same, []func(http.ResponseWriter){fine}, nil, false},
		"only the customer's card":     {newest, []func(http.ResponseWriter){fine}, nil, false},
		"a new card pays what is owed": {old + newest + owed, []func(http.ResponseWriter){fine, fine, fine}, []string{"default_payment_method=pm_new", ""}, false},
		"a card that is declined":      {old + owed, []func(http.ResponseWriter){declined, fine}, []string{""}, false},
		"Stripe refuses the card":      {old + newest, []func(http.ResponseWriter){declined}, []string{"default_payment_method=pm_new"}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c, _ := newServer(t, append([]func(http.ResponseWriter){answer(noon, subscription(tt.more))}, tt.answers...)...)
			_, err := c.SettleCard(t.Context(), "key_1", "sub_1")
			if (err != nil) != tt.failed {
				t.Fatal(err)
			}
			var posts []string
			for i, r := range s.got {
				if r.Method == http.MethodPost {
					posts = append(posts, s.bodies[i])
				}
			}
			if fmt.Sprint(posts) != fmt.Sprint(tt.posts) {
				t.Errorf("sent %q, want %q", posts, tt.posts)
			}
		})
	}
}
