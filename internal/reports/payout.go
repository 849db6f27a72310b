package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// What a line of a payout is about.
const (
	LineDonation   = "donation"   // a gift of ours came in
	LineRefund     = "refund"     // of a gift of ours, or one that failed and came back
	LineDispute    = "dispute"    // of a gift of ours: taken, or given back
	LineFee        = "fee"        // of Stripe's, that belongs to no payment
	LineAdjustment = "adjustment" // anything else: a returned payout, a reserve
	LineForeign    = "foreign"    // a payment that is not ours, its refund or dispute
)

// How far a payout can be told apart.
const (
	PayoutComplete = "complete" // its lines come to its amount
	PayoutWaiting  = "waiting"  // its lines are not listed yet
	PayoutDiffers  = "differs"  // its lines do not come to its amount
	PayoutManual   = "manual"   // Stripe does not itemise it
)

// linesAtOnce is how many lines of a payout are read together.
const linesAtOnce = 500

// A PayoutReport is the bank deposits of a period, by their day of arrival.
type PayoutReport struct {
	From     string        `json:"from"`
	To       string        `json:"to"`       // the day after the last
	Timezone string        `json:"timezone"` // UTC: Stripe dates deposits so
	AsOf     time.Time     `json:"as_of"`
	Payouts  []Payout      `json:"payouts"` // by arrival, then id
	Totals   []PayoutTotal `json:"totals"`  // by currency
}

// A PayoutTotal sums the deposits in one currency that were not returned or
// canceled.
type PayoutTotal struct {
	Currency string `json:"currency"`
	Payouts  int64  `json:"payouts"`
	Amount   int64  `json:"amount_minor"`
}

// A Payout is one bank deposit and what it consists of. All amounts are in
// minor units of its currency.
type Payout struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Arrival   string    `json:"arrival"` // the day, as Stripe expects it
	Status    string    `json:"status"`  // Stripe's
	Automatic bool      `json:"automatic"`
	Currency  string    `json:"currency"`
	Amount    int64     `json:"amount_minor"`   // negative where Stripe took money from the bank
	Itemised  *int64    `json:"itemised_minor"` // what the lines come to; nil unless they were listed
	State     string    `json:"state"`          // complete, waiting, differs or manual
	Note      string    `json:"note"`           // what a reader should know; "" where nothing
	Parts     []Part    `json:"parts"`          // by kind; what is known of them so far
}

// A Part is the lines of one kind in a payout.
type Part struct {
	Kind   string `json:"kind"`
	Lines  int64  `json:"lines"`
	Amount int64  `json:"amount_minor"`
	Fee    int64  `json:"fee_minor"`
	Net    int64  `json:"net_minor"` // amount − fee, as Stripe booked it
}

// A PayoutLine is one balance transaction of a payout.
type PayoutLine struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	Kind      string    `json:"kind"`
	Type      string    `json:"type"`               // Stripe's
	Source    string    `json:"source,omitzero"`    // id of the charge, refund, dispute or payout; for finance alone
	Donation  string    `json:"donation,omitempty"` // id of the gift it belongs to
	Currency  string    `json:"currency"`
	Amount    int64     `json:"amount_minor"`
	Fee       int64     `json:"fee_minor"`
	Net       int64     `json:"net_minor"`
}

// ParsePayoutDays reads the period of a payout report. It returns a
// [fault.Invalid] that names from or to.
func ParsePayoutDays(from, to string) (first, end time.Time, err error) {
	if first, err = parseDay("from", from); err != nil {
		return first, end, err
	}
	if end, err = parseDay("to", to); err != nil {
		return first, end, err
	}
	if !end.After(first) {
		return first, end, fault.Field("to", "The day %s is not after from, %s; to is the day after the last one.", to, from)
	}
	return first, end, nil
}

// PayoutReport returns the deposits that arrive from a day to the one before
// another.
func (s *Service) PayoutReport(ctx context.Context, from, to time.Time) (PayoutReport, error) {
	r := PayoutReport{
		From: from.Format(time.DateOnly), To: to.Format(time.DateOnly), Timezone: time.UTC.String(),
		AsOf: s.now().UTC().Truncate(time.Second), Payouts: []Payout{}, Totals: []PayoutTotal{},
	}
	stored, err := s.store.Payouts(ctx)
	if err != nil {
		return PayoutReport{}, err
	}
	totals := map[string]PayoutTotal{}
	for _, one := range stored {
		register, err := payoutRegister(one)
		if err != nil {
			return PayoutReport{}, err
		}
		if arrival := time.Unix(register.Arrival, 0).UTC(); register.Created == 0 || arrival.Before(from) || !arrival.Before(to) {
			continue
		}
		p, err := s.payout(ctx, objects.Ref(one.Ref), register, func(PayoutLine) {})
		if err != nil {
			return PayoutReport{}, err
		}
		r.Payouts = append(r.Payouts, p)
		if !returned(register) {
			sum := totals[p.Currency]
			totals[p.Currency] = PayoutTotal{p.Currency, sum.Payouts + 1, sum.Amount + p.Amount}
		}
	}
	slices.SortFunc(r.Payouts, func(a, b Payout) int { return cmp.Or(cmp.Compare(a.Arrival, b.Arrival), cmp.Compare(a.ID, b.ID)) })
	for _, total := range totals {
		r.Totals = append(r.Totals, total)
	}
	slices.SortFunc(r.Totals, func(a, b PayoutTotal) int { return cmp.Compare(a.Currency, b.Currency) })
	return r, nil
}

// Payout returns one deposit with its lines, by creation and id, or a
// [fault.NotFound].
func (s *Service) Payout(ctx context.Context, id string) (Payout, []PayoutLine, error) {
	ref := objects.NewRef(objects.KindPayout, id)
	states, err := s.store.Registers(ctx, []string{string(ref)})
	if err != nil {
		return Payout{}, nil, err
	}
	register := new(objects.Payout)
	if state, ok := states[string(ref)]; ok {
		if register, err = payoutRegister(store.StoredRegister{Ref: string(ref), State: state}); err != nil {
			return Payout{}, nil, err
		}
	}
	if register.Created == 0 {
		return Payout{}, nil, fault.New(fault.NotFound, "There is no such payout.")
	}
	lines := []PayoutLine{}
	p, err := s.payout(ctx, ref, register, func(line PayoutLine) { lines = append(lines, line) })
	slices.SortFunc(lines, func(a, b PayoutLine) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	return p, lines, err
}

func payoutRegister(stored store.StoredRegister) (*objects.Payout, error) {
	register, err := objects.DecodeRegister(objects.KindPayout, stored.State)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", stored.Ref, err)
	}
	return register.(*objects.Payout), nil
}

// payout sums a payout's lines and calls each with every one of them.
func (s *Service) payout(ctx context.Context, ref objects.Ref, register *objects.Payout, each func(PayoutLine)) (Payout, error) {
	p := Payout{
		ID: ref.ID(), CreatedAt: time.Unix(register.Created, 0).UTC(),
		Arrival: time.Unix(register.Arrival, 0).UTC().Format(time.DateOnly), Status: register.Status,
		Automatic: register.Automatic, Currency: strings.ToUpper(register.Currency), Amount: register.Amount,
	}
	parts, sum, mixed := map[string]Part{}, int64(0), false
	err := s.payoutLines(ctx, ref, func(line PayoutLine) {
		part := parts[line.Kind]
		parts[line.Kind] = Part{line.Kind, part.Lines + 1, part.Amount + line.Amount, part.Fee + line.Fee, part.Net + line.Net}
		sum += line.Net
		mixed = mixed || line.Currency != p.Currency
		each(line)
	})
	if err != nil {
		return Payout{}, fmt.Errorf("payout %s: %w", p.ID, err)
	}
	p.Parts = []Part{}
	for _, kind := range []string{LineDonation, LineRefund, LineDispute, LineFee, LineAdjustment, LineForeign} {
		if part, ok := parts[kind]; ok {
			p.Parts = append(p.Parts, part)
		}
	}
	p.judge(register, sum, mixed)
	return p, nil
}

// judge says how far the payout can be told apart, given what its lines come to.
func (p *Payout) judge(register *objects.Payout, sum int64, mixed bool) {
	var notes []string
	if returned(register) {
		note := "The money did not reach the bank"
		if code := register.State.Value.FailureCode; code != "" {
			note += " (" + code + ")"
		}
		notes = append(notes, note+"; it went back to the balance and leaves it with a later payout.")
	}
	switch {
	case !register.Automatic:
		p.State = PayoutManual
		notes = append(notes, "Stripe does not itemise a manual payout.")
	case register.Listed == 0:
		p.State = PayoutWaiting
		notes = append(notes, "Its lines are not listed yet; Stripe tells them once the payout is reconciled.")
	case mixed:
		p.State = PayoutDiffers
		notes = append(notes, "Some of its lines are in another currency, so they can't be summed.")
	case sum != p.Amount:
		p.State, p.Itemised = PayoutDiffers, &sum
		lines := money.Amount{Minor: sum, Currency: p.Currency}
		notes = append(notes, fmt.Sprintf("Its lines come to %s, which is not its amount; `support reconcile` lists them again.", lines))
	default:
		p.State, p.Itemised = PayoutComplete, &sum
	}
	p.Note = strings.Join(notes, " ")
}

// returned reports whether a payout's money is back in the balance.
func returned(register *objects.Payout) bool {
	return register.Status == "failed" || register.Status == "canceled"
}
