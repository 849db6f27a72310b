package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// WatchedRegisters returns the registers of disputes that wait for evidence and
// of payouts that failed, up to limit, by ref: what their texts say in either
// case is told from the rest in Go.
func (s *Store) WatchedRegisters(ctx context.Context, limit int) (map[string]string, error) {
	found := map[string]string{}
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT ref, state FROM registers
		WHERE substr(ref, 1, 7) IN ('dispute', 'payout/')
			AND (state LIKE '%needs_response"%' OR state LIKE '%"status":"failed"%') LIMIT $1`, limit))(func(r *sql.Rows) error {
		var ref, state string
		err := r.Scan(&ref, &state)
		found[ref] = state
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read disputes and payouts: %w", err)
	}
	return found, nil
}

// CountUnrepaired returns how many differences were found since an instant and
// are not repaired.
func (s *Store) CountUnrepaired(ctx context.Context, since time.Time) (count int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM differences WHERE found_at >= $1 AND NOT repaired`, Micros(since)).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("count differences: %w", err)
	}
	return count, nil
}

// CountParked returns how many events could not be understood.
func (s *Store) CountParked(ctx context.Context) (count int64, err error) {
	if err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM events WHERE state = 'parked'`).Scan(&count); err != nil {
		return 0, fmt.Errorf("count parked events: %w", err)
	}
	return count, nil
}
