package main

import (
	"context"
	"fmt"

	"github.com/united24media/support/internal/store"
)

// runMigrate is `support migrate [up|status]`.
func runMigrate(ctx context.Context, p *program, args []string) error {
	_, parse := p.flags("migrate")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	what := "up"
	if len(rest) > 0 {
		what = rest[0]
	}
	if len(rest) > 1 {
		return usagef("migrate takes up or status; %q is one too many", rest[1])
	}
	if what != "up" && what != "status" {
		return usagef("migrate has no %q; did you mean: support migrate %s", what, nearest(what, []string{"up", "status"}))
	}
	return p.withStore(func(db *store.Store) error {
		if what == "status" {
			return p.migrationStatus(ctx, db)
		}
		steps, err := db.Migrate(ctx)
		if err != nil {
			return err
		}
		for _, step := range steps {
			fmt.Fprintf(p.stdout, "applied %05d %s\n", step.Version, step.Name)
		}
		if len(steps) == 0 {
			fmt.Fprintln(p.stdout, "the schema is up to date")
		}
		return nil
	})
}

func (p *program) migrationStatus(ctx context.Context, db *store.Store) error {
	steps, err := db.Migrations(ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		state := "pending"
		if step.Applied {
			state = "applied"
		}
		fmt.Fprintf(p.stdout, "%s %05d %s\n", state, step.Version, step.Name)
	}
	return nil
}

// withStore opens the database that the settings name, for f.
func (p *program) withStore(f func(db *store.Store) error) error {
	settings, err := p.settings()
	if err != nil {
		return err
	}
	db, err := store.Open(settings.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	defer db.Close() //nolint:errcheck // what f wrote is committed
	return f(db)
}
