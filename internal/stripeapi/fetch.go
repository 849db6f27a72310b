package stripeapi

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/united24media/support/internal/objects"
)

// An Answer is one object as Stripe answered it.
type Answer struct {
	Object []byte
	At     time.Time // when Stripe said so, by its clock
}

// The addresses of Stripe's lists. An object's own is below its list's.
const (
	PathCharges       = "/v1/charges"
	PathIntents       = "/v1/payment_intents"
	PathInvoices      = "/v1/invoices"
	PathSubscriptions = "/v1/subscriptions"
	PathSessions      = "/v1/checkout/sessions"
	PathCustomers     = "/v1/customers"
	PathRefunds       = "/v1/refunds"
	PathDisputes      = "/v1/disputes"
	PathTransactions  = "/v1/balance_transactions"
	PathPayouts       = "/v1/payouts"
	PathWarnings      = "/v1/radar/early_fraud_warnings"
	PathEvents        = "/v1/events"
)

// place returns where objects of a kind are, and what is worth having expanded
// inside one; "" for a kind that Stripe doesn't have.
func place(kind objects.Kind) (path string, expand []string) {
	switch kind {
	case objects.KindCharge:
		return PathCharges, []string{"balance_transaction", "invoice", "refunds.data.balance_transaction"}
	case objects.KindIntent:
		return PathIntents, []string{"latest_charge.balance_transaction", "invoice"}
	case objects.KindInvoice:
		return PathInvoices, []string{"charge.balance_transaction"}
	case objects.KindSubscription:
		return PathSubscriptions, []string{"customer", "latest_invoice"}
	case objects.KindSession:
		return PathSessions, []string{"payment_intent", "subscription"}
	case objects.KindCustomer:
		return PathCustomers, nil
	case objects.KindRefund:
		return PathRefunds, []string{"balance_transaction"}
	case objects.KindDispute:
		return PathDisputes, nil // its transactions are inside
	case objects.KindTransaction:
		return PathTransactions, nil
	case objects.KindPayout:
		return PathPayouts, nil
	case objects.KindWarning:
		return PathWarnings, nil
	}
	return "", nil
}

// Fetch returns an object as it is now, with what is useful expanded inside.
// One that Stripe doesn't know is an error of kind [Missing].
func (c *Client) Fetch(ctx context.Context, kind objects.Kind, id string) (Answer, error) {
	path, expand := place(kind)
	if path == "" || id == "" {
		return Answer{}, &Error{Kind: Missing, Call: "fetch", Message: fmt.Sprintf("Stripe has no %s %q", kind, id)}
	}
	path += "/" + url.PathEscape(id)
	object, at, err := c.read(ctx, path, Expand(nil, expand...))
	if IsKind(err, Refused) && len(expand) > 0 { // what is inside can be asked for later; the object can't wait
		c.log.WarnContext(ctx, "Stripe: asking again without what is expanded", "call", "GET "+path, "err", err)
		object, at, err = c.read(ctx, path, nil)
	}
	return Answer{object, at}, err
}

// Expand adds Stripe's expand parameters to params, which may be nil.
func Expand(params url.Values, paths ...string) url.Values {
	if params == nil {
		params = url.Values{}
	}
	for _, path := range paths {
		params.Add("expand[]", path)
	}
	return params
}
