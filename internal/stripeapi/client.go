// Package stripeapi makes every call to Stripe's API, at version 2023-10-16.
//
// stripe-go's own retries are switched off: they ignore the context, and leave
// out rate limits and 5xx answers to POSTs, which are safe to repeat under an
// idempotency key. The ones here do neither.
package stripeapi

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"golang.org/x/time/rate"

	"github.com/united24media/support/internal/outward"
	"github.com/united24media/support/internal/trace"
)

// Limits of a call.
const (
	callTimeout = 8 * time.Second        // all tries of one call together
	maxTries    = 3                      // the first one included
	busyTries   = 5                      // where Stripe still works on the same call: its answer will come
	firstPause  = 200 * time.Millisecond // before the second try; doubled before each further one
)

// Options say how to reach Stripe.
type Options struct {
	Key     string       // the secret or restricted key
	BaseURL string       // "" is Stripe itself
	HTTP    *http.Client // nil: one that follows no redirect and knows no proxy
	Log     *slog.Logger // nil: slog's default
}

// A Client calls Stripe's API. It is safe for concurrent use.
type Client struct {
	api   *client.API
	log   *slog.Logger
	pause func(context.Context, time.Duration) error
	reads *rate.Limiter // of what no reader waits for
}

// New returns a client. It calls nothing yet.
func New(o Options) *Client {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.HTTP == nil {
		o.HTTP = outward.Client(callTimeout) // a redirect would carry the key to another host
	}
	config := func() *stripe.BackendConfig {
		c := &stripe.BackendConfig{
			HTTPClient:        o.HTTP,
			LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull}, // ours logs below
			MaxNetworkRetries: stripe.Int64(0),
			EnableTelemetry:   stripe.Bool(false),
		}
		if o.BaseURL != "" {
			c.URL = stripe.String(o.BaseURL)
		}
		return c
	}
	// All three, or client.API takes the library's global ones for the rest.
	backends := &stripe.Backends{
		API:     stripe.GetBackendWithConfig(stripe.APIBackend, config()),
		Connect: stripe.GetBackendWithConfig(stripe.ConnectBackend, config()),
		Uploads: stripe.GetBackendWithConfig(stripe.UploadsBackend, config()),
	}
	return &Client{
		api: client.New(o.Key, backends), log: o.Log, pause: pause, reads: rate.NewLimiter(readRate, readBurst),
	}
}

// do runs one call: f, again after a pause if trying again can help, until it
// succeeds or the time is up. what names the call in logs. f must be safe to
// repeat: a GET, or a POST with an idempotency key. The error is an [*Error].
func (c *Client) do(ctx context.Context, what string, f func(ctx context.Context) error) (err error) {
	ctx, end := trace.Step(ctx, "Stripe: "+what)
	defer func() { end(err) }()
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	wait := firstPause
	for try := 1; ; try++ {
		err := f(ctx)
		if err == nil {
			return nil
		}
		failure := classify(ctx, what, err)
		if try >= failure.tries() || ctx.Err() != nil {
			return failure
		}
		// Half of the pause is random, so that replicas do not come back together.
		sleep := max(wait/2+rand.N(wait/2), failure.RetryAfter)
		c.log.WarnContext(ctx, "Stripe: trying again", "call", what, "try", try, "kind", failure.Kind.String(),
			"status", failure.Status, "code", failure.Code, "request", failure.RequestID, "pause", sleep)
		if c.pause(ctx, sleep) != nil {
			return failure
		}
		wait *= 2
	}
}

// pause waits for d, or returns at once with an error if ctx would end before.
func pause(ctx context.Context, d time.Duration) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
