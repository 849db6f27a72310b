package reports_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/world"
)

// A telling is a ledger that a world is told to bit by bit, and its reports.
type telling struct {
	*reports.Service
	book *ledger.Ledger
}

func newTelling(t *testing.T) telling {
	t.Helper()
	s, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	ok(t, err)
	t.Cleanup(func() { s.Close() })
	_, err = s.Migrate(t.Context())
	ok(t, err)
	zone, err := time.LoadLocation("Europe/Kyiv")
	ok(t, err)
	now := func() time.Time { return time.Unix(world.End, 0) }
	book := ledger.New(ledger.Options{Store: s, Now: now, Timezone: zone, Grace: world.Grace})
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- book.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	return telling{reports.New(reports.Options{Store: s, Timezone: zone, Now: now}), book}
}

func years(t *testing.T, by string) reports.Query {
	t.Helper()
	q, err := reports.ParseQuery("2023-12-15", "2026-08-15", by)
	ok(t, err)
	return q
}

// TestAnyOldReportComesAgain asks for reports while a world is told, and for
// each of them again at the end and after a rebuild, as of then.
func TestAnyOldReportComesAgain(t *testing.T) {
	t.Parallel()
	w := world.Many(tapesOf(1, 40), world.Seeded(1, 200), world.Options{Name: "w"})
	told := newTelling(t)
	type old struct {
		q    reports.Query
		text string
	}
	var printed []old
	take := func() {
		for _, by := range []string{"day", "month", "article", "currency"} {
			report, err := told.Report(t.Context(), years(t, by))
			ok(t, err)
			q := years(t, by)
			q.AsOf = report.AsOf
			printed = append(printed, old{q, jsonOf(t, report)})
		}
	}
	again := func(when string) {
		for _, one := range printed {
			report, err := told.Report(t.Context(), one.q)
			ok(t, err)
			if text := jsonOf(t, report); text != one.text {
				t.Fatalf("%s, by %s as of %s:\n%s\nwas\n%s", when, one.q.By, one.q.AsOf, text, one.text)
			}
		}
	}
	for i, body := range world.Bodies(w.Events) {
		ok(t, told.book.Deliver(t.Context(), body))
		if i%60 == 0 {
			take()
		}
	}
	for i, page := range w.Sweep() {
		ok(t, told.book.Apply(t.Context(), answersOf(page)...))
		if i%60 == 0 {
			take()
		}
	}
	if len(printed) < 40 {
		t.Fatalf("only %d reports were printed", len(printed))
	}
	again("at the end")
	before, after, err := told.book.Rebuild(t.Context(), func(int) {})
	ok(t, err)
	if before != after {
		t.Fatal("the rebuild moved something")
	}
	again("after a rebuild")
}

// TestAClosedMonthStays closes months before Stripe's lists were read: what they
// bring stands as adjustments beside the statement, which stays.
func TestAClosedMonthStays(t *testing.T) {
	t.Parallel()
	w := world.Many(tapesOf(2, 40), world.Seeded(2, 200), world.Options{Name: "w"})
	told := newTelling(t)
	for _, body := range world.Bodies(w.Events) {
		ok(t, told.book.Deliver(t.Context(), body))
	}
	closed, err := told.CloseDue(t.Context())
	ok(t, err)
	if len(closed) < 3 {
		t.Fatalf("only %v were closed", closed)
	}
	before, err := told.Statements(t.Context())
	ok(t, err)
	for _, page := range w.Sweep() {
		ok(t, told.book.Apply(t.Context(), answersOf(page)...))
	}
	adjusted := 0
	for i, statement := range before {
		month, err := reports.ParseMonth(statement.Month)
		ok(t, err)
		same, adjustments, err := told.Adjustments(t.Context(), month)
		ok(t, err)
		if jsonOf(t, same) != jsonOf(t, before[i]) {
			t.Fatalf("the statement of %s changed", statement.Month)
		}
		sums := map[[2]string]world.Sums{}
		add := func(f reports.Figures) {
			pair := [2]string{f.Currency, ""}
			by := world.Sums{Donations: f.Donations, NewSupporters: f.NewSupporters, Gross: f.Gross, Refunded: f.Refunded, Disputed: f.Disputed}
			if f.SettlementCurrency != nil {
				pair[1], by.Fee, by.Net = *f.SettlementCurrency, *f.Fee, *f.Net
			}
			sums[pair] = sums[pair].Plus(by)
		}
		for _, total := range statement.Report.Totals {
			add(total)
		}
		for _, a := range adjustments {
			add(a.Figures)
			adjusted++
		}
		now, err := told.Report(t.Context(), reports.Query{From: month, To: month.AddDate(0, 1, 0), By: "day"})
		ok(t, err)
		for _, total := range now.Totals {
			pair, want := [2]string{total.Currency, ""}, sums
			if total.SettlementCurrency != nil {
				pair[1] = *total.SettlementCurrency
			}
			if got := want[pair]; got.Gross-got.Refunded-got.Disputed != total.Received || total.Net != nil && got.Net != *total.Net {
				t.Errorf("%s in %v: statement and adjustments come to %+v, reports say %+v", statement.Month, pair, got, total)
			}
		}
	}
	if adjusted == 0 {
		t.Error("nothing was adjusted")
	}
	if _, err := told.CloseMonth(t.Context(), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), "test"); !errors.Is(err, fault.Invalid) {
		t.Errorf("a month that is not over: %v", err)
	}
	if again, err := told.CloseDue(t.Context()); err != nil || len(again) > 0 {
		t.Errorf("closed again: %v, %v", again, err)
	}
}

func tapesOf(seed uint64, n int) []world.Tape {
	tapes := make([]world.Tape, n)
	for i := range tapes {
		tapes[i] = world.Seeded(seed<<16+uint64(i)+1, 200)
	}
	return tapes
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	ok(t, err)
	return string(text)
}
