package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
)

// runVerify is `support verify`: a line for each drift, and an error if there
// is one.
func runVerify(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("verify")
	head := set.String("audit-head", "", "the `HASH` that was the audit log's last one at some time: an error unless the log still leads to it")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if err := none("verify", rest); err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	return p.withStore(func(db *store.Store) error {
		current, err := db.Current(ctx)
		if err != nil {
			return err
		}
		if !current {
			return errors.New("the schema is not current, and verify changes nothing; run `support migrate` first")
		}
		book := newBook(settings, db)
		drifts, err := book.Verify(ctx)
		if err != nil {
			return err
		}
		for _, drift := range drifts {
			fmt.Fprintln(p.stdout, visible(drift.String()))
		}
		log, err := db.CheckAudit(ctx)
		if err != nil {
			return err
		}
		if log.Broken != "" {
			fmt.Fprintln(p.stdout, "audit log:", log.Broken)
		}
		if log.Broken == "" && *head != "" {
			leads, err := db.AuditLeadsTo(ctx, *head)
			if err != nil {
				return err
			}
			if !leads {
				log.Broken = "no entry has the hash " + visible(*head) + ": its end was cut off, or all of it made anew"
				fmt.Fprintln(p.stdout, "audit log:", log.Broken)
			}
		}
		if len(drifts) > 0 {
			fmt.Fprintf(p.stderr, "%d drifts; `support rebuild` makes everything again from what Stripe said\n", len(drifts))
			return errTold
		}
		if log.Broken != "" {
			fmt.Fprintln(p.stderr, "The audit log was changed outside of this program.")
			return errTold
		}
		fmt.Fprintln(p.stderr, "No drift: what is stored is what Stripe's events and answers come to.")
		fmt.Fprintf(p.stderr, "The audit log's %d entries follow one another; the last one's hash is %s.\n", log.Entries, cmp.Or(log.Hash, "none"))
		return nil
	})
}

// withLedger opens the ledger of the settings beside whatever serves, for f.
func (p *program) withLedger(ctx context.Context, f func(book *ledger.Ledger) error) error {
	settings, err := p.settings()
	if err != nil {
		return err
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		return f(newBook(settings, db))
	})
}
