package reconcile

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/united24media/support/internal/store"
)

func TestWhichSweepIsDue(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for name, tt := range map[string]struct {
		now, full, recent string
		due, wantFull     bool
	}{
		"never swept":                    {"2026-01-31 12:00", "", "", true, true},
		"full before the night":          {"2026-01-31 03:01", "2026-01-30 03:20", "2026-01-31 02:59", true, true},
		"full before the night, at noon": {"2026-01-31 12:00", "2026-01-30 03:20", "2026-01-31 11:59", true, true},
		"shortly before the night":       {"2026-01-31 02:59", "2026-01-30 03:20", "2026-01-31 02:50", false, false},
		"a quarter of an hour later":     {"2026-01-31 12:00", "2026-01-31 03:20", "2026-01-31 11:45", true, false},
		"a moment later":                 {"2026-01-31 12:00", "2026-01-31 03:20", "2026-01-31 11:46", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open("sqlite:" + t.TempDir() + "/support.db")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := New(Options{Store: db, Now: func() time.Time { return at(tt.now) }, Timezone: zone})
			for fact, when := range map[string]string{FactFull: tt.full, FactRecent: tt.recent} {
				if when == "" {
					continue
				}
				if err := s.putFact(t.Context(), fact, Report{Finished: at(when)}); err != nil {
					t.Fatal(err)
				}
			}
			w, due, err := s.due(t.Context())
			if err != nil || due != tt.due || due && w.Full != tt.wantFull {
				t.Errorf("due %t, full %t, %v; want %t, %t", due, w.Full, err, tt.due, tt.wantFull)
			}
		})
	}
}

func TestWhatComesInIsSeen(t *testing.T) {
	t.Parallel()
	db, err := store.Open("sqlite:" + t.TempDir() + "/support.db")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	s := New(Options{Store: db, Now: func() time.Time { return now }, Timezone: time.UTC})
	newest := now.Add(-2 * time.Hour)
	err = db.Ledger(t.Context(), func(tx *store.Tx) error {
		var events []store.Event
		var times []int64
		for hour := range 8 * store.HoursOfWeek {
			for n := range 4 {
				e := store.Event{
					ID: time.Duration(hour*10 + n).String(), Received: newest.Add(-time.Duration(hour) * time.Hour), State: store.Applied, Body: []byte{},
				}
				if hour == 0 && n == 0 {
					e.State = store.Parked
				}
				events, times = append(events, e), append(times, 1)
			}
		}
		if err := tx.PutEvents(t.Context(), events, times); err != nil {
			return err
		}
		return tx.PutWishes(t.Context(), now.Add(-time.Minute), []store.Wish{{Ref: "charge/ch_1", Due: now}})
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := s.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !h.NewestEvent.Equal(newest) || h.Missed < 7.4 || h.Missed > 8.2 || !h.Silent || h.Parked != 1 || h.Fetches != 1 ||
		!h.OldestFetch.Equal(now.Add(-time.Minute)) {
		t.Errorf("health: %+v", h)
	}
}
