package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// An Overview is what came in over a period, beside the period before.
type Overview struct {
	Now, Before Standing
	Timezone    string
	AsOf        time.Time
}

// A Standing is what one period came to.
type Standing struct {
	From, To      time.Time // days at midnight UTC; To is the day after the last
	Donations     int64
	NewSupporters int64     // people who gave for the first time
	Money         []Money   // by currency
	Settled       []Settled // by settlement currency
	Days          []Day     // every day of the period, in order

	NewMembers  int64       // memberships that began, or began again
	LostMembers int64       // memberships that ended: churn
	Members     int64       // memberships at the period's end, or now
	Recurring   []Recurring // what they are worth then, by currency
}

// Money is what was given in one currency, in its minor units.
type Money struct {
	Currency  string
	Donations int64
	Gross     int64
	Refunded  int64
	Disputed  int64
	Received  int64 // gross − refunded − disputed
	Average   int64 // gross by donation, rounded, halves up; 0 without donations
}

// Settled is what Stripe settled in one currency, in its minor units.
type Settled struct {
	Currency string
	Fee, Net int64
}

// A Day is what one day came to.
type Day struct {
	Day           string // such as 2026-01-31
	Donations     int64
	NewSupporters int64
	NewMembers    int64
	LostMembers   int64
	Money         []Money // by currency; none where nothing came
}

// Overview answers for q's period and the one before; q.By does not matter.
func (s *Service) Overview(ctx context.Context, q Query) (Overview, error) {
	now, asOf, err := s.standing(ctx, q)
	if err != nil {
		return Overview{}, err
	}
	before, _, err := s.standing(ctx, q.Before())
	return Overview{now, before, s.zone.String(), asOf}, err
}

func (s *Service) standing(ctx context.Context, q Query) (Standing, time.Time, error) {
	q.By = "day"
	sums, asOf, err := s.sums(ctx, q, giving.DimensionAll, true)
	if err != nil {
		return Standing{}, asOf, fmt.Errorf("overview: %w", err)
	}
	out := Standing{From: q.From, To: q.To}
	byDay := map[int64][]store.Sum{}
	for _, sum := range sums {
		byDay[sum.Period] = append(byDay[sum.Period], sum)
	}
	out.Money, out.Donations, out.NewSupporters = moneyOf(sums)
	out.Settled = settledOf(sums)
	flows, err := s.Memberships(ctx, q)
	if err != nil {
		return Standing{}, asOf, err
	}
	members := map[string]*Day{}
	for _, f := range flows.Flows {
		if members[f.Period] == nil {
			members[f.Period] = &Day{}
		}
		members[f.Period].NewMembers += f.New.Members + f.Reactivated.Members
		members[f.Period].LostMembers -= f.Churned.Members
		out.NewMembers += f.New.Members + f.Reactivated.Members
		out.LostMembers -= f.Churned.Members
	}
	out.Recurring = flows.End
	for _, r := range flows.End {
		out.Members += r.Members
	}
	for d := q.From; d.Before(q.To); d = d.AddDate(0, 0, 1) {
		one := Day{Day: d.Format(time.DateOnly)}
		if m := members[one.Day]; m != nil {
			one.NewMembers, one.LostMembers = m.NewMembers, m.LostMembers
		}
		one.Money, one.Donations, one.NewSupporters = moneyOf(byDay[day(d)])
		out.Days = append(out.Days, one)
	}
	return out, asOf, nil
}

// moneyOf adds sums up by currency.
func moneyOf(sums []store.Sum) (all []Money, donations, newSupporters int64) {
	by := map[string]giving.Figures{}
	for _, sum := range sums {
		by[sum.Currency] = by[sum.Currency].Plus(sum.Figures, 1)
		donations += sum.Donations
		newSupporters += sum.NewSupporters
	}
	for currency, f := range by {
		m := Money{
			Currency: currency, Donations: f.Donations, Gross: f.Gross, Refunded: f.Refunded, Disputed: f.Disputed,
			Received: f.Gross - f.Refunded - f.Disputed,
		}
		if f.Donations > 0 {
			m.Average = (2*f.Gross + f.Donations) / (2 * f.Donations)
		}
		if m != (Money{Currency: currency}) {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b Money) int { return cmp.Compare(a.Currency, b.Currency) })
	return all, donations, newSupporters
}

// settledOf adds up fees and nets by settlement currency.
func settledOf(sums []store.Sum) (all []Settled) {
	by := map[string]Settled{}
	for _, sum := range sums {
		if sum.Settlement != "" {
			have := by[sum.Settlement]
			by[sum.Settlement] = Settled{sum.Settlement, have.Fee + sum.Fee, have.Net + sum.Net}
		}
	}
	for _, one := range by {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Settled) int { return cmp.Compare(a.Currency, b.Currency) })
	return all
}
