package store

import (
	"context"
	"time"

	"github.com/united24media/support/internal/giving"
)

// ExportDonations returns up to limit donations of a period (to is exclusive),
// oldest first, from the one after a position.
func (s *Store) ExportDonations(ctx context.Context, from, to time.Time, after Position, limit int) ([]*giving.Donation, error) {
	return s.exportDonations(ctx, `created_at >= $1 AND created_at < $2 AND (created_at, key) > ($3, $4)
		ORDER BY created_at, key LIMIT $5`, Micros(from), Micros(to), after.Created*microsPerSecond, after.Key, limit)
}

// ExportBySupporter returns up to limit donations of a period (to is
// exclusive), one supporter's after the other's, from the one after a
// supporter and key.
func (s *Store) ExportBySupporter(ctx context.Context, from, to time.Time, supporter, key string, limit int) ([]*giving.Donation, error) {
	return s.exportDonations(ctx, `created_at >= $1 AND created_at < $2 AND (supporter, key) > ($3, $4)
		ORDER BY supporter, key LIMIT $5`, Micros(from), Micros(to), supporter, key, limit)
}

// OfSupporters returns what some supporters gave, and their memberships, in no
// order.
func (s *Store) OfSupporters(ctx context.Context, supporters []string) (gifts []*giving.Donation, memberships []*giving.Membership, err error) {
	if len(supporters) == 0 {
		return nil, nil, nil
	}
	err = s.Look(ctx, func(tx *Tx) (err error) {
		if gifts, err = tx.donations(ctx, tx.any("supporter", 1), tx.list(supporters)); err != nil {
			return err
		}
		memberships, err = tx.memberships(ctx, tx.any("supporter", 1), tx.list(supporters))
		return err
	})
	return gifts, memberships, err
}

func (s *Store) exportDonations(ctx context.Context, where string, args ...any) ([]*giving.Donation, error) {
	var found []*giving.Donation
	err := s.Look(ctx, func(tx *Tx) (err error) {
		found, err = tx.donations(ctx, where, args...)
		return err
	})
	return found, err
}

// ExportMemberships returns up to limit memberships that began in a period (to
// is exclusive), in the database's order of their subscriptions, from the one
// after a subscription.
func (s *Store) ExportMemberships(ctx context.Context, from, to time.Time, after string, limit int) ([]*giving.Membership, error) {
	var found []*giving.Membership
	err := s.Look(ctx, func(tx *Tx) (err error) {
		found, err = tx.memberships(ctx, `created_at >= $1 AND created_at < $2 AND subscription > $3
			ORDER BY subscription LIMIT $4`, Micros(from), Micros(to), after, limit)
		return err
	})
	return found, err
}
