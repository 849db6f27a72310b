package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
)

// A Token is a key to the reports. Its text is known to its holder alone.
type Token struct {
	Name    string
	Role    string // viewer or finance
	Created time.Time
	Used    time.Time // to the hour; zero if never
	Revoked time.Time // zero while it is valid
}

// AddToken stores a new token under the hash of its text. It returns a
// [fault.Conflict] where the name is taken, by a revoked token too.
func (s *Store) AddToken(ctx context.Context, t Token, hash string, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO tokens (name, hash, role, created_at, revoked_at)
			VALUES ($1, $2, $3, $4, 0)`,
			t.Name, hash, t.Role, Micros(t.Created))
		if uniqueViolation(err) {
			return fault.New(fault.Conflict, "There is or was a token %q; choose another name.", t.Name)
		}
		if err != nil {
			return fmt.Errorf("add token %s: %w", t.Name, err)
		}
		return nil
	})
}

// RevokeToken ends a token. It returns a [fault.NotFound] where no valid token
// has the name.
func (s *Store) RevokeToken(ctx context.Context, name string, at time.Time, e Entry) error {
	return s.audited(ctx, e, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			UPDATE tokens SET revoked_at = $1 WHERE name = $2 AND revoked_at = 0`,
			Micros(at), name)
		if err != nil {
			return fmt.Errorf("revoke token %s: %w", name, err)
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(fault.New(fault.NotFound, "There is no valid token %q.", name), err)
		}
		return nil
	})
}

// Tokens returns all tokens by name, revoked ones too.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT `+tokenColumns+` FROM tokens ORDER BY name`)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	defer rows.Close()
	var tokens []Token
	for rows.Next() {
		t, err := scanToken(rows)
		if err != nil {
			return nil, fmt.Errorf("list tokens: %w", err)
		}
		tokens = append(tokens, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// TokenByHash returns the token whose text has this hash, revoked or not, or a
// [fault.NotFound].
func (s *Store) TokenByHash(ctx context.Context, hash string) (Token, error) {
	t, err := scanToken(s.read.QueryRowContext(ctx, `
		SELECT `+tokenColumns+` FROM tokens WHERE hash = $1`, hash))
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, fault.New(fault.NotFound, "There is no such token.")
	}
	if err != nil {
		return Token{}, fmt.Errorf("look a token up: %w", err)
	}
	return t, nil
}

const tokenColumns = `name, role, created_at, used_at, revoked_at`

func scanToken(row interface{ Scan(...any) error }) (Token, error) {
	var t Token
	var created, used, revoked int64
	err := row.Scan(&t.Name, &t.Role, &created, &used, &revoked)
	t.Created, t.Used, t.Revoked = Time(created), Time(used), Time(revoked)
	return t, err
}

// tokenReadsKept is how long it is remembered that a token read something in an
// hour: longer than any two replicas' clocks are apart.
const tokenReadsKept = 24 * time.Hour

// AuditTokenRead writes the entry of a token's first read of a route in the
// hour of the entry; of any number that read at once, on whatever replica, one
// does. The log so has a line for what each token reads, and does not grow with
// how often.
func (s *Store) AuditTokenRead(ctx context.Context, token, route string, e Entry) error {
	hour := e.At.Unix() / 3600
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			INSERT INTO token_reads (token, route, hour) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, token, route, hour)
		if err != nil {
			return err
		}
		if first, err := oneRow(result); err != nil || !first {
			return err
		}
		if err := s.auditIn(ctx, tx, e.storable()); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM token_reads WHERE hour < $1`, hour-int64(tokenReadsKept/time.Hour)); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE tokens SET used_at = $2 WHERE name = $1`, token, Micros(e.At))
		return err
	})
	if err != nil {
		return fmt.Errorf("audit what token %s reads: %w", token, err)
	}
	return nil
}
