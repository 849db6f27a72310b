package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// States of an action.
const (
	ActionAsked   = "asked"   // written; whether it was done is not known yet
	ActionDone    = "done"    //
	ActionRefused = "refused" // it can't be done; Outcome says why
)

// An Action is what a member of staff did about a donation or membership, or
// wrote about it.
type Action struct {
	ID      string // of the form it came from
	Subject string // a donation's key, or a subscription
	Kind    string // refund, receipt, cancel, keep, pause, resume, correction or note
	Who     string
	Reason  string // or what a note says
	Detail  string // what exactly was asked for, JSON by kind
	State   string
	Outcome string // what came of it, in words; "" while asked
	Created time.Time
	Done    time.Time // zero while asked
}

const actionColumns = `id, subject, kind, who, reason, detail, state, outcome, created_at, done_at`

// BeginAction stores an action unless one has its id, and returns what is
// stored under it.
func (s *Store) BeginAction(ctx context.Context, a Action) (Action, error) {
	_, err := s.write.ExecContext(ctx, `
		INSERT INTO actions (`+actionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (id) DO NOTHING`,
		a.ID, a.Subject, a.Kind, a.Who, a.Reason, a.Detail, a.State, a.Outcome, Micros(a.Created), Micros(a.Done))
	if err != nil {
		return Action{}, fmt.Errorf("begin an action: %w", err)
	}
	// From where it was written, so that what another replica wrote is seen.
	stored, err := scanAction(s.write.QueryRowContext(ctx, `SELECT `+actionColumns+` FROM actions WHERE id = $1`, a.ID))
	if err != nil {
		return Action{}, fmt.Errorf("begin an action: %w", err)
	}
	return stored, nil
}

// EndAction notes what came of an action, with an entry of the audit log. It
// reports false, and does nothing, for one that ended already.
func (s *Store) EndAction(ctx context.Context, a Action, e Entry) (ended bool, err error) {
	err = s.audited(ctx, e, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			UPDATE actions SET state = $2, outcome = $3, done_at = $4 WHERE id = $1 AND state = 'asked'`,
			a.ID, a.State, a.Outcome, Micros(a.Done))
		if err != nil {
			return err
		}
		if ended, err = oneRow(result); err == nil && !ended {
			return errEnded
		}
		return err
	})
	switch {
	case err == errEnded: //nolint:errorlint // it is passed on as it is
		return false, nil
	case err != nil:
		return false, fmt.Errorf("end action %s: %w", a.ID, err)
	}
	return true, nil
}

// errEnded takes back a transaction that came too late.
var errEnded = fmt.Errorf("it ended already")

// ActionsAbout returns the actions about several donations and memberships,
// oldest first.
func (s *Store) ActionsAbout(ctx context.Context, subjects []string) ([]Action, error) {
	var found []Action
	err := s.Look(ctx, func(tx *Tx) error {
		return tx.query(ctx, `SELECT `+actionColumns+` FROM actions WHERE `+tx.any("subject", 1)+` ORDER BY created_at, id`,
			[]any{tx.list(subjects)}, func(r row) error {
				a, err := scanAction(r)
				found = append(found, a)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("read actions: %w", err)
	}
	return found, nil
}

func scanAction(r row) (Action, error) {
	var a Action
	var created, done int64
	err := r.Scan(&a.ID, &a.Subject, &a.Kind, &a.Who, &a.Reason, &a.Detail, &a.State, &a.Outcome, &created, &done)
	a.Created, a.Done = Time(created), Time(done)
	return a, err
}

// ActionByID returns the action that a form led to; ok is false if none did
// yet.
func (s *Store) ActionByID(ctx context.Context, id string) (a Action, ok bool, err error) {
	a, err = scanAction(s.write.QueryRowContext(ctx, `SELECT `+actionColumns+` FROM actions WHERE id = $1`, id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Action{}, false, nil
	case err != nil:
		return Action{}, false, fmt.Errorf("read an action: %w", err)
	}
	return a, true, nil
}
