package reports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// exported are donations and memberships with everything that a reader of a
// file may stumble over.
func exported() ([]*giving.Donation, []*giving.Membership) {
	donations := gifts()
	for _, d := range donations {
		d.Supporter = giving.SupporterKey(d.Email, d.Customer, d.Key)
	}
	hostile := giving.Attribution{Checkout: "co_9", Article: "troops", Campaign: "winter", UTMSource: "＝1+1"}
	donations = append(donations,
		// The same person again, in another currency, under a newer name.
		&giving.Donation{Key: "pi_5", Created: at("2026-03-01 09:00:00"), Currency: "UAH", Gross: 50_000, Interval: giving.Once, Country: "UA",
			Source: "stripe", Email: "Ann@Example.org", Supporter: "address:ann@example.org", Name: "Анна \"Аня\" Коваль, пані", Charge: "ch_5", Customer: "cus_1", Attribution: hostile},
		&giving.Donation{Key: "import-7", Created: at("2026-03-02 09:00:00"), Currency: "EUR", Gross: 700, Interval: giving.Once,
			Source: "offline", Email: "-rm@example.org", Supporter: "address:-rm@example.org", Name: "@SUM(A1)\nline two"},
		// The day after the period.
		&giving.Donation{Key: "pi_9", Created: at("2026-04-01 00:00:00"), Currency: "EUR", Gross: 1, Supporter: "gift:pi_9", Source: "stripe"})
	memberships := []*giving.Membership{
		{Subscription: "sub_1", Customer: "cus_1", Supporter: "address:ann@example.org", Email: "Ann@Example.org", Status: "active", Live: true,
			Created: at("2026-02-01 00:30:00"), PeriodEnd: at("2026-05-01 00:30:00"), Currency: "EUR", Amount: 500, Interval: giving.Month, Attribution: hostile},
		{Subscription: "sub_2", Supporter: "gift:sub_2", Status: "canceled", Created: at("2026-02-03 10:00:00"), Ended: at("2026-03-03 10:00:00"),
			PeriodEnd: at("2026-03-03 10:00:00"), CancelAtEnd: true, Currency: "JPY", Amount: 900, Interval: giving.Year},
		{Subscription: "sub_3", Supporter: "gift:sub_3", Status: "active", Created: at("2026-04-01 00:00:00"), Currency: "EUR", Amount: 1},
	}
	return donations, memberships
}

func exporter(t *testing.T, address string, donations []*giving.Donation, memberships []*giving.Membership) *Service {
	t.Helper()
	db, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Ledger(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.PutDonations(t.Context(), donations), tx.PutMemberships(t.Context(), memberships))
	}); err != nil {
		t.Fatal(err)
	}
	return New(Options{Store: db, Timezone: kyiv})
}

// TestExportsAreAsBefore holds each export on each database to a file.
func TestExportsAreAsBefore(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "support.db") },
		"PostgreSQL": func(t *testing.T) string { return testenv.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			donations, memberships := exported()
			s := exporter(t, address(t), donations, memberships)
			for _, what := range Exports() {
				for _, format := range ExportFormats() {
					e, err := ParseExport(what, "2026-01-01", "2026-04-01", format)
					if err != nil {
						t.Fatal(err)
					}
					var got bytes.Buffer
					if err := s.Export(t.Context(), &got, e); err != nil {
						t.Fatal(err)
					}
					testenv.Golden(t, "export-"+what+"."+format, got.Bytes())
				}
			}
		})
	}
}

// TestExportsGoOnOverPages exports more than a page holds, with one supporter
// across its edge and many gifts in one second.
func TestExportsGoOnOverPages(t *testing.T) {
	t.Parallel()
	const many = 2*exportPage + 1
	var donations []*giving.Donation
	var memberships []*giving.Membership
	for i := range many {
		d := &giving.Donation{Key: fmt.Sprintf("pi_%05d", i), Created: at("2026-02-01 10:00:00") + int64(i/700), Currency: "EUR", Gross: 100, Source: "stripe"}
		d.Supporter = fmt.Sprintf("gift:%03d", i/1500) // two people
		donations = append(donations, d)
		memberships = append(memberships, &giving.Membership{Subscription: fmt.Sprintf("sub_%05d", i), Created: d.Created, Currency: "EUR"})
	}
	s := exporter(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db"), donations, memberships)
	for what, lines := range map[string]int{"donations": many, "memberships": many, "supporters": 2} {
		e, err := ParseExport(what, "2026-01-01", "2026-04-01", "jsonl")
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		pages := 0
		e.Progress = func(int) { pages++ }
		if err := s.Export(t.Context(), &got, e); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(got.String(), "\n"); n != lines || pages != 3 {
			t.Errorf("%s: %d lines in %d pages, want %d in 3", what, n, pages, lines)
		}
		seen := map[string]bool{}
		for line := range strings.Lines(got.String()) {
			if seen[line] {
				t.Fatalf("%s has a line twice: %s", what, line)
			}
			seen[line] = true
		}
		if what == "supporters" && !strings.Contains(got.String(), `"donations":1500,"gross_minor":150000,`) {
			t.Errorf("supporters: %s", got.String())
		}
	}
}

func TestRefusedExports(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string][5]string{
		"what there is not": {"gifts", "2026-01-01", "2026-02-01", "csv", "what"},
		"no first day":      {"donations", "", "2026-02-01", "csv", "from"},
		"no last day":       {"donations", "2026-01-01", "", "csv", "to"},
		"no day at all":     {"donations", "2026-01-01", "2026-01-01", "csv", "to"},
		"another format":    {"donations", "2026-01-01", "2026-02-01", "xlsx", "format"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseExport(tt[0], tt[1], tt[2], tt[3])
			if known, ok := errors.AsType[*fault.Error](err); !ok || known.Field != tt[4] {
				t.Errorf("got %v, want a fault of %s", err, tt[4])
			}
		})
	}
}

// TestPages: what failed to be read is told after the pages before it, and who
// fails to use one has nothing read any more.
func TestPages(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	full := make([]*int, exportPage)
	for i := range full {
		full[i] = new(i)
	}
	var reads, used int
	read := func(_ context.Context, last *int) ([]*int, error) {
		reads++
		switch {
		case (last == nil) != (reads == 1):
			t.Errorf("the last of the page before is %v in read %d", last, reads)
		case reads > 2:
			return nil, broken
		}
		return full, nil
	}
	if err := pages(t.Context(), read, func([]*int) error { used++; return nil }); !errors.Is(err, broken) || used != 2 {
		t.Errorf("%v after %d pages; want what reading the third came to", err, used)
	}
	reads = 0
	if err := pages(t.Context(), read, func([]*int) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("what using a page came to: %v", err)
	}
	after := reads
	if err := pages(t.Context(), func(context.Context, *int) ([]*int, error) { return full[:3], nil }, func(page []*int) error {
		used = len(page)
		return nil
	}); err != nil || used != 3 || reads != after {
		t.Errorf("%v, %d used", err, used)
	}
}
