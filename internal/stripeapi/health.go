package stripeapi

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v76"
)

// A Health is what one answer of Stripe's tells about how we are set up there.
type Health struct {
	Now       time.Time // by Stripe's clock; zero where the answer had no Date
	Version   string    // the API version that answered
	Endpoints []Endpoint
}

// An Endpoint is a webhook endpoint of the account.
type Endpoint struct {
	ID      string
	URL     string
	Version string // of its events; "" is the account's own
	Enabled bool
}

// Version is the API version that everything here speaks.
const Version = "2023-10-16"

// CheckVersion returns an error where another API version answers.
func (h Health) CheckVersion() error {
	if h.Version != "" && h.Version != Version {
		return fmt.Errorf("answers with API version %s; %s is wanted", h.Version, Version)
	}
	return nil
}

// Delivers returns the endpoint that delivers to a service at a public address,
// or why none does.
func (h Health) Delivers(publicURL string) (endpoint string, err error) {
	want := publicURL + "/webhooks/stripe"
	for _, e := range h.Endpoints {
		switch {
		case e.URL != want:
			continue
		case !e.Enabled:
			return "", fmt.Errorf("endpoint %s is disabled; enable it in Stripe's Dashboard", e.ID)
		case e.Version != Version:
			return "", fmt.Errorf("endpoint %s sends events of version %q; make it again, pinned to %s", e.ID, e.Version, Version)
		}
		return e.ID, nil
	}
	return "", fmt.Errorf("no endpoint delivers to %s; make one in Stripe's Dashboard, pinned to %s", want, Version)
}

// Health asks for the webhook endpoints: the key may need the right to read
// them, which is an error of kind [Denied] where it is missing.
func (c *Client) Health(ctx context.Context) (Health, error) {
	params := &stripe.WebhookEndpointListParams{}
	params.Limit, params.Single = stripe.Int64(100), true // an account has 16 at most
	var list *stripe.WebhookEndpointList
	err := c.do(ctx, "list webhook endpoints", func(ctx context.Context) error {
		params.Context = ctx
		answer := c.api.WebhookEndpoints.List(params)
		if answer.Err() != nil {
			return answer.Err()
		}
		list = answer.WebhookEndpointList()
		return nil
	})
	if err != nil {
		return Health{}, err
	}
	var h Health
	if list.LastResponse != nil {
		h.Version = list.LastResponse.Header.Get("Stripe-Version")
		h.Now, _ = http.ParseTime(list.LastResponse.Header.Get("Date")) // zero where it can't be read
	}
	for _, e := range list.Data {
		h.Endpoints = append(h.Endpoints, Endpoint{e.ID, e.URL, e.APIVersion, e.Status == "enabled"})
	}
	return h, nil
}
