package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A Wish is something to be asked of Stripe.
type Wish struct {
	Ref      string
	Priority int64 // lower first
	Due      time.Time
}

var fetchRows = bulk{
	"fetches",
	[]column{
		{"ref", "TEXT"}, {"priority", "BIGINT"}, {"wanted", "BIGINT"}, {"due_at", "BIGINT"}, {"locked_until", "BIGINT"},
		{"attempts", "BIGINT"}, {"queued_at", "BIGINT"}, {"error", "TEXT"},
	},
	`ON CONFLICT (ref) DO UPDATE SET wanted = fetches.wanted + 1,
		due_at = CASE WHEN excluded.due_at < fetches.due_at THEN excluded.due_at ELSE fetches.due_at END,
		priority = CASE WHEN excluded.priority < fetches.priority THEN excluded.priority ELSE fetches.priority END`,
}

// PutWishes queues what must be asked of Stripe; of a wish that is queued
// already it notes that the answer must be a later one, and that it is due no
// later than the new one, however long the old one was put off.
func (t *Tx) PutWishes(ctx context.Context, now time.Time, wishes []Wish) error {
	r := fetchRows.rows(len(wishes))
	for _, w := range wishes {
		r.add(w.Ref, w.Priority, int64(1), Micros(w.Due), int64(0), int64(0), Micros(now), "")
	}
	return t.write(ctx, r, nil)
}

// A Fetch is a wish that this process has taken.
type Fetch struct {
	Ref      string
	Attempts int64
	wanted   int64
}

// TakeFetches takes up to limit due wishes, most urgent first. Nobody else
// takes them until the lease ends.
func (s *Store) TakeFetches(ctx context.Context, now time.Time, lease time.Duration, limit int) ([]Fetch, error) {
	// The lease is tested twice: on PostgreSQL the inner SELECT may see rows
	// that another process takes at the same moment.
	rows, err := s.write.QueryContext(ctx, `
		UPDATE fetches SET locked_until = $2, attempts = attempts + 1
		WHERE locked_until <= $1 AND due_at <= $1 AND ref IN (
			SELECT ref FROM fetches WHERE locked_until <= $1 AND due_at <= $1
			ORDER BY priority, due_at LIMIT $3)
		RETURNING ref, attempts, wanted`, Micros(now), Micros(now.Add(lease)), limit)
	if err != nil {
		return nil, fmt.Errorf("take fetches: %w", err)
	}
	defer rows.Close()
	var taken []Fetch
	for rows.Next() {
		var f Fetch
		if err := rows.Scan(&f.Ref, &f.Attempts, &f.wanted); err != nil {
			return nil, fmt.Errorf("take fetches: %w", err)
		}
		taken = append(taken, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("take fetches: %w", err)
	}
	return taken, nil
}

// HoldFetch lengthens the lease of a wish that is still being answered.
func (s *Store) HoldFetch(ctx context.Context, f Fetch, until time.Time) error {
	_, err := s.write.ExecContext(ctx, `UPDATE fetches SET locked_until = $2 WHERE ref = $1 AND locked_until > 0`, f.Ref, Micros(until))
	if err != nil {
		return fmt.Errorf("hold fetch %s: %w", f.Ref, err)
	}
	return nil
}

// FetchDone removes a wish that was answered, unless it was wished for again
// since it was taken: then it is due at once.
func (s *Store) FetchDone(ctx context.Context, f Fetch) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM fetches WHERE ref = $1 AND wanted = $2`, f.Ref, f.wanted); err != nil {
			return fmt.Errorf("end fetch %s: %w", f.Ref, err)
		}
		_, err := tx.ExecContext(ctx, `UPDATE fetches SET locked_until = 0, attempts = 0, error = '' WHERE ref = $1`, f.Ref)
		if err != nil {
			return fmt.Errorf("end fetch %s: %w", f.Ref, err)
		}
		return nil
	})
}

// FetchFailed puts a wish off to a later time and notes why.
func (s *Store) FetchFailed(ctx context.Context, f Fetch, due time.Time, reason string) error {
	_, err := s.write.ExecContext(ctx, `UPDATE fetches SET locked_until = 0, due_at = $2, error = $3 WHERE ref = $1`,
		f.Ref, Micros(due), reason)
	if err != nil {
		return fmt.Errorf("put off fetch %s: %w", f.Ref, err)
	}
	return nil
}

// OldestFetch returns when the oldest wish was queued and how many there are;
// the zero time if none.
func (s *Store) OldestFetch(ctx context.Context) (queued time.Time, count int64, err error) {
	var oldest int64
	err = s.read.QueryRowContext(ctx, `SELECT COALESCE(MIN(queued_at), 0), COUNT(*) FROM fetches`).Scan(&oldest, &count)
	if err != nil {
		return time.Time{}, 0, fmt.Errorf("read the fetch queue: %w", err)
	}
	return Time(oldest), count, nil
}
