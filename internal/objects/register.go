package objects

import (
	"fmt"

	"github.com/go-json-experiment/json"
)

// A Register is what is known of one object.
type Register interface {
	// Join adds what other, a register of the same type, knows.
	Join(other Register)
	// Links returns the objects that this one names, without empty ones.
	Links() []Ref
	// Reach returns what of the register matters to objects that it does not
	// name but that are projected from it: the invoices of a subscription, the
	// gifts of a customer. While it stays equal they need no new projection.
	Reach() string
}

// Encode returns r as text that is equal for equal registers.
func Encode(r Register) string {
	return string(encode(r))
}

// DecodeRegister reads what [Encode] wrote for an object of a kind.
func DecodeRegister(kind Kind, text string) (Register, error) {
	r := Empty(kind)
	if r == nil {
		return nil, fmt.Errorf("a stored register is of the unknown kind %q", kind)
	}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, fmt.Errorf("read a stored %s: %w", kind, err)
	}
	return r, nil
}

// Empty returns a register that has seen nothing, or nil for a kind that has
// none.
func Empty(kind Kind) Register {
	switch kind {
	case KindCharge:
		return new(Charge)
	case KindIntent:
		return new(Intent)
	case KindInvoice:
		return new(Invoice)
	case KindSubscription:
		return new(Subscription)
	case KindSession:
		return new(Session)
	case KindCustomer:
		return new(Customer)
	case KindRefund:
		return new(Refund)
	case KindDispute:
		return new(Dispute)
	case KindTransaction:
		return new(Transaction)
	case KindPayout:
		return new(Payout)
	case KindWarning:
		return new(Warning)
	case KindOffline:
		return new(Offline)
	case KindAdopted:
		return new(Adopted)
	case KindCorrection:
		return new(Correction)
	case KindErasure:
		return new(Erasure)
	}
	return nil
}

// Metadata is an object's metadata, last writer wins.
type Metadata = Latest[Words]

// refs returns the non-empty refs.
func refs(all ...Ref) []Ref {
	kept := all[:0]
	for _, r := range all {
		if r != "" {
			kept = append(kept, r)
		}
	}
	return kept
}

// A Charge is one attempt to take money. https://docs.stripe.com/api/charges
type Charge struct {
	Created       int64                 `json:"created,omitzero"`
	Intent        string                `json:"intent,omitzero"`
	Invoice       string                `json:"invoice,omitzero"`
	Customer      string                `json:"customer,omitzero"`
	Transaction   string                `json:"transaction,omitzero"`
	Currency      string                `json:"currency,omitzero"` // as Stripe writes it, lower case
	Status        string                `json:"status,omitzero"`
	Captured      int64                 `json:"captured,omitzero"` // amount_captured
	Asked         int64                 `json:"-"`                 // amount, as it was said just now; not kept
	RefundedAt    int64                 `json:"refunded_at,omitzero"`
	Refunded      int64                 `json:"refunded,omitzero"`       // amount_refunded as of RefundedAt
	RefundsListed int64                 `json:"refunds_listed,omitzero"` // when all its refunds were last listed
	Disputed      bool                  `json:"disputed,omitzero"`       // stays true once it was
	Metadata      Metadata              `json:"metadata,omitzero"`
	Payer         Latest[Payer]         `json:"payer,omitzero"`
	Outcome       Latest[ChargeOutcome] `json:"outcome,omitzero"`
}

// A Payer is who paid a charge, and how.
type Payer struct {
	Email       string `json:"email,omitzero"`
	Name        string `json:"name,omitzero"`
	Country     string `json:"country,omitzero"`      // of the billing address
	CardCountry string `json:"card_country,omitzero"` // where the card was issued
	Method      string `json:"method,omitzero"`       // payment_method_details.type
}

// A ChargeOutcome is why a charge failed.
type ChargeOutcome struct {
	FailureCode string `json:"failure_code,omitzero"`
}

// Join implements [Register].
func (c *Charge) Join(other Register) {
	o := other.(*Charge)
	once(&c.Created, o.Created)
	once(&c.Intent, o.Intent)
	once(&c.Invoice, o.Invoice)
	once(&c.Customer, o.Customer)
	once(&c.Transaction, o.Transaction)
	once(&c.Currency, o.Currency)
	c.Status = chargeRank.higher(c.Status, o.Status)
	c.Captured = max(c.Captured, o.Captured)
	if o.RefundedAt > c.RefundedAt || o.RefundedAt == c.RefundedAt && o.Refunded > c.Refunded {
		c.RefundedAt, c.Refunded = o.RefundedAt, o.Refunded
	}
	c.RefundsListed = max(c.RefundsListed, o.RefundsListed)
	c.Disputed = c.Disputed || o.Disputed
	c.Metadata.join(o.Metadata)
	c.Payer.join(o.Payer)
	c.Outcome.join(o.Outcome)
}

// Links implements [Register].
func (c *Charge) Links() []Ref {
	return refs(NewRef(KindIntent, c.Intent), NewRef(KindInvoice, c.Invoice),
		NewRef(KindCustomer, c.Customer), NewRef(KindTransaction, c.Transaction))
}

// Reach implements [Register].
func (c *Charge) Reach() string { return "" }

// An Intent is a wish to pay, which may take several charges.
// https://docs.stripe.com/api/payment_intents
type Intent struct {
	Created  int64    `json:"created,omitzero"`
	Customer string   `json:"customer,omitzero"`
	Invoice  string   `json:"invoice,omitzero"`
	Currency string   `json:"currency,omitzero"`
	Amount   int64    `json:"amount,omitzero"`
	Status   string   `json:"status,omitzero"`
	Metadata Metadata `json:"metadata,omitzero"`
}

// Join implements [Register].
func (p *Intent) Join(other Register) {
	o := other.(*Intent)
	once(&p.Created, o.Created)
	once(&p.Customer, o.Customer)
	once(&p.Invoice, o.Invoice)
	once(&p.Currency, o.Currency)
	once(&p.Amount, o.Amount)
	p.Status = intentRank.higher(p.Status, o.Status)
	p.Metadata.join(o.Metadata)
}

// Links implements [Register].
func (p *Intent) Links() []Ref {
	return refs(NewRef(KindCustomer, p.Customer), NewRef(KindInvoice, p.Invoice))
}

// Reach implements [Register].
func (p *Intent) Reach() string { return "" }

// A Session is one visit to Stripe Checkout. It gives links and attribution,
// never money. https://docs.stripe.com/api/checkout/sessions
type Session struct {
	Created       int64         `json:"created,omitzero"`
	Expires       int64         `json:"expires,omitzero"`
	Mode          string        `json:"mode,omitzero"`
	Intent        string        `json:"intent,omitzero"`
	Subscription  string        `json:"subscription,omitzero"`
	Invoice       string        `json:"invoice,omitzero"`
	Customer      string        `json:"customer,omitzero"`
	Reference     string        `json:"reference,omitzero"` // client_reference_id
	Currency      string        `json:"currency,omitzero"`
	Amount        int64         `json:"amount,omitzero"`
	Status        string        `json:"status,omitzero"`
	PaymentStatus string        `json:"payment_status,omitzero"`
	Failed        bool          `json:"failed,omitzero"` // a delayed payment that did not come
	Metadata      Metadata      `json:"metadata,omitzero"`
	Donor         Latest[Payer] `json:"donor,omitzero"` // customer_details
}

// Join implements [Register].
func (s *Session) Join(other Register) {
	o := other.(*Session)
	once(&s.Created, o.Created)
	once(&s.Expires, o.Expires)
	once(&s.Mode, o.Mode)
	once(&s.Intent, o.Intent)
	once(&s.Subscription, o.Subscription)
	once(&s.Invoice, o.Invoice)
	once(&s.Customer, o.Customer)
	once(&s.Reference, o.Reference)
	once(&s.Currency, o.Currency)
	once(&s.Amount, o.Amount)
	s.Status = sessionRank.higher(s.Status, o.Status)
	s.PaymentStatus = paymentRank.higher(s.PaymentStatus, o.PaymentStatus)
	s.Failed = s.Failed || o.Failed
	s.Metadata.join(o.Metadata)
	s.Donor.join(o.Donor)
}

// Links implements [Register].
func (s *Session) Links() []Ref {
	return refs(NewRef(KindIntent, s.Intent), NewRef(KindSubscription, s.Subscription),
		NewRef(KindInvoice, s.Invoice), NewRef(KindCustomer, s.Customer))
}

// Reach implements [Register].
func (s *Session) Reach() string {
	return string(encode([]any{s.Intent, s.Subscription, s.Invoice, s.Customer, s.Metadata.Value, s.Donor.Value}))
}

// An Invoice is one bill of a subscription. https://docs.stripe.com/api/invoices
type Invoice struct {
	Created      int64                `json:"created,omitzero"`
	Subscription string               `json:"subscription,omitzero"`
	Intent       string               `json:"intent,omitzero"`
	Charge       string               `json:"charge,omitzero"`
	Customer     string               `json:"customer,omitzero"`
	Currency     string               `json:"currency,omitzero"`
	Status       string               `json:"status,omitzero"`
	Paid         int64                `json:"paid,omitzero"`    // amount_paid
	PaidAt       int64                `json:"paid_at,omitzero"` // status_transitions.paid_at
	OutOfBand    bool                 `json:"out_of_band,omitzero"`
	Interval     string               `json:"interval,omitzero"` // of its subscription line, as billed
	Reason       string               `json:"reason,omitzero"`   // billing_reason
	Attempts     int64                `json:"attempts,omitzero"`
	Inherited    Metadata             `json:"inherited,omitzero"` // subscription_details.metadata
	Metadata     Metadata             `json:"metadata,omitzero"`
	Billing      Latest[InvoiceState] `json:"billing,omitzero"`
}

// An InvoiceState is what may change about an invoice until it is paid.
type InvoiceState struct {
	Email       string `json:"email,omitzero"` // customer_email
	Name        string `json:"name,omitzero"`
	NextAttempt int64  `json:"next_attempt,omitzero"` // 0 after the last
}

// Join implements [Register].
func (i *Invoice) Join(other Register) {
	o := other.(*Invoice)
	once(&i.Created, o.Created)
	once(&i.Subscription, o.Subscription)
	once(&i.Intent, o.Intent)
	once(&i.Charge, o.Charge)
	once(&i.Customer, o.Customer)
	once(&i.Currency, o.Currency)
	i.Status = invoiceRank.higher(i.Status, o.Status)
	i.Paid = max(i.Paid, o.Paid)
	i.PaidAt = max(i.PaidAt, o.PaidAt)
	i.OutOfBand = i.OutOfBand || o.OutOfBand
	once(&i.Interval, o.Interval)
	once(&i.Reason, o.Reason)
	i.Attempts = max(i.Attempts, o.Attempts)
	i.Inherited.join(o.Inherited)
	i.Metadata.join(o.Metadata)
	i.Billing.join(o.Billing)
}

// Links implements [Register].
func (i *Invoice) Links() []Ref {
	return refs(NewRef(KindSubscription, i.Subscription), NewRef(KindIntent, i.Intent),
		NewRef(KindCharge, i.Charge), NewRef(KindCustomer, i.Customer))
}

// Reach implements [Register].
func (i *Invoice) Reach() string { return "" }

// A Subscription is a membership at Stripe.
// https://docs.stripe.com/api/subscriptions
type Subscription struct {
	Created  int64            `json:"created,omitzero"`
	Customer string           `json:"customer,omitzero"`
	Metadata Metadata         `json:"metadata,omitzero"`
	State    Latest[SubState] `json:"state,omitzero"`
	History  History          `json:"history,omitzero"` // what it was before
}

// A SubState is what changes about a subscription.
type SubState struct {
	Status      string `json:"status,omitzero"`
	Paused      bool   `json:"paused,omitzero"`  // pause_collection is set
	Resumes     int64  `json:"resumes,omitzero"` // when that ends by itself; 0 if it does not
	CancelAtEnd bool   `json:"cancel_at_end,omitzero"`
	CancelAt    int64  `json:"cancel_at,omitzero"`
	Ended       int64  `json:"ended,omitzero"`
	PeriodEnd   int64  `json:"period_end,omitzero"`
	Currency    string `json:"currency,omitzero"`
	Amount      int64  `json:"amount,omitzero"` // unit_amount × quantity over its items
	Interval    string `json:"interval,omitzero"`
	Reason      string `json:"reason,omitzero"` // cancellation_details.reason
}

// Join implements [Register].
func (s *Subscription) Join(other Register) {
	o := other.(*Subscription)
	once(&s.Created, o.Created)
	once(&s.Customer, o.Customer)
	s.Metadata.join(o.Metadata)
	s.State.join(o.State)
	s.History.join(o.History)
}

// Links implements [Register].
func (s *Subscription) Links() []Ref { return refs(NewRef(KindCustomer, s.Customer)) }

// Reach implements [Register].
func (s *Subscription) Reach() string {
	return string(encode([]any{s.Customer, s.Metadata.Value, s.State.Value.Interval}))
}

// A Customer is somebody at Stripe. https://docs.stripe.com/api/customers
type Customer struct {
	Deleted bool          `json:"deleted,omitzero"`
	Contact Latest[Payer] `json:"contact,omitzero"`
}

// Join implements [Register].
func (c *Customer) Join(other Register) {
	o := other.(*Customer)
	c.Deleted = c.Deleted || o.Deleted
	c.Contact.join(o.Contact)
}

// Links implements [Register].
func (c *Customer) Links() []Ref { return nil }

// Reach implements [Register].
func (c *Customer) Reach() string { return c.Contact.Value.Email + "\n" + c.Contact.Value.Name }
