package reports

import (
	"context"
	"time"
)

// Before returns the question for the period before q's, as long as it: as many
// whole months where q is of whole months, else as many days.
func (q Query) Before() Query {
	before := q
	before.To = q.From
	if q.From.Day() == 1 && q.To.Day() == 1 {
		before.From = q.From.AddDate(0, -months(q.From, q.To), 0)
	} else {
		before.From = q.From.Add(-q.To.Sub(q.From))
	}
	return before
}

// months returns how many months are from one first of a month to another.
func months(from, to time.Time) int {
	return (to.Year()-from.Year())*12 + int(to.Month()) - int(from.Month())
}

// A Comparison is a report beside the same one of the period before.
type Comparison struct {
	Now    Report
	Before Report
}

// Compare answers q for its period and for the one before.
func (s *Service) Compare(ctx context.Context, q Query) (Comparison, error) {
	now, err := s.Report(ctx, q)
	if err != nil {
		return Comparison{}, err
	}
	before, err := s.Report(ctx, q.Before())
	return Comparison{now, before}, err
}

// Today returns the present day in the reports' time zone, at midnight UTC as a
// [Query] has its days.
func (s *Service) Today() time.Time {
	year, month, day := s.now().In(s.zone).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Timezone returns the name of the time zone in which days begin.
func (s *Service) Timezone() string { return s.zone.String() }
