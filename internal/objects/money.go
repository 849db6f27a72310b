package objects

import "strings"

// A Refund is money on its way back. https://docs.stripe.com/api/refunds
type Refund struct {
	Created            int64
	Charge             string
	Intent             string
	Currency           string
	Amount             int64
	Status             string
	Reason             string
	Transaction        string
	FailureTransaction string
}

func (r *Refund) fields(f *form) {
	f.number("created", &r.Created)
	f.text("charge", &r.Charge)
	f.text("intent", &r.Intent)
	f.text("currency", &r.Currency)
	f.number("amount", &r.Amount)
	f.text("status", &r.Status)
	f.text("reason", &r.Reason)
	f.text("transaction", &r.Transaction)
	f.text("failure_transaction", &r.FailureTransaction)
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
	Created      int64
	Charge       string
	Intent       string
	Currency     string
	Amount       int64
	Transactions map[string]bool // ids of its balance transactions
	State        Latest[DisputeState]
}

func (d *Dispute) fields(f *form) {
	f.number("created", &d.Created)
	f.text("charge", &d.Charge)
	f.text("intent", &d.Intent)
	f.text("currency", &d.Currency)
	f.number("amount", &d.Amount)
	f.set("transactions", &d.Transactions)
	f.object("state", &d.State)
}

// A DisputeState is where a dispute stands. No status is final: a lost one can
// be reversed and an inquiry can become a dispute.
type DisputeState struct {
	Status string
	Reason string
	DueBy  int64 // last day for evidence, seconds since 1970
}

func (d *DisputeState) fields(f *form) {
	f.text("status", &d.Status)
	f.text("reason", &d.Reason)
	f.number("due_by", &d.DueBy)
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
	d.State.join(&o.State)
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
	Created   int64
	Source    string // id of what moved it
	Type      string
	Currency  string // of settlement
	Amount    int64
	Fee       int64 // negative where Stripe gave one back
	Net       int64
	Rate      string // minor unit to minor unit, as Stripe writes it
	Available int64  // available_on
	Payout    string // the deposit it is part of
}

func (t *Transaction) fields(f *form) {
	f.number("created", &t.Created)
	f.text("source", &t.Source)
	f.text("type", &t.Type)
	f.text("currency", &t.Currency)
	f.number("amount", &t.Amount)
	f.number("fee", &t.Fee)
	f.number("net", &t.Net)
	f.text("rate", &t.Rate)
	f.number("available", &t.Available)
	f.text("payout", &t.Payout)
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
	Created   int64
	Arrival   int64
	Currency  string
	Amount    int64
	Automatic bool
	Status    string
	Listed    int64 // when its transactions were last listed
	State     Latest[PayoutState]
}

func (p *Payout) fields(f *form) {
	f.number("created", &p.Created)
	f.number("arrival", &p.Arrival)
	f.text("currency", &p.Currency)
	f.number("amount", &p.Amount)
	f.truth("automatic", &p.Automatic)
	f.text("status", &p.Status)
	f.number("listed", &p.Listed)
	f.object("state", &p.State)
}

// A PayoutState is what changes about a payout besides its status.
type PayoutState struct {
	Reconciliation string // reconciliation_status
	FailureCode    string
	Transaction    string
}

func (p *PayoutState) fields(f *form) {
	f.text("reconciliation", &p.Reconciliation)
	f.text("failure_code", &p.FailureCode)
	f.text("transaction", &p.Transaction)
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
	p.State.join(&o.State)
}

// Links implements [Register].
func (p *Payout) Links() []Ref { return nil }

// Reach implements [Register].
func (p *Payout) Reach() string { return "" }

// A Warning is a card issuer's early fraud warning. It moves no money.
// https://docs.stripe.com/api/radar/early_fraud_warnings
type Warning struct {
	Created    int64
	Charge     string
	Type       string
	Actionable Latest[bool]
}

func (w *Warning) fields(f *form) {
	f.number("created", &w.Created)
	f.text("charge", &w.Charge)
	f.text("type", &w.Type)
	f.object("actionable", &w.Actionable)
}

// Join implements [Register].
func (w *Warning) Join(other Register) {
	o := other.(*Warning)
	once(&w.Created, o.Created)
	once(&w.Charge, o.Charge)
	once(&w.Type, o.Type)
	w.Actionable.join(&o.Actionable)
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
