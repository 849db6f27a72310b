package stripeapi

import (
	"context"

	"github.com/stripe/stripe-go/v76"

	"github.com/united24media/support/internal/objects"
)

// RefundParams describe a refund. The same params under the same idempotency
// key give the same refund.
type RefundParams struct {
	IdempotencyKey string // 255 characters at most
	Charge         string // Stripe's id of what is given back
	AmountMinor    int64  // in the charge's currency; 0 is all that is left
	Reason         string // "", duplicate, fraudulent or requested_by_customer
}

// Refund gives money of a charge back, and returns the refund with its charge
// inside, for the ledger. What Stripe would not give back (more than is left,
// or while a dispute is open) is an error of kind [Refused].
func (c *Client) Refund(ctx context.Context, p RefundParams) (Answer, error) {
	params := &stripe.RefundParams{Charge: stripe.String(p.Charge)}
	params.IdempotencyKey = stripe.String(p.IdempotencyKey)
	if p.AmountMinor != 0 {
		params.Amount = stripe.Int64(p.AmountMinor)
	}
	if p.Reason != "" {
		params.Reason = stripe.String(p.Reason)
	}
	params.AddExpand("charge")
	params.AddExpand("balance_transaction")
	return c.changed(ctx, "refund a charge", objects.KindRefund, func(ctx context.Context) (*stripe.APIResponse, error) {
		params.Context = ctx
		r, err := c.api.Refunds.New(params)
		return r.LastResponse, err
	})
}
