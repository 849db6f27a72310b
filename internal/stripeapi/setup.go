package stripeapi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/stripe/stripe-go/v76"
)

// A Setup is how the account is to serve us.
type Setup struct {
	WebhookURL string // gets every event that is handled
	ReturnURL  string // where the portal leads back to
	Prices     []Price
}

// The texts that Stripe shows.
const (
	nameOnce       = "Donation to UNITED24 Media"
	nameRecurring  = "Support for UNITED24 Media"
	portalHeadline = "UNITED24 Media: your support"
	endpointWords  = "Support: records gifts"
)

// markKey marks what is ours at Stripe, here as on sessions.
const markKey, markValue = "support_v", "1"

// A Plan is what is to be changed at Stripe to get a [Setup].
type Plan struct {
	Changes []Change

	// Known after the changes were made: the signing secret of an endpoint that
	// was made, which Stripe tells this once, and the portal's configuration.
	Secret string
	Portal string
}

// A Change is one thing to be changed at Stripe.
type Change struct {
	Words string // what it is, for people
	make  func(ctx context.Context) error
}

// Make makes the change.
func (c Change) Make(ctx context.Context) error { return c.make(ctx) }

func (p *Plan) add(f func(ctx context.Context) error, format string, args ...any) {
	p.Changes = append(p.Changes, Change{fmt.Sprintf(format, args...), f})
}

// PlanSetup compares the account with a setup. It changes nothing.
func (c *Client) PlanSetup(ctx context.Context, s Setup) (*Plan, error) {
	p := &Plan{}
	for _, part := range []func(context.Context, *Plan, Setup) error{c.planEndpoint, c.planProducts, c.planPrices, c.planPortal} {
		if err := part(ctx, p, s); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// planEndpoint plans for one endpoint at our address, pinned to our version.
// The version of one that is there can't be changed, and two would have every
// event delivered twice.
func (c *Client) planEndpoint(ctx context.Context, p *Plan, s Setup) error {
	params := &stripe.WebhookEndpointListParams{}
	params.Limit, params.Single = stripe.Int64(pageSize), true // an account has 16 at most
	var list *stripe.WebhookEndpointList
	err := c.do(ctx, "list webhook endpoints", func(ctx context.Context) error {
		params.Context = ctx
		answer := c.api.WebhookEndpoints.List(params)
		list = answer.WebhookEndpointList()
		return answer.Err()
	})
	if err != nil {
		return err
	}
	var kept *stripe.WebhookEndpoint
	for _, e := range list.Data {
		if e.URL != s.WebhookURL || e.APIVersion != stripe.APIVersion {
			continue
		}
		if kept == nil || better(e, kept) {
			kept = e
		}
	}
	if kept == nil {
		p.add(func(ctx context.Context) error { return c.createEndpoint(ctx, p, s) },
			"make a webhook endpoint for %s at API version %s with %d events", s.WebhookURL, stripe.APIVersion, len(handledEvents))
	} else {
		c.planKept(p, kept)
	}
	for _, e := range list.Data {
		if e != kept && e.URL == s.WebhookURL && e.Status == "enabled" {
			p.add(func(ctx context.Context) error {
				return c.updateEndpoint(ctx, e.ID, &stripe.WebhookEndpointParams{Disabled: stripe.Bool(true)})
			}, "disable webhook endpoint %s, a second one for the same address (API version %q)", e.ID, e.APIVersion)
		}
	}
	return nil
}

// better reports whether a is the endpoint to keep of two: one that works,
// that we made, that is older.
func better(a, b *stripe.WebhookEndpoint) bool {
	if works := a.Status == "enabled"; works != (b.Status == "enabled") {
		return works
	}
	if ours := a.Metadata[markKey] == markValue; ours != (b.Metadata[markKey] == markValue) {
		return ours
	}
	return a.Created < b.Created
}

func (c *Client) planKept(p *Plan, kept *stripe.WebhookEndpoint) {
	wanted := handledEvents[:]
	has := slices.Sorted(slices.Values(kept.EnabledEvents))
	params := &stripe.WebhookEndpointParams{}
	var words []string
	if !slices.Equal(has, wanted) {
		params.EnabledEvents = stripe.StringSlice(wanted)
		if slices.Contains(has, "*") {
			words = append(words, fmt.Sprintf("only the %d events that are handled, instead of all", len(wanted)))
		} else {
			words = append(words, differs(has, wanted))
		}
	}
	if kept.Status != "enabled" {
		params.Disabled = stripe.Bool(false)
		words = append(words, "enable it")
	}
	if len(words) > 0 {
		p.add(func(ctx context.Context) error { return c.updateEndpoint(ctx, kept.ID, params) },
			"change webhook endpoint %s: %s", kept.ID, strings.Join(words, "; "))
	}
}

// differs says which of two sorted lists has what the other has not.
func differs(has, wanted []string) string {
	var words []string
	for _, list := range []struct {
		verb      string
		from, not []string
	}{{"add", wanted, has}, {"remove", has, wanted}} {
		var names []string
		for _, name := range list.from {
			if !slices.Contains(list.not, name) {
				names = append(names, name)
			}
		}
		if len(names) > 0 {
			words = append(words, list.verb+" "+strings.Join(names, ", "))
		}
	}
	return strings.Join(words, "; ")
}

func (c *Client) createEndpoint(ctx context.Context, p *Plan, s Setup) error {
	params := &stripe.WebhookEndpointParams{
		URL: stripe.String(s.WebhookURL), APIVersion: stripe.String(stripe.APIVersion), Description: stripe.String(endpointWords),
		EnabledEvents: stripe.StringSlice(handledEvents[:]), Metadata: map[string]string{markKey: markValue},
	}
	params.SetIdempotencyKey(stripe.NewIdempotencyKey())
	return c.do(ctx, "make a webhook endpoint", func(ctx context.Context) error {
		params.Context = ctx
		made, err := c.api.WebhookEndpoints.New(params)
		if err == nil {
			p.Secret = made.Secret
		}
		return err
	})
}

func (c *Client) updateEndpoint(ctx context.Context, id string, params *stripe.WebhookEndpointParams) error {
	params.SetIdempotencyKey(stripe.NewIdempotencyKey())
	return c.do(ctx, "change a webhook endpoint", func(ctx context.Context) error {
		params.Context = ctx
		_, err := c.api.WebhookEndpoints.Update(id, params)
		return err
	})
}

// Products returns what is sold, as pairs of id and name.
func Products() [][2]string {
	return [][2]string{{ProductOnce, nameOnce}, {ProductRecurring, nameRecurring}}
}

// planProducts plans for the products that gifts are booked under.
func (c *Client) planProducts(ctx context.Context, p *Plan, _ Setup) error {
	for _, product := range Products() {
		id, name := product[0], product[1]
		var has *stripe.Product
		err := c.do(ctx, "read a product", func(ctx context.Context) (err error) {
			params := &stripe.ProductParams{}
			params.Context = ctx
			has, err = c.api.Products.Get(id, params)
			return err
		})
		switch {
		case IsKind(err, Missing):
			p.add(func(ctx context.Context) error { return c.createProduct(ctx, id, name) }, "make product %s, %q", id, name)
		case err != nil:
			return err
		case !has.Active:
			p.add(func(ctx context.Context) error { return c.activateProduct(ctx, id) }, "make product %s active again", id)
		}
	}
	return nil
}

func (c *Client) createProduct(ctx context.Context, id, name string) error {
	params := &stripe.ProductParams{ID: stripe.String(id), Name: stripe.String(name), Metadata: map[string]string{markKey: markValue}}
	params.SetIdempotencyKey(stripe.NewIdempotencyKey())
	return c.do(ctx, "make a product", func(ctx context.Context) error {
		params.Context = ctx
		_, err := c.api.Products.New(params)
		return err
	})
}

func (c *Client) activateProduct(ctx context.Context, id string) error {
	params := &stripe.ProductParams{Active: stripe.Bool(true)}
	params.SetIdempotencyKey(stripe.NewIdempotencyKey())
	return c.do(ctx, "change a product", func(ctx context.Context) error {
		params.Context = ctx
		_, err := c.api.Products.Update(id, params)
		return err
	})
}
