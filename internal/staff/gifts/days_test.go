package gifts

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// A gift stands on its day in Kyiv, on the list, in CSV and in reports: late in
// the evening of UTC, and on the days on which the clock is moved.
func TestDaysOfKyiv(t *testing.T) {
	t.Parallel()
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	ok(t, err)
	n := newNewsroomIn(t, kyiv)
	days := map[string]string{ // by the instant
		"2026-01-31T21:59:59Z": "2026-01-31", "2026-01-31T23:30:00Z": "2026-02-01",
		// The clock goes from 3:00 to 4:00: a day of 23 hours.
		"2026-03-28T21:59:59Z": "2026-03-28", "2026-03-28T23:30:00Z": "2026-03-29", "2026-03-29T20:59:59Z": "2026-03-29", "2026-03-29T21:00:00Z": "2026-03-30",
		// It goes from 4:00 to 3:00: a day of 25.
		"2026-10-24T20:59:59Z": "2026-10-24", "2026-10-24T21:00:00Z": "2026-10-25", "2026-10-25T21:59:59Z": "2026-10-25", "2026-10-25T22:00:00Z": "2026-10-26",
	}
	want := map[string][]string{} // keys by day
	dayOf := map[string]string{}
	var gifts []*giving.Donation
	cells := giving.Cells{}
	for at, day := range days {
		created, err := time.Parse(time.RFC3339, at)
		ok(t, err)
		key := "pi_" + strings.NewReplacer("-", "", ":", "").Replace(at)
		want[day], dayOf[key] = append(want[day], key), day
		d := &giving.Donation{Key: key, Created: created.Unix(), Currency: "EUR", Gross: 100, Interval: giving.Once, Source: "stripe", Supporter: "gift:" + key}
		d.AddTo(cells, 1, kyiv)
		gifts = append(gifts, d)
	}
	ok(t, n.store.Ledger(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.PutDonations(t.Context(), gifts), tx.MoveSums(t.Context(), cells))
	}))
	service := reports.New(reports.Options{Store: n.store, Timezone: kyiv, Now: n.box.Now})
	for day, keys := range want {
		slices.Sort(keys)
		var listed []string
		for _, r := range rowsOn(n.ask(desk.Viewer, giftsPath+"?from="+day+"&to="+day, nil).Body.String()) {
			listed = append(listed, r[0])
			shown, err := time.Parse("2 Jan 2006, 15:04", r[1])
			if err != nil || shown.Format(time.DateOnly) != day {
				t.Errorf("%s is shown at %s, want the day %s", r[0], r[1], day)
			}
		}
		slices.Sort(listed)
		if !slices.Equal(listed, keys) {
			t.Errorf("the list of %s has %v, want %v", day, listed, keys)
		}
		date, err := time.Parse(time.DateOnly, day)
		ok(t, err)
		report, err := service.Report(t.Context(), reports.Query{From: date, To: date.AddDate(0, 0, 1), By: "day"})
		ok(t, err)
		if len(report.Rows) != 1 || report.Rows[0].Key != day || report.Rows[0].Donations != int64(len(keys)) {
			t.Errorf("the report of %s: %+v, want %d donations", day, report.Rows, len(keys))
		}
	}
	rows, err := csv.NewReader(n.ask(desk.Viewer, giftsPath+".csv", nil).Body).ReadAll()
	ok(t, err)
	id, day := slices.Index(rows[0], "id"), slices.Index(rows[0], "day")
	if len(rows) != len(days)+1 || id < 0 || day < 0 {
		t.Fatalf("%d lines, %v", len(rows), rows[0])
	}
	for _, row := range rows[1:] {
		if row[day] != dayOf[row[id]] {
			t.Errorf("%s is on %s in CSV, want %s", row[id], row[day], dayOf[row[id]])
		}
	}
	if zone := slices.Index(rows[0], "timezone"); zone < 0 || rows[1][zone] != "Europe/Kyiv" {
		t.Error(fmt.Sprint("CSV does not name the zone: ", rows[:2]))
	}
}
