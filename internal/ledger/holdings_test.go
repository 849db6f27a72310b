package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/world"
)

// compare fails with what the ledger holds otherwise than the book.
func (p *player) compare(when string, want world.Book) {
	got := world.Book{
		Donations: map[string]world.Donation{}, Memberships: map[string]world.Membership{},
		Scopes: map[string]world.Scope{}, Daily: map[world.Row]world.Sums{},
	}
	if p.movements {
		got.Moves = map[world.Move]world.Moved{}
	}
	months, days := map[world.Row]world.Sums{}, map[world.Row]world.Sums{}
	err := p.Store.Look(context.Background(), func(tx *store.Tx) error {
		var err error
		if want.Payouts != nil {
			want.Payouts = withoutKinds(want.Payouts)
			got.Payouts, err = payouts(tx, want.Payouts)
		}
		return errors.Join(err, holds(tx, &got, months))
	})
	if err != nil {
		p.Fatalf("%s: %v", when, err)
	}
	lines := want.Diff(got)
	for row, sums := range got.Daily {
		row.Day = row.Day[:len("2026-01")]
		days[row] = days[row].Plus(sums)
	}
	lines = append(lines, world.Book{Daily: days}.Diff(world.Book{Daily: months})...)
	if len(lines) == 0 {
		return
	}
	more := max(0, len(lines)-20)
	p.Logf("what Stripe told:\n%s", p.told(60))
	p.Fatalf("%s the ledger differs from the book:\n%s\nand %d lines more", when, strings.Join(lines[:len(lines)-more], "\n"), more)
}

// told lists the world's first events, by day.
func (p *player) told(most int) string {
	var text strings.Builder
	for _, e := range p.w.Events[:min(most, len(p.w.Events))] {
		fmt.Fprintf(&text, "%s %-40s %s\n", time.Unix(e.Created, 0).UTC().Format(time.DateTime), e.Type, e.Object)
		if os.Getenv("WORLD_BODIES") != "" {
			fmt.Fprintf(&text, "\t%s\n", e.Body)
		}
	}
	return text.String()
}

// holds reads what the ledger derived, monthly sums apart.
func holds(tx *store.Tx, got *world.Book, months map[world.Row]world.Sums) error {
	ctx := context.Background()
	const all = 1 << 20
	donations, err := tx.DonationsAfter(ctx, "", all)
	if err != nil {
		return err
	}
	for _, d := range donations {
		got.Donations[d.Key] = donation(d)
	}
	memberships, err := tx.MembershipsAfter(ctx, "", all)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		got.Memberships[m.Subscription] = membership(m)
	}
	parked, err := tx.ParkedEvents(ctx, 1)
	if err != nil {
		return err
	}
	for _, e := range parked {
		return fmt.Errorf("event %s is parked: %s", e.ID, e.Error)
	}
	if err := tx.Scopes(ctx, func(c store.ScopeCount) {
		got.Scopes[c.Scope] = world.Scope{Supporters: int(c.Supporters), Members: int(c.Members)}
	}); err != nil {
		return err
	}
	if err := journalHolds(tx); err != nil {
		return err
	}
	if got.Moves != nil {
		if err := tx.Movements(ctx, 0, periods, func(c giving.MovementCell, by giving.Moved) {
			got.Moves[world.Move{
				Period: dashed(c.Period), Cohort: dashed(c.Cohort), Kind: string(c.Movement), Currency: c.Currency,
			}] = world.Moved{Members: by.Members, Monthly: by.Monthly}
		}); err != nil {
			return err
		}
	}
	return tx.Sums(ctx, func(c giving.Cell, f giving.Figures) {
		into, row := got.Daily, world.Row{Dimension: c.Dimension, Value: c.Value, Currency: c.Currency, Settlement: c.Settlement}
		if row.Day = fmt.Sprint(c.Period); len(row.Day) == len("202601") {
			into, row.Day = months, row.Day[:4]+"-"+row.Day[4:]
		} else {
			row.Day = row.Day[:4] + "-" + row.Day[4:6] + "-" + row.Day[6:]
		}
		into[row] = world.Sums{
			Donations: f.Donations, NewSupporters: f.NewSupporters, Won: f.Won, Kept: f.Kept, Gross: f.Gross, Refunded: f.Refunded,
			Disputed: f.Disputed, Fee: f.Fee, Net: f.Net,
		}
	})
}

// dashed returns a day or month as the book writes it.
func dashed(period int64) string {
	switch text := fmt.Sprint(period); len(text) {
	case len("202601"):
		return text[:4] + "-" + text[4:]
	case len("20260131"):
		return text[:4] + "-" + text[4:6] + "-" + text[6:]
	}
	return ""
}

// journalHolds adds up the journal: it must come to the sums.
func journalHolds(tx *store.Tx) error {
	ctx := context.Background()
	left := map[giving.Cell]giving.Figures{}
	err := tx.Sums(ctx, func(c giving.Cell, f giving.Figures) {
		if c.OfDay() {
			left[c] = f
		}
	})
	if err != nil {
		return err
	}
	err = tx.JournalAfter(ctx, time.Time{}, 0, 1<<40, func(row store.JournalRow) error {
		changes, err := ReadJournal(row)
		for _, c := range changes {
			for _, dimension := range giving.Dimensions() {
				if cell, ok := c.Cell(dimension); ok {
					left[cell] = left[cell].Plus(c.Figures, -1)
				}
			}
		}
		return err
	})
	for cell, f := range left {
		if f != (giving.Figures{}) {
			return errors.Join(err, fmt.Errorf("the journal lacks %+v of %+v", f, cell))
		}
	}
	return err
}

// payouts reads what the registers say of payouts and of the balance
// transactions in each.
func payouts(tx *store.Tx, wanted map[string]world.Payout) (map[string]world.Payout, error) {
	var ids, named []string
	for id := range wanted {
		ids = append(ids, string(objects.NewRef(objects.KindPayout, id)))
	}
	registers, err := read(tx, ids, func(by string) { named = append(named, by) })
	if err != nil {
		return nil, err
	}
	transactions, err := read(tx, named, func(string) {})
	if err != nil {
		return nil, err
	}
	got := map[string]world.Payout{}
	for ref, known := range registers {
		p := known.(*objects.Payout)
		got[ref.ID()] = world.Payout{
			Status: p.Status, Currency: strings.ToUpper(p.Currency), Amount: p.Amount, Automatic: p.Automatic,
			Lines: map[string]world.Line{},
		}
	}
	for ref, known := range transactions {
		if t, ok := known.(*objects.Transaction); ok && t.Type != "payout" && got[t.Payout].Lines != nil {
			got[t.Payout].Lines[ref.ID()] = world.Line{Net: t.Net}
		}
	}
	return got, nil
}

// read returns registers, and tells who names them.
func read(tx *store.Tx, refs []string, named func(by string)) (map[objects.Ref]objects.Register, error) {
	found := map[objects.Ref]objects.Register{}
	var failed error
	err := tx.Load(context.Background(), refs, refs, func(ref, state string) {
		register, err := objects.DecodeRegister(objects.Ref(ref).Kind(), state)
		found[objects.Ref(ref)], failed = register, errors.Join(failed, err)
	}, func(_, by string) { named(by) })
	return found, errors.Join(failed, err)
}

// withoutKinds leaves of lines what registers tell.
func withoutKinds(payouts map[string]world.Payout) map[string]world.Payout {
	bare := map[string]world.Payout{}
	for id, p := range payouts {
		lines := map[string]world.Line{}
		for transaction, line := range p.Lines {
			lines[transaction] = world.Line{Net: line.Net}
		}
		p.Lines = lines
		bare[id] = p
	}
	return bare
}

func donation(d *giving.Donation) world.Donation {
	other := map[string][2]int64{}
	for _, b := range d.Elsewhere {
		other[b.Currency] = [2]int64{b.Fee, b.Net}
	}
	return world.Donation{
		Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed, Lost: d.Lost, Currency: d.Currency,
		Settlement: d.Settled.Currency, Fee: d.Settled.Fee, Net: d.Settled.Net, Other: world.Others(other),
		Day: world.Day(d.Created), Created: d.Created, Article: d.Article, Placement: d.Placement,
		Campaign: d.Campaign, Variant: d.Variant, Country: d.Country, Interval: string(d.Interval),
		Tier: d.Tier, Attribution: d.Status, Supporter: d.Supporter,
	}
}

func membership(m *giving.Membership) world.Membership {
	return world.Membership{
		Status: m.Status, Member: m.Live, Interval: string(m.Interval), Amount: m.Amount,
		Currency: m.Currency, Article: m.Article, Campaign: m.Campaign, Person: m.Supporter,
	}
}
