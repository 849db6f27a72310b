package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/store"
)

// An unreachableError ends a command that could not ask Stripe or the
// database, so that nobody takes it for an answer.
type unreachableError struct{ error }

// Unwrap returns what went wrong.
func (e unreachableError) Unwrap() error { return e.error }

// runReconcile is `support reconcile`: a line for each difference, and an error
// if there was one.
func runReconcile(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("reconcile")
	since := reconcile.Window
	set.Func("since", fmt.Sprintf("how far back Stripe's lists are read, a `time` such as 720h (default %s)", since), func(text string) (err error) {
		if since, err = time.ParseDuration(text); err != nil || since <= 0 {
			return fmt.Errorf("give a time to look back, such as %s", reconcile.Window)
		}
		return nil
	})
	dry := set.Bool("dry-run", false, "tell what differs and change nothing")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if err := none("reconcile", rest); err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	var report reconcile.Report
	err = p.withMigrated(ctx, func(db *store.Store) error {
		sweep := func(book *ledger.Ledger) (err error) {
			level := newReconcile(settings, settings.PublicURL, db, book, slog.New(slog.DiscardHandler))
			report, err = level.SweepNow(ctx, p.sweep(since, *dry))
			p.endProgress()
			return err
		}
		if *dry {
			return sweep(newBook(settings, db)) // which records nothing, since it does not run
		}
		if err := db.Audit(ctx, detailed(commandLine("stripe.reconcile", ""), "since "+since.String())); err != nil {
			return err
		}
		return recording(ctx, newBook(settings, db), sweep)
	})
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("stopped after %d objects; the next run goes on from there", report.Objects)
		}
		if settings.Sandbox() && !store.Away(err) {
			err = fmt.Errorf("%w\nthe sandbox answers while `support serve` runs", err)
		}
		return unreachableError{err}
	}
	return p.sayReconciled(report, *dry)
}

// sweep returns a sweep that tells p of what it finds.
func (p *program) sweep(since time.Duration, dry bool) reconcile.Sweep {
	return reconcile.Sweep{
		Since: since, Full: true, Dry: dry,
		Waiting: func() { fmt.Fprintln(p.stderr, "Another sweep is under way; this one waits for it.") },
		Found: func(d store.Difference) {
			p.endProgress()
			end := "repaired"
			if !d.Repaired {
				end = "not repaired"
			}
			fmt.Fprintln(p.stdout, visible(fmt.Sprintf("%s: %s (%s); %s", d.Ref, d.Detail, d.Cause, end)))
		},
		Progress: func(done reconcile.Progress) {
			if p.watched() {
				fmt.Fprintf(p.stderr, "\r\x1b[K%d of %d, %s: %d objects, %d differences", done.Step+1, done.Steps, done.Name, done.Objects, done.Differences)
			}
		},
	}
}

func (p *program) sayReconciled(r reconcile.Report, dry bool) error {
	words := "nothing differs"
	switch {
	case r.Differences == 1 && dry:
		words = "1 difference, and nothing was changed"
	case r.Differences == 1:
		words = "1 difference, repaired"
	case r.Differences > 0 && dry:
		words = fmt.Sprintf("%d differences, and nothing was changed", r.Differences)
	case r.Differences > 0:
		words = fmt.Sprintf("%d differences, all repaired", r.Differences)
	}
	fmt.Fprintf(p.stderr, "Compared with Stripe through %s, %d objects: %s.\n", r.Through.UTC().Format(time.RFC3339), r.Objects, words)
	if r.Events > 0 {
		fmt.Fprintf(p.stderr, "%d events that Stripe lists had never arrived.\n", r.Events)
	}
	if r.Differences > 0 {
		return errTold
	}
	return nil
}

// watched reports whether a person reads what p writes on standard error.
func (p *program) watched() bool {
	f, ok := p.stderr.(*os.File)
	return ok && terminal(f)
}

// endProgress clears the line that shows progress.
func (p *program) endProgress() {
	if p.watched() {
		fmt.Fprint(p.stderr, "\r\x1b[K")
	}
}

// newBook returns a ledger beside whatever serves.
func newBook(settings config.Settings, db *store.Store) *ledger.Ledger {
	return ledger.New(ledger.Options{
		Store: db, Now: time.Now, Timezone: settings.Timezone, Grace: settings.Grace, Livemode: settings.Live(),
	})
}

// recording runs a ledger for as long as f runs.
func recording(ctx context.Context, book *ledger.Ledger, f func(book *ledger.Ledger) error) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	stopped := make(chan error, 1)
	go func() { stopped <- book.Run(running) }()
	err := f(book)
	stop()
	<-stopped
	return err
}
