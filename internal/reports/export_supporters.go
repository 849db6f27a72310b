package reports

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/united24media/support/internal/giving"
)

// A giver is what one supporter gave in a period.
type giver struct {
	first, newest *giving.Donation
	isNew         bool // the earliest donation of all is among them
	sums          map[string]giving.Figures
}

func (g *giver) add(d *giving.Donation) {
	if g.first == nil || d.Before(g.first) {
		g.first = d
	}
	if g.newest == nil || g.newest.Before(d) {
		g.newest = d
	}
	g.isNew = g.isNew || d.First
	sum := g.sums[d.Currency]
	sum.Donations++
	sum.Gross += d.Gross
	sum.Refunded += d.Refunded
	sum.Disputed += d.Disputed
	g.sums[d.Currency] = sum
}

func (s *Service) exportSupporters(ctx context.Context, w *exportWriter, from, to time.Time) error {
	if err := w.head("supporter", "email", "name", "country", "locale", "new_supporter", "first_donation_at", "last_donation_at", "timezone",
		"currency", "donations", "gross_minor", "refunded_minor", "disputed_minor", "received_minor"); err != nil {
		return err
	}
	supporter, key := "", ""
	var g *giver
	for {
		page, err := s.store.ExportBySupporter(ctx, from, to, supporter, key, exportPage)
		if err != nil {
			return err
		}
		for _, d := range page {
			if g != nil && d.Supporter != supporter {
				if err := s.exportGiver(w, g); err != nil {
					return err
				}
				g = nil
			}
			if g == nil {
				g = &giver{sums: map[string]giving.Figures{}}
			}
			g.add(d)
			supporter, key = d.Supporter, d.Key
		}
		if len(page) == exportPage {
			if err := w.page(); err != nil {
				return err
			}
			continue
		}
		if g == nil {
			return nil
		}
		return s.exportGiver(w, g)
	}
}

// exportGiver writes a row for each currency, with the newest address and name.
func (s *Service) exportGiver(w *exportWriter, g *giver) error {
	d := g.newest
	for _, currency := range slices.Sorted(maps.Keys(g.sums)) {
		sum := g.sums[currency]
		if err := w.row(d.Supporter, d.Email, d.Name, d.Country, d.Locale, g.isNew, instant(g.first.Created), instant(d.Created), s.zone.String(),
			currency, sum.Donations, sum.Gross, sum.Refunded, sum.Disputed, sum.Gross-sum.Refunded-sum.Disputed); err != nil {
			return err
		}
	}
	return nil
}
