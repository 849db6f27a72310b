package reports

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// An Attention is what needs a hand.
type Attention struct {
	Disputes    []OpenDispute // that wait for evidence, the most urgent first
	Payouts     []FailedPayout
	Failing     int64                // memberships whose renewal is not paid
	Oldest      []*giving.Membership // of those
	Parked      int64                // events that could not be understood
	Differences int64                // found in the last month and not repaired
	Silent      bool                 // nothing has come for longer than is usual
	NewestEvent time.Time            // zero before the first
	Attacked    time.Time            // since when somebody tries stolen cards on the checkout; zero while nobody does
	Held        int64                // gifts and checkouts in quarantine
}

// Nothing reports whether nobody need do anything.
func (a *Attention) Nothing() bool {
	return len(a.Disputes)+len(a.Payouts) == 0 && a.Failing+a.Parked+a.Differences+a.Held == 0 && !a.Silent && a.Attacked.IsZero()
}

// An OpenDispute is a dispute or inquiry that waits for evidence.
type OpenDispute struct {
	ID       string
	Donation string // its id
	Currency string
	Amount   int64 // minor units
	Status   string
	Reason   string
	Created  time.Time
	DueBy    time.Time // zero where Stripe names no day
}

// A FailedPayout is a deposit that the bank sent back.
type FailedPayout struct {
	ID       string
	Currency string
	Amount   int64 // minor units
	Arrival  time.Time
	Code     string // Stripe's failure_code
}

// Limits of what needs a hand.
const (
	maxWatched      = 1000
	maxFailingShown = 20
	payoutsSince    = 60 * 24 * time.Hour // a deposit that failed earlier was seen to
	differSince     = 31 * 24 * time.Hour
)

// factHealth names the fact that package reconcile keeps of what comes in.
const factHealth = "health"

// Attention returns what needs a hand now.
func (s *Service) Attention(ctx context.Context) (Attention, error) {
	var a Attention
	if err := s.watched(ctx, &a); err != nil {
		return a, err
	}
	var err error
	if a.Oldest, a.Failing, err = s.store.FailingMemberships(ctx, maxFailingShown); err != nil {
		return a, err
	}
	if a.Parked, err = s.store.CountParked(ctx); err != nil {
		return a, err
	}
	if a.Differences, err = s.store.CountUnrepaired(ctx, s.now().Add(-differSince)); err != nil {
		return a, err
	}
	if a.Held, err = s.store.CountHeld(ctx); err != nil {
		return a, err
	}
	attack, lasts, err := s.store.LastingAttack(ctx)
	if err != nil {
		return a, err
	}
	if lasts {
		a.Attacked = attack.Began
	}
	health, err := s.store.Fact(ctx, factHealth)
	if err != nil || health == "" {
		return a, err
	}
	var known struct {
		Silent bool      `json:"silent"`
		Newest time.Time `json:"newest_event"`
	}
	if err := json.Unmarshal([]byte(health), &known); err != nil {
		return a, fmt.Errorf("read what comes in: %w", err)
	}
	a.Silent, a.NewestEvent = known.Silent, known.Newest
	return a, nil
}

// watched adds disputes of our gifts and failed payouts.
func (s *Service) watched(ctx context.Context, a *Attention) error {
	states, err := s.store.WatchedRegisters(ctx, maxWatched)
	if err != nil {
		return err
	}
	var disputes []OpenDispute
	var keys []string
	for name, state := range states {
		ref := objects.Ref(name)
		register, err := objects.DecodeRegister(ref.Kind(), state)
		if err != nil {
			return err
		}
		switch o := register.(type) {
		case *objects.Dispute:
			if strings.HasSuffix(o.State.Value.Status, "needs_response") {
				d := OpenDispute{
					ref.ID(), cmp.Or(o.Intent, o.Charge), strings.ToUpper(o.Currency), o.Amount, o.State.Value.Status,
					o.State.Value.Reason, time.Unix(o.Created, 0).UTC(), time.Time{},
				}
				if o.State.Value.DueBy != 0 {
					d.DueBy = time.Unix(o.State.Value.DueBy, 0).UTC()
				}
				disputes, keys = append(disputes, d), append(keys, d.Donation)
			}
		case *objects.Payout:
			arrival := time.Unix(o.Arrival, 0).UTC()
			if o.Status == "failed" && arrival.After(s.now().Add(-payoutsSince)) {
				a.Payouts = append(a.Payouts, FailedPayout{ref.ID(), strings.ToUpper(o.Currency), o.Amount, arrival, o.State.Value.FailureCode})
			}
		}
	}
	ours := map[string]bool{}
	err = s.store.Look(ctx, func(tx *store.Tx) error {
		donations, err := tx.DonationsByKey(ctx, keys)
		for _, d := range donations {
			ours[d.Key] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	a.Disputes = slices.DeleteFunc(disputes, func(d OpenDispute) bool { return !ours[d.Donation] })
	slices.SortFunc(a.Disputes, func(x, y OpenDispute) int {
		if x.DueBy.IsZero() != y.DueBy.IsZero() {
			return cmp.Compare(truth(x.DueBy.IsZero()), truth(y.DueBy.IsZero()))
		}
		return cmp.Or(x.DueBy.Compare(y.DueBy), x.Created.Compare(y.Created), cmp.Compare(x.ID, y.ID))
	})
	slices.SortFunc(a.Payouts, func(x, y FailedPayout) int { return cmp.Or(y.Arrival.Compare(x.Arrival), cmp.Compare(x.ID, y.ID)) })
	return nil
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
