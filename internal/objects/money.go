package objects

import "strings"

// A Refund is money on its way back. https://docs.stripe.com/api/refunds
type Refund struct {
	Created            int64  `json:"created,omitzero"`
	Charge             string `json:"charge,omitzero"`
	Intent             string `json:"intent,omitzero"`
	Currency           string `json:"currency,omitzero"`
	Amount             int64  `json:"amount,omitzero"`
	Status             string `json:"status,omitzero"`
	Reason             string `json:"reason,omitzero"`
	Transaction        string `json:"transaction,omitzero"`
	FailureTransaction string `json:"failure_transaction,omitzero"`
}

// Join implements [Register].
func (r *Refund) Join(other Register) {
	o := other.(*Refund)
	once(&r.Created, o.Created)
	once(&r.Charge, o.Charge)
	once(&r.Intent, o.Intent)
	once(&r.Currency, o.Currency)
	once(&r.Amount, o.Amount)
	r.Status = refundRank.higher(r.Status, o.Status)
	once(&r.Reason, o.Reason)
	once(&r.Transaction, o.Transaction)
	once(&r.FailureTransaction, o.FailureTransaction)
}

// Links implements [Register].
func (r *Refund) Links() []Ref {
	return refs(NewRef(KindCharge, r.Charge), NewRef(KindIntent, r.Intent),
		NewRef(KindTransaction, r.Transaction), NewRef(KindTransaction, r.FailureTransaction))
}

// Reach implements [Register].
func (r *Refund) Reach() string { return "" }

// Counts reports whether the refund takes money: it has not failed and was not
// canceled.
func (r *Refund) Counts() bool { return r.Status != "failed" && r.Status != "canceled" }

// Orphan reports whether the refund names nothing that was paid: it takes money
// from no gift, and whose it is has to be looked for.
func (r *Refund) Orphan() bool { return r.Charge == "" && r.Intent == "" }

// A Dispute is a donor's bank asking for the money back.
// https://docs.stripe.com/api/disputes
type Dispute struct {
	Created      int64                `json:"created,omitzero"`
	Charge       string               `json:"charge,omitzero"`
	Intent       string               `json:"intent,omitzero"`
	Currency     string               `json:"currency,omitzero"`
	Amount       int64                `json:"amount,omitzero"`
	Transactions map[string]bool      `json:"transactions,omitzero"` // ids of its balance transactions
	State        Latest[DisputeState] `json:"state,omitzero"`
}

// A DisputeState is where a dispute stands. No status is final: a lost one can
// be reversed and an inquiry can become a dispute.
type DisputeState struct {
	Status string `json:"status,omitzero"`
	Reason string `json:"reason,omitzero"`
	DueBy  int64  `json:"due_by,omitzero"` // last day for evidence, seconds since 1970
}

// Join implements [Register].
func (d *Dispute) Join(other Register) {
	o := other.(*Dispute)
	once(&d.Created, o.Created)
	once(&d.Charge, o.Charge)
	once(&d.Intent, o.Intent)
	once(&d.Currency, o.Currency)
	once(&d.Amount, o.Amount)
	for id := range o.Transactions {
		if d.Transactions == nil {
			d.Transactions = map[string]bool{}
		}
		d.Transactions[id] = true
	}
	d.State.join(o.State)
}

// Links implements [Register].
func (d *Dispute) Links() []Ref {
	links := refs(NewRef(KindCharge, d.Charge), NewRef(KindIntent, d.Intent))
	for id := range d.Transactions {
		links = append(links, NewRef(KindTransaction, id))
	}
	return links
}

// Reach implements [Register].
func (d *Dispute) Reach() string { return "" }

// Takes reports whether the dispute holds money back: it is open or lost. An
// inquiry (warning_*) and a won dispute take nothing, and one that ended because
// the charge was refunded leaves the taking to the refund.
func (d *Dispute) Takes() bool {
	switch d.State.Value.Status {
	case "needs_response", "under_review", "lost":
		return true
	}
	return false
}

// A Transaction is one movement of our balance at Stripe: where fees and net
// come from. It never changes but for its status.
// https://docs.stripe.com/api/balance_transactions
type Transaction struct {
	Created   int64  `json:"created,omitzero"`
	Source    string `json:"source,omitzero"` // id of what moved it
	Type      string `json:"type,omitzero"`
	Currency  string `json:"currency,omitzero"` // of settlement
	Amount    int64  `json:"amount,omitzero"`
	Fee       int64  `json:"fee,omitzero"` // negative where Stripe gave one back
	Net       int64  `json:"net,omitzero"`
	Rate      string `json:"rate,omitzero"`      // minor unit to minor unit, as Stripe writes it
	Available int64  `json:"available,omitzero"` // available_on
	Payout    string `json:"payout,omitzero"`    // the deposit it is part of
}

// Join implements [Register].
func (t *Transaction) Join(other Register) {
	o := other.(*Transaction)
	once(&t.Created, o.Created)
	once(&t.Source, o.Source)
	once(&t.Type, o.Type)
	once(&t.Currency, o.Currency)
	once(&t.Amount, o.Amount)
	once(&t.Fee, o.Fee)
	once(&t.Net, o.Net)
	once(&t.Rate, o.Rate)
	once(&t.Available, o.Available)
	once(&t.Payout, o.Payout)
}

// Links implements [Register].
func (t *Transaction) Links() []Ref {
	return refs(sourceRef(t.Source), NewRef(KindPayout, t.Payout))
}

// Reach implements [Register].
func (t *Transaction) Reach() string { return "" }

// A Payout is one bank deposit. https://docs.stripe.com/api/payouts
type Payout struct {
	Created   int64               `json:"created,omitzero"`
	Arrival   int64               `json:"arrival,omitzero"`
	Currency  string              `json:"currency,omitzero"`
	Amount    int64               `json:"amount,omitzero"`
	Automatic bool                `json:"automatic,omitzero"`
	Status    string              `json:"status,omitzero"`
	Listed    int64               `json:"listed,omitzero"` // when its transactions were last listed
	State     Latest[PayoutState] `json:"state,omitzero"`
}

// A PayoutState is what changes about a payout besides its status.
type PayoutState struct {
	Reconciliation string `json:"reconciliation,omitzero"` // reconciliation_status
	FailureCode    string `json:"failure_code,omitzero"`
	Transaction    string `json:"transaction,omitzero"`
}

// Join implements [Register].
func (p *Payout) Join(other Register) {
	o := other.(*Payout)
	once(&p.Created, o.Created)
	once(&p.Arrival, o.Arrival)
	once(&p.Currency, o.Currency)
	once(&p.Amount, o.Amount)
	p.Automatic = p.Automatic || o.Automatic
	p.Status = payoutRank.higher(p.Status, o.Status)
	p.Listed = max(p.Listed, o.Listed)
	p.State.join(o.State)
}

// Links implements [Register].
func (p *Payout) Links() []Ref { return nil }

// Reach implements [Register].
func (p *Payout) Reach() string { return "" }

// A Warning is a card issuer's early fraud warning. It moves no money.
// https://docs.stripe.com/api/radar/early_fraud_warnings
type Warning struct {
	Created    int64        `json:"created,omitzero"`
	Charge     string       `json:"charge,omitzero"`
	Type       string       `json:"type,omitzero"`
	Actionable Latest[bool] `json:"actionable,omitzero"`
}

// Join implements [Register].
func (w *Warning) Join(other Register) {
	o := other.(*Warning)
	once(&w.Created, o.Created)
	once(&w.Charge, o.Charge)
	once(&w.Type, o.Type)
	w.Actionable.join(o.Actionable)
}

// Links implements [Register].
func (w *Warning) Links() []Ref { return refs(NewRef(KindCharge, w.Charge)) }

// Reach implements [Register].
func (w *Warning) Reach() string { return "" }

// sourceRef names what a balance transaction came from, by the prefix of its
// id; it is "" for sources that no donation has.
func sourceRef(id string) Ref {
	prefix, _, _ := strings.Cut(id, "_")
	switch prefix {
	case "ch", "py":
		return NewRef(KindCharge, id)
	case "re", "pyr":
		return NewRef(KindRefund, id)
	case "dp", "du":
		return NewRef(KindDispute, id)
	case "po":
		return NewRef(KindPayout, id)
	}
	return ""
}
