package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// HoursOfWeek is how many hours a week has.
const HoursOfWeek = 7 * 24

// An Inflow is how events came in over some weeks.
type Inflow struct {
	First, Newest time.Time          // by our clock, of all that are stored; zero if none
	ByHour        [HoursOfWeek]int64 // how many came since then, by [HourOfWeek]
	Parked        int64              // that could not be understood
}

// HourOfWeek returns which hour of the week an instant is in, in UTC. Which
// one is the first does not matter.
func HourOfWeek(t time.Time) int { return int(t.Unix() / 3600 % HoursOfWeek) }

// Inflow returns how events came in since an instant.
func (s *Store) Inflow(ctx context.Context, since time.Time) (Inflow, error) {
	var in Inflow
	var first, newest int64
	err := s.read.QueryRowContext(ctx, `
		SELECT COALESCE(MIN(received_at), 0), COALESCE(MAX(received_at), 0),
			(SELECT COUNT(*) FROM events WHERE state = 'parked') FROM events`).Scan(&first, &newest, &in.Parked)
	if err != nil {
		return Inflow{}, fmt.Errorf("read when events came: %w", err)
	}
	in.First, in.Newest = Time(first), Time(newest)
	err = scanAll(s.read.QueryContext(ctx, `
		SELECT (received_at / 3600000000) % 168, COUNT(*) FROM events WHERE received_at >= $1 GROUP BY 1`, Micros(since)))(
		func(r *sql.Rows) error {
			var hour, count int64
			err := r.Scan(&hour, &count)
			if err == nil {
				in.ByHour[hour] = count
			}
			return err
		})
	if err != nil {
		return Inflow{}, fmt.Errorf("read when events came: %w", err)
	}
	return in, nil
}
