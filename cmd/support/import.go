package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/store"
)

// runImport is `support import FILE.csv`: all rows or none.
func runImport(ctx context.Context, p *program, args []string) error {
	_, parse := p.flags("import")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("import takes one file; try: support import gifts.csv")
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	file, err := os.Open(rest[0])
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	gifts, err := p.readImport(file, settings.Timezone)
	if err != nil {
		return err
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		entry := detailed(commandLine("import", filepath.Base(rest[0])), fmt.Sprintf("%d gifts, %d payments of an earlier system", gifts.Gifts, gifts.Adopted))
		if err := db.Audit(ctx, entry); err != nil {
			return err
		}
		return recording(ctx, newBook(settings, db), func(book *ledger.Ledger) error {
			level := newReconcile(settings, settings.PublicURL, db, book, slog.New(slog.DiscardHandler))
			news, err := level.Record(ctx, gifts)
			if err != nil {
				return fmt.Errorf("%w\nnothing was recorded", err)
			}
			p.sayImported(gifts, news)
			return nil
		})
	})
}

// readImport reads a file and names every bad row.
func (p *program) readImport(file *os.File, zone *time.Location) (*reconcile.Import, error) {
	gifts, bad, err := reconcile.ReadImport(file, zone, time.Now())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	for _, row := range bad {
		fmt.Fprintln(p.stderr, visible(fmt.Sprintf("line %d: %s", row.Line, row.Reason)))
	}
	if len(bad) > 0 {
		if gifts.More {
			fmt.Fprintf(p.stderr, "the rows after line %d were not looked at\n", bad[len(bad)-1].Line)
		}
		fmt.Fprintln(p.stderr, "support: nothing was imported: mend what stands above, or leave it out")
		return nil, errTold
	}
	return gifts, nil
}

func (p *program) sayImported(m *reconcile.Import, news int) {
	fmt.Fprintf(p.stdout, "%s format: %d gifts outside Stripe, %d payments or subscriptions of an earlier system at Stripe, %d rows without money passed over.\n",
		m.Format, m.Gifts, m.Adopted, m.Skipped)
	fmt.Fprintf(p.stdout, "%d rows were new or changed.\n", news)
	if m.Adopted > 0 {
		fmt.Fprintln(p.stdout, "What was taken over from Stripe is being asked for by `support serve`; `support reconcile` does so too.")
	}
}
