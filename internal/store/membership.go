package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/united24media/support/internal/giving"
)

// GraceOver returns the subscriptions whose membership counted until an
// instant that has passed.
func (s *Store) GraceOver(ctx context.Context, now time.Time, limit int) ([]string, error) {
	var over []string
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT subscription FROM memberships
		WHERE live_until > 0 AND live_until <= $1 AND live ORDER BY live_until LIMIT $2`, Micros(now), limit))(
		func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			over = append(over, id)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read memberships whose grace is over: %w", err)
	}
	return over, nil
}

// Fact returns a single fact, or "" where it is not known.
func (s *Store) Fact(ctx context.Context, name string) (string, error) {
	var value string
	err := s.read.QueryRowContext(ctx, `SELECT COALESCE(MAX(value), '') FROM facts WHERE name = $1`, name).Scan(&value)
	if err != nil {
		return "", fmt.Errorf("read fact %s: %w", name, err)
	}
	return value, nil
}

// PutFact sets a single fact.
func (s *Store) PutFact(ctx context.Context, name, value string) error {
	return putFact(ctx, s.write, name, value)
}

// DecideFact sets a single fact for somebody, and audits that.
func (s *Store) DecideFact(ctx context.Context, name, value string, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error { return putFact(ctx, tx, name, value) })
}

func putFact(ctx context.Context, in executor, name, value string) error {
	_, err := in.ExecContext(ctx, `
		INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	if err != nil {
		return fmt.Errorf("write fact %s: %w", name, err)
	}
	return nil
}

// An executor is a pool of connections, or a transaction.
type executor interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// FailingMemberships returns up to limit memberships that are past due or
// unpaid, the oldest first, and how many there are.
func (s *Store) FailingMemberships(ctx context.Context, limit int) (found []*giving.Membership, count int64, err error) {
	err = s.Look(ctx, func(tx *Tx) error {
		const failing = `status IN ('past_due', 'unpaid')`
		found, err = tx.memberships(ctx, failing+` ORDER BY created_at, subscription LIMIT $1`, limit)
		if err != nil {
			return err
		}
		return tx.query(ctx, `SELECT COUNT(*) FROM memberships WHERE `+failing, nil, func(r row) error { return r.Scan(&count) })
	})
	return found, count, err
}
