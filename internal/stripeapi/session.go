package stripeapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/united24media/support/internal/money"
)

// The ids of the products that gifts are booked under at Stripe, made by
// `support stripe-setup`. Where they are missing, a session names its product
// itself.
const (
	ProductOnce      = "support_once"
	ProductRecurring = "support_recurring"
)

// Stripe's limits of metadata, in characters.
// https://docs.stripe.com/api/metadata
const (
	maxMetadataKey   = 40
	maxMetadataValue = 500
	maxMetadataKeys  = 50
)

// SessionParams describe a Checkout Session. The same params under the same
// idempotency key give the same session for 24 hours.
type SessionParams struct {
	IdempotencyKey string            // 255 characters at most
	Reference      string            // our id, as client_reference_id
	Amount         money.Amount      // more than zero
	Interval       string            // "once", or what Stripe repeats by: "month", "year"
	ProductName    string            // what is bought, where our products are missing
	Lang           string            // the reader's language, one of ours
	Metadata       map[string]string // written on the session and what it leads to; cut to Stripe's limits
	SuccessURL     string            // may hold {CHECKOUT_SESSION_ID}, unescaped
	CancelURL      string
	ExpiresAt      time.Time // 30 minutes to 24 hours from now
	Without        []string  // optional parameters to leave out: see [OptionalParam]
}

// A Session is a Checkout Session as Stripe answers it.
type Session struct {
	ID            string
	URL           string // "" once it is complete or expired
	Status        string // open, complete or expired
	PaymentStatus string // unpaid, paid or no_payment_required
}

// Optional parameters, by the names we give them.
const (
	optionalLocale      = "locale"
	optionalSubmitType  = "submit_type"
	optionalDescription = "description"
	optionalExpiry      = "expires_at"
	optionalProduct     = "product"
)

// OptionalParam returns the name under which [SessionParams].Without leaves
// out the parameter that err refuses; ok is false if err refuses none, or one
// that a session needs.
func OptionalParam(err error) (name string, ok bool) {
	e, is := errors.AsType[*Error](err)
	if !is || e.Kind != Refused && e.Kind != Missing {
		return "", false
	}
	for _, name := range [...]string{
		optionalLocale, optionalSubmitType, optionalDescription, optionalExpiry, optionalProduct,
	} {
		if e.Param == name || strings.HasSuffix(e.Param, "["+name+"]") {
			return name, true
		}
	}
	return "", false
}

// CreateSession opens a Checkout Session.
func (c *Client) CreateSession(ctx context.Context, p SessionParams) (Session, error) {
	params := p.encode()
	var s *stripe.CheckoutSession
	err := c.do(ctx, "create a checkout session", func(ctx context.Context) (err error) {
		params.Context = ctx
		s, err = c.api.CheckoutSessions.New(params)
		return err
	})
	return session(s, err)
}

// Session returns a Checkout Session, or an error of kind [Missing].
func (c *Client) Session(ctx context.Context, id string) (Session, error) {
	params := &stripe.CheckoutSessionParams{}
	var s *stripe.CheckoutSession
	err := c.do(ctx, "read a checkout session", func(ctx context.Context) (err error) {
		params.Context = ctx
		s, err = c.api.CheckoutSessions.Get(id, params)
		return err
	})
	return session(s, err)
}

// ExpireSession closes a session that is open, so that nobody can pay it any
// more. One that is not open is refused.
func (c *Client) ExpireSession(ctx context.Context, id string) (Session, error) {
	params := &stripe.CheckoutSessionExpireParams{}
	params.IdempotencyKey = stripe.String("expire-" + id)
	var s *stripe.CheckoutSession
	err := c.do(ctx, "expire a checkout session", func(ctx context.Context) (err error) {
		params.Context = ctx
		s, err = c.api.CheckoutSessions.Expire(id, params)
		return err
	})
	return session(s, err)
}

func session(s *stripe.CheckoutSession, err error) (Session, error) {
	if err != nil {
		return Session{}, err
	}
	return Session{s.ID, s.URL, string(s.Status), string(s.PaymentStatus)}, nil
}

// encode turns p into Stripe's parameters. It depends on p alone: under one
// idempotency key Stripe refuses any other.
func (p SessionParams) encode() *stripe.CheckoutSessionParams {
	metadata := p.metadata()
	params := &stripe.CheckoutSessionParams{
		ClientReferenceID: stripe.String(p.Reference),
		SuccessURL:        stripe.String(p.SuccessURL),
		CancelURL:         stripe.String(p.CancelURL),
		Metadata:          metadata,
		LineItems:         []*stripe.CheckoutSessionLineItemParams{{Quantity: stripe.Int64(1), PriceData: p.price()}},
	}
	params.IdempotencyKey = stripe.String(p.IdempotencyKey)
	if p.has(optionalLocale) {
		params.Locale = stripe.String(Locale(p.Lang))
	}
	if p.has(optionalExpiry) {
		params.ExpiresAt = stripe.Int64(p.ExpiresAt.Unix())
	}
	var description *string
	if p.has(optionalDescription) {
		description = stripe.String(p.ProductName)
	}
	// Metadata of a session reaches neither the charge nor the invoices, so it
	// is written where Stripe copies it from.
	if p.Interval == once {
		params.Mode = stripe.String(string(stripe.CheckoutSessionModePayment))
		if p.has(optionalSubmitType) {
			params.SubmitType = stripe.String(string(stripe.CheckoutSessionSubmitTypeDonate))
		}
		params.PaymentIntentData = &stripe.CheckoutSessionPaymentIntentDataParams{
			Description: description, Metadata: metadata,
		}
		return params
	}
	params.Mode = stripe.String(string(stripe.CheckoutSessionModeSubscription))
	params.SubscriptionData = &stripe.CheckoutSessionSubscriptionDataParams{
		Description: description, Metadata: metadata,
	}
	return params
}

// once is the interval that does not repeat.
const once = "once"

func (p SessionParams) price() *stripe.CheckoutSessionLineItemPriceDataParams {
	price := &stripe.CheckoutSessionLineItemPriceDataParams{
		Currency:   stripe.String(strings.ToLower(p.Amount.Currency)),
		UnitAmount: stripe.Int64(p.Amount.Minor),
	}
	product := ProductOnce
	if p.Interval != once {
		product = ProductRecurring
		price.Recurring = &stripe.CheckoutSessionLineItemPriceDataRecurringParams{Interval: stripe.String(p.Interval)}
	}
	if p.has(optionalProduct) {
		price.Product = stripe.String(product)
	} else {
		price.ProductData = &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String(p.ProductName)}
	}
	return price
}

func (p SessionParams) has(optional string) bool { return !slices.Contains(p.Without, optional) }

// metadata returns what Stripe takes of p.Metadata: values are cut, empty ones
// left out. Our own keys are short and few; more would be a mistake of ours.
func (p SessionParams) metadata() map[string]string {
	m := make(map[string]string, len(p.Metadata))
	for key, value := range p.Metadata {
		if value != "" && len(key) <= maxMetadataKey && len(m) < maxMetadataKeys {
			m[key] = cut(value, maxMetadataValue)
		}
	}
	return m
}

// locales are Stripe's names for our languages. Its pages have no Ukrainian;
// Ukrainian readers get English, and never what their browser may say besides.
// https://docs.stripe.com/js/appendix/supported_locales
var locales = map[string]string{"en": "en", "uk": "en", "de": "de", "fr": "fr", "es": "es", "it": "it", "pl": "pl"}

// Locale returns the language of Stripe's pages for readers of lang.
func Locale(lang string) string {
	if locale, ok := locales[lang]; ok {
		return locale
	}
	return "en"
}
