package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
)

// A StaffLink is a one-time address that signs somebody in, and a short code
// that does so in the browser that asked.
type StaffLink struct {
	ID      string // random; address and code are derived from it
	Staff   Staff  // without SignedIn
	Browser string // hash of the cookie of the browser that asked; "" where somebody else did
	Created time.Time
	Expires time.Time
	Used    time.Time // zero while it is not
}

// AddStaffLink stores a link. Older ones of the same person end, of those that
// they asked for or of those that others made, and so do all that are over.
func (s *Store) AddStaffLink(ctx context.Context, l StaffLink, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			DELETE FROM staff_links WHERE expires_at < $3 OR staff = $1 AND (browser = '') = (CAST($2 AS TEXT) = '')`,
			l.Staff.ID, l.Browser, Micros(l.Created))
		if err == nil {
			_, err = tx.ExecContext(ctx, `
				INSERT INTO staff_links (id, staff, browser, created_at, expires_at, used_at, tries) VALUES ($1, $2, $3, $4, $5, 0, 0)`,
				l.ID, l.Staff.ID, l.Browser, Micros(l.Created), Micros(l.Expires))
		}
		if err != nil {
			return fmt.Errorf("add a sign-in link: %w", err)
		}
		return nil
	})
}

// StaffLinkByID returns a link, used, over or not, or a [fault.NotFound].
func (s *Store) StaffLinkByID(ctx context.Context, id string) (StaffLink, error) {
	return s.staffLink(ctx, `l.id = $1`, id)
}

// StaffLinkByBrowser returns the newest link that a browser asked for, or a
// [fault.NotFound].
func (s *Store) StaffLinkByBrowser(ctx context.Context, hash string) (StaffLink, error) {
	return s.staffLink(ctx, `l.browser = $1 AND l.browser <> '' ORDER BY l.created_at DESC LIMIT 1`, hash)
}

func (s *Store) staffLink(ctx context.Context, where, arg string) (StaffLink, error) {
	var l StaffLink
	var created, expires, used int64
	err := s.read.QueryRowContext(ctx, `
		SELECT l.id, l.browser, l.created_at, l.expires_at, l.used_at, m.id, m.email, m.role
		FROM staff_links l JOIN staff m ON m.id = l.staff WHERE `+where, arg).
		Scan(&l.ID, &l.Browser, &created, &expires, &used, &l.Staff.ID, &l.Staff.Email, &l.Staff.Role)
	if errors.Is(err, sql.ErrNoRows) {
		return StaffLink{}, fault.New(fault.NotFound, "There is no such link.")
	}
	if err != nil {
		return StaffLink{}, fmt.Errorf("look a sign-in link up: %w", err)
	}
	l.Created, l.Expires, l.Used = Time(created), Time(expires), Time(used)
	return l, nil
}

// UseStaffLink uses a link up, and reports whether it was still good: of any
// number who try at once, one is told so.
func (s *Store) UseStaffLink(ctx context.Context, id string, at time.Time) (bool, error) {
	return s.changedOne(ctx, `UPDATE staff_links SET used_at = $2 WHERE id = $1 AND used_at = 0 AND expires_at > $2`, id, Micros(at))
}

// TryStaffCode counts a try of a link's short code, and reports whether it is
// one of the first few.
func (s *Store) TryStaffCode(ctx context.Context, id string, few int) (bool, error) {
	return s.changedOne(ctx, `UPDATE staff_links SET tries = tries + 1 WHERE id = $1 AND tries < $2`, id, few)
}

func (s *Store) changedOne(ctx context.Context, statement string, args ...any) (bool, error) {
	result, err := s.write.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, fmt.Errorf("use a sign-in link: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
