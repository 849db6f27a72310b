package stripeapi

import (
	"context"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
)

// A Method is how a membership is paid, as far as its owner needs to know it.
type Method struct {
	Type     string // Stripe's, such as card or sepa_debit; "" if none is known
	Brand    string // of a card, such as visa
	Last4    string // digits of a card or an account
	ExpMonth int64  // of a card; 0 otherwise
	ExpYear  int64
}

// A Standing is a membership as Stripe has it now.
type Standing struct {
	Answer  Answer // for the ledger
	Method  Method
	Resumes time.Time // when a pause ends by itself; zero where it does not, or there is none
	PayURL  string    // Stripe's page on which what is owed can be paid; "" where nothing is

	subscription *stripe.Subscription
}

// Standing asks how a membership stands. Nobody should wait for it long: it is
// asked while a page is shown.
func (c *Client) Standing(ctx context.Context, id string) (Standing, error) {
	params := &stripe.SubscriptionParams{}
	for _, path := range [...]string{"default_payment_method", "customer.invoice_settings.default_payment_method", "latest_invoice"} {
		params.AddExpand(path)
	}
	s := Standing{}
	answer, err := c.changed(ctx, "read a subscription", objects.KindSubscription, func(ctx context.Context) (*stripe.APIResponse, error) {
		params.Context = ctx
		var err error
		s.subscription, err = c.api.Subscriptions.Get(id, params)
		return s.subscription.LastResponse, err
	})
	if err != nil {
		return Standing{}, err
	}
	s.Answer = answer
	s.Method = methodOf(s.method())
	if pause := s.subscription.PauseCollection; pause != nil && pause.ResumesAt > 0 {
		s.Resumes = time.Unix(pause.ResumesAt, 0).UTC()
	}
	if s.owed() {
		s.PayURL = s.subscription.LatestInvoice.HostedInvoiceURL
	}
	return s, nil
}

// owed reports whether the newest invoice waits to be paid.
func (s Standing) owed() bool {
	invoice := s.subscription.LatestInvoice
	return invoice != nil && invoice.Status == stripe.InvoiceStatusOpen
}

// method returns what the membership is charged to: its own, else its
// customer's.
func (s Standing) method() *stripe.PaymentMethod {
	if s.subscription.DefaultPaymentMethod != nil {
		return s.subscription.DefaultPaymentMethod
	}
	return s.customers()
}

func (s Standing) customers() *stripe.PaymentMethod {
	customer := s.subscription.Customer
	if customer == nil || customer.InvoiceSettings == nil {
		return nil
	}
	return customer.InvoiceSettings.DefaultPaymentMethod
}

func methodOf(m *stripe.PaymentMethod) Method {
	if m == nil {
		return Method{}
	}
	method := Method{Type: string(m.Type)}
	switch {
	case m.Card != nil:
		method.Brand, method.Last4 = string(m.Card.Brand), m.Card.Last4
		method.ExpMonth, method.ExpYear = m.Card.ExpMonth, m.Card.ExpYear
	case m.SEPADebit != nil:
		method.Last4 = m.SEPADebit.Last4
	}
	return method
}

// A SubscriptionChange is what a membership becomes.
type SubscriptionChange struct {
	Amount   money.Amount // in the membership's own currency
	Interval string       // month or year
	Tier     string       // "" for none
}

// ChangeSubscription changes what a membership costs, how often, and its tier.
// What is paid already is not touched: the new amount is charged first when
// the current period ends. A membership that is so already is answered as it
// is.
func (c *Client) ChangeSubscription(ctx context.Context, key, id string, change SubscriptionChange) (Answer, error) {
	now, err := c.Standing(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	sub := now.subscription
	if sub.Items == nil || len(sub.Items.Data) != 1 || sub.Items.Data[0].Price == nil || sub.Items.Data[0].Price.Product == nil {
		return Answer{}, &Error{Kind: Refused, Call: "change a subscription", Message: "it has not one item with a price"}
	}
	item := sub.Items.Data[0]
	rhythm := interval(item.Price)
	if item.Price.UnitAmount*item.Quantity == change.Amount.Minor && rhythm == change.Interval && sub.Metadata["tier"] == change.Tier {
		return now.Answer, nil
	}
	params := &stripe.SubscriptionParams{
		ProrationBehavior: stripe.String("none"),
		Items: []*stripe.SubscriptionItemsParams{{
			ID: stripe.String(item.ID), Quantity: stripe.Int64(1),
			PriceData: &stripe.SubscriptionItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(change.Amount.Currency)), Product: stripe.String(item.Price.Product.ID),
				UnitAmount: stripe.Int64(change.Amount.Minor),
				Recurring:  &stripe.SubscriptionItemPriceDataRecurringParams{Interval: stripe.String(change.Interval)},
			},
		}},
	}
	params.AddMetadata("tier", change.Tier) // an empty one is removed
	if rhythm != change.Interval {
		// With another interval Stripe would charge at once and begin to count
		// from today. A trial until the end of what is paid keeps the day.
		params.TrialEnd = stripe.Int64(sub.CurrentPeriodEnd)
	}
	return c.updateSubscription(ctx, "change a subscription", key, id, params)
}

// interval returns how often a price repeats, as Stripe says it; twelve months
// are a year.
func interval(p *stripe.Price) string {
	switch {
	case p.Recurring == nil:
		return ""
	case p.Recurring.Interval == stripe.PriceRecurringIntervalMonth && p.Recurring.IntervalCount == 12:
		return "year"
	case p.Recurring.IntervalCount != 1:
		return ""
	}
	return string(p.Recurring.Interval)
}

// A CardPage is a visit to Stripe's page on which a customer changes the way
// of paying.
type CardPage struct {
	Customer  string
	ReturnURL string // where the customer comes back to, done or not
	Lang      string // one of ours
}

// OpenCardPage returns the address of a [CardPage]. It opens for whoever has
// it, and soon ends.
func (c *Client) OpenCardPage(ctx context.Context, key string, p CardPage) (address string, err error) {
	params := &stripe.BillingPortalSessionParams{
		Customer: stripe.String(p.Customer), ReturnURL: stripe.String(p.ReturnURL), Locale: stripe.String(Locale(p.Lang)),
		FlowData: &stripe.BillingPortalSessionFlowDataParams{
			Type: stripe.String("payment_method_update"),
			AfterCompletion: &stripe.BillingPortalSessionFlowDataAfterCompletionParams{
				Type: stripe.String("redirect"), Redirect: &stripe.BillingPortalSessionFlowDataAfterCompletionRedirectParams{ReturnURL: stripe.String(p.ReturnURL)},
			},
		},
	}
	params.IdempotencyKey = stripe.String(key)
	configuration, err := c.portal(ctx)
	if err != nil {
		return "", err
	}
	if configuration != nil { // else Stripe's default one, if the account has it
		params.Configuration = stripe.String(configuration.ID)
	}
	err = c.do(ctx, "open a card page", func(ctx context.Context) error {
		params.Context = ctx
		session, err := c.api.BillingPortalSessions.New(params)
		if err == nil {
			address = session.URL
		}
		return err
	})
	return address, err
}

// SettleCard makes a membership be paid by the method that its customer chose
// last, and pays what is owed with it. Stripe's page keeps a new method as the
// customer's, which a membership with a method of its own would not use. It
// returns what changed and the membership as it is then; a payment that is
// declined is no error, since the membership shows it.
func (c *Client) SettleCard(ctx context.Context, key, id string) ([]Answer, error) {
	now, err := c.Standing(ctx, id)
	if err != nil {
		return nil, err
	}
	own, newest := now.subscription.DefaultPaymentMethod, now.customers()
	if own != nil && newest != nil && newest.ID != own.ID && newest.Created >= own.Created {
		_, err := c.updateSubscription(ctx, "change a subscription's card", key+"-card", id,
			&stripe.SubscriptionParams{DefaultPaymentMethod: stripe.String(newest.ID)})
		if err != nil {
			return nil, err
		}
	}
	var answers []Answer
	if now.owed() {
		params := &stripe.InvoicePayParams{}
		params.IdempotencyKey = stripe.String(key + "-pay")
		answer, err := c.changed(ctx, "pay an invoice", objects.KindInvoice, func(ctx context.Context) (*stripe.APIResponse, error) {
			params.Context = ctx
			invoice, err := c.api.Invoices.Pay(now.subscription.LatestInvoice.ID, params)
			return invoice.LastResponse, err
		})
		switch {
		case err == nil:
			answers = append(answers, answer)
		case IsKind(err, Unreachable) || IsKind(err, Limited):
			return nil, err
		}
	}
	then, err := c.Standing(ctx, id)
	return append(answers, then.Answer), err
}
