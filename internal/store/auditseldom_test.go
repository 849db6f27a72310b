package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/united24media/support/internal/store"
)

// TestAFloodDoesNotFillTheAuditLog: what is repeated is told at the first, tenth
// and hundredth time of an hour, each kind by itself.
func TestAFloodDoesNotFillTheAuditLog(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		for i := range 250 {
			for _, subject := range []string{"", "olha@news.example"} {
				if i > 0 && subject != "" {
					continue
				}
				e := store.Entry{At: noon, Who: "a visitor", Action: "staff.sign-in.failed", Subject: subject, Detail: "by code"}
				if i >= 150 {
					e.At = noon.Add(time.Hour)
				}
				if err := db.AuditSeldom(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
		}
		log, err := db.AuditAfter(t.Context(), store.AuditFilter{Action: "staff.sign-in.failed"}, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range log {
			got = append(got, e.At.Format("15:04 ")+e.Subject+" "+e.Detail)
		}
		want := []string{
			"12:00  by code", "12:00 olha@news.example by code", "12:00  by code: 10 times in this hour", "12:00  by code: 100 times in this hour",
			"13:00  by code", "13:00  by code: 10 times in this hour", "13:00  by code: 100 times in this hour",
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("the log has\n%q; want\n%q", got, want)
		}
	})
}
