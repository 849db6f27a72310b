package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// An UnsettledCharge is a donation's charge whose balance transaction is not
// known.
type UnsettledCharge struct {
	Charge  string
	Created time.Time // the donation's
}

// Unsettled returns up to limit donations of a period (to is exclusive) whose
// charge's balance transaction is not known, earliest first.
func (s *Store) Unsettled(ctx context.Context, from, to time.Time, limit int) ([]UnsettledCharge, error) {
	var found []UnsettledCharge
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT charge, created_at FROM donations
		WHERE created_at >= $1 AND created_at < $2 AND settlement_currency = '' AND charge <> ''
		ORDER BY created_at, key LIMIT $3`, Micros(from), Micros(to), limit))(func(r *sql.Rows) error {
		var u UnsettledCharge
		var created int64
		err := r.Scan(&u.Charge, &created)
		u.Created = Time(created)
		found = append(found, u)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read unsettled donations: %w", err)
	}
	return found, nil
}

// A WaitingFetch is a wish that was tried and failed.
type WaitingFetch struct {
	Ref      string
	Attempts int64
	Queued   time.Time
	Due      time.Time
	Error    string
}

// WaitingFetches returns up to limit wishes that failed, oldest first.
func (s *Store) WaitingFetches(ctx context.Context, limit int) ([]WaitingFetch, error) {
	var found []WaitingFetch
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT ref, attempts, queued_at, due_at, error FROM fetches
		WHERE error <> '' ORDER BY queued_at, ref LIMIT $1`, limit))(func(r *sql.Rows) error {
		var w WaitingFetch
		var queued, due int64
		err := r.Scan(&w.Ref, &w.Attempts, &queued, &due, &w.Error)
		w.Queued, w.Due = Time(queued), Time(due)
		found = append(found, w)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read failed fetches: %w", err)
	}
	return found, nil
}
