package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
)

// runPayouts is `support payouts`: the reports of GET /v1/reports/payouts and
// of GET /v1/reports/payouts/ID.
func runPayouts(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("payouts")
	from := set.String("from", "", "the first `day` of arrival, such as 2026-01-01")
	to := set.String("to", "", "the `day` after the last one")
	format := set.String("format", "table", "table, csv or json")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if len(rest) > 1 {
		return none("payouts", rest[1:])
	}
	formats := []string{"table", "csv", "json"}
	if !slices.Contains(formats, *format) {
		return usagef("payouts has no format %q; did you mean: --format %s", *format, nearest(*format, formats))
	}
	if len(rest) == 1 {
		if *from != "" || *to != "" {
			return usagef("payouts: give the id of a payout or the days of a period; try: support payouts %s", rest[0])
		}
		return p.withReports(ctx, func(service *reports.Service) error { return p.showPayout(ctx, service, rest[0], *format) })
	}
	first, end, err := reports.ParsePayoutDays(*from, *to)
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return usagef("payouts: --%s: %s", known.Field, known.Detail)
	}
	if err != nil {
		return err
	}
	return p.withReports(ctx, func(service *reports.Service) error {
		report, err := service.PayoutReport(ctx, first, end)
		if err != nil {
			return err
		}
		switch *format {
		case "csv":
			return report.WriteCSV(p.stdout)
		case "json":
			return writeIndented(p.stdout, report)
		}
		return writePayouts(p.stdout, report)
	})
}

// withReports opens the reports of the settings beside whatever serves, for f.
func (p *program) withReports(ctx context.Context, f func(service *reports.Service) error) error {
	return p.withReportsOf(ctx, func(_ *store.Store, service *reports.Service) error { return f(service) })
}

// withReportsOf is withReports with the database that they are of.
func (p *program) withReportsOf(ctx context.Context, f func(db *store.Store, service *reports.Service) error) error {
	settings, err := p.settings()
	if err != nil {
		return err
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		return f(db, reports.New(reports.Options{Store: db, Timezone: settings.Timezone, Now: time.Now}))
	})
}

func (p *program) showPayout(ctx context.Context, service *reports.Service, id, format string) error {
	payout, lines, err := service.Payout(ctx, id)
	if err != nil {
		return plain(err)
	}
	detail := reports.PayoutDetail{Payout: payout, Lines: lines}
	switch format {
	case "csv":
		return detail.WriteCSV(p.stdout)
	case "json":
		return writeIndented(p.stdout, detail)
	}
	return writePayout(p.stdout, detail)
}

func writeIndented(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

// writePayouts writes a report for people: amounts in major units.
func writePayouts(w io.Writer, r reports.PayoutReport) error {
	fmt.Fprintf(w, "Payouts that arrive from %s to %s (exclusive), days in %s, as of %s\n\n", r.From, r.To, r.Timezone, r.AsOf.Format(time.RFC3339))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ARRIVAL\tPAYOUT\tSTATUS\tAMOUNT\tLINES")
	for _, p := range r.Payouts {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", p.Arrival, visible(p.ID), visible(p.Status), amountOf(p.Amount, p.Currency), p.State)
	}
	for _, total := range r.Totals {
		fmt.Fprintf(table, "total\t%d not returned\t\t%s\t\n", total.Payouts, amountOf(total.Amount, total.Currency))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, p := range r.Payouts {
		if p.Note != "" {
			fmt.Fprintf(w, "\n%s: %s\n", visible(p.ID), visible(p.Note))
		}
	}
	return nil
}

// writePayout writes one payout with its lines for people.
func writePayout(w io.Writer, d reports.PayoutDetail) error {
	fmt.Fprintf(w, "Payout %s: %s, %s, arrives %s (UTC); lines: %s\n", visible(d.ID), amountOf(d.Amount, d.Currency), visible(d.Status), d.Arrival, d.State)
	if d.Note != "" {
		fmt.Fprintln(w, visible(d.Note))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nKIND\tLINES\tAMOUNT\tFEE\tNET")
	for _, part := range d.Parts {
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\n", part.Kind, part.Lines,
			amountOf(part.Amount, d.Currency), amountOf(part.Fee, d.Currency), amountOf(part.Net, d.Currency))
	}
	fmt.Fprintln(table, "\nCREATED\tKIND\tTYPE\tSOURCE\tDONATION\tAMOUNT\tFEE\tNET")
	for _, line := range d.Lines {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", line.CreatedAt.Format(time.RFC3339), line.Kind, visible(line.Type), visible(line.Source),
			visible(line.Donation), amountOf(line.Amount, line.Currency), amountOf(line.Fee, line.Currency), amountOf(line.Net, line.Currency))
	}
	return table.Flush()
}

func amountOf(minor int64, currency string) string {
	return money.Amount{Minor: minor, Currency: currency}.String()
}
