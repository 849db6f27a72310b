package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// Across returns what a report by a dimension can be crossed with: a day or
// month always, since sums are kept by them, and the dimensions of which the
// sums keep the pair. Each row is by currency anyway.
func Across(by string) []string {
	switch by {
	case "day", "month", "currency":
		return nil
	case "article", "campaign", "variant":
		return []string{"day", "month", "placement"}
	case "placement":
		return []string{"day", "month", "article", "campaign", "variant"}
	}
	return []string{"day", "month"}
}

// A Cross is a report by two dimensions.
type Cross struct {
	Report             // its rows are the totals of each key
	Across string      // the second dimension
	Cells  []CrossCell // by key, across and currencies; empty ones are left out
}

// A CrossCell is the figures of a key in the report and one across it.
type CrossCell struct {
	Key    string // "" where unknown
	Across string // "" where unknown
	Figures
}

// Cross answers q, crossed with a second dimension of [Across].
func (s *Service) Cross(ctx context.Context, q Query, across string) (Cross, error) {
	if !slices.Contains(Across(q.By), across) {
		return Cross{}, fault.Field("across", "A report by %s can be crossed with: %s.", q.By, strings.Join(Across(q.By), ", "))
	}
	report, err := s.Report(ctx, q)
	if err != nil {
		return Cross{}, err
	}
	dimension, pair := pairOf(q.By, across)
	wanted := q
	wanted.By = across // by day, days alone are read
	wanted.AsOf = report.AsOf
	sums, _, err := s.sums(ctx, wanted, dimension, pair == nil)
	if err != nil {
		return Cross{}, fmt.Errorf("report by %s across %s: %w", q.By, across, err)
	}
	if pair == nil {
		pair = func(c giving.Cell) (string, string) { return c.Value, key(across, c) }
	}
	return Cross{report, across, crossed(sums, pair)}, nil
}

// pairOf returns the dimension that holds two, and how its values are read; nil
// where the second is a period.
func pairOf(by, across string) (dimension string, values func(giving.Cell) (string, string)) {
	if across == "day" || across == "month" {
		return by, nil
	}
	if name := giving.PairName(by, across); slices.Contains(giving.Dimensions(), name) {
		return name, func(c giving.Cell) (string, string) { return giving.PairValues(c.Value) }
	}
	return giving.PairName(across, by), func(c giving.Cell) (string, string) {
		a, b := giving.PairValues(c.Value)
		return b, a
	}
}

func crossed(sums []store.Sum, values func(giving.Cell) (string, string)) []CrossCell {
	type at struct {
		across string
		cell
	}
	folded := map[at]giving.Figures{}
	for _, sum := range sums {
		a, b := values(sum.Cell)
		place := at{b, cell{a, sum.Currency, sum.Settlement}}
		folded[place] = folded[place].Plus(sum.Figures, 1)
	}
	cells := []CrossCell{}
	for place, f := range folded {
		if f != (giving.Figures{}) {
			cells = append(cells, CrossCell{place.key, place.across, figures(place.cell, f)})
		}
	}
	slices.SortFunc(cells, func(a, b CrossCell) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Across, b.Across),
			cmp.Compare(a.Currency, b.Currency), cmp.Compare(settlement(a.Figures), settlement(b.Figures)))
	})
	return cells
}

// settlement returns the settlement currency, "" while there is none.
func settlement(f Figures) string {
	if f.SettlementCurrency == nil {
		return ""
	}
	return *f.SettlementCurrency
}
