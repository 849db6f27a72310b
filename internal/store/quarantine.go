package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
)

// Kinds of what is held in quarantine.
const (
	SuspectGift     = "gift"
	SuspectCheckout = "checkout" // a payment page of Stripe's that nobody has paid on
)

// States of what is in quarantine.
const (
	SuspectHeld     = "held"     // staff are to decide
	SuspectAccepted = "accepted" // a reader's
	SuspectRejected = "rejected" // a thief's
	SuspectGone     = "gone"     // nothing is left to decide: refunded, disputed, expired
)

// A Suspect is a gift or a checkout that looks like a thief's.
type Suspect struct {
	Subject   string // a donation's key, or a checkout's id
	Kind      string
	Attack    string // the id of the one during which it was seen; "" where Stripe warned of it
	Reason    string // in words for staff; of nobody's person
	Found     time.Time
	State     string
	Decided   time.Time // zero while held
	DecidedBy string
}

const suspectColumns = `subject, kind, attack, reason, found_at, state, decided_at, decided_by`

func scanSuspect(r row) (Suspect, error) {
	var q Suspect
	var found, decided int64
	err := r.Scan(&q.Subject, &q.Kind, &q.Attack, &q.Reason, &found, &q.State, &decided, &q.DecidedBy)
	q.Found, q.Decided = Time(found), Time(decided)
	return q, err
}

// HoldSuspects puts gifts and checkouts into quarantine. Of one that is held
// already the reason becomes the newer; one that was decided on stays so.
func (s *Store) HoldSuspects(ctx context.Context, suspects []Suspect) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, q := range suspects {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO quarantine (`+suspectColumns+`) VALUES ($1, $2, $3, $4, $5, 'held', 0, '')
				ON CONFLICT (subject) DO UPDATE SET reason = excluded.reason WHERE quarantine.state = 'held'`,
				q.Subject, q.Kind, q.Attack, q.Reason, Micros(q.Found))
			if err != nil {
				return fmt.Errorf("hold %s: %w", q.Subject, err)
			}
		}
		return nil
	})
}

// Suspects returns up to limit of what is in a state, the newest first.
func (s *Store) Suspects(ctx context.Context, state string, limit int) ([]Suspect, error) {
	var found []Suspect
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT `+suspectColumns+` FROM quarantine WHERE state = $1 ORDER BY found_at DESC, subject LIMIT $2`,
		state, limit))(func(r *sql.Rows) error {
		q, err := scanSuspect(r)
		found = append(found, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the quarantine: %w", err)
	}
	return found, nil
}

// DecidedSuspects returns up to limit of what staff decided on, the latest
// first.
func (s *Store) DecidedSuspects(ctx context.Context, limit int) ([]Suspect, error) {
	var found []Suspect
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT `+suspectColumns+` FROM quarantine WHERE state IN ('accepted', 'rejected') ORDER BY decided_at DESC, subject LIMIT $1`,
		limit))(func(r *sql.Rows) error {
		q, err := scanSuspect(r)
		found = append(found, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list what was decided on: %w", err)
	}
	return found, nil
}

// SuspectsBefore returns up to limit of what is held or was decided on, the
// newest first, from the one after a moment and a subject; a zero moment is
// before all.
func (s *Store) SuspectsBefore(ctx context.Context, found time.Time, subject string, limit int) ([]Suspect, error) {
	before := int64(1) << 62
	if !found.IsZero() {
		before = Micros(found)
	}
	var list []Suspect
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT `+suspectColumns+` FROM quarantine
		WHERE state <> 'gone' AND (found_at < $1 OR found_at = $1 AND subject > $2) ORDER BY found_at DESC, subject LIMIT $3`,
		before, subject, limit))(func(r *sql.Rows) error {
		q, err := scanSuspect(r)
		list = append(list, q)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list all of the quarantine: %w", err)
	}
	return list, nil
}

// CountHeld returns how much is held in quarantine.
func (s *Store) CountHeld(ctx context.Context) (count int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM quarantine WHERE state = 'held'`).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("count the quarantine: %w", err)
	}
	return count, nil
}

// SuspectBySubject returns what is known of a gift or a checkout, or a
// [fault.NotFound].
func (s *Store) SuspectBySubject(ctx context.Context, subject string) (Suspect, error) {
	q, err := scanSuspect(s.read.QueryRowContext(ctx, `SELECT `+suspectColumns+` FROM quarantine WHERE subject = $1`, subject))
	if errors.Is(err, sql.ErrNoRows) {
		return Suspect{}, fault.New(fault.NotFound, "Nothing of that name is in quarantine.")
	}
	if err != nil {
		return Suspect{}, fmt.Errorf("look into the quarantine: %w", err)
	}
	return q, nil
}

// DecideSuspect notes what became of something that is held, with an entry of
// the audit log. It reports false, and does nothing, for what is held no more.
func (s *Store) DecideSuspect(ctx context.Context, q Suspect, e Entry) (decided bool, err error) {
	err = s.audited(ctx, e, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, decideSuspect, q.Subject, q.State, Micros(q.Decided), q.DecidedBy)
		if err != nil {
			return err
		}
		if decided, err = oneRow(result); err == nil && !decided {
			return errEnded
		}
		return err
	})
	switch {
	case err == errEnded: //nolint:errorlint // it is passed on as it is
		return false, nil
	case err != nil:
		return false, fmt.Errorf("decide on %s: %w", q.Subject, err)
	}
	return true, nil
}

const decideSuspect = `UPDATE quarantine SET state = $2, decided_at = $3, decided_by = $4 WHERE subject = $1 AND state = 'held'`

// ReleaseSuspects notes that nothing is left to decide of some that are held.
func (s *Store) ReleaseSuspects(ctx context.Context, subjects []string, at time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		for _, subject := range subjects {
			if _, err := tx.ExecContext(ctx, decideSuspect, subject, SuspectGone, Micros(at), ""); err != nil {
				return fmt.Errorf("release %s: %w", subject, err)
			}
		}
		return nil
	})
}
