package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/united24media/support/internal/store"
)

// runBounce is `support bounce FILE`: it reads a delivery report, as a mail
// server pipes it to a program, and shows the mail it is about as refused.
func runBounce(ctx context.Context, p *program, args []string) error {
	_, parse := p.flags("bounce")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("bounce takes one file with a delivery report: support bounce /dev/stdin")
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	report, err := os.Open(rest[0])
	if err != nil {
		return err
	}
	defer report.Close()
	return p.withMigrated(ctx, func(db *store.Store) error {
		post, err := newMail(settings, db, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		m, err := post.Bounced(ctx, report)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "came back\t%s\t%s\n", m.Kind, m.ID)
		return nil
	})
}
