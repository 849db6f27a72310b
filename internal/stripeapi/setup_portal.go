package stripeapi

import (
	"context"
	"slices"

	"github.com/stripe/stripe-go/v76"
)

// cancelReasons are what a supporter may choose from who cancels, in the order
// they are asked.
var cancelReasons = [...]string{"too_expensive", "unused", "switched_service", "other"}

// planPortal plans for the configuration of Stripe's customer portal: a
// supporter changes the way of paying, reads invoices and cancels at the end
// of the period, saying why. Amounts are not changed there: Stripe's portal
// can't offer the prices that are made for each gift.
func (c *Client) planPortal(ctx context.Context, p *Plan, s Setup) error {
	has, err := c.portal(ctx)
	if err != nil {
		return err
	}
	params := &stripe.BillingPortalConfigurationParams{
		DefaultReturnURL: stripe.String(s.ReturnURL), Metadata: map[string]string{markKey: markValue},
		BusinessProfile: &stripe.BillingPortalConfigurationBusinessProfileParams{Headline: stripe.String(portalHeadline)},
		Features: &stripe.BillingPortalConfigurationFeaturesParams{
			InvoiceHistory:      &stripe.BillingPortalConfigurationFeaturesInvoiceHistoryParams{Enabled: stripe.Bool(true)},
			PaymentMethodUpdate: &stripe.BillingPortalConfigurationFeaturesPaymentMethodUpdateParams{Enabled: stripe.Bool(true)},
			SubscriptionCancel: &stripe.BillingPortalConfigurationFeaturesSubscriptionCancelParams{
				Enabled: stripe.Bool(true), Mode: stripe.String("at_period_end"),
				CancellationReason: &stripe.BillingPortalConfigurationFeaturesSubscriptionCancelCancellationReasonParams{
					Enabled: stripe.Bool(true), Options: stripe.StringSlice(cancelReasons[:]),
				},
			},
		},
	}
	params.SetIdempotencyKey(stripe.NewIdempotencyKey())
	if has == nil {
		p.add(func(ctx context.Context) error {
			return c.do(ctx, "make a portal configuration", func(ctx context.Context) error {
				params.Context = ctx
				made, err := c.api.BillingPortalConfigurations.New(params)
				if err == nil {
					p.Portal = made.ID
				}
				return err
			})
		}, "make a portal configuration: way of paying, invoices, cancel at the end of the period with a reason")
		return nil
	}
	p.Portal = has.ID
	if wanted(has, s) {
		return nil
	}
	p.add(func(ctx context.Context) error {
		return c.do(ctx, "change a portal configuration", func(ctx context.Context) error {
			params.Context = ctx
			_, err := c.api.BillingPortalConfigurations.Update(has.ID, params)
			return err
		})
	}, "set portal configuration %s to: way of paying, invoices, cancel at the end of the period with a reason", has.ID)
	return nil
}

// portal returns our configuration of the portal, or nil.
func (c *Client) portal(ctx context.Context) (*stripe.BillingPortalConfiguration, error) {
	params := &stripe.BillingPortalConfigurationListParams{Active: stripe.Bool(true)}
	params.Limit, params.Single = stripe.Int64(pageSize), true
	var all []*stripe.BillingPortalConfiguration
	err := c.do(ctx, "list portal configurations", func(ctx context.Context) error {
		params.Context = ctx
		answer := c.api.BillingPortalConfigurations.List(params)
		if answer.Err() == nil {
			all = answer.BillingPortalConfigurationList().Data
		}
		return answer.Err()
	})
	for _, configuration := range all {
		if configuration.Metadata[markKey] == markValue {
			return configuration, nil
		}
	}
	return nil, err
}

// wanted reports whether a configuration is as planned.
func wanted(has *stripe.BillingPortalConfiguration, s Setup) bool {
	f := has.Features
	if has.DefaultReturnURL != s.ReturnURL || has.BusinessProfile == nil || has.BusinessProfile.Headline != portalHeadline || f == nil ||
		f.InvoiceHistory == nil || f.PaymentMethodUpdate == nil || f.SubscriptionCancel == nil {
		return false
	}
	cancel := f.SubscriptionCancel
	if !f.InvoiceHistory.Enabled || !f.PaymentMethodUpdate.Enabled || !cancel.Enabled || cancel.Mode != "at_period_end" ||
		cancel.CancellationReason == nil || !cancel.CancellationReason.Enabled {
		return false
	}
	var asked []string
	for _, option := range cancel.CancellationReason.Options {
		asked = append(asked, string(option))
	}
	slices.Sort(asked)
	return slices.Equal(asked, slices.Sorted(slices.Values(cancelReasons[:])))
}
