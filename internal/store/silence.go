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

// A Lag is how long events took from Stripe's clock to ours.
type Lag struct {
	Events  int64 // that came
	Mean    time.Duration
	Slowest time.Duration
}

// Lag returns how long the events took that were received since an instant.
func (s *Store) Lag(ctx context.Context, since time.Time) (Lag, error) {
	var lag Lag
	var mean, slowest int64
	err := s.read.QueryRowContext(ctx, `
		SELECT COUNT(*), CAST(COALESCE(AVG(received_at - created_at), 0) AS BIGINT), COALESCE(MAX(received_at - created_at), 0)
		FROM events WHERE received_at >= $1`, Micros(since)).Scan(&lag.Events, &mean, &slowest)
	if err != nil {
		return Lag{}, fmt.Errorf("read how long events took: %w", err)
	}
	lag.Mean, lag.Slowest = time.Duration(mean)*time.Microsecond, time.Duration(slowest)*time.Microsecond
	return lag, nil
}

// Parked returns up to limit events that could not be understood, oldest first.
func (s *Store) Parked(ctx context.Context, limit int) ([]Event, error) {
	var found []Event
	err := s.Look(ctx, func(tx *Tx) (err error) {
		found, err = tx.ParkedEvents(ctx, limit)
		return err
	})
	return found, err
}
