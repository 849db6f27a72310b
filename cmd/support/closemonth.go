package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
)

// runCloseMonth is `support close-month`: it keeps a month's statement, or shows
// that of a month that is closed, with what changed since.
func runCloseMonth(ctx context.Context, p *program, args []string) error {
	_, parse := p.flags("close-month")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("close-month takes one month: support close-month 2026-01")
	}
	month, err := reports.ParseMonth(rest[0])
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return usagef("close-month: %s", known.Detail)
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		service := reports.New(reports.Options{Store: db, Timezone: settings.Timezone, Now: time.Now})
		statement, err := service.CloseMonth(ctx, month, "command line")
		if known, ok := errors.AsType[*fault.Error](err); ok && known.Kind == fault.Invalid {
			return usagef("close-month: %s", known.Detail)
		}
		if err != nil && !errors.Is(err, fault.Conflict) {
			return err
		}
		if err == nil {
			return writeTable(p.stdout, statement.Report)
		}
		statement, adjustments, err := service.Adjustments(ctx, month)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "%s was closed on %s; %d adjustments since.\n", statement.Month, statement.ClosedAt.Format(time.DateOnly), len(adjustments))
		if err := writeTable(p.stdout, statement.Report); err != nil {
			return err
		}
		return writeAdjustments(p.stdout, adjustments)
	})
}
