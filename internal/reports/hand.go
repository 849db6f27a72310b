package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// Disputes are those that are open.
type Disputes struct {
	Open    int       // donations of which something is disputed and not decided
	Waiting int       // of those, how many want an answer
	Due     time.Time // by when the first of those wants it; zero if none does
	More    bool      // there are more than were looked at
}

// disputesAtOnce is how many open disputes are looked at.
const disputesAtOnce = 200

// Disputes returns which disputes are open.
func (s *Service) Disputes(ctx context.Context) (Disputes, error) {
	page, err := s.store.DonationList(ctx, store.DonationFilter{Equal: map[string]string{"status": giving.Disputed}, Limit: disputesAtOnce})
	if err != nil {
		return Disputes{}, err
	}
	d := Disputes{Open: len(page.Donations), More: page.Older != store.Position{} || page.Short}
	var charges []string
	for _, one := range page.Donations {
		if one.Charge != "" {
			charges = append(charges, string(objects.NewRef(objects.KindCharge, one.Charge)))
		}
	}
	if len(charges) == 0 {
		return d, nil
	}
	named, err := s.store.Naming(ctx, charges)
	if err != nil {
		return d, err
	}
	var disputes []string
	for _, ref := range named {
		if objects.Ref(ref).Kind() == objects.KindDispute {
			disputes = append(disputes, ref)
		}
	}
	err = s.decoded(ctx, disputes, func(_ objects.Ref, register objects.Register) {
		state := register.(*objects.Dispute).State.Value
		if state.Status != "needs_response" {
			return
		}
		d.Waiting++
		if due := time.Unix(state.DueBy, 0).UTC(); state.DueBy > 0 && (d.Due.IsZero() || due.Before(d.Due)) {
			d.Due = due
		}
	})
	return d, err
}

// FailedPayouts returns the deposits that did not reach the bank among those
// made since an instant, the newest first.
func (s *Service) FailedPayouts(ctx context.Context, since time.Time) ([]Payout, error) {
	stored, err := s.store.Payouts(ctx)
	if err != nil {
		return nil, err
	}
	var found []Payout
	for _, one := range stored {
		register, err := payoutRegister(one)
		if err != nil {
			return nil, err
		}
		if !returned(register) || register.Created < since.Unix() {
			continue
		}
		p, err := s.payout(ctx, objects.Ref(one.Ref), register, func(PayoutLine) {})
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	return found, nil
}

// Failing returns up to limit memberships whose payment is late or given up on
// and which have not ended, the oldest first, and how many there are.
func (s *Service) Failing(ctx context.Context, limit int) ([]*giving.Membership, int64, error) {
	found, count, err := s.store.FailingMemberships(ctx, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("failing memberships: %w", err)
	}
	return found, count, nil
}
