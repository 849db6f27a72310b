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

	Years int // how long the story goes; 0 is three
}

// A Story is what happened in those years.
type Story struct {
	Begin, End time.Time
	Answers    []Answer // by time
	Warnings   []Warning
	Signals    []store.Signal
	Checkouts  []store.Checkout // by time
	Articles   []Article        // that were out by the end
	Campaigns  []Campaign
	Trial      time.Time // when the experiment began, whose variants are Control and Variant
	Attack     store.Attack
	Gifts      int // donations among the answers
	Members    int // memberships among the answers
}

// An Answer is what Stripe's API answered for an object.
type Answer struct {
	ledger.Answer
	Failed bool // a renewal that could not be collected, which its member is mailed about
}

// An Article is one of the invented articles.
type Article struct {
	Slug, Title string
	Published   time.Time
}

// Tell invents the years.
func Tell(o Options) *Story {
	end := o.End.UTC().Truncate(time.Second)
	midnight := time.Date(end.Year(), end.Month(), end.Day(), 0, 0, 0, 0, o.Zone)
	t := &teller{
		dice: newDice(o.Seed), zone: o.Zone, begin: midnight.AddDate(-cmp.Or(o.Years, 3), 0, 0), end: end,
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
		Begin: t.begin, End: t.end, Gifts: t.gifts, Members: t.members, Checkouts: t.checkouts, Campaigns: t.campaigns(),
		Warnings: t.warnings, Attack: t.attack(), Trial: t.begin,
	}
	for t.end.Sub(s.Trial) > trial {
		s.Trial = s.Trial.AddDate(0, 0, 1)
	}
	for _, a := range t.articles {
		if a.Published.Before(t.end) {
			s.Articles = append(s.Articles, a.Article)
		}
	}
	slices.SortFunc(s.Warnings, func(a, b Warning) int { return a.At.Compare(b.At) })
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

// Store adds what is no fact of Stripe's: what readers did with asks, the
// checkouts they began, what the articles are called, and when thieves came.
// Doing it again changes nothing.
func (s *Story) Store(ctx context.Context, db *store.Store) error {
	if err := db.AddCheckouts(ctx, s.Checkouts); err != nil {
		return err
	}
	named := make([]store.Article, len(s.Articles))
	for i, a := range s.Articles {
		named[i] = store.Article{Slug: a.Slug, Title: a.Title, Seen: a.Published}
	}
	if err := db.AddArticles(ctx, named); err != nil {
		return err
	}
	switch lasting, err := db.BeginAttack(ctx, s.Attack); {
	case err != nil:
		return err
	case lasting.ID == s.Attack.ID: // and none of another's, which lasts
		if _, _, err := db.EndAttack(ctx, s.Attack.Ended); err != nil {
			return err
		}
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
