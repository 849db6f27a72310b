package main

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/store"
)

// Whoever answers for money is mailed once of a silence, however often it is
// seen; viewers are not.
func TestAlarm(t *testing.T) {
	t.Parallel()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	for _, role := range []string{"viewer", "finance", "admin"} {
		address := role + "@example.org"
		if err := db.AddStaff(t.Context(), store.Staff{ID: role, Email: address, Role: role, Created: at}, store.Entry{At: at, Who: "a test", Action: "staff.add"}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		alarm(t.Context(), db, reconcile.Health{}, slog.New(slog.DiscardHandler))
		alarm(t.Context(), db, reconcile.Health{Silent: true, NewestEvent: at, Differences: 2, Through: at}, slog.New(slog.DiscardHandler))
	}
	all, err := db.MailBefore(t.Context(), "", time.Time{}, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, m := range all {
		got[m.Kind+" "+m.To]++
	}
	for _, kind := range []string{mail.Silence, mail.Differences} {
		if got[kind+" finance@example.org"] != 1 || got[kind+" admin@example.org"] != 1 || len(got) != 4 {
			t.Errorf("queued %v", got)
		}
	}
}
