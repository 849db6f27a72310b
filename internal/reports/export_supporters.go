package reports

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
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

// supportersPage is how many supporters of a list are read at a time: each may
// have given for years.
const supportersPage = 200

// ExportSupporters writes a list of supporters as CSV, in the order of the
// donations that a filter finds: a row for each currency that somebody gave in,
// with all that they ever gave. It holds one page in memory, and of a search the
// keys of who was written.
func (s *Service) ExportSupporters(ctx context.Context, w io.Writer, f store.DonationFilter) error {
	sheet := NewSheet(w, "supporter", "email", "name", "country", "locale", "first_donation_at", "last_donation_at", "timezone",
		"currency", "donations", "gross_minor", "refunded_minor", "disputed_minor", "received_minor", "membership", "membership_status")
	written := map[string]bool{}
	for f.Limit = supportersPage; ; {
		page, err := s.store.DonationList(ctx, f)
		if err != nil {
			return fmt.Errorf("export a list of supporters: %w", err)
		}
		var keys []string
		for _, d := range page.Donations {
			if !f.First { // somebody may have several of them
				if written[d.Supporter] {
					continue
				}
				written[d.Supporter] = true
			}
			keys = append(keys, d.Supporter)
		}
		if err := s.writeSupporters(ctx, sheet, keys); err != nil {
			return err
		}
		if f.At = page.Older; f.At == (store.Position{}) {
			return sheet.End()
		}
	}
}

// writeSupporters writes supporters in their order.
func (s *Service) writeSupporters(ctx context.Context, sheet *Sheet, keys []string) error {
	gifts, memberships, err := s.store.OfSupporters(ctx, keys)
	if err != nil {
		return err
	}
	givers, newest := map[string]*giver{}, map[string]*giving.Membership{}
	for _, d := range gifts {
		if givers[d.Supporter] == nil {
			givers[d.Supporter] = &giver{sums: map[string]giving.Figures{}}
		}
		givers[d.Supporter].add(d)
	}
	for _, m := range memberships {
		if known := newest[m.Supporter]; known == nil || m.Created > known.Created {
			newest[m.Supporter] = m
		}
	}
	for _, key := range keys {
		g := givers[key]
		if g == nil { // erased meanwhile
			continue
		}
		var membership, status any
		if m := newest[key]; m != nil {
			membership, status = m.Subscription, m.Status
		}
		d := g.newest
		for _, currency := range slices.Sorted(maps.Keys(g.sums)) {
			sum := g.sums[currency]
			sheet.Row(d.Supporter, d.Email, d.Name, d.Country, d.Locale, time.Unix(g.first.Created, 0), time.Unix(d.Created, 0), s.zone.String(),
				currency, sum.Donations, sum.Gross, sum.Refunded, sum.Disputed, sum.Gross-sum.Refunded-sum.Disputed, membership, status)
		}
	}
	return nil
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
