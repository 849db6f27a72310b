package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/mail"
	"slices"
	"time"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// newPrivacy returns what removes what is known of people.
func newPrivacy(settings config.Settings, local string, db *store.Store, book *ledger.Ledger, log *slog.Logger) *privacy.Service {
	return privacy.New(privacy.Options{
		Store: db, Ledger: book, Secret: revealed(settings.Secrets)[0], Now: time.Now, Log: log,
		Stripe: stripeapi.New(stripeapi.Options{Key: stripeKey(settings), BaseURL: stripeBase(settings, local), Log: log}),
	})
}

// runErase is `support erase`: it removes a supporter's personal data and tells
// how much that was. Customers that could not be deleted at Stripe are deleted
// by the service, or by the next erase.
func runErase(ctx context.Context, p *program, args []string) error {
	_, parse := p.flags("erase")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usagef("erase takes one address: support erase reader@example.org")
	}
	address, err := mail.ParseAddress(rest[0])
	if err != nil || address.Address != rest[0] {
		return usagef("erase: this is no e-mail address; try: support erase reader@example.org")
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		service := newPrivacy(settings, settings.PublicURL, db, newBook(settings, db), slog.New(slog.DiscardHandler))
		done, err := service.Erase(ctx, rest[0], commandLine("", ""))
		if errors.Is(err, fault.NotFound) {
			_, late := service.DeleteCustomers(ctx) // of an earlier erasure
			return errors.Join(errors.New("nobody with this address is known"), stillThere(late))
		}
		if err != nil {
			return err
		}
		p.tellErased(done)
		deleted, err := service.DeleteCustomers(ctx)
		fmt.Fprintf(p.stdout, "customers deleted at Stripe\t%d\n", deleted)
		if done.Running > 0 {
			fmt.Fprintf(p.stderr, "%d memberships still run; the customers stay at Stripe until they are canceled.\n", done.Running)
		}
		return stillThere(err)
	})
}

func stillThere(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("customers are still at Stripe, and `support serve` tries again each hour: %w", err)
}

// tellErased writes how much was removed, and nothing of what.
func (p *program) tellErased(done ledger.Erased) {
	fmt.Fprintf(p.stdout, "donations that are nobody's now\t%d\n", done.Donations)
	fmt.Fprintf(p.stdout, "memberships that are nobody's now\t%d\n", done.Memberships)
	fmt.Fprintf(p.stdout, "objects of Stripe\t%d\n", done.Objects)
	fmt.Fprintf(p.stdout, "stored events and answers, scrubbed\t%d\n", done.Bodies)
	for _, table := range slices.Sorted(maps.Keys(done.Rows)) {
		fmt.Fprintf(p.stdout, "rows of %s\t%d\n", table, done.Rows[table])
	}
}
