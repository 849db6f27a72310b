package reconcile

import (
	"testing"
	"time"

	"github.com/united24media/support/internal/store"
)

func TestWhenItIsTooQuiet(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	inflow := func(weeks int, hourly int64) store.Inflow {
		in := store.Inflow{First: noon.AddDate(0, 0, -7*weeks), Newest: noon}
		for hour := range in.ByHour {
			in.ByHour[hour] = hourly * int64(min(weeks, usualWeeks))
		}
		return in
	}
	quietNight := inflow(8, 10)
	for hour := range 6 {
		quietNight.ByHour[store.HourOfWeek(noon.Add(time.Duration(hour)*time.Hour))] = 0
	}
	for name, tt := range map[string]struct {
		in     store.Inflow
		since  time.Duration
		missed float64
	}{
		"ten an hour, none for one":    {inflow(8, 10), time.Hour, 10},
		"ten an hour, none for half":   {inflow(8, 10), 30 * time.Minute, 5},
		"hours that are always quiet":  {quietNight, 6 * time.Hour, 0},
		"and one that is not":          {quietNight, 7 * time.Hour, 10},
		"more weeks than are averaged": {inflow(20, 4), 2 * time.Hour, 8},
		"too young to know":            {inflow(1, 1000), 10 * time.Hour, 0},
		"nothing ever":                 {store.Inflow{}, time.Hour, 0},
		"quiet for half a year":        {inflow(8, 1), 180 * 24 * time.Hour, 14 * 24},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := missed(tt.in, noon.Add(tt.since)); got < tt.missed-0.01 || got > tt.missed+0.01 {
				t.Errorf("missed %g events, want %g", got, tt.missed)
			}
		})
	}
}
