package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
)

// What a mail asks before it is sent: whether it is still true.

// RegisterState returns what is stored of an object, "" where nothing is.
func (s *Store) RegisterState(ctx context.Context, ref string) (string, error) {
	var state string
	err := s.read.QueryRowContext(ctx, `SELECT state FROM registers WHERE ref = $1`, ref).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("read what is known of %s: %w", ref, err)
	}
	return state, nil
}

// MembershipBySubscription returns a membership, or a [fault.NotFound].
func (s *Store) MembershipBySubscription(ctx context.Context, subscription string) (*giving.Membership, error) {
	var found []*giving.Membership
	err := s.Look(ctx, func(tx *Tx) (err error) {
		found, err = tx.Memberships(ctx, []string{subscription})
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fault.New(fault.NotFound, "There is no such membership.")
	}
	return found[0], nil
}

// RenewingMemberships returns up to limit live memberships whose period ends
// within a time (to is exclusive) and that go on then, in the order of their
// subscriptions, from the one after a subscription.
func (s *Store) RenewingMemberships(ctx context.Context, from, to time.Time, after string, limit int) ([]*giving.Membership, error) {
	var found []*giving.Membership
	err := s.Look(ctx, func(tx *Tx) (err error) {
		found, err = tx.memberships(ctx, `subscription > $1 AND live AND NOT cancel_at_end AND status IN ('active', 'trialing')
			AND period_end >= $2 AND period_end < $3 ORDER BY subscription LIMIT $4`, after, Micros(from), Micros(to), limit)
		return err
	})
	return found, err
}

// A Giver is an address that gave, in the language of the gift.
type Giver struct {
	Folded string // the address without case
	Email  string
	Locale string
}

// Givers returns up to limit addresses that gave within a time (to is
// exclusive), in their order without case, from the one after one.
func (s *Store) Givers(ctx context.Context, from, to time.Time, after string, limit int) ([]Giver, error) {
	var found []Giver
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT SUBSTR(supporter, 9), MAX(email), MAX(locale) FROM donations
		WHERE created_at >= $1 AND created_at < $2 AND supporter LIKE 'address:%' AND supporter > $3 AND source = 'stripe'
		GROUP BY supporter ORDER BY supporter LIMIT $4`, Micros(from), Micros(to), "address:"+after, limit))(func(r *sql.Rows) error {
		var g Giver
		err := r.Scan(&g.Folded, &g.Email, &g.Locale)
		found = append(found, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list who gave: %w", err)
	}
	return found, nil
}

// A FailingMail is a mail about a renewal that failed.
type FailingMail struct {
	Subject string // invoice/attempt
	At      time.Time
}

// FailingMails returns the mails about failed renewals that were sent, or
// would have been, within a time (to is exclusive).
func (s *Store) FailingMails(ctx context.Context, kind string, from, to time.Time) ([]FailingMail, error) {
	var found []FailingMail
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT subject, done_at FROM outbox
		WHERE kind = $1 AND queued_at >= $2 AND queued_at < $3 AND state IN ('sent', 'kept') ORDER BY queued_at, id`,
		kind, Micros(from), Micros(to)))(func(r *sql.Rows) error {
		var m FailingMail
		var at int64
		err := r.Scan(&m.Subject, &at)
		m.At = Time(at)
		found = append(found, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read mails about failed renewals: %w", err)
	}
	return found, nil
}
