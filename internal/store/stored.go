package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
	"unicode/utf8"
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

// A StoredRegister is what is stored of one object.
type StoredRegister struct {
	Ref   string
	State string
}

// UnfinishedAfter returns up to limit registers of the kinds of objects that
// may still change by themselves, in the database's order of their refs, from
// the one after a ref. Whether one is finished is for the caller to read.
func (s *Store) UnfinishedAfter(ctx context.Context, ref string, limit int) ([]StoredRegister, error) {
	var found []StoredRegister
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT ref, state FROM registers
		WHERE ref > $1 AND (ref LIKE 'subscription/%' OR ref LIKE 'dispute/%' OR ref LIKE 'refund/%' OR ref LIKE 'invoice/%'
			OR ref LIKE 'payment\_intent/%' ESCAPE '\' OR ref LIKE 'payout/%' OR ref LIKE 'checkout.session/%'
			OR ref LIKE 'charge/%')
		ORDER BY ref LIMIT $2`, ref, limit))(func(r *sql.Rows) error {
		var s StoredRegister
		err := r.Scan(&s.Ref, &s.State)
		found = append(found, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read registers of unfinished objects: %w", err)
	}
	return found, nil
}

// OpenFetches returns which of several wishes nobody has tried to answer yet.
func (t *Tx) OpenFetches(ctx context.Context, refs []string) (map[string]bool, error) {
	open := map[string]bool{}
	err := t.query(ctx, `SELECT ref FROM fetches WHERE attempts = 0 AND `+t.any("ref", 1), []any{t.list(refs)}, func(r row) error {
		var ref string
		err := r.Scan(&ref)
		open[ref] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read open fetches: %w", err)
	}
	return open, nil
}

// RefsFrom returns up to limit objects whose refs begin with a text.
func (s *Store) RefsFrom(ctx context.Context, prefix string, limit int) ([]string, error) {
	var found []string
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT ref FROM registers
		WHERE ref >= $1 AND ref <= $2 AND substr(ref, 1, CAST($3 AS INTEGER)) = $1 ORDER BY ref LIMIT $4`,
		prefix, prefix+lastKey, utf8.RuneCountInString(prefix), limit))(func(r *sql.Rows) error {
		var ref string
		err := r.Scan(&ref)
		found = append(found, ref)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find objects by their ids: %w", err)
	}
	return found, nil
}
