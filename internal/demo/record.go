package demo

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/notice"
)

// How a story is told.
const (
	atOnce  = 200                  // answers that the ledger is given together: a slow machine records them in time
	mailed  = 400 * 24 * time.Hour // before the end: since then failed renewals are mailed about
	stretch = 48 * time.Hour       // told at once since then: less than Stripe waits before it tries a payment again
	long    = 16 * 24 * time.Hour  // told at once before
	late    = notice.MaxAge + time.Minute
)

// A Clock goes with a story, for the ledger that is told it and for those who
// look on: so what follows from the story is of its days. It is safe for
// concurrent use.
type Clock struct{ seconds atomic.Int64 }

// Now returns the moment that the story has come to.
func (c *Clock) Now() time.Time { return time.Unix(c.seconds.Load(), 0).UTC() }

// Set turns the clock, whole seconds.
func (c *Clock) Set(to time.Time) { c.seconds.Store(to.Unix()) }

// Record gives a story to a ledger that runs by a clock, which it turns. What is
// told is a week old by then, so that nobody is mailed a receipt; failed
// renewals of the last year are told as they fail, so that their mails are queued. After each
// stretch it calls met with the moment that the stretch reached, and how many
// answers the ledger has. What it has already it passes over, so that a story
// that was interrupted is completed by recording it again.
func (s *Story) Record(ctx context.Context, book *ledger.Ledger, clock *Clock, met func(at time.Time, done int) error) error {
	warnings, done := s.Warnings, 0
	for done < len(s.Answers) {
		rest := s.Answers[done:]
		until := rest[0].At.Add(long)
		if s.End.Sub(rest[0].At) < mailed {
			until = rest[0].At.Add(stretch)
		}
		if until.After(s.End) {
			until = s.End
		}
		n, _ := slices.BinarySearchFunc(rest, until, func(a Answer, t time.Time) int { return a.At.Compare(t) })
		if until.Equal(s.End) {
			n = len(rest)
		}
		if err := s.tell(ctx, book, clock, rest[:n], until); err != nil {
			return err
		}
		for ; len(warnings) > 0 && !warnings[0].At.After(until); warnings = warnings[1:] {
			clock.Set(warnings[0].At.Add(time.Second))
			if err := book.Deliver(ctx, warnings[0].Event); err != nil {
				return fmt.Errorf("record the demo data: %w", err)
			}
		}
		clock.Set(s.told(until))
		done += n
		if err := met(until, done); err != nil {
			return err
		}
	}
	return nil
}

// told returns when the ledger hears of what happened until a moment.
func (s *Story) told(until time.Time) time.Time {
	if at := until.Add(late); at.Before(s.End) {
		return at
	}
	return s.End
}

// tell gives the ledger the answers of one stretch.
func (s *Story) tell(ctx context.Context, book *ledger.Ledger, clock *Clock, answers []Answer, until time.Time) error {
	var failed, others []ledger.Answer
	for _, a := range answers {
		if a.Failed && s.End.Sub(a.At) < mailed {
			failed = append(failed, a.Answer)
		} else {
			others = append(others, a.Answer)
		}
	}
	clock.Set(until)
	if err := apply(ctx, book, failed); err != nil {
		return err
	}
	clock.Set(s.told(until))
	return apply(ctx, book, others)
}

func apply(ctx context.Context, book *ledger.Ledger, answers []ledger.Answer) error {
	for batch := range slices.Chunk(answers, atOnce) {
		if err := book.Apply(ctx, batch...); err != nil {
			return fmt.Errorf("record the demo data: %w", err)
		}
	}
	return nil
}
