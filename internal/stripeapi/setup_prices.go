package stripeapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/stripe/stripe-go/v76"
)

// A Price is what a level of membership costs.
type Price struct {
	Key      string // Stripe's lookup_key, by which it is found again
	Name     string // shown to staff in Stripe's dashboard
	Currency string // any case
	Minor    int64
	Interval string // month or year
}

func (p Price) String() string {
	return fmt.Sprintf("%s (%d minor units of %s a %s)", p.Key, p.Minor, strings.ToUpper(p.Currency), p.Interval)
}

// is reports whether a price at Stripe is this one.
func (p Price) is(at *stripe.Price) bool {
	return at.UnitAmount == p.Minor && string(at.Currency) == strings.ToLower(p.Currency) &&
		at.Recurring != nil && string(at.Recurring.Interval) == p.Interval && at.Recurring.IntervalCount == 1
}

// planPrices plans for the prices of our product. The amount of one that is
// there can't be changed: another takes over its key, and it is put away, which
// ends no subscription to it. So is one of ours that is wanted no more.
func (c *Client) planPrices(ctx context.Context, p *Plan, s Setup) error {
	at, err := c.pricesByKey(ctx)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, price := range s.Prices {
		wanted[price.Key] = true
		was := at[price.Key]
		switch {
		case was == nil:
			p.add(func(ctx context.Context) error { return c.createPrice(ctx, price) }, "make price %s", price)
		case !price.is(was):
			p.add(func(ctx context.Context) error {
				if err := c.createPrice(ctx, price); err != nil {
					return err
				}
				return c.retirePrice(ctx, was.ID)
			}, "replace price %s by %s", was.ID, price)
		}
	}
	for key, was := range at {
		if !wanted[key] && was.Metadata[markKey] == markValue {
			p.add(func(ctx context.Context) error { return c.retirePrice(ctx, was.ID) }, "put price %s away, %s", was.ID, key)
		}
	}
	return nil
}

// pricesByKey returns the active prices of our product that have a key.
func (c *Client) pricesByKey(ctx context.Context) (map[string]*stripe.Price, error) {
	var found map[string]*stripe.Price
	err := c.do(ctx, "list prices", func(ctx context.Context) error {
		found = map[string]*stripe.Price{} // also when it is tried again
		params := &stripe.PriceListParams{Product: stripe.String(ProductRecurring), Active: stripe.Bool(true)}
		params.Limit, params.Context = stripe.Int64(pageSize), ctx
		prices := c.api.Prices.List(params)
		for prices.Next() {
			if price := prices.Price(); price.LookupKey != "" {
				found[price.LookupKey] = price
			}
		}
		return prices.Err()
	})
	if IsKind(err, Missing) { // the product is to be made first
		return nil, nil
	}
	return found, err
}

func (c *Client) createPrice(ctx context.Context, p Price) error {
	params := &stripe.PriceParams{
		Product: stripe.String(ProductRecurring), Currency: stripe.String(strings.ToLower(p.Currency)), UnitAmount: stripe.Int64(p.Minor),
		Recurring: &stripe.PriceRecurringParams{Interval: stripe.String(p.Interval)}, Nickname: stripe.String(p.Name),
		LookupKey: stripe.String(p.Key), TransferLookupKey: stripe.Bool(true), Metadata: map[string]string{markKey: markValue},
	}
	params.SetIdempotencyKey(stripe.NewIdempotencyKey())
	return c.do(ctx, "make a price", func(ctx context.Context) error {
		params.Context = ctx
		_, err := c.api.Prices.New(params)
		return err
	})
}

func (c *Client) retirePrice(ctx context.Context, id string) error {
	params := &stripe.PriceParams{Active: stripe.Bool(false)}
	params.SetIdempotencyKey(stripe.NewIdempotencyKey())
	return c.do(ctx, "change a price", func(ctx context.Context) error {
		params.Context = ctx
		_, err := c.api.Prices.Update(id, params)
		return err
	})
}
