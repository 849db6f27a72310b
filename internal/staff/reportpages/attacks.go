package reportpages

import (
	"context"
	"fmt"
	"time"

	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
)

// maxMarks is how many attacks a report names; the newest say enough.
const maxMarks = 5

// mark says on a screen of each attack on the checkout during its days what came
// in meanwhile: some of it may be a thief's, and may yet be disputed.
func (p *Pages) mark(ctx context.Context, f *frame, days period.Period) error {
	zone := p.Desk.Zone
	midnight := func(day time.Time) time.Time { return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone) }
	found, err := p.Desk.Store.AttacksBetween(ctx, midnight(days.From), midnight(days.To), maxMarks)
	if err != nil {
		return err
	}
	for _, a := range found {
		ended, until := a.Ended, a.Ended.In(zone).Format("2 January, 15:04")
		if ended.IsZero() {
			ended, until = p.Desk.Now(), "now"
		}
		given, err := p.Desk.Store.GivenBetween(ctx, a.Began, ended)
		if err != nil {
			return err
		}
		mark := fmt.Sprintf("Thieves tried stolen cards on the checkout from %s until %s. ", a.Began.In(zone).Format("2 January, 15:04"), until)
		for _, g := range given {
			mark += fmt.Sprintf("Given meanwhile in %s: %s (%s). ", g.Currency, figure.Money(g.Gross, g.Currency), figure.Count(g.Gifts))
		}
		if len(given) > 0 {
			mark += "What of it looks like theirs is in quarantine."
		}
		f.Marks = append(f.Marks, mark)
	}
	return nil
}
