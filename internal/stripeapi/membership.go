package stripeapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/united24media/support/internal/objects"
)

// What changes a membership returns the subscription as it is then, for the
// ledger. The same change under the same idempotency key is made once.

// CancelSubscription ends a membership now. One that ended already is answered
// as it is.
func (c *Client) CancelSubscription(ctx context.Context, key, id string) (Answer, error) {
	return c.CancelSubscriptionFor(ctx, key, id, "")
}

// CancelSubscriptionFor is [Client.CancelSubscription] with the supporter's
// reason: one of Stripe's words for feedback, or "".
func (c *Client) CancelSubscriptionFor(ctx context.Context, key, id, feedback string) (Answer, error) {
	params := &stripe.SubscriptionCancelParams{}
	params.IdempotencyKey = stripe.String(key)
	if feedback != "" {
		params.CancellationDetails = &stripe.SubscriptionCancelCancellationDetailsParams{Feedback: stripe.String(feedback)}
	}
	answer, err := c.changed(ctx, "cancel a subscription", objects.KindSubscription, func(ctx context.Context) (*stripe.APIResponse, error) {
		params.Context = ctx
		s, err := c.api.Subscriptions.Cancel(id, params)
		return s.LastResponse, err
	})
	if !IsKind(err, Missing) {
		return answer, err
	}
	// Stripe cancels once and then knows it no more: an earlier try, or
	// somebody else, may have done it.
	now, fetchErr := c.Fetch(ctx, objects.KindSubscription, id)
	var state struct {
		Status string `json:"status"`
	}
	if fetchErr != nil || json.Unmarshal(now.Object, &state) != nil || state.Status != string(stripe.SubscriptionStatusCanceled) {
		return Answer{}, err
	}
	return now, nil
}

// CancelAtPeriodEnd lets a membership end with what is paid already.
func (c *Client) CancelAtPeriodEnd(ctx context.Context, key, id string) (Answer, error) {
	return c.CancelAtPeriodEndFor(ctx, key, id, "")
}

// CancelAtPeriodEndFor is [Client.CancelAtPeriodEnd] with the supporter's
// reason: one of Stripe's words for feedback, or "".
func (c *Client) CancelAtPeriodEndFor(ctx context.Context, key, id, feedback string) (Answer, error) {
	params := &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)}
	if feedback != "" {
		params.CancellationDetails = &stripe.SubscriptionCancellationDetailsParams{Feedback: stripe.String(feedback)}
	}
	return c.updateSubscription(ctx, "cancel a subscription at its period's end", key, id, params)
}

// KeepSubscription takes [Client.CancelAtPeriodEnd] back.
func (c *Client) KeepSubscription(ctx context.Context, key, id string) (Answer, error) {
	return c.updateSubscription(ctx, "keep a subscription", key, id, &stripe.SubscriptionParams{
		CancelAtPeriodEnd: stripe.Bool(false),
	})
}

// PauseSubscription stops collecting for a membership until an instant, or, for
// the zero time, until it is resumed. What falls due meanwhile is never
// collected.
func (c *Client) PauseSubscription(ctx context.Context, key, id string, until time.Time) (Answer, error) {
	pause := &stripe.SubscriptionPauseCollectionParams{Behavior: stripe.String(string(stripe.SubscriptionPauseCollectionBehaviorVoid))}
	if !until.IsZero() {
		pause.ResumesAt = stripe.Int64(until.Unix())
	}
	return c.updateSubscription(ctx, "pause a subscription", key, id, &stripe.SubscriptionParams{PauseCollection: pause})
}

// ResumeSubscription collects again for a membership that
// [Client.PauseSubscription] paused, from its next period on.
func (c *Client) ResumeSubscription(ctx context.Context, key, id string) (Answer, error) {
	params := &stripe.SubscriptionParams{}
	params.AddExtra("pause_collection", "")
	return c.updateSubscription(ctx, "resume a subscription", key, id, params)
}

func (c *Client) updateSubscription(ctx context.Context, what, key, id string, params *stripe.SubscriptionParams) (Answer, error) {
	params.IdempotencyKey = stripe.String(key)
	return c.changed(ctx, what, objects.KindSubscription, func(ctx context.Context) (*stripe.APIResponse, error) {
		params.Context = ctx
		s, err := c.api.Subscriptions.Update(id, params)
		return s.LastResponse, err
	})
}

// changed makes a call that changes an object and returns the object. An
// answer that Stripe repeats for its idempotency key is as old as the first
// call, so then the object is asked for anew.
func (c *Client) changed(ctx context.Context, what string, kind objects.Kind, call func(context.Context) (*stripe.APIResponse, error)) (Answer, error) {
	asked := time.Now()
	var got *stripe.APIResponse
	err := c.do(ctx, what, func(ctx context.Context) (err error) {
		got, err = call(ctx)
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	if got.Header.Get("Idempotent-Replayed") == "true" {
		var object struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(got.RawJSON, &object); err != nil {
			return Answer{}, unreadable(what, err)
		}
		return c.Fetch(ctx, kind, object.ID)
	}
	at, err := http.ParseTime(got.Header.Get("Date"))
	if err != nil {
		at = asked // by our clock, and before the answer: events after it overrule it
	}
	return Answer{got.RawJSON, at}, nil
}
