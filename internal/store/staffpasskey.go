package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
)

// A Passkey is a key in somebody's device that signs them in.
type Passkey struct {
	ID         string // the credential's, base64url
	Staff      string // whose it is
	Name       string
	Credential string // JSON, as the library keeps it
	Created    time.Time
	Used       time.Time // zero before the first time
}

// AddPasskey stores a passkey.
func (s *Store) AddPasskey(ctx context.Context, p Passkey, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO staff_passkeys (id, staff, name, credential, created_at, used_at) VALUES ($1, $2, $3, $4, $5, 0)`,
			p.ID, p.Staff, p.Name, p.Credential, Micros(p.Created))
		if uniqueViolation(err) {
			return fault.New(fault.Conflict, "This passkey is known already.")
		}
		if err != nil {
			return fmt.Errorf("add a passkey: %w", err)
		}
		return nil
	})
}

// Passkeys returns somebody's passkeys, the oldest first.
func (s *Store) Passkeys(ctx context.Context, staff string) ([]Passkey, error) {
	var found []Passkey
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT id, staff, name, credential, created_at, used_at FROM staff_passkeys WHERE staff = $1 ORDER BY created_at, id`, staff))(
		func(r *sql.Rows) error {
			var p Passkey
			var created, used int64
			err := r.Scan(&p.ID, &p.Staff, &p.Name, &p.Credential, &created, &used)
			p.Created, p.Used = Time(created), Time(used)
			found = append(found, p)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read passkeys: %w", err)
	}
	return found, nil
}

// UsePasskey notes that a passkey signed somebody in, and what is known of it
// since.
func (s *Store) UsePasskey(ctx context.Context, id, credential string, at time.Time) error {
	_, err := s.write.ExecContext(ctx, `UPDATE staff_passkeys SET credential = $2, used_at = $3 WHERE id = $1`, id, credential, Micros(at))
	if err != nil {
		return fmt.Errorf("note that a passkey was used: %w", err)
	}
	return nil
}

// RemovePasskey removes one of somebody's passkeys, or returns a
// [fault.NotFound].
func (s *Store) RemovePasskey(ctx context.Context, staff, id string, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `DELETE FROM staff_passkeys WHERE staff = $1 AND id = $2`, staff, id))
	})
}

// AddChallenge keeps what a browser has to come back with, under the hash of
// its cookie. Those that are over are swept.
func (s *Store) AddChallenge(ctx context.Context, hash, purpose, data string, now, expires time.Time) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM staff_challenges WHERE expires_at <= $1`, Micros(now))
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO staff_challenges (hash, purpose, data, expires_at) VALUES ($1, $2, $3, $4)`,
				hash, purpose, data, Micros(expires))
		}
		if err != nil {
			return fmt.Errorf("keep a challenge: %w", err)
		}
		return nil
	})
}

// TakeChallenge returns what was kept for a browser and a purpose, once, or a
// [fault.NotFound].
func (s *Store) TakeChallenge(ctx context.Context, hash, purpose string, now time.Time) (string, error) {
	var data string
	err := s.write.QueryRowContext(ctx, `
		DELETE FROM staff_challenges WHERE hash = $1 AND purpose = $2 AND expires_at > $3 RETURNING data`,
		hash, purpose, Micros(now)).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fault.New(fault.NotFound, "That took too long, or began in another browser. Try again.")
	}
	if err != nil {
		return "", fmt.Errorf("take a challenge: %w", err)
	}
	return data, nil
}
