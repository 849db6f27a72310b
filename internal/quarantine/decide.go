package quarantine

import (
	"context"
	"fmt"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// errDecided says that somebody else was faster.
var errDecided = fault.New(fault.Conflict, "Somebody has decided on this meanwhile, or nothing is left to decide.")

// Accept notes that something held is a reader's. Nothing else happens: it
// counted all the time. e says who decided.
func (s *Service) Accept(ctx context.Context, subject string, e store.Entry) error {
	q, err := s.held(ctx, subject)
	if err != nil {
		return err
	}
	e.Action, e.Subject, e.Detail = "quarantine.accept", subject, q.Reason
	return s.decide(ctx, q, store.SuspectAccepted, e)
}

// Reject gives a gift back as fraud, which has Stripe block its card, and ends
// the membership that it began; or closes a payment page. It returns what was
// done, in words. Stripe is asked under the same key however often somebody
// presses, and first: what could not be done stays held.
//
// Errors: a [fault.NotFound] or [fault.Conflict] where there is nothing to
// decide, a [fault.Upstream] where Stripe refused or did not answer.
func (s *Service) Reject(ctx context.Context, subject string, e store.Entry) (outcome string, err error) {
	q, err := s.held(ctx, subject)
	if err != nil {
		return "", err
	}
	if q.Kind == store.SuspectGift {
		outcome, err = s.refund(ctx, subject)
	} else {
		outcome, err = s.expire(ctx, subject)
	}
	if err != nil {
		return "", err
	}
	e.Action, e.Subject, e.Detail = "quarantine.reject", subject, outcome+" "+q.Reason
	return outcome, s.decide(ctx, q, store.SuspectRejected, e)
}

func (s *Service) held(ctx context.Context, subject string) (store.Suspect, error) {
	q, err := s.Store.SuspectBySubject(ctx, subject)
	if err == nil && q.State != store.SuspectHeld {
		err = errDecided
	}
	return q, err
}

func (s *Service) decide(ctx context.Context, q store.Suspect, state string, e store.Entry) error {
	q.State, q.Decided, q.DecidedBy = state, s.Now(), e.Who
	decided, err := s.Store.DecideSuspect(ctx, q, e)
	if err == nil && !decided {
		err = errDecided
	}
	return err
}

// refund gives all that is left of a gift back and ends its membership.
func (s *Service) refund(ctx context.Context, key string) (string, error) {
	d, err := s.Store.DonationByKey(ctx, key)
	switch {
	case err != nil:
		return "", err
	case d.Charge == "":
		return "", fault.New(fault.Conflict, "This gift was not paid through Stripe; give it back the way it came.")
	case d.Disputed > d.Lost:
		return "", fault.New(fault.Conflict, "A dispute is open: refunding now could pay the donor twice. Answer the dispute at Stripe.")
	}
	if left(d) > 0 { // else it was given back at the press before, and its membership goes on
		answer, err := s.Stripe.Refund(ctx, stripeapi.RefundParams{IdempotencyKey: "quarantine-refund-" + key, Charge: d.Charge, Reason: "fraudulent"})
		if err != nil {
			return "", refusal(err)
		}
		s.record(ctx, answer)
	}
	if d.Subscription == "" {
		return "Given back as fraud.", nil
	}
	answer, err := s.Stripe.CancelSubscription(ctx, "quarantine-end-"+key, d.Subscription)
	switch {
	case stripeapi.IsKind(err, stripeapi.Refused) || stripeapi.IsKind(err, stripeapi.Missing): // it has ended already
	case err != nil:
		return "", refusal(err)
	default:
		s.record(ctx, answer)
	}
	return "Given back as fraud, and its membership ended.", nil
}

// expire closes the payment page of a checkout.
func (s *Service) expire(ctx context.Context, id string) (string, error) {
	c, found, err := s.Store.CheckoutByID(ctx, id)
	if err != nil {
		return "", err
	}
	if !found || c.Session == "" {
		return "", errDecided
	}
	_, err = s.Stripe.ExpireSession(ctx, c.Session)
	switch {
	case stripeapi.IsKind(err, stripeapi.Refused):
		return "", fault.Wrap(fault.Conflict, err, "Its payment page was paid on or has ended meanwhile.")
	case err != nil:
		return "", refusal(err)
	}
	return "Payment page closed.", nil
}

// record tells the ledger what Stripe answered. What it can't record now it
// hears of from Stripe as well.
func (s *Service) record(ctx context.Context, answer stripeapi.Answer) {
	if err := s.Ledger.Apply(ctx, ledger.Answer{Object: answer.Object, At: answer.At}); err != nil {
		s.Log.WarnContext(ctx, "quarantine: what Stripe answered is not recorded yet", "err", err)
	}
}

// refusal says that Stripe did not do what was asked.
func refusal(err error) error {
	if stripeapi.IsKind(err, stripeapi.Unreachable) || stripeapi.IsKind(err, stripeapi.Limited) {
		return fault.Wrap(fault.Upstream, err, "Stripe did not answer, so it is not known whether it was done. Press again: it will not be done twice.")
	}
	return fault.Wrap(fault.Upstream, fmt.Errorf("reject: %w", err), "Stripe refused; look at the payment in its dashboard.")
}
