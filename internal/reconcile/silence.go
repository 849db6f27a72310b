package reconcile

import (
	"context"
	"time"

	"github.com/united24media/support/internal/store"
)

// What silence is judged by.
const (
	watchEvery   = time.Minute
	usualWeeks   = 8                   // that say what an hour of the week usually brings
	fewestWeeks  = 2                   // before anything is usual
	enoughMissed = 7.0                 // events: that none of so many comes by chance is one in a thousand
	longestGap   = 14 * 24 * time.Hour // that is summed up; whoever hears nothing so long knows
)

// FactHealth names the fact that is the last [Health], as JSON.
const FactHealth = "health"

// A Health is what tells that something is not coming in.
type Health struct {
	At          time.Time `json:"at"`
	NewestEvent time.Time `json:"newest_event"` // zero before the first
	Missed      float64   `json:"missed"`       // events that usually come in the time since the newest
	Silent      bool      `json:"silent"`       // it is too quiet to be chance
	Parked      int64     `json:"parked"`       // events that could not be understood
	OldestFetch time.Time `json:"oldest_fetch"` // since when Stripe is to be asked something; zero if nothing
	Fetches     int64     `json:"fetches"`      // that wait
	Through     time.Time `json:"through"`      // reconciled with Stripe until then
	Differences int       `json:"differences"`  // that the last sweep found
	Undelivered int       `json:"undelivered"`  // events that Stripe could not deliver, by the last sweep
}

// Watch looks every minute at what comes in, keeps what it sees as a fact and
// tells it, until ctx ends. tell may be nil.
func (s *Service) Watch(ctx context.Context, tell func(Health)) error {
	silent := false
	for pause := time.Second; wait(ctx, pause); pause = watchEvery {
		h, err := s.Health(ctx)
		if err == nil {
			err = s.putFact(ctx, FactHealth, h)
		}
		if err != nil {
			if ctx.Err() == nil {
				s.Log.WarnContext(ctx, "what comes in can't be watched", "err", err)
			}
			continue
		}
		if h.Silent && !silent {
			s.Log.ErrorContext(ctx, "no event has come for longer than is usual; is the webhook endpoint reached?",
				"newest", h.NewestEvent, "usually", h.Missed)
		}
		silent = h.Silent
		if tell != nil {
			tell(h)
		}
	}
	return nil
}

// Health returns how things are now.
func (s *Service) Health(ctx context.Context) (Health, error) {
	now := s.Now()
	in, err := s.Store.Inflow(ctx, now.AddDate(0, 0, -7*usualWeeks))
	if err != nil {
		return Health{}, err
	}
	h := Health{At: now, NewestEvent: in.Newest, Parked: in.Parked, Missed: missed(in, now)}
	h.Silent = h.Missed >= enoughMissed
	if h.OldestFetch, h.Fetches, err = s.Store.OldestFetch(ctx); err != nil {
		return Health{}, err
	}
	_, recent, err := s.Reports(ctx)
	h.Through, h.Differences, h.Undelivered = recent.Through, recent.Differences, recent.Undelivered
	return h, err
}

// missed returns how many events usually come in the time since the newest, by
// what the same hours of earlier weeks brought; 0 before that is known.
func missed(in store.Inflow, now time.Time) float64 {
	weeks := min(in.Newest.Sub(in.First).Hours()/store.HoursOfWeek, usualWeeks)
	if weeks < fewestWeeks {
		return 0
	}
	sum := 0.0
	from := in.Newest
	if now.Sub(from) > longestGap {
		from = now.Add(-longestGap)
	}
	for from.Before(now) {
		end := from.Truncate(time.Hour).Add(time.Hour)
		if end.After(now) {
			end = now
		}
		sum += float64(in.ByHour[store.HourOfWeek(from)]) / weeks * end.Sub(from).Hours()
		from = end
	}
	return sum
}
