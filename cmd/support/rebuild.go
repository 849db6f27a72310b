package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/united24media/support/internal/ledger"
)

// runRebuild is `support rebuild`.
func runRebuild(ctx context.Context, p *program, args []string) error {
	_, parse := p.flags("rebuild")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if err := none("rebuild", rest); err != nil {
		return err
	}
	return p.withLedger(ctx, func(book *ledger.Ledger) error {
		if err := book.Store.Audit(ctx, commandLine("ledger.rebuild", "")); err != nil {
			return err
		}
		before, after, err := book.Rebuild(ctx, p.progress("read"))
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "before %s\nafter  %s\n", before, after)
		return nil
	})
}

// runReplay is `support replay EVENT_ID… | --parked`.
func runReplay(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("replay")
	parked := set.Bool("parked", false, "every event that could not be understood when it came")
	ids, err := parse(args)
	if err != nil {
		return err
	}
	slices.Sort(ids)
	ids = slices.Compact(ids) // each once, however often it was named
	if *parked == (len(ids) > 0) {
		return usagef("replay takes ids of events, or --parked; try: support replay --parked")
	}
	return p.withLedger(ctx, func(book *ledger.Ledger) error {
		if err := book.Store.Audit(ctx, detailed(commandLine("event.replay", strings.Join(ids, " ")), replayed(*parked))); err != nil {
			return err
		}
		if *parked {
			tried, left, err := book.ReplayParked(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%d parked events were applied again, %d are parked still\n", tried, left)
			return nil
		}
		found, err := book.Replay(ctx, ids...)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%d events were applied again\n", found)
		if found < len(ids) {
			return fmt.Errorf("%d of the %d events are not stored", len(ids)-found, len(ids))
		}
		return nil
	})
}

// replayed says in the audit log that all parked events were meant.
func replayed(parked bool) string {
	if parked {
		return "all parked events"
	}
	return ""
}

// progress returns what shows how far long work is, on a terminal.
func (p *program) progress(verb string) func(done int) {
	if f, ok := p.stderr.(*os.File); !ok || !terminal(f) {
		return func(int) {}
	}
	return func(done int) { fmt.Fprintf(p.stderr, "\r%s %d", verb, done) }
}

// terminal reports whether a person watches f.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
