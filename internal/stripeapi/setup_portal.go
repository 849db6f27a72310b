package stripeapi

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	words := portalDiffers(has, s)
	if len(words) == 0 {
		return nil
	}
	// One that is made has it off, and Stripe takes this only of one that is there.
	params.Features.SubscriptionUpdate = &stripe.BillingPortalConfigurationFeaturesSubscriptionUpdateParams{Enabled: stripe.Bool(false)}
	p.add(func(ctx context.Context) error {
		return c.do(ctx, "change a portal configuration", func(ctx context.Context) error {
			params.Context = ctx
			_, err := c.api.BillingPortalConfigurations.Update(has.ID, params)
			return err
		})
	}, "change portal configuration %s: %s", has.ID, strings.Join(words, "; "))
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

// portalDiffers says what has to be changed of a configuration.
func portalDiffers(has *stripe.BillingPortalConfiguration, s Setup) (words []string) {
	if has.DefaultReturnURL != s.ReturnURL {
		words = append(words, "lead back to "+s.ReturnURL)
	}
	if has.BusinessProfile == nil || has.BusinessProfile.Headline != portalHeadline {
		words = append(words, fmt.Sprintf("headline %q", portalHeadline))
	}
	f := has.Features
	if f == nil {
		f = &stripe.BillingPortalConfigurationFeatures{}
	}
	if f.PaymentMethodUpdate == nil || !f.PaymentMethodUpdate.Enabled {
		words = append(words, "let the way of paying be changed")
	}
	if f.InvoiceHistory == nil || !f.InvoiceHistory.Enabled {
		words = append(words, "show invoices")
	}
	if f.SubscriptionUpdate != nil && f.SubscriptionUpdate.Enabled {
		words = append(words, "let no plan be changed: that is done on our own pages")
	}
	cancel := f.SubscriptionCancel
	if cancel == nil || !cancel.Enabled || cancel.Mode != "at_period_end" {
		words = append(words, "let memberships be canceled at the end of the period")
	}
	var asked []string
	if cancel != nil && cancel.CancellationReason != nil && cancel.CancellationReason.Enabled {
		for _, option := range cancel.CancellationReason.Options {
			asked = append(asked, string(option))
		}
		slices.Sort(asked)
	}
	if reasons := slices.Sorted(slices.Values(cancelReasons[:])); !slices.Equal(asked, reasons) {
		words = append(words, "ask for the reason: "+strings.Join(cancelReasons[:], ", "))
	}
	return words
}
