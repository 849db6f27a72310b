package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
)

// runReport is `support report`: the report of GET /v1/reports/donations.
func runReport(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("report")
	from := set.String("from", "", "the first `day`, such as 2026-01-01")
	to := set.String("to", "", "the `day` after the last one")
	by := set.String("by", "", "one of "+strings.Join(reports.Dimensions(), ", "))
	asOf := set.String("as-of", "", "as it was known at a `time`, such as 2026-02-10T12:00:00Z; now if empty")
	format := set.String("format", "table", "table, csv or json")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if err := none("report", rest); err != nil {
		return err
	}
	write, ok := map[string]func(io.Writer, reports.Report) error{"table": writeTable, "csv": writeCSV, "json": writeJSON}[*format]
	if !ok {
		return usagef("report has no format %q; did you mean: --format %s", *format, nearest(*format, []string{"table", "csv", "json"}))
	}
	q, err := reports.ParseQuery(*from, *to, *by)
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return reportUsage(known, *by)
	}
	if err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		service := reports.New(reports.Options{Store: db, Timezone: settings.Timezone, Now: time.Now})
		if q.AsOf, err = service.ParseAsOf(*asOf); err != nil {
			known, _ := errors.AsType[*fault.Error](err)
			return usagef("report: --as-of: %s", known.Detail)
		}
		report, err := service.Report(ctx, q)
		if err != nil {
			return err
		}
		if err := write(p.stdout, report); err != nil {
			return err
		}
		return p.tellAttacks(ctx, db, q, settings.Timezone)
	})
}

// mostAttacks is how many a report names; the newest say enough.
const mostAttacks = 5

// tellAttacks says beside a report of each attack on the checkout during its
// days: some of what came meanwhile may be a thief's.
func (p *program) tellAttacks(ctx context.Context, db *store.Store, q reports.Query, zone *time.Location) error {
	midnight := func(day time.Time) time.Time { return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone) }
	attacks, err := db.AttacksBetween(ctx, midnight(q.From), midnight(q.To), mostAttacks)
	for _, a := range attacks {
		until := "now"
		if !a.Ended.IsZero() {
			until = a.Ended.In(zone).Format(time.DateTime)
		}
		fmt.Fprintf(p.stderr, "Thieves tried stolen cards on the checkout from %s until %s.\n", a.Began.In(zone).Format(time.DateTime), until)
	}
	return err
}

// reportUsage says which flag is wrong, and the nearest that is right.
func reportUsage(err *fault.Error, by string) error {
	if err.Field == "by" && by != "" {
		return usagef("report: there is no --by %s; did you mean: --by %s", by, nearest(by, reports.Dimensions()))
	}
	return usagef("report: --%s: %s", err.Field, err.Detail)
}

func writeCSV(w io.Writer, r reports.Report) error { return r.WriteCSV(w) }

func writeJSON(w io.Writer, r reports.Report) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// writeTable writes a report for people: amounts in major units.
func writeTable(w io.Writer, r reports.Report) error {
	fmt.Fprintf(w, "Donations from %s to %s (exclusive) by %s, days in %s, as of %s\n\n", r.From, r.To, r.By, r.Timezone, r.AsOf.Format(time.RFC3339))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "%s\tgifts\tnew\tgross\trefunded\tdisputed\treceived\t\tfee\tnet\t\t\n", r.By)
	for _, row := range r.Rows {
		key := row.Key
		if key == "" {
			key = "(unknown)"
		}
		writeFigures(table, visible(key), row.Figures)
	}
	for _, total := range r.Totals {
		writeFigures(table, "total", total)
	}
	return table.Flush()
}

// writeAdjustments writes what became of a closed month's donations.
func writeAdjustments(w io.Writer, all []reports.Adjustment) error {
	if len(all) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nAdjustments since, by the day of what they come from\n\n")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "day\tgifts\tnew\tgross\trefunded\tdisputed\treceived\t\tfee\tnet\t\t\n")
	for _, a := range all {
		writeFigures(table, a.Day+" "+visible(a.Donation), a.Figures)
	}
	return table.Flush()
}

func writeFigures(w io.Writer, key string, f reports.Figures) {
	major := func(minor int64) string { return money.Amount{Minor: minor, Currency: f.Currency}.Decimal() }
	fee, net, settled := "?", "?", "not settled"
	if f.SettlementCurrency != nil {
		settled = *f.SettlementCurrency
		fee = money.Amount{Minor: *f.Fee, Currency: settled}.Decimal()
		net = money.Amount{Minor: *f.Net, Currency: settled}.Decimal()
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", key, strconv.FormatInt(f.Donations, 10), strconv.FormatInt(f.NewSupporters, 10),
		major(f.Gross), major(f.Refunded), major(f.Disputed), major(f.Received), f.Currency, fee, net, settled)
}

// visible returns text without what would move a terminal's cursor: a key may
// come from a link that anyone wrote.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
