package overview

import (
	"context"

	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/period"
)

// members is how memberships stand, in all currencies.
type members struct {
	Now, New, Lost, Start int64
}

// members returns how memberships moved, or nil where there never was one.
func (o *Overview) members(ctx context.Context, p period.Period) (*members, error) {
	report, err := o.Reports.Memberships(ctx, reports.Query{From: p.From, To: p.To, By: "month"})
	if err != nil {
		return nil, err
	}
	var m members
	for _, r := range report.Start {
		m.Start += r.Members
	}
	for _, r := range report.End {
		m.Now += r.Members
	}
	for _, f := range report.Totals {
		m.New += f.New.Members + f.Reactivated.Members
		m.Lost -= f.Churned.Members
	}
	if m == (members{}) {
		return nil, nil
	}
	return &m, nil
}
