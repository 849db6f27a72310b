package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// factPortal names the fact that says which configuration of Stripe's portal
// is ours.
const factPortal = "stripe.portal"

// runStripeSetup is `support stripe-setup`. Run again it changes nothing.
func runStripeSetup(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("stripe-setup")
	live := set.Bool("live", false, "change the live account, where the key is a live one")
	dry := set.Bool("dry-run", false, "tell what differs and change nothing")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if err := none("stripe-setup", rest); err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	if settings.Live() && !*live && !*dry {
		return usagef("the key is a live one; to change the live account: support stripe-setup --live")
	}
	client := stripeapi.New(stripeapi.Options{
		Key: stripeKey(settings), BaseURL: stripeBase(settings, settings.PublicURL), Log: slog.New(slog.DiscardHandler),
	})
	plan, err := client.PlanSetup(ctx, stripeapi.Setup{
		WebhookURL: settings.PublicURL + "/webhooks/stripe", ReturnURL: settings.PublicURL + "/account", Prices: tierPrices(),
	})
	if err != nil {
		return err
	}
	if len(plan.Changes) == 0 {
		fmt.Fprintln(p.stdout, "Stripe is set up as it should be; nothing was changed.")
	}
	for _, change := range plan.Changes {
		if *dry {
			fmt.Fprintln(p.stdout, "would", visible(change.Words))
			continue
		}
		if err := change.Make(ctx); err != nil {
			return fmt.Errorf("%s: %w", change.Words, err)
		}
		fmt.Fprintln(p.stdout, "done:", visible(change.Words))
	}
	if plan.Secret != "" {
		fmt.Fprintf(p.stdout, "\nThe new endpoint's signing secret, shown this once. Put it into STRIPE_WEBHOOK_SECRET:\n%s\n", plan.Secret)
	}
	if *dry || plan.Portal == "" {
		return nil
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		return db.DecideFact(ctx, factPortal, plan.Portal, detailed(commandLine("stripe.setup", ""), fmt.Sprintf("%d changes", len(plan.Changes))))
	})
}

// tierPrices returns what the levels of membership cost, in each currency by
// month and by year.
func tierPrices() []stripeapi.Price {
	var prices []stripeapi.Price
	for _, tier := range offer.Tiers() {
		for _, currency := range slices.Sorted(maps.Keys(tier.Amounts)) {
			for _, interval := range [...]string{offer.Month, offer.Year} {
				if minor, sold := tier.Amount(currency, interval); sold {
					prices = append(prices, stripeapi.Price{
						Key: strings.ToLower("support_" + tier.ID + "_" + currency + "_" + interval), Name: tier.Name("en"),
						Currency: currency, Minor: minor, Interval: interval,
					})
				}
			}
		}
	}
	return prices
}
