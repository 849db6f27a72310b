package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A Difference is one place where Stripe said otherwise than was stored.
type Difference struct {
	ID       string // the same for the same difference of one sweep
	Ref      string // what differed, such as donation/pi_1
	Cause    string // how that came about, as far as is known
	Detail   string // what was stored, and what Stripe says
	Found    time.Time
	Repaired bool
}

var differenceRows = bulk{
	"differences",
	append(columnsOf("TEXT", "id", "ref", "cause", "detail"), column{"found_at", "BIGINT"}, column{"repaired", "BOOLEAN"}),
	`ON CONFLICT (id) DO UPDATE SET repaired = excluded.repaired`,
}

// PutDifferences keeps differences, no two of one id; of one that is there
// already it notes whether it was repaired.
func (s *Store) PutDifferences(ctx context.Context, differences []Difference) error {
	if len(differences) == 0 {
		return nil
	}
	r := differenceRows.rows(len(differences))
	for _, d := range differences {
		r.add(d.ID, d.Ref, d.Cause, d.Detail, Micros(d.Found), d.Repaired)
	}
	return s.transact(ctx, s.write, s.begin(), func(t *Tx) error { return t.write(ctx, r, nil) })
}

// Differences returns up to limit differences found since an instant, newest
// first.
func (s *Store) Differences(ctx context.Context, since time.Time, limit int) ([]Difference, error) {
	var found []Difference
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT id, ref, cause, detail, found_at, repaired FROM differences
		WHERE found_at >= $1 ORDER BY found_at DESC, id LIMIT $2`, Micros(since), limit))(func(r *sql.Rows) error {
		var d Difference
		var at int64
		err := r.Scan(&d.ID, &d.Ref, &d.Cause, &d.Detail, &at, &d.Repaired)
		d.Found = Time(at)
		found = append(found, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read differences: %w", err)
	}
	return found, nil
}

// CountDifferences returns how many differences were found since an instant.
func (s *Store) CountDifferences(ctx context.Context, since time.Time) (int, error) {
	var count int
	err := s.read.QueryRowContext(ctx, `SELECT COUNT(*) FROM differences WHERE found_at >= $1`, Micros(since)).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("count differences: %w", err)
	}
	return count, nil
}

// NoteRepaired notes that all differences found since an instant are repaired,
// and returns how many those are.
func (s *Store) NoteRepaired(ctx context.Context, since time.Time) (int, error) {
	result, err := s.write.ExecContext(ctx, `UPDATE differences SET repaired = TRUE WHERE found_at >= $1`, Micros(since))
	if err != nil {
		return 0, fmt.Errorf("note that differences are repaired: %w", err)
	}
	count, err := result.RowsAffected()
	return int(count), err
}
