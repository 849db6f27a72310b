package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/giving"
)

// An Attack is a time during which somebody tried stolen cards on the checkout.
type Attack struct {
	ID    string
	Why   string // what gave it away, in words for staff
	Began time.Time
	Ended time.Time // zero while it lasts
}

const attackColumns = `id, why, began_at, ended_at`

func scanAttack(r row) (Attack, error) {
	var a Attack
	var began, ended int64
	err := r.Scan(&a.ID, &a.Why, &began, &ended)
	a.Began, a.Ended = Time(began), Time(ended)
	return a, err
}

// BeginAttack writes down that an attack began, unless one lasts already, and
// returns the one that lasts: replicas notice the same one together.
func (s *Store) BeginAttack(ctx context.Context, a Attack) (Attack, error) {
	_, err := s.write.ExecContext(ctx, `
		INSERT INTO attacks (id, lasting, why, began_at, ended_at) VALUES ($1, TRUE, $2, $3, 0) ON CONFLICT DO NOTHING`,
		a.ID, a.Why, Micros(a.Began))
	if err != nil {
		return Attack{}, fmt.Errorf("write down an attack: %w", err)
	}
	lasting, found, err := s.LastingAttack(ctx)
	if err == nil && !found { // it has ended in between
		lasting = a
	}
	return lasting, err
}

// EndAttack writes down that the attack that lasts has ended, and returns it;
// false where none lasts.
func (s *Store) EndAttack(ctx context.Context, ended time.Time) (Attack, bool, error) {
	a, err := scanAttack(s.write.QueryRowContext(ctx, `
		UPDATE attacks SET lasting = NULL, ended_at = $1 WHERE lasting RETURNING `+attackColumns, Micros(ended)))
	return oneAttack(a, err)
}

// LastingAttack returns the attack that lasts; false where none does.
func (s *Store) LastingAttack(ctx context.Context) (Attack, bool, error) {
	// From where it is written, so that what another replica wrote is seen.
	return oneAttack(scanAttack(s.write.QueryRowContext(ctx, `SELECT `+attackColumns+` FROM attacks WHERE lasting`)))
}

func oneAttack(a Attack, err error) (Attack, bool, error) {
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Attack{}, false, nil
	case err != nil:
		return Attack{}, false, fmt.Errorf("look the attack up: %w", err)
	}
	return a, true, nil
}

// AttacksBetween returns up to limit attacks that touch a time, the newest
// first.
func (s *Store) AttacksBetween(ctx context.Context, from, to time.Time, limit int) ([]Attack, error) {
	var found []Attack
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT `+attackColumns+` FROM attacks
		WHERE began_at < $2 AND (ended_at = 0 OR ended_at >= $1) ORDER BY began_at DESC, id LIMIT $3`,
		Micros(from), Micros(to), limit))(func(r *sql.Rows) error {
		a, err := scanAttack(r)
		found = append(found, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read attacks: %w", err)
	}
	return found, nil
}

// A Given is how many gifts came in a time, in one currency, and what they came
// to.
type Given struct {
	Currency string
	Gifts    int64
	Gross    int64 // minor units
}

// GivenBetween returns what readers gave from one instant to another, exclusive,
// by currency. Renewals, which nobody is at the checkout for, are left out.
func (s *Store) GivenBetween(ctx context.Context, from, to time.Time) ([]Given, error) {
	var found []Given
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT currency, COUNT(*), CAST(SUM(gross_minor) AS BIGINT) FROM donations
		WHERE created_at >= $1 AND created_at < $2 AND source = 'stripe' AND NOT renewal GROUP BY currency ORDER BY currency`,
		Micros(from), Micros(to)))(func(r *sql.Rows) error {
		var g Given
		err := r.Scan(&g.Currency, &g.Gifts, &g.Gross)
		found = append(found, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("add up what was given in a time: %w", err)
	}
	return found, nil
}

// RegistersTold returns the registers of what events of a type told of that
// came from one instant to another, exclusive, up to limit.
func (s *Store) RegistersTold(ctx context.Context, eventType string, from, to time.Time, limit int) ([]string, error) {
	var states []string
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT DISTINCT r.ref, r.state FROM events AS e JOIN registers AS r ON r.ref = e.ref
		WHERE e.received_at >= $1 AND e.received_at < $2 AND e.type = $3 LIMIT $4`,
		Micros(from), Micros(to), eventType, limit))(func(r *sql.Rows) error {
		var ref, state string
		err := r.Scan(&ref, &state)
		states = append(states, state)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what events of type %s told of: %w", eventType, err)
	}
	return states, nil
}

// GiftsBetween returns up to limit of what readers gave from one instant to
// another, exclusive, newest first. Renewals are left out.
func (s *Store) GiftsBetween(ctx context.Context, from, to time.Time, limit int) (found []*giving.Donation, err error) {
	err = s.Look(ctx, func(tx *Tx) (err error) {
		found, err = tx.donations(ctx, `created_at >= $1 AND created_at < $2 AND source = 'stripe' AND NOT renewal
			ORDER BY created_at DESC, key DESC LIMIT $3`, Micros(from), Micros(to), limit)
		return err
	})
	return found, err
}
