package sandbox_test

import (
	"errors"
	"testing"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"github.com/united24media/support/internal/sandbox"
)

// library returns Stripe's own Go client, pointed at the sandbox.
func (w *world) library() *client.API {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(w.opts.BaseURL), MaxNetworkRetries: stripe.Int64(0), LeveledLogger: &stripe.LeveledLogger{},
	})
	return client.New("sk_test_sandbox", &stripe.Backends{API: backend, Connect: backend, Uploads: backend})
}

func TestStripesLibrary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	api := w.library()
	params := &stripe.CheckoutSessionParams{
		Mode: stripe.String("subscription"), SuccessURL: stripe.String("https://site.example/thanks?session_id={CHECKOUT_SESSION_ID}"),
		LineItems: []*stripe.CheckoutSessionLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
				Currency: stripe.String("eur"), UnitAmount: stripe.Int64(500),
				ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("Membership")},
				Recurring:   &stripe.CheckoutSessionLineItemPriceDataRecurringParams{Interval: stripe.String("month")},
			},
		}},
		SubscriptionData: &stripe.CheckoutSessionSubscriptionDataParams{Metadata: map[string]string{"article": "x"}},
	}
	params.SetIdempotencyKey("attempt-1")
	made, err := api.CheckoutSessions.New(params)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Pay(made.ID, olena, sandbox.Paid)
	w.ok(err)

	get := &stripe.CheckoutSessionParams{}
	get.AddExpand("subscription.latest_invoice.charge.balance_transaction")
	session, err := api.CheckoutSessions.Get(made.ID, get)
	if err != nil {
		t.Fatal(err)
	}
	charge := session.Subscription.LatestInvoice.Charge
	if session.Status != stripe.CheckoutSessionStatusComplete || session.Subscription.Metadata["article"] != "x" ||
		charge.Status != stripe.ChargeStatusSucceeded || charge.BalanceTransaction.Net != 455 {
		t.Errorf("read back: %s, %+v", session.Status, charge)
	}
	if len(session.LastResponse.RequestID) == 0 || session.LastResponse.Header.Get("Date") == "" {
		t.Errorf("headers: %v", session.LastResponse.Header)
	}

	t.Run("lists page by themselves", func(t *testing.T) {
		list := &stripe.EventListParams{}
		list.Limit = stripe.Int64(3)
		seen := map[string]bool{}
		for it := api.Events.List(list); it.Next(); {
			seen[it.Event().ID] = true
		}
		if len(seen) < 10 {
			t.Errorf("%d events by pages of 3", len(seen))
		}
	})
	t.Run("errors are typed", func(t *testing.T) {
		_, err := api.Charges.Get("ch_none", nil)
		refused, ok := errors.AsType[*stripe.Error](err)
		if !ok || refused.HTTPStatusCode != 404 || refused.Code != stripe.ErrorCodeResourceMissing || refused.Param != "id" {
			t.Errorf("error %v", err)
		}
	})
	t.Run("another version is refused", func(t *testing.T) {
		if stripe.APIVersion != sandbox.Version {
			t.Errorf("the library speaks %s, the sandbox %s", stripe.APIVersion, sandbox.Version)
		}
	})
}
