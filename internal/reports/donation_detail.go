package reports

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
)

// A donationDetail is one gift with what became of it. Nothing in it is
// computed from a rate.
type donationDetail struct {
	donation
	SettlementRate *string         `json:"settlement_rate"` // minor unit to minor unit, as Stripe writes it; nil where nothing was converted or it is not known
	Elsewhere      []balance       `json:"elsewhere"`       // fee and net in yet other currencies
	Refunds        []refundShown   `json:"refunds"`         // by creation, then id
	Disputes       []disputeShown  `json:"disputes"`        // by creation, then id
	Payout         *payoutOfCharge `json:"payout"`          // nil while it is not known
}

// A balance is fee and net in one currency.
type balance struct {
	Currency string `json:"currency"`
	Fee      int64  `json:"fee_minor"`
	Net      int64  `json:"net_minor"`
}

// A refundShown is a refund of any status: failed and canceled ones take
// nothing.
type refundShown struct {
	ID        string    `json:"id,omitzero"` // for finance alone
	CreatedAt time.Time `json:"created_at"`
	Currency  string    `json:"currency"`
	Amount    int64     `json:"amount_minor"`
	Status    string    `json:"status"` // Stripe's
	Reason    string    `json:"reason"`
}

// A disputeShown is a dispute or inquiry of any status.
type disputeShown struct {
	ID        string     `json:"id,omitzero"` // for finance alone
	CreatedAt time.Time  `json:"created_at"`
	Currency  string     `json:"currency"`
	Amount    int64      `json:"amount_minor"`
	Status    string     `json:"status"` // Stripe's
	Reason    string     `json:"reason"`
	RespondBy *time.Time `json:"respond_by"` // nil where no evidence is asked for
}

// A payoutOfCharge is the bank deposit that the gift's charge is part of.
type payoutOfCharge struct {
	ID      string `json:"id"`
	Arrival string `json:"arrival"`
	Status  string `json:"status"`
}

// detail adds to a gift what the objects say that belong to it.
func (s *Service) detail(ctx context.Context, d *giving.Donation, role string) (donationDetail, error) {
	out := donationDetail{donation: shown(d, role), Elsewhere: []balance{}, Refunds: []refundShown{}, Disputes: []disputeShown{}}
	for _, b := range d.Elsewhere {
		out.Elsewhere = append(out.Elsewhere, balance(b))
	}
	names, err := s.named(ctx, d)
	if err != nil {
		return donationDetail{}, err
	}
	var charge objects.Charge
	bookings := map[string]*objects.Transaction{}
	err = s.decoded(ctx, names, func(ref objects.Ref, register objects.Register) {
		switch o := register.(type) {
		case *objects.Charge:
			if ref.ID() == d.Charge {
				charge = *o
			}
		case *objects.Transaction:
			bookings[ref.ID()] = o
		case *objects.Refund:
			out.Refunds = append(out.Refunds, refundShown{
				ref.ID(), time.Unix(o.Created, 0).UTC(), strings.ToUpper(o.Currency), o.Amount, o.Status, o.Reason,
			})
		case *objects.Dispute:
			out.Disputes = append(out.Disputes, disputeOf(ref.ID(), o))
		}
	})
	if err != nil {
		return donationDetail{}, err
	}
	slices.SortFunc(out.Refunds, func(a, b refundShown) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(out.Disputes, func(a, b disputeShown) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	if role != RoleFinance {
		for i := range out.Refunds {
			out.Refunds[i].ID = ""
		}
		for i := range out.Disputes {
			out.Disputes[i].ID = ""
		}
	}
	booked := bookingOf(d.Charge, charge.Transaction, bookings)
	if booked == nil {
		return out, nil
	}
	if booked.Rate != "" {
		out.SettlementRate = &booked.Rate
	}
	err = s.decoded(ctx, []string{string(objects.NewRef(objects.KindPayout, booked.Payout))}, func(ref objects.Ref, register objects.Register) {
		if p := register.(*objects.Payout); p.Created != 0 {
			out.Payout = &payoutOfCharge{ref.ID(), time.Unix(p.Arrival, 0).UTC().Format(time.DateOnly), p.Status}
		}
	})
	return out, err
}

// named returns the refs of a gift's charge and of what names its PaymentIntent
// or one of its charges.
func (s *Service) named(ctx context.Context, d *giving.Donation) ([]string, error) {
	charge := string(objects.NewRef(objects.KindCharge, d.Charge))
	names, err := s.store.Naming(ctx, []string{string(objects.NewRef(objects.KindIntent, d.Key)), charge})
	if err != nil {
		return nil, err
	}
	var others []string // charges under the same PaymentIntent
	for _, name := range names {
		if objects.Ref(name).Kind() == objects.KindCharge && name != charge {
			others = append(others, name)
		}
	}
	more, err := s.store.Naming(ctx, others)
	if err != nil {
		return nil, err
	}
	// The charge names its balance transaction, seldom the other way round.
	states, err := s.store.Registers(ctx, []string{charge})
	if err != nil {
		return nil, err
	}
	names = append(append(names, more...), charge)
	if state, ok := states[charge]; ok {
		register, err := objects.DecodeRegister(objects.KindCharge, state)
		if err != nil {
			return nil, err
		}
		for _, ref := range register.Links() {
			if ref.Kind() == objects.KindTransaction {
				names = append(names, string(ref))
			}
		}
	}
	return names, nil
}

func disputeOf(id string, o *objects.Dispute) disputeShown {
	out := disputeShown{
		ID: id, CreatedAt: time.Unix(o.Created, 0).UTC(), Currency: strings.ToUpper(o.Currency), Amount: o.Amount,
		Status: o.State.Value.Status, Reason: o.State.Value.Reason,
	}
	if o.State.Value.DueBy != 0 {
		due := time.Unix(o.State.Value.DueBy, 0).UTC()
		out.RespondBy = &due
	}
	return out
}

// bookingOf returns the balance transaction of a charge: the one it names, else
// the one that says it booked it; nil while neither is known.
func bookingOf(charge, named string, bookings map[string]*objects.Transaction) *objects.Transaction {
	if t := bookings[named]; t != nil && t.Created != 0 {
		return t
	}
	for _, t := range bookings {
		if t.Source == charge && t.Created != 0 && (t.Type == "charge" || t.Type == "payment") {
			return t
		}
	}
	return nil
}
