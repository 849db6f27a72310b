package reports

import (
	"context"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
)

// commitLag is how long a change may take from its instant in the journal until
// it can be read.
const commitLag = time.Second

// ParseAsOf reads the as_of of a question: an instant that has passed, or "" for
// now. It returns a [fault.Invalid] that names as_of.
func (s *Service) ParseAsOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	if err != nil {
		return time.Time{}, fault.Field("as_of", "Give an instant such as 2026-01-31T23:59:59Z.")
	}
	if at.After(s.now()) {
		return time.Time{}, fault.Field("as_of", "%s has not come yet.", text)
	}
	return at.UTC().Truncate(time.Microsecond), nil
}

// sums returns the sums of a dimension over q's period as they were known at
// q.AsOf, and the instant they are of. Without q.AsOf that is the last change's,
// or a second ago where there was none since: a later change, or one that is
// still being committed, is then not in them, so that the instant names them.
func (s *Service) sums(ctx context.Context, q Query, dimension string, byPeriod bool) (sums []store.Sum, asOf time.Time, err error) {
	asOf = q.AsOf
	period := spans(q)
	err = s.store.Look(ctx, func(tx *store.Tx) error {
		sums, err = tx.SumsOver(ctx, dimension, period, byPeriod)
		if err != nil {
			return err
		}
		if q.AsOf.IsZero() {
			last, err := tx.LastMoved(ctx)
			if asOf = s.now().Add(-commitLag).UTC().Truncate(time.Second); last.After(asOf) {
				asOf = last
			}
			return err
		}
		since, err := movedSince(ctx, tx, q, dimension, period, byPeriod)
		for cell, by := range since {
			sums = append(sums, store.Sum{Cell: cell, Figures: giving.Figures{}.Plus(by, -1)})
		}
		return err
	})
	return sums, asOf, err
}

// movedSince returns by how much the cells of a dimension moved after q.AsOf, in
// the periods that are read.
func movedSince(ctx context.Context, tx *store.Tx, q Query, dimension string, period []store.Span, byPeriod bool) (map[giving.Cell]giving.Figures, error) {
	since := map[giving.Cell]giving.Figures{}
	from, to := day(q.From), day(q.To)
	err := tx.JournalAfter(ctx, q.AsOf, from, to, func(row store.JournalRow) error {
		changes, err := ledger.ReadJournal(row)
		for _, c := range changes {
			cell, ok := c.Cell(dimension)
			if !ok || c.Day < from || c.Day >= to {
				continue
			}
			cell.Period = 0
			if byPeriod {
				cell.Period = periodOf(c.Day, period)
			}
			since[cell] = since[cell].Plus(c.Figures, 1)
		}
		return err
	})
	return since, err
}

// periodOf returns the period that holds a day: itself, or its month where the
// spans have that.
func periodOf(day int64, spans []store.Span) int64 {
	for _, span := range spans {
		if span.From <= day/100 && day/100 < span.To {
			return day / 100
		}
	}
	return day
}
