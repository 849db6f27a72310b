package objects

import "fmt"

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

	described
}

// Encode returns r as text that is equal for equal registers.
func Encode(r Register) string {
	f := write(r)
	defer forms.Put(f)
	return string(f.out)
}

// DecodeRegister reads what [Encode] wrote for an object of a kind. The texts
// of the register are parts of text.
func DecodeRegister(kind Kind, text string) (Register, error) {
	r := Empty(kind)
	if r == nil {
		return nil, fmt.Errorf("a stored register is of the unknown kind %q", kind)
	}
	if err := read(text, r); err != nil {
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
	Created       int64
	Intent        string
	Invoice       string
	Customer      string
	Transaction   string
	Currency      string // as Stripe writes it, lower case
	Status        string
	Captured      int64 // amount_captured
	Asked         int64 // amount, as it was said just now; not kept
	RefundedAt    int64
	Refunded      int64 // amount_refunded as of RefundedAt
	RefundsListed int64 // when all its refunds were last listed
	Disputed      bool  // stays true once it was
	Metadata      Metadata
	Payer         Latest[Payer]
	Outcome       Latest[ChargeOutcome]
}

func (c *Charge) fields(f *form) {
	f.number("created", &c.Created)
	f.text("intent", &c.Intent)
	f.text("invoice", &c.Invoice)
	f.text("customer", &c.Customer)
	f.text("transaction", &c.Transaction)
	f.text("currency", &c.Currency)
	f.text("status", &c.Status)
	f.number("captured", &c.Captured)
	f.number("refunded_at", &c.RefundedAt)
	f.number("refunded", &c.Refunded)
	f.number("refunds_listed", &c.RefundsListed)
	f.truth("disputed", &c.Disputed)
	f.object("metadata", &c.Metadata)
	f.object("payer", &c.Payer)
	f.object("outcome", &c.Outcome)
}

// A Payer is who paid a charge, and how.
type Payer struct {
	Email       string
	Name        string
	Country     string // of the billing address
	CardCountry string // where the card was issued
	Method      string // payment_method_details.type
}

func (p *Payer) fields(f *form) {
	f.text("email", &p.Email)
	f.text("name", &p.Name)
	f.text("country", &p.Country)
	f.text("card_country", &p.CardCountry)
	f.text("method", &p.Method)
}

// A ChargeOutcome is why a charge failed.
type ChargeOutcome struct {
	FailureCode string
}

func (c *ChargeOutcome) fields(f *form) {
	f.text("failure_code", &c.FailureCode)
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
	c.Metadata.join(&o.Metadata)
	c.Payer.join(&o.Payer)
	c.Outcome.join(&o.Outcome)
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
	Created  int64
	Customer string
	Invoice  string
	Currency string
	Amount   int64
	Status   string
	Metadata Metadata
}

func (i *Intent) fields(f *form) {
	f.number("created", &i.Created)
	f.text("customer", &i.Customer)
	f.text("invoice", &i.Invoice)
	f.text("currency", &i.Currency)
	f.number("amount", &i.Amount)
	f.text("status", &i.Status)
	f.object("metadata", &i.Metadata)
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
	p.Metadata.join(&o.Metadata)
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
	Created       int64
	Expires       int64
	Mode          string
	Intent        string
	Subscription  string
	Invoice       string
	Customer      string
	Reference     string // client_reference_id
	Currency      string
	Amount        int64
	Status        string
	PaymentStatus string
	Failed        bool // a delayed payment that did not come
	Metadata      Metadata
	Donor         Latest[Payer] // customer_details
}

func (s *Session) fields(f *form) {
	f.number("created", &s.Created)
	f.number("expires", &s.Expires)
	f.text("mode", &s.Mode)
	f.text("intent", &s.Intent)
	f.text("subscription", &s.Subscription)
	f.text("invoice", &s.Invoice)
	f.text("customer", &s.Customer)
	f.text("reference", &s.Reference)
	f.text("currency", &s.Currency)
	f.number("amount", &s.Amount)
	f.text("status", &s.Status)
	f.text("payment_status", &s.PaymentStatus)
	f.truth("failed", &s.Failed)
	f.object("metadata", &s.Metadata)
	f.object("donor", &s.Donor)
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
	s.Metadata.join(&o.Metadata)
	s.Donor.join(&o.Donor)
}

// Links implements [Register].
func (s *Session) Links() []Ref {
	return refs(NewRef(KindIntent, s.Intent), NewRef(KindSubscription, s.Subscription),
		NewRef(KindInvoice, s.Invoice), NewRef(KindCustomer, s.Customer))
}

// Reach implements [Register].
func (s *Session) Reach() string {
	return Encode(&Session{
		Intent: s.Intent, Subscription: s.Subscription, Invoice: s.Invoice, Customer: s.Customer,
		Metadata: Metadata{Value: s.Metadata.Value}, Donor: Latest[Payer]{Value: s.Donor.Value},
	})
}

// An Invoice is one bill of a subscription. https://docs.stripe.com/api/invoices
type Invoice struct {
	Created      int64
	Subscription string
	Intent       string
	Charge       string
	Customer     string
	Currency     string
	Status       string
	Paid         int64 // amount_paid
	PaidAt       int64 // status_transitions.paid_at
	OutOfBand    bool
	Interval     string // of its subscription line, as billed
	Reason       string // billing_reason
	Attempts     int64
	Inherited    Metadata // subscription_details.metadata
	Metadata     Metadata
	Billing      Latest[InvoiceState]
}

func (i *Invoice) fields(f *form) {
	f.number("created", &i.Created)
	f.text("subscription", &i.Subscription)
	f.text("intent", &i.Intent)
	f.text("charge", &i.Charge)
	f.text("customer", &i.Customer)
	f.text("currency", &i.Currency)
	f.text("status", &i.Status)
	f.number("paid", &i.Paid)
	f.number("paid_at", &i.PaidAt)
	f.truth("out_of_band", &i.OutOfBand)
	f.text("interval", &i.Interval)
	f.text("reason", &i.Reason)
	f.number("attempts", &i.Attempts)
	f.object("inherited", &i.Inherited)
	f.object("metadata", &i.Metadata)
	f.object("billing", &i.Billing)
}

// An InvoiceState is what may change about an invoice until it is paid.
type InvoiceState struct {
	Email       string // customer_email
	Name        string
	NextAttempt int64 // 0 after the last
}

func (i *InvoiceState) fields(f *form) {
	f.text("email", &i.Email)
	f.text("name", &i.Name)
	f.number("next_attempt", &i.NextAttempt)
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
	i.Inherited.join(&o.Inherited)
	i.Metadata.join(&o.Metadata)
	i.Billing.join(&o.Billing)
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
	Created  int64
	Customer string
	Metadata Metadata
	State    Latest[SubState]
	History  History // what it was before
}

func (s *Subscription) fields(f *form) {
	f.number("created", &s.Created)
	f.text("customer", &s.Customer)
	f.object("metadata", &s.Metadata)
	f.object("state", &s.State)
	f.text("history", (*string)(&s.History))
}

// A SubState is what changes about a subscription.
type SubState struct {
	Status      string
	Paused      bool  // pause_collection is set
	Resumes     int64 // when that ends by itself; 0 if it does not
	CancelAtEnd bool
	CancelAt    int64
	Ended       int64
	PeriodEnd   int64
	Currency    string
	Amount      int64 // unit_amount × quantity over its items
	Interval    string
	Reason      string // cancellation_details.reason
}

func (s *SubState) fields(f *form) {
	f.text("status", &s.Status)
	f.truth("paused", &s.Paused)
	f.number("resumes", &s.Resumes)
	f.truth("cancel_at_end", &s.CancelAtEnd)
	f.number("cancel_at", &s.CancelAt)
	f.number("ended", &s.Ended)
	f.number("period_end", &s.PeriodEnd)
	f.text("currency", &s.Currency)
	f.number("amount", &s.Amount)
	f.text("interval", &s.Interval)
	f.text("reason", &s.Reason)
}

// Join implements [Register].
func (s *Subscription) Join(other Register) {
	o := other.(*Subscription)
	once(&s.Created, o.Created)
	once(&s.Customer, o.Customer)
	s.Metadata.join(&o.Metadata)
	s.State.join(&o.State)
	s.History.join(o.History)
}

// Links implements [Register].
func (s *Subscription) Links() []Ref { return refs(NewRef(KindCustomer, s.Customer)) }

// Reach implements [Register].
func (s *Subscription) Reach() string {
	return Encode(&Subscription{
		Customer: s.Customer, Metadata: Metadata{Value: s.Metadata.Value},
		State: Latest[SubState]{Value: SubState{Interval: s.State.Value.Interval}},
	})
}

// A Customer is somebody at Stripe. https://docs.stripe.com/api/customers
type Customer struct {
	Deleted bool
	Contact Latest[Payer]
}

func (c *Customer) fields(f *form) {
	f.truth("deleted", &c.Deleted)
	f.object("contact", &c.Contact)
}

// Join implements [Register].
func (c *Customer) Join(other Register) {
	o := other.(*Customer)
	c.Deleted = c.Deleted || o.Deleted
	c.Contact.join(&o.Contact)
}

// Links implements [Register].
func (c *Customer) Links() []Ref { return nil }

// Reach implements [Register].
func (c *Customer) Reach() string { return c.Contact.Value.Email + "\n" + c.Contact.Value.Name }
