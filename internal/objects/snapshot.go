package objects

import "github.com/go-json-experiment/json/jsontext"

// The fields below are those of Stripe's API 2023-10-16 that we read. Fields
// that are null or absent read as zero.

type charge struct {
	Created     int64   `json:"created"`
	Intent      link    `json:"payment_intent"`
	Invoice     link    `json:"invoice"`
	Customer    link    `json:"customer"`
	Transaction link    `json:"balance_transaction"`
	Currency    string  `json:"currency"`
	Status      string  `json:"status"`
	Asked       int64   `json:"amount"`
	Captured    int64   `json:"amount_captured"`
	Refunded    int64   `json:"amount_refunded"`
	Disputed    bool    `json:"disputed"`
	Metadata    Words   `json:"metadata"`
	Billing     details `json:"billing_details"`
	Method      struct {
		Type string `json:"type"`
		Card struct {
			Country string `json:"country"`
		} `json:"card"`
	} `json:"payment_method_details"`
	FailureCode string `json:"failure_code"`
	Refunds     *list  `json:"refunds"` // there only where it was asked for
}

type details struct {
	Email   string `json:"email"`
	Name    string `json:"name"`
	Address struct {
		Country string `json:"country"`
	} `json:"address"`
}

type list struct {
	Data    []jsontext.Value `json:"data"`
	HasMore bool             `json:"has_more"`
}

func (c *charge) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	r := &Charge{
		Created: c.Created, Currency: c.Currency, Status: c.Status, Asked: c.Asked, Captured: c.Captured, Disputed: c.Disputed,
		Intent:      l.follow(c.Intent, KindIntent),
		Invoice:     l.follow(c.Invoice, KindInvoice),
		Customer:    l.follow(c.Customer, KindCustomer),
		Transaction: l.follow(c.Transaction, KindTransaction),
		RefundedAt:  d.from.At, Refunded: c.Refunded,
		Metadata: latest(d, c.Metadata),
		Payer: latest(d, Payer{
			Email: c.Billing.Email, Name: c.Billing.Name, Country: c.Billing.Address.Country,
			CardCountry: c.Method.Card.Country, Method: c.Method.Type,
		}),
		Outcome: latest(d, ChargeOutcome{c.FailureCode}),
	}
	if c.Refunds == nil {
		return r, l.err
	}
	for _, object := range c.Refunds.Data {
		said, err := Decode(object, d.from)
		if err != nil {
			return nil, err
		}
		d.inside = append(d.inside, said...)
	}
	if !c.Refunds.HasMore && d.from.Event == "" {
		r.RefundsListed = d.from.At
	}
	return r, l.err
}

type intent struct {
	Created  int64  `json:"created"`
	Customer link   `json:"customer"`
	Invoice  link   `json:"invoice"`
	Latest   link   `json:"latest_charge"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
	Status   string `json:"status"`
	Metadata Words  `json:"metadata"`
}

func (p *intent) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	l.follow(p.Latest, KindCharge) // the charge names the intent
	return &Intent{
		Created: p.Created, Currency: p.Currency, Amount: p.Amount, Status: p.Status,
		Customer: l.follow(p.Customer, KindCustomer),
		Invoice:  l.follow(p.Invoice, KindInvoice),
		Metadata: latest(d, p.Metadata),
	}, l.err
}

type session struct {
	Created       int64   `json:"created"`
	Expires       int64   `json:"expires_at"`
	Mode          string  `json:"mode"`
	Intent        link    `json:"payment_intent"`
	Subscription  link    `json:"subscription"`
	Invoice       link    `json:"invoice"`
	Customer      link    `json:"customer"`
	Reference     string  `json:"client_reference_id"`
	Currency      string  `json:"currency"`
	Amount        int64   `json:"amount_total"`
	Status        string  `json:"status"`
	PaymentStatus string  `json:"payment_status"`
	Metadata      Words   `json:"metadata"`
	Donor         details `json:"customer_details"`
}

func (s *session) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	return &Session{
		Created: s.Created, Expires: s.Expires, Mode: s.Mode, Reference: s.Reference, Currency: s.Currency,
		Amount: s.Amount, Status: s.Status, PaymentStatus: s.PaymentStatus,
		Failed:       d.from.Event == "checkout.session.async_payment_failed",
		Intent:       l.follow(s.Intent, KindIntent),
		Subscription: l.follow(s.Subscription, KindSubscription),
		Invoice:      l.follow(s.Invoice, KindInvoice),
		Customer:     l.follow(s.Customer, KindCustomer),
		Metadata:     latest(d, s.Metadata),
		Donor:        latest(d, Payer{Email: s.Donor.Email, Name: s.Donor.Name, Country: s.Donor.Address.Country}),
	}, l.err
}

type invoice struct {
	Created      int64  `json:"created"`
	Subscription link   `json:"subscription"`
	Intent       link   `json:"payment_intent"`
	Charge       link   `json:"charge"`
	Customer     link   `json:"customer"`
	Currency     string `json:"currency"`
	Status       string `json:"status"`
	Paid         int64  `json:"amount_paid"`
	OutOfBand    bool   `json:"paid_out_of_band"`
	Reason       string `json:"billing_reason"`
	Attempts     int64  `json:"attempt_count"`
	NextAttempt  int64  `json:"next_payment_attempt"`
	Email        string `json:"customer_email"`
	Name         string `json:"customer_name"`
	Transitions  struct {
		PaidAt int64 `json:"paid_at"`
	} `json:"status_transitions"`
	Details struct {
		Metadata Words `json:"metadata"`
	} `json:"subscription_details"`
	Metadata Words `json:"metadata"`
	Lines    struct {
		Data []struct {
			Type  string `json:"type"`
			Price price  `json:"price"`
		} `json:"data"`
	} `json:"lines"`
}

func (i *invoice) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	r := &Invoice{
		Created: i.Created, Currency: i.Currency, Status: i.Status, Paid: i.Paid, OutOfBand: i.OutOfBand,
		PaidAt: i.Transitions.PaidAt, Attempts: i.Attempts, Reason: i.Reason,
		Subscription: l.follow(i.Subscription, KindSubscription),
		Intent:       l.follow(i.Intent, KindIntent),
		Charge:       l.follow(i.Charge, KindCharge),
		Customer:     l.follow(i.Customer, KindCustomer),
		Inherited:    latest(d, i.Details.Metadata),
		Metadata:     latest(d, i.Metadata),
		Billing:      latest(d, InvoiceState{i.Email, i.Name, i.NextAttempt}),
	}
	// The last subscription line is the new period; before it stand prorations
	// of the old one.
	for _, line := range i.Lines.Data {
		if line.Type == "subscription" {
			r.Interval = line.Price.interval()
		}
	}
	return r, l.err
}

type price struct {
	Unit      int64 `json:"unit_amount"`
	Recurring struct {
		Interval string `json:"interval"`
		Count    int64  `json:"interval_count"`
	} `json:"recurring"`
}

// interval returns month or year; Stripe also bills years as twelve months.
// Any other rhythm keeps Stripe's word.
func (p *price) interval() string {
	if p.Recurring.Interval == "month" && p.Recurring.Count == 12 {
		return "year"
	}
	return p.Recurring.Interval
}

type subscription struct {
	Created  int64  `json:"created"`
	Customer link   `json:"customer"`
	Latest   link   `json:"latest_invoice"`
	Metadata Words  `json:"metadata"`
	Status   string `json:"status"`
	Pause    *struct {
		Resumes int64 `json:"resumes_at"`
	} `json:"pause_collection"`
	CancelAtEnd bool   `json:"cancel_at_period_end"`
	CancelAt    int64  `json:"cancel_at"`
	Ended       int64  `json:"ended_at"`
	PeriodEnd   int64  `json:"current_period_end"`
	Currency    string `json:"currency"`
	Items       struct {
		Data []struct {
			Quantity int64 `json:"quantity"`
			Price    price `json:"price"`
		} `json:"data"`
	} `json:"items"`
	Cancellation struct {
		Reason string `json:"reason"`
	} `json:"cancellation_details"`
}

func (s *subscription) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	l.follow(s.Latest, KindInvoice) // the invoice names the subscription
	state := SubState{
		Status: s.Status, Paused: s.Pause != nil, CancelAtEnd: s.CancelAtEnd, CancelAt: s.CancelAt,
		Ended: s.Ended, PeriodEnd: s.PeriodEnd, Currency: s.Currency, Reason: s.Cancellation.Reason,
	}
	if s.Pause != nil {
		state.Resumes = s.Pause.Resumes
	}
	for _, item := range s.Items.Data {
		state.Amount += item.Price.Unit * item.Quantity
		state.Interval = item.Price.interval()
	}
	r := &Subscription{
		Created: s.Created, Customer: l.follow(s.Customer, KindCustomer),
		Metadata: latest(d, s.Metadata), State: latest(d, state),
	}
	r.State.Final = s.Status == "canceled" || s.Status == "incomplete_expired"
	r.History = historyOf([]sight{sightOf(r.State.Stamp, &state)})
	return r, l.err
}

type customer struct {
	Deleted bool   `json:"deleted"`
	Email   string `json:"email"`
	Name    string `json:"name"`
}

func (c *customer) register(d *decoder) (Register, error) {
	if c.Deleted { // {id, object, deleted}: says nothing of the address
		return &Customer{Deleted: true}, nil
	}
	return &Customer{
		Deleted: d.from.Event == "customer.deleted",
		Contact: latest(d, Payer{Email: c.Email, Name: c.Name}),
	}, nil
}

type refund struct {
	Created            int64  `json:"created"`
	Charge             link   `json:"charge"`
	Intent             link   `json:"payment_intent"`
	Currency           string `json:"currency"`
	Amount             int64  `json:"amount"`
	Status             string `json:"status"`
	Reason             string `json:"reason"`
	Transaction        link   `json:"balance_transaction"`
	FailureTransaction link   `json:"failure_balance_transaction"`
}

func (r *refund) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	return &Refund{
		Created: r.Created, Currency: r.Currency, Amount: r.Amount, Status: r.Status, Reason: r.Reason,
		Charge:             l.follow(r.Charge, KindCharge),
		Intent:             l.follow(r.Intent, KindIntent),
		Transaction:        l.follow(r.Transaction, KindTransaction),
		FailureTransaction: l.follow(r.FailureTransaction, KindTransaction),
	}, l.err
}

type dispute struct {
	Created      int64  `json:"created"`
	Charge       link   `json:"charge"`
	Intent       link   `json:"payment_intent"`
	Currency     string `json:"currency"`
	Amount       int64  `json:"amount"`
	Status       string `json:"status"`
	Reason       string `json:"reason"`
	Transactions []link `json:"balance_transactions"`
	Evidence     struct {
		DueBy int64 `json:"due_by"`
	} `json:"evidence_details"`
}

func (p *dispute) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	r := &Dispute{
		Created: p.Created, Currency: p.Currency, Amount: p.Amount,
		Charge: l.follow(p.Charge, KindCharge),
		Intent: l.follow(p.Intent, KindIntent),
		State:  latest(d, DisputeState{p.Status, p.Reason, p.Evidence.DueBy}),
	}
	for _, t := range p.Transactions {
		if r.Transactions == nil {
			r.Transactions = map[string]bool{}
		}
		if id := l.follow(t, KindTransaction); id != "" {
			r.Transactions[id] = true
		}
	}
	return r, l.err
}

type transaction struct {
	Created   int64          `json:"created"`
	Source    link           `json:"source"`
	Type      string         `json:"type"`
	Currency  string         `json:"currency"`
	Amount    int64          `json:"amount"`
	Fee       int64          `json:"fee"`
	Net       int64          `json:"net"`
	Rate      jsontext.Value `json:"exchange_rate"` // a decimal, kept as Stripe writes it
	Available int64          `json:"available_on"`
}

func (t *transaction) register(*decoder) (Register, error) {
	r := &Transaction{
		Created: t.Created, Source: t.Source.id, Type: t.Type, Currency: t.Currency,
		Amount: t.Amount, Fee: t.Fee, Net: t.Net, Available: t.Available,
	}
	if t.Rate.Kind() == '0' {
		r.Rate = string(t.Rate)
	}
	return r, nil
}

type payout struct {
	Created        int64  `json:"created"`
	Arrival        int64  `json:"arrival_date"`
	Currency       string `json:"currency"`
	Amount         int64  `json:"amount"`
	Automatic      bool   `json:"automatic"`
	Status         string `json:"status"`
	Reconciliation string `json:"reconciliation_status"`
	FailureCode    string `json:"failure_code"`
	Transaction    link   `json:"balance_transaction"`
}

func (p *payout) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	return &Payout{
		Created: p.Created, Arrival: p.Arrival, Currency: p.Currency, Amount: p.Amount, Automatic: p.Automatic,
		Status: p.Status,
		State:  latest(d, PayoutState{p.Reconciliation, p.FailureCode, l.follow(p.Transaction, KindTransaction)}),
	}, l.err
}

type warning struct {
	Created    int64  `json:"created"`
	Charge     link   `json:"charge"`
	Type       string `json:"fraud_type"`
	Actionable bool   `json:"actionable"`
}

func (w *warning) register(d *decoder) (Register, error) {
	l := links{decoder: d}
	return &Warning{
		Created: w.Created, Charge: l.follow(w.Charge, KindCharge), Type: w.Type,
		Actionable: latest(d, w.Actionable),
	}, l.err
}
