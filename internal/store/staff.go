package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
)

// RoleAdmin is the role that may change who works here. There is always
// somebody who has it, once there was.
const RoleAdmin = "admin"

// A Staff is somebody who works here.
type Staff struct {
	ID       string
	Email    string // as it was typed
	Role     string // viewer, finance or admin
	Created  time.Time
	SignedIn time.Time // when a session of theirs was last used; zero if there is none
}

// FoldEmail returns what two spellings of one address have in common.
func FoldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// AddStaff stores somebody new. It returns a [fault.Conflict] where the address
// is known already.
func (s *Store) AddStaff(ctx context.Context, m Staff, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO staff (id, email, folded, role, created_at) VALUES ($1, $2, $3, $4, $5)`,
			m.ID, m.Email, FoldEmail(m.Email), m.Role, Micros(m.Created))
		if uniqueViolation(err) {
			return fault.Field("email", "%s is a member already.", m.Email)
		}
		if err != nil {
			return fmt.Errorf("add a member of staff: %w", err)
		}
		return nil
	})
}

// SetStaffRole gives somebody another role. It returns a [fault.NotFound]
// where there is nobody, and a [fault.Conflict] where no admin would be left.
func (s *Store) SetStaffRole(ctx context.Context, id, role string, e Entry) error {
	return s.keepingAnAdmin(ctx, e, `UPDATE staff SET role = $2 WHERE id = $1`, id, role)
}

// RemoveStaff removes somebody with their sessions, passkeys and links. Its
// errors are those of [Store.SetStaffRole].
func (s *Store) RemoveStaff(ctx context.Context, id string, e Entry) error {
	return s.keepingAnAdmin(ctx, e, `DELETE FROM staff WHERE id = $1`, id)
}

// changed returns a [fault.NotFound] where a statement about somebody or
// something of theirs changed nothing.
func changed(result sql.Result, err error) error {
	if err != nil {
		return fmt.Errorf("change staff: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.New(fault.NotFound, "It is not there any more."), err)
	}
	return nil
}

// keepingAnAdmin runs a statement about somebody, and returns a
// [fault.Conflict] where it would take the last admin away. Audited
// transactions take turns, so two can't remove each other.
func (s *Store) keepingAnAdmin(ctx context.Context, e Entry, statement string, args ...any) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		before, err := admins(ctx, tx)
		if err != nil {
			return err
		}
		if err := changed(tx.ExecContext(ctx, statement, args...)); err != nil {
			return err
		}
		after, err := admins(ctx, tx)
		if err == nil && after == 0 && before > 0 {
			err = fault.New(fault.Conflict, "This is the last admin: make somebody else one first.")
		}
		return err
	})
}

func admins(ctx context.Context, tx *sql.Tx) (count int64, err error) {
	if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM staff WHERE role = $1`, RoleAdmin).Scan(&count); err != nil {
		return 0, fmt.Errorf("count admins: %w", err)
	}
	return count, nil
}

// StaffByEmail returns somebody by their address in whatever case, or a
// [fault.NotFound].
func (s *Store) StaffByEmail(ctx context.Context, email string) (Staff, error) {
	return s.oneStaff(ctx, `m.folded = $1`, FoldEmail(email))
}

// StaffByID returns somebody, or a [fault.NotFound].
func (s *Store) StaffByID(ctx context.Context, id string) (Staff, error) {
	return s.oneStaff(ctx, `m.id = $1`, id)
}

func (s *Store) oneStaff(ctx context.Context, where string, args ...any) (Staff, error) {
	found, err := s.staff(ctx, where, args...)
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "Nobody of that address works here.")
	}
	if err != nil {
		return Staff{}, err
	}
	return found[0], nil
}

// StaffList returns everybody, by address.
func (s *Store) StaffList(ctx context.Context) ([]Staff, error) { return s.staff(ctx, `TRUE`) }

func (s *Store) staff(ctx context.Context, where string, args ...any) ([]Staff, error) {
	var found []Staff
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT m.id, m.email, m.role, m.created_at,
			COALESCE((SELECT MAX(s.used_at) FROM staff_sessions s WHERE s.staff = m.id), 0)
		FROM staff m WHERE `+where+` ORDER BY m.folded`, args...))(func(r *sql.Rows) error {
		var m Staff
		var created, signedIn int64
		err := r.Scan(&m.ID, &m.Email, &m.Role, &created, &signedIn)
		m.Created, m.SignedIn = Time(created), Time(signedIn)
		found = append(found, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read staff: %w", err)
	}
	return found, nil
}
