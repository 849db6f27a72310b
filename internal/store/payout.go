package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/united24media/support/internal/giving"
)

// Payouts returns what is stored of all payouts: about one a day.
func (s *Store) Payouts(ctx context.Context) ([]StoredRegister, error) {
	// Stripe's ids of payouts begin with po_. The bounds let every collation
	// use the key's index; LIKE alone would read all registers.
	found, err := s.registers(ctx, `
		SELECT ref, state FROM registers
		WHERE ref > 'payout/po' AND ref < 'payout/pp' AND ref LIKE 'payout/%' ORDER BY ref`)
	if err != nil {
		return nil, fmt.Errorf("read payouts: %w", err)
	}
	return found, nil
}

// PayoutNamed returns up to limit balance transactions that name a payout, as
// the deposit they are part of or as their source, in the database's order of
// their refs, from the one after a ref.
func (s *Store) PayoutNamed(ctx context.Context, payoutRef, after string, limit int) ([]StoredRegister, error) {
	found, err := s.registers(ctx, `
		SELECT r.ref, r.state FROM links AS l JOIN registers AS r ON r.ref = l.from_ref
		WHERE l.to_ref = $1 AND l.from_ref > $2 AND l.from_ref LIKE 'balance\_transaction/%' ESCAPE '\'
		ORDER BY l.from_ref LIMIT $3`, payoutRef, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the lines of %s: %w", payoutRef, err)
	}
	return found, nil
}

// Registers returns what is stored of several objects, by ref. One of which
// nothing was ever said is not among them.
func (s *Store) Registers(ctx context.Context, refs []string) (map[string]string, error) {
	found := map[string]string{}
	err := s.Look(ctx, func(tx *Tx) error {
		return tx.Load(ctx, refs, nil, func(ref, state string) { found[ref] = state }, func(string, string) {})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Naming returns which objects name one or more of several.
func (s *Store) Naming(ctx context.Context, refs []string) ([]string, error) {
	var found []string
	err := s.Look(ctx, func(tx *Tx) error {
		return tx.Load(ctx, nil, refs, func(string, string) {}, func(_, by string) { found = append(found, by) })
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// DonationsByKeys returns those donations that are there.
func (s *Store) DonationsByKeys(ctx context.Context, keys []string) ([]*giving.Donation, error) {
	var found []*giving.Donation
	err := s.Look(ctx, func(tx *Tx) (err error) {
		found, err = tx.DonationsByKey(ctx, keys)
		return err
	})
	return found, err
}

func (s *Store) registers(ctx context.Context, query string, args ...any) ([]StoredRegister, error) {
	var found []StoredRegister
	err := scanAll(s.read.QueryContext(ctx, query, args...))(func(r *sql.Rows) error {
		var stored StoredRegister
		err := r.Scan(&stored.Ref, &stored.State)
		found = append(found, stored)
		return err
	})
	return found, err
}
