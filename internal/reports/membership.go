package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// Recurring is what memberships are worth in one currency. A year counts as
// twelve months, halves rounded up, membership by membership.
type Recurring struct {
	Currency string
	Members  int64 // memberships: who has two counts twice
	Monthly  int64 // minor units a month
}

// A Flow is how memberships in one currency moved in a period.
type Flow struct {
	Period      string // a day, a month, or "" for all of it
	Currency    string
	New         giving.Moved
	Expansion   giving.Moved
	Contraction giving.Moved // negative, as Churned
	Churned     giving.Moved
	Reactivated giving.Moved
}

// Plus adds the movements of another period.
func (f *Flow) Plus(o Flow) {
	for _, m := range [...]struct{ to, by *giving.Moved }{
		{&f.New, &o.New}, {&f.Expansion, &o.Expansion}, {&f.Contraction, &o.Contraction}, {&f.Churned, &o.Churned}, {&f.Reactivated, &o.Reactivated},
	} {
		m.to.Members += m.by.Members
		m.to.Monthly += m.by.Monthly
	}
}

// Net returns what all movements come to.
func (f *Flow) Net() giving.Moved {
	var sum giving.Moved
	for _, m := range [...]giving.Moved{f.New, f.Expansion, f.Contraction, f.Churned, f.Reactivated} {
		sum.Members += m.Members
		sum.Monthly += m.Monthly
	}
	return sum
}

// A MembershipReport is how memberships stood at both ends of a period, and how
// they moved in it.
type MembershipReport struct {
	Start, End []Recurring // by currency
	Flows      []Flow      // by period and currency; none where nothing moved
	Totals     []Flow      // by currency
}

// Memberships answers q, which is by day or by month. What moves later, such as
// the end of a grace, is left out.
func (s *Service) Memberships(ctx context.Context, q Query) (MembershipReport, error) {
	if q.By != "day" && q.By != "month" {
		return MembershipReport{}, fault.Field("by", "Memberships are reported by day or month.")
	}
	start, err := s.recurring(ctx, q.From)
	if err != nil {
		return MembershipReport{}, err
	}
	sums, err := s.movements(ctx, q)
	if err != nil {
		return MembershipReport{}, err
	}
	out := MembershipReport{Start: recurringOf(start)}
	flows, totals := map[[2]string]*Flow{}, map[[2]string]*Flow{}
	for _, sum := range sums {
		period := key(q.By, giving.Cell{Period: sum.Period})
		flowIn(flows, period, sum)
		flowIn(totals, "", sum)
		start[sum.Currency] = plus(start[sum.Currency], sum.Moved)
	}
	out.End, out.Flows, out.Totals = recurringOf(start), flowsOf(flows), flowsOf(totals)
	return out, nil
}

// movements returns the movements of q's period as far as it has come.
func (s *Service) movements(ctx context.Context, q Query) ([]store.MovementSum, error) {
	if tomorrow := s.Today().AddDate(0, 0, 1); q.To.After(tomorrow) {
		q.To = tomorrow
	}
	if !q.To.After(q.From) {
		return nil, nil
	}
	return s.store.MovementSums(ctx, spans(q))
}

// recurring returns what memberships were worth when a day began.
func (s *Service) recurring(ctx context.Context, at time.Time) (map[string]giving.Moved, error) {
	sums, err := s.movements(ctx, Query{From: earliest, To: at, By: "month"})
	if err != nil {
		return nil, fmt.Errorf("recurring revenue: %w", err)
	}
	by := map[string]giving.Moved{}
	for _, sum := range sums {
		by[sum.Currency] = plus(by[sum.Currency], sum.Moved)
	}
	return by, nil
}

// earliest is a first of a month before every membership.
var earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func plus(a, b giving.Moved) giving.Moved {
	return giving.Moved{Members: a.Members + b.Members, Monthly: a.Monthly + b.Monthly}
}

func recurringOf(by map[string]giving.Moved) []Recurring {
	all := []Recurring{}
	for currency, m := range by {
		if m != (giving.Moved{}) {
			all = append(all, Recurring{currency, m.Members, m.Monthly})
		}
	}
	slices.SortFunc(all, func(a, b Recurring) int { return cmp.Compare(a.Currency, b.Currency) })
	return all
}

func flowIn(flows map[[2]string]*Flow, period string, sum store.MovementSum) {
	f := flows[[2]string{period, sum.Currency}]
	if f == nil {
		f = &Flow{Period: period, Currency: sum.Currency}
		flows[[2]string{period, sum.Currency}] = f
	}
	into := map[giving.Movement]*giving.Moved{
		giving.New: &f.New, giving.Expansion: &f.Expansion, giving.Contraction: &f.Contraction,
		giving.Churned: &f.Churned, giving.Reactivated: &f.Reactivated,
	}[sum.Movement]
	if into != nil {
		*into = plus(*into, sum.Moved)
	}
}

func flowsOf(flows map[[2]string]*Flow) []Flow {
	all := make([]Flow, 0, len(flows))
	for _, f := range flows {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Flow) int {
		return cmp.Or(cmp.Compare(a.Period, b.Period), cmp.Compare(a.Currency, b.Currency))
	})
	return all
}

// A Cohort is the memberships that began in one month, in all currencies.
type Cohort struct {
	Month string  // such as 2026-01
	Began int64   // memberships
	Kept  []int64 // that were left at the end of that month and of each one after it, this one included
}

// Cohorts returns the memberships that began in months from one to, but
// without, another, given as their first days; none where none began.
func (s *Service) Cohorts(ctx context.Context, from, to time.Time) ([]Cohort, error) {
	first, end, now := day(from)/100, day(to)/100, day(s.Today())/100
	// A month's movements that are still to come, at the end of a grace, are in
	// its row already; the present month is read as it will have been.
	sums, err := s.store.MovementSums(ctx, []store.Span{{From: first, To: now + 1}})
	if err != nil {
		return nil, fmt.Errorf("cohorts: %w", err)
	}
	began := map[int64]int64{}
	moved := map[[2]int64]int64{}
	for _, sum := range sums {
		if sum.Cohort < first || sum.Cohort >= end {
			continue
		}
		if sum.Movement == giving.New {
			began[sum.Cohort] += sum.Members
		}
		moved[[2]int64{sum.Cohort, sum.Period}] += sum.Members
	}
	cohorts := []Cohort{}
	for month := first; month < end && month <= now; month = after(month) {
		if began[month] == 0 {
			continue
		}
		c := Cohort{Month: giving.Date(month*100 + 1).Format("2006-01"), Began: began[month]}
		left := int64(0)
		for m := month; m <= now; m = after(m) {
			left += moved[[2]int64{month, m}]
			c.Kept = append(c.Kept, left)
		}
		cohorts = append(cohorts, c)
	}
	return cohorts, nil
}

// after returns the month after one, as the sums number them.
func after(month int64) int64 {
	if month%100 == 12 {
		return month + 89
	}
	return month + 1
}
