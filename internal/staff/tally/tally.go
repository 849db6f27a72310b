// Package tally adds up rows of reports for the staff pages: what was given by
// currency, and what Stripe settled of it. Nothing is converted by a rate of
// ours, so that there is one sum for each currency, and what is settled is the
// one in which gifts of many currencies meet.
package tally

import (
	"cmp"
	"maps"
	"slices"

	"github.com/united24media/support/internal/reports"
)

// A Tally is a sum of figures. Its zero value is empty.
type Tally struct {
	Donations     int64
	NewSupporters int64

	given   map[string]Given
	settled map[string]Settled
}

// Given is what was given in one currency, in its minor units.
type Given struct {
	Currency  string
	Donations int64
	Gross     int64
	Refunded  int64
	Disputed  int64
	Received  int64 // gross − refunded − disputed
	Open      int64 // of Received, what is not settled yet
}

// Settled is what Stripe settled in one currency, in its minor units.
type Settled struct {
	Currency  string
	Donations int64 // that are settled
	Received  int64 // at Stripe's rates, before fees
	Fee, Net  int64
}

// Add adds one row's figures.
func (t *Tally) Add(f reports.Figures) {
	if t.given == nil {
		t.given, t.settled = map[string]Given{}, map[string]Settled{}
	}
	t.Donations += f.Donations
	t.NewSupporters += f.NewSupporters
	g := t.given[f.Currency]
	g.Currency = f.Currency
	g.Donations += f.Donations
	g.Gross += f.Gross
	g.Refunded += f.Refunded
	g.Disputed += f.Disputed
	g.Received += f.Received
	if f.SettlementCurrency == nil {
		g.Open += f.Received
		t.given[f.Currency] = g
		return
	}
	t.given[f.Currency] = g
	s := t.settled[*f.SettlementCurrency]
	s.Currency = *f.SettlementCurrency
	s.Donations += f.Donations
	s.Fee += *f.Fee
	s.Net += *f.Net
	s.Received = s.Net + s.Fee
	t.settled[s.Currency] = s
}

// Of returns the tally of all rows.
func Of(rows []reports.Row) *Tally {
	t := &Tally{}
	for _, r := range rows {
		t.Add(r.Figures)
	}
	return t
}

// Given returns what was given, the currency of most donations first.
func (t *Tally) Given() []Given {
	return slices.SortedFunc(maps.Values(t.given), func(a, b Given) int {
		return cmp.Or(-cmp.Compare(a.Donations, b.Donations), cmp.Compare(a.Currency, b.Currency))
	})
}

// In returns what was given in one currency.
func (t *Tally) In(currency string) Given {
	g := t.given[currency]
	g.Currency = currency
	return g
}

// Open returns what is not settled yet, by currency.
func (t *Tally) Open() []Given {
	return slices.DeleteFunc(t.Given(), func(g Given) bool { return g.Open == 0 })
}

// Settled returns what was settled in one currency.
func (t *Tally) Settled(currency string) Settled {
	s := t.settled[currency]
	s.Currency = currency
	return s
}

// Settlements returns what was settled, the currency of most donations first.
func (t *Tally) Settlements() []Settled {
	return slices.SortedFunc(maps.Values(t.settled), func(a, b Settled) int {
		return cmp.Or(-cmp.Compare(a.Donations, b.Donations), cmp.Compare(a.Currency, b.Currency))
	})
}

// Main returns the settlement currency of most donations, or "" where nothing
// is settled.
func (t *Tally) Main() string {
	if all := t.Settlements(); len(all) > 0 {
		return all[0].Currency
	}
	return ""
}

// Average returns what was received for each settled donation, rounded half
// away from zero; 0 without any.
func (s Settled) Average() int64 { return average(s.Received, s.Donations) }

// Average returns the gross of each donation, rounded half away from zero; 0
// without any.
func (g Given) Average() int64 { return average(g.Gross, g.Donations) }

func average(sum, n int64) int64 {
	if n <= 0 {
		return 0
	}
	if sum < 0 {
		return -average(-sum, n)
	}
	return (2*sum + n) / (2 * n)
}

// ByKey returns a tally for each key of rows.
func ByKey(rows []reports.Row) map[string]*Tally {
	all := map[string]*Tally{}
	for _, r := range rows {
		if all[r.Key] == nil {
			all[r.Key] = &Tally{}
		}
		all[r.Key].Add(r.Figures)
	}
	return all
}
