package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
)

// How somebody signed in.
const (
	ByLink    = "link"
	ByPasskey = "passkey"
	BySSO     = "sso"
)

// A StaffSession is a browser in which somebody is signed in.
type StaffSession struct {
	ID      string // names it on pages; opens nothing
	Staff   Staff  // without SignedIn
	Method  string // ByLink, ByPasskey or BySSO
	Agent   string // the browser, as it calls itself
	Created time.Time
	Proved  time.Time // when they last showed who they are; zero if only another session elsewhere did
	Used    time.Time // to the minute
	Flash   string    // one sentence for the next page
}

// AddStaffSession stores a session under the hash of its cookie, and ends the
// one of the hash old, if there is one. Sessions not used since idle are swept.
func (s *Store) AddStaffSession(ctx context.Context, n StaffSession, hash, old string, idle time.Time, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM staff_sessions WHERE hash = $1 OR used_at < $2`, old, Micros(idle))
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO staff_sessions (id, hash, staff, method, agent, created_at, used_at, proved_at, flash)
				VALUES ($1, $2, $3, $4, $5, $6, $6, $7, '')`,
				n.ID, hash, n.Staff.ID, n.Method, n.Agent, Micros(n.Created), Micros(n.Proved))
		}
		if err != nil {
			return fmt.Errorf("add a session: %w", err)
		}
		return nil
	})
}

const sessionColumns = `s.id, s.method, s.agent, s.created_at, s.used_at, s.proved_at, s.flash, m.id, m.email, m.role, m.created_at`

// StaffSessionByHash returns the session whose cookie has this hash, or a
// [fault.NotFound]. Whether it is too old is for the caller to judge.
func (s *Store) StaffSessionByHash(ctx context.Context, hash string) (StaffSession, error) {
	n, err := scanSession(s.read.QueryRowContext(ctx, `
		SELECT `+sessionColumns+` FROM staff_sessions s JOIN staff m ON m.id = s.staff WHERE s.hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return StaffSession{}, fault.New(fault.NotFound, "There is no such session.")
	}
	if err != nil {
		return StaffSession{}, fmt.Errorf("look a session up: %w", err)
	}
	return n, nil
}

// StaffSessions returns somebody's sessions, last used first.
func (s *Store) StaffSessions(ctx context.Context, staff string) ([]StaffSession, error) {
	var found []StaffSession
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT `+sessionColumns+` FROM staff_sessions s JOIN staff m ON m.id = s.staff
		WHERE s.staff = $1 ORDER BY s.used_at DESC, s.id`, staff))(func(r *sql.Rows) error {
		n, err := scanSession(r)
		found = append(found, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return found, nil
}

func scanSession(r row) (StaffSession, error) {
	var n StaffSession
	var created, used, proved, joined int64
	err := r.Scan(&n.ID, &n.Method, &n.Agent, &created, &used, &proved, &n.Flash, &n.Staff.ID, &n.Staff.Email, &n.Staff.Role, &joined)
	n.Created, n.Used, n.Proved, n.Staff.Created = Time(created), Time(used), Time(proved), Time(joined)
	return n, err
}

// TouchStaffSession notes that a session was used.
func (s *Store) TouchStaffSession(ctx context.Context, id string, at time.Time) error {
	if _, err := s.write.ExecContext(ctx, `UPDATE staff_sessions SET used_at = $2 WHERE id = $1`, id, Micros(at)); err != nil {
		return fmt.Errorf("note that a session was used: %w", err)
	}
	return nil
}

// SetStaffFlash sets the sentence for a session's next page.
func (s *Store) SetStaffFlash(ctx context.Context, id, flash string) error {
	if _, err := s.write.ExecContext(ctx, `UPDATE staff_sessions SET flash = $2 WHERE id = $1`, id, flash); err != nil {
		return fmt.Errorf("keep a sentence for the next page: %w", err)
	}
	return nil
}

// EndStaffSession ends one session of somebody, or a [fault.NotFound].
func (s *Store) EndStaffSession(ctx context.Context, staff, id string, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `DELETE FROM staff_sessions WHERE staff = $1 AND id = $2`, staff, id))
	})
}

// EndStaffSessions ends all sessions of somebody but the one called kept.
func (s *Store) EndStaffSessions(ctx context.Context, staff, kept string, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM staff_sessions WHERE staff = $1 AND id <> $2`, staff, kept); err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
		return nil
	})
}
