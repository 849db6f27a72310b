package reports

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/objects"
)

// A booking is one balance transaction of a payout.
type booking struct {
	ref objects.Ref
	*objects.Transaction
}

// payoutLines calls each with every line of a payout, a few at a time.
func (s *Service) payoutLines(ctx context.Context, payout objects.Ref, each func(PayoutLine)) error {
	for after := ""; ; {
		stored, err := s.store.PayoutNamed(ctx, string(payout), after, linesAtOnce)
		if err != nil {
			return err
		}
		var bookings []booking
		for _, one := range stored {
			after = one.Ref
			register, err := objects.DecodeRegister(objects.KindTransaction, one.State)
			if err != nil {
				return fmt.Errorf("%s: %w", one.Ref, err)
			}
			// One that only comes from the payout, such as its return, is a
			// line of another.
			if t := register.(*objects.Transaction); t.Payout == payout.ID() {
				bookings = append(bookings, booking{objects.Ref(one.Ref), t})
			}
		}
		keys, err := s.donationsOf(ctx, bookings)
		if err != nil {
			return err
		}
		for _, b := range bookings {
			if line, ok := lineOf(b, payout, keys[b.Source]); ok {
				each(line)
			}
		}
		if len(stored) < linesAtOnce {
			return nil
		}
	}
}

// lineOf returns what a booking is to its payout. The payout's own booking is
// no line, but for what Stripe charged for it.
func lineOf(b booking, payout objects.Ref, donation string) (PayoutLine, bool) {
	line := PayoutLine{
		ID: b.ref.ID(), CreatedAt: time.Unix(b.Created, 0).UTC(), Type: b.Type, Source: b.Source,
		Donation: donation, Currency: strings.ToUpper(b.Currency), Amount: b.Amount, Fee: b.Fee, Net: b.Net,
	}
	if b.Source == payout.ID() && b.Type == "payout" {
		line.Kind, line.Amount, line.Net = LineFee, 0, -b.Fee
		return line, b.Fee != 0
	}
	line.Kind = lineKind(b, donation)
	return line, true
}

func lineKind(b booking, donation string) string {
	kind := ""
	for _, ref := range b.Links() { // its source, as its id tells it
		switch ref.Kind() {
		case objects.KindCharge:
			kind = LineDonation
		case objects.KindRefund:
			kind = LineRefund
		case objects.KindDispute:
			kind = LineDispute
		}
	}
	switch {
	case kind != "" && donation == "":
		return LineForeign
	case kind != "":
		return kind
	case strings.HasSuffix(b.Type, "fee") || b.Type == "network_cost":
		return LineFee
	}
	return LineAdjustment
}

// donationsOf returns the donation's key of each booking's source that belongs
// to one.
func (s *Service) donationsOf(ctx context.Context, bookings []booking) (map[string]string, error) {
	candidates, err := s.keysOf(ctx, bookings)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, of := range candidates {
		keys = append(keys, of...)
	}
	slices.Sort(keys)
	found, err := s.store.DonationsByKeys(ctx, slices.Compact(keys))
	if err != nil {
		return nil, err
	}
	ours := map[string]bool{}
	for _, d := range found {
		ours[d.Key] = true
	}
	donations := map[string]string{}
	for source, of := range candidates {
		for _, key := range of {
			if ours[key] {
				donations[source] = key
				break
			}
		}
	}
	return donations, nil
}

// keysOf returns, for each source, the keys its donation may have: the
// PaymentIntent of the source or of its charge, else the charge.
func (s *Service) keysOf(ctx context.Context, bookings []booking) (map[string][]string, error) {
	var sources []string
	for _, b := range bookings {
		for _, ref := range b.Links() {
			if ref.Kind() != objects.KindPayout {
				sources = append(sources, string(ref))
			}
		}
	}
	keys, charges := map[string][]string{}, map[string][]string{} // by source; sources by charge
	of := func(source, intent, charge string) {
		if intent != "" {
			keys[source] = append(keys[source], intent)
		}
		if charge != "" {
			keys[source] = append(keys[source], charge)
			charges[charge] = append(charges[charge], source)
		}
	}
	err := s.decoded(ctx, sources, func(ref objects.Ref, register objects.Register) {
		switch o := register.(type) {
		case *objects.Charge:
			of(ref.ID(), o.Intent, "")
			keys[ref.ID()] = append(keys[ref.ID()], ref.ID())
		case *objects.Refund:
			of(ref.ID(), o.Intent, o.Charge)
		case *objects.Dispute:
			of(ref.ID(), o.Intent, o.Charge)
		}
	})
	if err != nil {
		return nil, err
	}
	var refs []string
	for charge := range charges {
		refs = append(refs, string(objects.NewRef(objects.KindCharge, charge)))
	}
	err = s.decoded(ctx, refs, func(ref objects.Ref, register objects.Register) {
		for _, source := range charges[ref.ID()] {
			if intent := register.(*objects.Charge).Intent; intent != "" {
				keys[source] = append(keys[source], intent)
			}
		}
	})
	return keys, err
}

// decoded calls each with the registers of several objects, those that are
// there.
func (s *Service) decoded(ctx context.Context, refs []string, each func(objects.Ref, objects.Register)) error {
	states, err := s.store.Registers(ctx, refs)
	if err != nil {
		return err
	}
	for _, name := range refs {
		state, ok := states[name]
		if !ok {
			continue
		}
		ref := objects.Ref(name)
		register, err := objects.DecodeRegister(ref.Kind(), state)
		if err != nil {
			return fmt.Errorf("%s: %w", ref, err)
		}
		each(ref, register)
		delete(states, name) // named twice, called once
	}
	return nil
}
