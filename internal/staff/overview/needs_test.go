package overview

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
)

// Each dispute that wants an answer is told with its deadline, however many
// there are; the most urgent at once.
func TestDisputesAreTold(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	o := &Overview{Options: Options{Desk: &desk.Desk{Options: desk.Options{Zone: time.UTC, Now: func() time.Time { return now }}}}}
	for open, want := range map[int]struct {
		lines, more int
		sums        string
	}{
		0: {}, 5: {lines: 5}, 6: {6, 1, "1 more dispute wants an answer"}, 55: {6, 50, "50 more disputes want an answer"},
		80: {6, 50, "75 more disputes want an answer"},
	} {
		var disputes []reports.OpenDispute
		for i := range open {
			disputes = append(disputes, reports.OpenDispute{Donation: fmt.Sprint("pi_", i), Currency: "EUR", Amount: 1000, DueBy: now.AddDate(0, 0, i-1)})
		}
		told := o.disputes(disputes)
		if len(told) != want.lines {
			t.Fatalf("%d disputes are told in %d lines, want %d", open, len(told), want.lines)
		}
		if open == 0 {
			continue
		}
		if d := told[0]; !d.Urgent || d.Detail != "It was due at Stripe on 30 March, 12:00." || d.URL != "/staff/donations/pi_0" {
			t.Errorf("the first of %d: %+v", open, d)
		}
		last := told[len(told)-1]
		if len(last.More) != want.more || !strings.HasPrefix(last.Text, want.sums) {
			t.Errorf("of %d disputes %q sums up %d", open, last.Text, len(last.More))
		}
		for i, d := range last.More {
			if due := now.AddDate(0, 0, shownDisputes+i-1).Format("2 January, 15:04"); !strings.Contains(d.Detail, due) {
				t.Errorf("dispute %d of %d: %q, want %s", shownDisputes+i, open, d.Detail, due)
			}
		}
	}
}
