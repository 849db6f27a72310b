// Package quarantine holds gifts and checkouts that look like a thief's, who
// tries stolen cards, until staff decide on them.
//
// What is held counts like any other: nothing is taken from a reader on a
// suspicion. To accept it is to say that it is a reader's. To reject a gift is
// to give it back as fraud, and to end its membership; to reject a checkout is
// to close its payment page.
package quarantine

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// Limits of looking.
const (
	every      = time.Minute
	lookBack   = 3 * 24 * time.Hour // attacks that ended, and warnings that came, earlier were looked at
	around     = 15 * time.Minute   // before an attack was noticed, and after it was over
	maxGifts   = 5_000              // of one attack
	maxFailed  = 20_000             // failed charges of one attack
	maxAttacks = 50
	maxHeld    = 1_000
)

// Options are what a service works with. All but Amounts are required.
type Options struct {
	Store  *store.Store
	Ledger *ledger.Ledger
	Stripe *stripeapi.Client
	Now    func() time.Time
	Log    *slog.Logger

	Amounts func() offer.Suggestions // what staff suggest; nil: what ships
}

// A Service looks for suspects and does what staff decide. It is safe for
// concurrent use.
type Service struct{ Options }

// New returns a service.
func New(o Options) *Service { return &Service{o} }

// Run looks once a minute, until ctx ends. Replicas may do so at once: they
// find the same.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		if err := s.Look(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "quarantine: not all was looked at", "err", err)
		}
	}
}

// Look holds what was given or opened around an attack and looks like a
// thief's, and what Stripe warned of; and releases what is settled otherwise.
func (s *Service) Look(ctx context.Context) error {
	now := s.Now()
	attacks, err := s.Store.AttacksBetween(ctx, now.Add(-lookBack), now.Add(time.Second), maxAttacks)
	if err != nil {
		return err
	}
	for _, a := range attacks {
		if err := s.look(ctx, a, now); err != nil {
			return err
		}
	}
	if err := s.warned(ctx, now); err != nil {
		return err
	}
	return s.release(ctx, now)
}

// look holds the suspects of one attack.
func (s *Service) look(ctx context.Context, a store.Attack, now time.Time) error {
	from, to := a.Began.Add(-around), now.Add(time.Second)
	if !a.Ended.IsZero() {
		to = a.Ended.Add(around)
	}
	gifts, err := s.Store.GiftsBetween(ctx, from, to, maxGifts)
	if err != nil {
		return err
	}
	refused, err := s.refused(ctx, from, to)
	if err != nil {
		return err
	}
	var amounts offer.Suggestions
	if s.Amounts != nil {
		amounts = s.Amounts()
	}
	var held []store.Suspect
	for key, reason := range judge(gifts, refused, amounts) {
		held = append(held, store.Suspect{Subject: key, Kind: store.SuspectGift, Attack: a.ID, Reason: reason, Found: now})
	}
	for _, d := range gifts {
		delete(refused.cards, d.Key)
	}
	for intent, cards := range refused.cards { // what is left was not paid
		if cards < fewCards {
			continue
		}
		c, open, err := s.openCheckout(ctx, intent, now)
		if err != nil {
			return err
		}
		if open {
			held = append(held, store.Suspect{
				Subject: c.ID, Kind: store.SuspectCheckout, Attack: a.ID, Found: now,
				Reason: fmt.Sprintf("%d cards were refused on its payment page, which is still open.", cards),
			})
		}
	}
	return s.Store.HoldSuspects(ctx, held)
}

// refused returns what was refused in a time.
func (s *Service) refused(ctx context.Context, from, to time.Time) (refusals, error) {
	found := refusals{map[string]int{}, map[string]int{}}
	states, err := s.Store.RegistersTold(ctx, "charge.failed", from, to, maxFailed)
	if err != nil {
		return found, err
	}
	for _, state := range states {
		register, err := objects.DecodeRegister(objects.KindCharge, state)
		if err != nil {
			return found, err
		}
		charge := register.(*objects.Charge)
		if charge.Intent == "" {
			continue
		}
		if domain := domainOf(charge.Payer.Value.Email); domain != "" && found.cards[charge.Intent] == 0 {
			found.payments[domain]++
		}
		found.cards[charge.Intent]++
	}
	return found, nil
}

// openCheckout returns the checkout of a PaymentIntent, if its payment page can
// still be open.
func (s *Service) openCheckout(ctx context.Context, intent string, now time.Time) (c store.Checkout, open bool, err error) {
	state, err := s.Store.RegisterState(ctx, string(objects.NewRef(objects.KindIntent, intent)))
	if err != nil || state == "" {
		return c, false, err
	}
	register, err := objects.DecodeRegister(objects.KindIntent, state)
	if err != nil {
		return c, false, err
	}
	id := register.(*objects.Intent).Metadata.Value["checkout"]
	if !strings.HasPrefix(id, "co_") {
		return c, false, nil
	}
	c, found, err := s.Store.CheckoutByID(ctx, id)
	return c, found && c.Session != "" && now.Before(c.ExpiresAt), err
}

// warned holds the gifts of which a card's bank told Stripe that they are
// fraud, attack or none.
func (s *Service) warned(ctx context.Context, now time.Time) error {
	states, err := s.Store.RegistersTold(ctx, "radar.early_fraud_warning.created", now.Add(-lookBack), now.Add(time.Second), maxHeld)
	if err != nil {
		return err
	}
	var held []store.Suspect
	for _, state := range states {
		register, err := objects.DecodeRegister(objects.KindWarning, state)
		if err != nil {
			return err
		}
		d, err := s.giftOf(ctx, register.(*objects.Warning).Charge)
		if err != nil {
			return err
		}
		if d != nil && left(d) > 0 {
			held = append(held, store.Suspect{
				Subject: d.Key, Kind: store.SuspectGift, Found: now,
				Reason: "The card’s bank told Stripe that its owner knows nothing of this gift. A dispute, with its fee, usually follows.",
			})
		}
	}
	return s.Store.HoldSuspects(ctx, held)
}

// giftOf returns the donation of a charge, nil where there is none.
func (s *Service) giftOf(ctx context.Context, charge string) (*giving.Donation, error) {
	keys := []string{charge}
	state, err := s.Store.RegisterState(ctx, string(objects.NewRef(objects.KindCharge, charge)))
	if err != nil {
		return nil, err
	}
	if state != "" {
		register, err := objects.DecodeRegister(objects.KindCharge, state)
		if err != nil {
			return nil, err
		}
		keys = append(keys, register.(*objects.Charge).Intent)
	}
	found, err := s.Store.DonationsByKeys(ctx, keys)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// release lets go of what is held and settled otherwise: a gift of which
// nothing is left or that is disputed, a payment page that has ended.
func (s *Service) release(ctx context.Context, now time.Time) error {
	held, err := s.Store.Suspects(ctx, store.SuspectHeld, maxHeld)
	if err != nil {
		return err
	}
	var keys, gone []string
	for _, q := range held {
		if q.Kind == store.SuspectGift {
			keys = append(keys, q.Subject)
			continue
		}
		c, found, err := s.Store.CheckoutByID(ctx, q.Subject)
		if err != nil {
			return err
		}
		if !found || !now.Before(c.ExpiresAt) {
			gone = append(gone, q.Subject)
		}
	}
	gifts, err := s.Store.DonationsByKeys(ctx, keys)
	if err != nil {
		return err
	}
	stays := map[string]bool{}
	for _, d := range gifts {
		stays[d.Key] = left(d) > 0
	}
	for _, key := range keys {
		if !stays[key] {
			gone = append(gone, key)
		}
	}
	return s.Store.ReleaseSuspects(ctx, gone, now)
}

// left returns what of a gift can be given back, in minor units.
func left(d *giving.Donation) int64 { return d.Gross - d.Refunded - d.Disputed }
