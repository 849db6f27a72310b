// Package demo invents three years of giving, so that every screen has
// something to show before the first reader gives. It tells them to the ledger
// as Stripe's API would answer, and never writes a donation or a sum itself.
//
// The same seed and end make the same years, to the byte. Articles, people and
// amounts are invented; every address ends in example.org.
package demo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
)

// Options are what the years are made from.
type Options struct {
	Seed uint64
	End  time.Time      // the last moment of them, by which everything has happened
	Zone *time.Location // of the days that signals are counted by
}

// Years is how long the story goes.
const Years = 3

// A Story is what happened in those years.
type Story struct {
	Begin, End time.Time
	Answers    []ledger.Answer // by time
	Signals    []store.Signal
	Checkouts  []store.Checkout // by time
	Articles   []Article        // that were out by the end
	Campaigns  []store.Campaign
	Gifts      int // donations among the answers
	Members    int // memberships among the answers
}

// An Article is one of the invented articles.
type Article struct {
	Slug, Title string
	Published   time.Time
}

// Tell invents the years.
func Tell(o Options) *Story { return tell(o, Years) }

func tell(o Options, years int) *Story {
	end := o.End.UTC().Truncate(time.Second)
	midnight := time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, o.Zone)
	t := &teller{
		dice: newDice(o.Seed), zone: o.Zone, begin: midnight.AddDate(-years, 0, 0), end: end,
		signals: map[store.Signal]int64{},
	}
	t.publish()
	for day := t.begin; !day.After(end); day = day.AddDate(0, 0, 1) {
		t.day(day)
	}
	t.payOut()
	return t.story()
}

// story gathers what was told.
func (t *teller) story() *Story {
	s := &Story{
		Begin: t.begin, End: t.end, Gifts: t.gifts, Members: t.members, Checkouts: t.checkouts, Campaigns: campaigns(),
	}
	for _, a := range t.articles {
		if a.Published.Before(t.end) {
			s.Articles = append(s.Articles, a.Article)
		}
	}
	slices.SortStableFunc(t.told, func(a, b told) int { return cmp.Compare(a.at, b.at) })
	for _, one := range t.told {
		s.Answers = append(s.Answers, one.answers()...)
	}
	slices.SortFunc(s.Checkouts, func(a, b store.Checkout) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for signal, times := range t.signals {
		signal.Times = times
		s.Signals = append(s.Signals, signal)
	}
	slices.SortFunc(s.Signals, func(a, b store.Signal) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Article, b.Article), cmp.Compare(a.Placement, b.Placement),
			cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Kind, b.Kind))
	})
	return s
}

// atOnce is how many answers the ledger is given together.
const atOnce = 800

// Record gives a story's answers to a ledger that runs. progress is called with
// how many it has. What it has already it passes over, so that a story that
// was interrupted is completed by recording it again.
func (s *Story) Record(ctx context.Context, book *ledger.Ledger, progress func(done int)) error {
	done := 0
	for batch := range slices.Chunk(s.Answers, atOnce) {
		if err := book.Apply(ctx, batch...); err != nil {
			return fmt.Errorf("record the demo data: %w", err)
		}
		done += len(batch)
		progress(done)
	}
	return nil
}

// Store adds what is no fact of Stripe's: what readers did with asks, the
// checkouts they began, the campaigns, and what the articles are called. Doing it again changes nothing.
func (s *Story) Store(ctx context.Context, db *store.Store) error {
	if err := db.AddCheckouts(ctx, s.Checkouts); err != nil {
		return err
	}
	for _, c := range s.Campaigns {
		if err := db.PutCampaign(ctx, c); err != nil {
			return err
		}
	}
	named := make([]store.Article, len(s.Articles))
	for i, a := range s.Articles {
		named[i] = store.Article{Slug: a.Slug, Title: a.Title, Seen: a.Published}
	}
	if err := db.AddArticles(ctx, named); err != nil {
		return err
	}
	// Signals are added to what is there, all of them or none: those of the
	// first day tell whether they were.
	first := s.Signals[0]
	stored, err := db.Signals(ctx, first.Day, first.Day+1)
	if err != nil || slices.ContainsFunc(stored, func(g store.Signal) bool { return g.Article == first.Article && g.Kind == first.Kind }) {
		return err
	}
	return db.AddSignals(ctx, s.Signals)
}
