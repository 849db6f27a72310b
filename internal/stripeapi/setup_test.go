package stripeapi_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stripe/stripe-go/v76"
	stripeclient "github.com/stripe/stripe-go/v76/client"

	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/stripeapi"
)

// account is an imagined account, our client of it and Stripe's own.
func account(t *testing.T) (*stripeapi.Client, *stripeclient.API) {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	box, err := sandbox.New(sandbox.Options{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.Close() })
	mux.Handle("/", box.Handler())
	ours := stripeapi.New(stripeapi.Options{Key: "sk_test_1", BaseURL: server.URL, Log: slog.New(slog.DiscardHandler)})
	theirs := stripeclient.New("sk_test_1", &stripe.Backends{API: stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		URL: stripe.String(server.URL), LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})})
	return ours, theirs
}

var setup = stripeapi.Setup{WebhookURL: "https://support.example/webhooks/stripe", ReturnURL: "https://support.example/account"}

func TestSetupMakesThePricesOfTiers(t *testing.T) {
	t.Parallel()
	ours, theirs := account(t)
	wanted := setup
	plan := func(prices ...stripeapi.Price) (words []string) {
		t.Helper()
		wanted.Prices = prices
		plan, err := ours.PlanSetup(t.Context(), wanted)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range plan.Changes {
			words = append(words, change.Words)
			if err := change.Make(t.Context()); err != nil {
				t.Fatalf("%s: %v", change.Words, err)
			}
		}
		return words
	}
	month := stripeapi.Price{Key: "support_reader_eur_month", Name: "Reader", Currency: "EUR", Minor: 500, Interval: "month"}
	year := stripeapi.Price{Key: "support_reader_jpy_year", Name: "Reader", Currency: "JPY", Minor: 8000, Interval: "year"}
	var many []stripeapi.Price
	for i := range 120 { // more than a page
		many = append(many, stripeapi.Price{Key: fmt.Sprint("support_many_", i), Name: "Many", Currency: "EUR", Minor: 100, Interval: "month"})
	}
	plan(append(many, month, year)...)
	if words := plan(append(many, month, year)...); len(words) != 0 {
		t.Errorf("again: %q", words)
	}
	dearer := month
	dearer.Minor = 600
	if words := plan(append(many, dearer, year)...); len(words) != 1 || !strings.Contains(words[0], "replace price") {
		t.Errorf("a price that rose: %q", words)
	}
	if words := plan(append(many, dearer)...); len(words) != 1 || !strings.Contains(words[0], "put price") {
		t.Errorf("a price that is wanted no more: %q", words)
	}
	found := theirs.Prices.List(&stripe.PriceListParams{LookupKeys: stripe.StringSlice([]string{month.Key})}).PriceList().Data
	if len(found) != 1 || !found[0].Active || found[0].UnitAmount != 600 || found[0].Recurring.Interval != "month" || found[0].Nickname != "Reader" {
		t.Errorf("%s is %+v", month.Key, found)
	}
}

// setUp makes every change that is planned and returns the plan.
func setUp(t *testing.T, c *stripeapi.Client) *stripeapi.Plan {
	t.Helper()
	plan, err := c.PlanSetup(t.Context(), setup)
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range plan.Changes {
		if err := change.Make(context.Background()); err != nil {
			t.Fatalf("%s: %v", change.Words, err)
		}
	}
	return plan
}

// subscribed are the events that tell all that a gift or a membership goes
// through, sorted.
var subscribed = strings.Fields(`
	charge.captured charge.dispute.closed charge.dispute.created charge.dispute.funds_reinstated
	charge.dispute.funds_withdrawn charge.dispute.updated charge.expired charge.failed charge.pending
	charge.refund.updated charge.refunded charge.succeeded charge.updated
	checkout.session.async_payment_failed checkout.session.async_payment_succeeded
	checkout.session.completed checkout.session.expired customer.deleted
	customer.subscription.created customer.subscription.deleted customer.subscription.paused
	customer.subscription.resumed customer.subscription.trial_will_end customer.subscription.updated
	customer.updated invoice.finalized invoice.marked_uncollectible invoice.paid
	invoice.payment_action_required invoice.payment_failed invoice.voided payment_intent.payment_failed
	payout.canceled payout.created payout.failed payout.paid payout.reconciliation_completed
	radar.early_fraud_warning.created refund.created refund.updated`)

func TestSetupIsMadeOnce(t *testing.T) {
	t.Parallel()
	ours, theirs := account(t)
	first := setUp(t, ours)
	if len(first.Changes) != 4 || !strings.HasPrefix(first.Secret, "whsec_") || first.Portal == "" {
		t.Errorf("the first plan: %d changes, secret %q, portal %q", len(first.Changes), first.Secret, first.Portal)
	}
	second := setUp(t, ours)
	if len(second.Changes) != 0 || second.Secret != "" || second.Portal != first.Portal {
		t.Errorf("again there are %d changes: %+v", len(second.Changes), second.Changes)
	}
	endpoints := theirs.WebhookEndpoints.List(&stripe.WebhookEndpointListParams{}).WebhookEndpointList().Data
	if len(endpoints) != 1 || endpoints[0].APIVersion != "2023-10-16" || endpoints[0].URL != setup.WebhookURL {
		t.Fatalf("endpoints: %+v", endpoints)
	}
	if got := slices.Sorted(slices.Values(endpoints[0].EnabledEvents)); !slices.Equal(got, subscribed) {
		t.Errorf("subscribed to %v, want %v", got, subscribed)
	}
	for _, event := range subscribed {
		if !stripeapi.Handled(event) {
			t.Errorf("subscribed to %s, which is not handled", event)
		}
	}
	for _, event := range []string{"invoice.payment_succeeded", "invoice.upcoming", "price.created"} { // the first says what invoice.paid says
		if stripeapi.Handled(event) {
			t.Errorf("%s is handled, and not subscribed to", event)
		}
	}
	if slices.Contains(endpoints[0].EnabledEvents, "refund.failed") {
		t.Error("subscribed to refund.failed, which endpoints of this version can't have")
	}
}

func TestSetupMendsWhatWasChanged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(t *testing.T, api *stripeclient.API, endpoint, portal string) error
		words  string
	}{
		"an event less": {func(_ *testing.T, api *stripeclient.API, endpoint, _ string) error {
			_, err := api.WebhookEndpoints.Update(endpoint, &stripe.WebhookEndpointParams{EnabledEvents: stripe.StringSlice([]string{"charge.succeeded", "price.created"})})
			return err
		}, "remove price.created"},
		"disabled": {func(_ *testing.T, api *stripeclient.API, endpoint, _ string) error {
			_, err := api.WebhookEndpoints.Update(endpoint, &stripe.WebhookEndpointParams{Disabled: stripe.Bool(true)})
			return err
		}, "enable it"},
		"a second endpoint": {func(_ *testing.T, api *stripeclient.API, _, _ string) error {
			_, err := api.WebhookEndpoints.New(&stripe.WebhookEndpointParams{
				URL: stripe.String(setup.WebhookURL), EnabledEvents: stripe.StringSlice([]string{"*"}), APIVersion: stripe.String("2023-10-16"),
			})
			return err
		}, "disable webhook endpoint"},
		"a product put away": {func(_ *testing.T, api *stripeclient.API, _, _ string) error {
			_, err := api.Products.Update(stripeapi.ProductOnce, &stripe.ProductParams{Active: stripe.Bool(false)})
			return err
		}, "make product support_once active"},
		"canceling at once": {func(_ *testing.T, api *stripeclient.API, _, portal string) error {
			_, err := api.BillingPortalConfigurations.Update(portal, &stripe.BillingPortalConfigurationParams{
				Features: &stripe.BillingPortalConfigurationFeaturesParams{SubscriptionCancel: &stripe.BillingPortalConfigurationFeaturesSubscriptionCancelParams{
					Enabled: stripe.Bool(true), Mode: stripe.String("immediately"),
				}},
			})
			return err
		}, ": let memberships be canceled at the end of the period"},
		"plans that can be changed": {func(_ *testing.T, api *stripeclient.API, _, portal string) error {
			price, err := api.Prices.New(&stripe.PriceParams{
				Product: stripe.String(stripeapi.ProductRecurring), Currency: stripe.String("eur"), UnitAmount: stripe.Int64(500),
				Recurring: &stripe.PriceRecurringParams{Interval: stripe.String("month")},
			})
			if err != nil {
				return err
			}
			_, err = api.BillingPortalConfigurations.Update(portal, &stripe.BillingPortalConfigurationParams{
				Features: &stripe.BillingPortalConfigurationFeaturesParams{SubscriptionUpdate: &stripe.BillingPortalConfigurationFeaturesSubscriptionUpdateParams{
					Enabled: stripe.Bool(true), DefaultAllowedUpdates: stripe.StringSlice([]string{"price"}),
					Products: []*stripe.BillingPortalConfigurationFeaturesSubscriptionUpdateProductParams{{
						Product: stripe.String(stripeapi.ProductRecurring), Prices: stripe.StringSlice([]string{price.ID}),
					}},
				}},
			})
			return err
		}, ": let no plan be changed"},
		"no reason asked": {func(_ *testing.T, api *stripeclient.API, _, portal string) error {
			_, err := api.BillingPortalConfigurations.Update(portal, &stripe.BillingPortalConfigurationParams{
				Features: &stripe.BillingPortalConfigurationFeaturesParams{SubscriptionCancel: &stripe.BillingPortalConfigurationFeaturesSubscriptionCancelParams{
					Enabled: stripe.Bool(true), CancellationReason: &stripe.BillingPortalConfigurationFeaturesSubscriptionCancelCancellationReasonParams{Enabled: stripe.Bool(false)},
				}},
			})
			return err
		}, ": ask for the reason: too_expensive"},
		"no invoices, and no way of paying": {func(_ *testing.T, api *stripeclient.API, _, portal string) error {
			_, err := api.BillingPortalConfigurations.Update(portal, &stripe.BillingPortalConfigurationParams{
				Features: &stripe.BillingPortalConfigurationFeaturesParams{
					InvoiceHistory:      &stripe.BillingPortalConfigurationFeaturesInvoiceHistoryParams{Enabled: stripe.Bool(false)},
					PaymentMethodUpdate: &stripe.BillingPortalConfigurationFeaturesPaymentMethodUpdateParams{Enabled: stripe.Bool(false)},
				},
			})
			return err
		}, ": let the way of paying be changed; show invoices"},
		"another address and headline": {func(_ *testing.T, api *stripeclient.API, _, portal string) error {
			_, err := api.BillingPortalConfigurations.Update(portal, &stripe.BillingPortalConfigurationParams{
				DefaultReturnURL: stripe.String("https://elsewhere.example/"),
				BusinessProfile:  &stripe.BillingPortalConfigurationBusinessProfileParams{Headline: stripe.String("Hello")},
			})
			return err
		}, ": lead back to https://support.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := account(t)
			portal := setUp(t, ours).Portal
			endpoints := theirs.WebhookEndpoints.List(&stripe.WebhookEndpointListParams{}).WebhookEndpointList().Data
			if err := tt.change(t, theirs, endpoints[0].ID, portal); err != nil {
				t.Fatal(err)
			}
			plan := setUp(t, ours)
			if len(plan.Changes) != 1 || !strings.Contains(plan.Changes[0].Words, tt.words) {
				t.Errorf("planned: %+v, want one with %q", plan.Changes, tt.words)
			}
			if again := setUp(t, ours); len(again.Changes) != 0 {
				t.Errorf("and again: %+v", again.Changes)
			}
		})
	}
}
