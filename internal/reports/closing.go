package reports

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
)

// When months close by themselves.
const (
	closeAfter = 10 * 24 * time.Hour // after a month's end: by then Stripe has settled what was given in it
	closeFirst = time.Minute         // after the start, when the schema is there
	closeEvery = time.Hour
)

// A Statement is a month as it was when it was closed: a fact that no later
// change touches.
type Statement struct {
	Month    string    `json:"month"`     // such as 2026-01
	ClosedAt time.Time `json:"closed_at"` // UTC
	ClosedBy string    `json:"closed_by"` // "" where it closed by itself
	Report   Report    `json:"report"`    // of its days; its as_of brings any other report as of then
}

// ParseMonth reads a month such as 2026-01.
func ParseMonth(text string) (time.Time, error) {
	month, err := time.Parse("2006-01", text)
	if err != nil || month.Year() < 1000 {
		return time.Time{}, fault.Field("month", "Give a month such as 2026-01.")
	}
	return month, nil
}

// CloseMonth keeps the statement of a month that is over, given as its first
// day. A month that is closed already is a [fault.Conflict].
func (s *Service) CloseMonth(ctx context.Context, month time.Time, by string) (Statement, error) {
	end := month.AddDate(0, 1, 0)
	if s.Today().Before(end) {
		return Statement{}, fault.Field("month", "%s is not over yet in %s.", month.Format("2006-01"), s.zone)
	}
	report, err := s.Report(ctx, Query{From: month, To: end, By: "day"})
	if err != nil {
		return Statement{}, err
	}
	body, err := json.Marshal(report)
	if err != nil {
		return Statement{}, fmt.Errorf("close month %s: %w", month.Format("2006-01"), err)
	}
	out := Statement{month.Format("2006-01"), s.now().UTC().Truncate(time.Second), by, report}
	added, err := s.store.PutStatement(ctx, store.Statement{
		Month: day(month) / 100, ClosedAt: out.ClosedAt, AsOf: report.AsOf, ClosedBy: by, Timezone: report.Timezone, Body: string(body),
	})
	if err == nil && !added {
		err = fault.New(fault.Conflict, "%s is closed already.", month.Format("2006-01"))
	}
	return out, err
}

// CloseDue closes every month that ended ten days ago or earlier and has
// donations, and returns which.
func (s *Service) CloseDue(ctx context.Context) ([]string, error) {
	until := s.now().Add(-closeAfter).In(s.zone)
	due, err := s.store.MonthsToClose(ctx, int64(until.Year())*100+int64(until.Month()))
	if err != nil {
		return nil, err
	}
	var closed []string
	for _, month := range due {
		m, err := s.CloseMonth(ctx, giving.Date(month*100+1), "")
		if errors.Is(err, fault.Conflict) { // another replica was faster
			continue
		}
		if err != nil {
			return closed, err
		}
		closed = append(closed, m.Month)
	}
	return closed, nil
}

// Run closes months that are due, until ctx ends.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	next := time.NewTimer(closeFirst)
	defer next.Stop()
	for {
		select {
		case <-next.C:
			next.Reset(closeEvery)
		case <-ctx.Done():
			return
		}
		closed, err := s.CloseDue(ctx)
		if err != nil && ctx.Err() == nil {
			log.Warn("months not closed", "err", err)
		}
		if len(closed) > 0 {
			log.Info("months closed", "months", closed)
		}
	}
}

// Statements returns the closed months, newest first.
func (s *Service) Statements(ctx context.Context) ([]Statement, error) {
	stored, err := s.store.Statements(ctx, 0, giving.FirstDay)
	if err != nil {
		return nil, err
	}
	found := make([]Statement, len(stored))
	for i, m := range stored {
		if found[i], err = statementOf(m); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func statementOf(m store.Statement) (Statement, error) {
	out := Statement{Month: giving.Date(m.Month*100 + 1).Format("2006-01"), ClosedAt: m.ClosedAt, ClosedBy: m.ClosedBy}
	if err := json.Unmarshal([]byte(m.Body), &out.Report); err != nil {
		return Statement{}, fmt.Errorf("read the statement of %s: %w", out.Month, err)
	}
	return out, nil
}

// An Adjustment is what became of a closed month's donation afterwards.
type Adjustment struct {
	Day      string `json:"day"`      // when it came about: of the refund, the dispute or the donation itself
	Donation string `json:"donation"` // its id; "" where a rebuild counted otherwise
	Figures         // by how much the statement's move
}

// Adjustments returns what changed after a month, given as its first day, was
// closed, by day. The statement and they come to what reports show now. A month
// that is not closed is a [fault.NotFound].
func (s *Service) Adjustments(ctx context.Context, month time.Time) (Statement, []Adjustment, error) {
	number := day(month) / 100
	stored, err := s.store.Statements(ctx, number, number+1)
	if err != nil {
		return Statement{}, nil, err
	}
	if len(stored) == 0 {
		return Statement{}, nil, fault.New(fault.NotFound, "%s is not closed.", month.Format("2006-01"))
	}
	statement, err := statementOf(stored[0])
	if err != nil {
		return Statement{}, nil, err
	}
	type at struct {
		day, donation string
		cell
	}
	moved := map[at]giving.Figures{}
	from, to := number*100, (number+1)*100
	err = s.store.Look(ctx, func(tx *store.Tx) error {
		return tx.JournalAfter(ctx, stored[0].AsOf, from, to, func(row store.JournalRow) error {
			changes, err := ledger.ReadJournal(row)
			for _, c := range changes {
				if _, ok := c.Cell(giving.DimensionAll); !ok || c.Day < from || c.Day >= to {
					continue
				}
				turned := row.At
				if c.Key != "" {
					turned = time.Unix(c.Turned, 0)
				}
				place := at{turned.In(s.zone).Format(time.DateOnly), c.Key, cell{"", c.Currency, c.Settlement}}
				moved[place] = moved[place].Plus(c.Figures, 1)
			}
			return err
		})
	})
	if err != nil {
		return Statement{}, nil, fmt.Errorf("adjustments of %s: %w", statement.Month, err)
	}
	adjustments := []Adjustment{}
	for place, by := range moved {
		by.Won, by.Kept = 0, 0 // which no statement tells
		if by != (giving.Figures{}) {
			adjustments = append(adjustments, Adjustment{place.day, place.donation, figures(place.cell, by)})
		}
	}
	slices.SortFunc(adjustments, func(a, b Adjustment) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Donation, b.Donation),
			cmp.Compare(a.Currency, b.Currency), cmp.Compare(settlement(a.Figures), settlement(b.Figures)))
	})
	return statement, adjustments, nil
}
