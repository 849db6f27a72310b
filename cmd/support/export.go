package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
)

// runExport is `support export donations|supporters|memberships`, with who
// gave: it is the operator's own.
func runExport(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("export")
	from := set.String("from", "", "the first `day`, such as 2026-01-01")
	to := set.String("to", "", "the `day` after the last one")
	format := set.String("format", "csv", "csv or jsonl")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return usagef("export needs one of donations, supporters, memberships; try: support export donations --from 2026-01-01 --to 2027-01-01")
	}
	if len(rest) > 1 {
		return usagef("export %s: %q is one argument too many", rest[0], rest[1])
	}
	e, err := reports.ParseExport(rest[0], *from, *to, *format)
	if known, ok := errors.AsType[*fault.Error](err); ok {
		switch known.Field {
		case "what":
			return usagef("export has no %q; did you mean: support export %s", rest[0], nearest(rest[0], reports.Exports()))
		case "format":
			return usagef("export has no format %q; did you mean: --format %s", *format, nearest(*format, reports.ExportFormats()))
		}
		return usagef("export: --%s: %s", known.Field, known.Detail)
	}
	if err != nil {
		return err
	}
	if p.watched() {
		e.Progress = func(rows int) { fmt.Fprintf(p.stderr, "\r\x1b[K%d rows", rows) }
		defer fmt.Fprintln(p.stderr)
	}
	return p.withReportsOf(ctx, func(db *store.Store, service *reports.Service) error {
		if err := db.Audit(ctx, detailed(commandLine("export", rest[0]), *from+" to "+*to)); err != nil {
			return err
		}
		return service.Export(ctx, p.stdout, e)
	})
}
