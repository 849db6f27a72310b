package store

import (
	"context"
	"fmt"

	"github.com/united24media/support/internal/giving"
)

// running is a membership that will be charged again. An index has these words.
const running = `status IN ('active', 'trialing', 'past_due', 'unpaid') AND NOT cancel_at_end`

// doubled are the supporters with more than one of those.
const doubled = `SELECT supporter FROM memberships WHERE ` + running + ` GROUP BY supporter HAVING COUNT(*) > 1`

// CountDoubled returns how many supporters have more than one membership that
// will be charged again.
func (s *Store) CountDoubled(ctx context.Context) (count int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM (`+doubled+`) AS doubled`).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("count supporters with two memberships: %w", err)
	}
	return count, nil
}

// DoubledMemberships returns the memberships that will be charged again of up
// to limit supporters who have more than one: each supporter's together, the
// oldest first.
func (s *Store) DoubledMemberships(ctx context.Context, limit int) (found []*giving.Membership, err error) {
	err = s.Look(ctx, func(tx *Tx) error {
		found, err = tx.memberships(ctx, running+` AND supporter IN (`+doubled+` ORDER BY supporter LIMIT $1)
			ORDER BY supporter, created_at, subscription`, limit)
		return err
	})
	return found, err
}

// GiftOfSupporter returns the key of a supporter's newest donation, or "" where
// there is none.
func (s *Store) GiftOfSupporter(ctx context.Context, supporter string) (key string, err error) {
	err = s.read.QueryRowContext(ctx, `
		SELECT COALESCE(MAX(key), '') FROM (
			SELECT key FROM donations WHERE supporter = $1 ORDER BY created_at DESC, key DESC LIMIT 1) AS newest`, supporter).Scan(&key)
	if err != nil {
		return "", fmt.Errorf("read a supporter's newest gift: %w", err)
	}
	return key, nil
}
