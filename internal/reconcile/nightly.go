package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Times of the sweeps inside the service.
const (
	scheduleEvery = time.Minute      // how often it looks whether a sweep is due
	firstSweep    = time.Minute      // after the start
	recentEvery   = 15 * time.Minute // a sweep of the last hours
	recentWindow  = 6 * time.Hour
	recentSettle  = 10 * time.Minute // what is younger is left to its delivery
	nightHour     = 3                // o'clock; then everything is swept
)

// RunSweeps sweeps every night and, over the last hours, every 15 minutes,
// until ctx ends. Any number of replicas may run it: one of them sweeps.
func (s *Service) RunSweeps(ctx context.Context) error {
	for pause := firstSweep; wait(ctx, pause); pause = scheduleEvery {
		w, due, err := s.due(ctx)
		if err == nil && due {
			_, err = s.sweepAlone(ctx, w)
		}
		if err == nil && due && w.Full {
			err = s.mendRankings(ctx)
		}
		switch {
		case err == nil, errors.Is(err, ErrTaken), ctx.Err() != nil:
		default:
			s.Log.ErrorContext(ctx, "sweep over Stripe's lists failed; it is tried again", "err", err)
		}
	}
	return nil
}

func (s *Service) mendRankings(ctx context.Context) error {
	mended, err := s.Ledger.MendRankings(ctx)
	if mended > 0 {
		s.Log.InfoContext(ctx, "articles' rankings did not follow from the sums, and do now", "rankings", mended)
	}
	return err
}

// due returns which sweep is due, if one is.
func (s *Service) due(ctx context.Context) (w Sweep, due bool, err error) {
	full, recent, err := s.Reports(ctx)
	if err != nil {
		return Sweep{}, false, err
	}
	now := s.Now().In(s.Timezone)
	night := time.Date(now.Year(), now.Month(), now.Day(), nightHour, 0, 0, 0, s.Timezone)
	if night.After(now) {
		night = night.AddDate(0, 0, -1)
	}
	w = Sweep{Since: recentWindow, Settle: recentSettle}
	if full.Finished.Before(night) {
		w.Since, w.Full = Window, true
		return w, true, nil
	}
	return w, now.Sub(recent.Finished) >= recentEvery, nil
}

// Reports returns what the last full sweep and the last sweep of any kind came
// to; a report that was never finished has the zero time.
func (s *Service) Reports(ctx context.Context) (full, recent Report, err error) {
	for name, report := range map[string]*Report{FactFull: &full, FactRecent: &recent} {
		text, err := s.Store.Fact(ctx, name)
		if err != nil {
			return full, recent, err
		}
		if text != "" {
			if err := json.Unmarshal([]byte(text), report); err != nil {
				*report = Report{} // as good as never
			}
		}
	}
	return full, recent, nil
}
