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
