package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/store"
)

// runAsks is `support asks off|on|closed|policy [FILE]`.
func runAsks(ctx context.Context, p *program, args []string) error {
	_, parse := p.flags("asks")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	words := []string{"off", "on", "closed", "policy"}
	if len(rest) == 0 {
		return usagef("asks needs one of off, on, closed, policy; try: support asks off")
	}
	most := map[string]int{"off": 1, "on": 1, "closed": 1, "policy": 2}[rest[0]]
	switch {
	case most == 0:
		return usagef("asks has no %q; did you mean: support asks %s", rest[0], nearest(rest[0], words))
	case len(rest) > most:
		return usagef("asks %s: %q is one argument too many", rest[0], rest[most])
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		switch {
		case rest[0] == "policy" && len(rest) == 1:
			return p.showPolicy(ctx, db)
		case rest[0] == "policy":
			return p.setPolicy(ctx, db, rest[1])
		}
		if err := publish(ctx, db, policy.KindSwitch, rest[0], commandLine("asks."+rest[0], policy.KindSwitch)); err != nil {
			return err
		}
		if rest[0] == policy.Closed {
			fmt.Fprintln(p.stderr, "Asks are off and no gifts are taken, within 10 seconds. Gifts again: support asks on")
			return nil
		}
		fmt.Fprintf(p.stderr, "Asks are %s. Readers see it within 10 seconds.\n", rest[0])
		return nil
	})
}

// showPolicy prints the policy as it was set.
func (p *program) showPolicy(ctx context.Context, db *store.Store) error {
	text, err := db.Published(ctx, policy.KindAsks)
	switch {
	case err != nil:
		return err
	case text == "":
		fmt.Fprintln(p.stderr, "No policy is set: asks show everywhere. Set one with: support asks policy FILE")
	default:
		fmt.Fprintln(p.stdout, text)
	}
	return nil
}

// setPolicy takes the policy of a file, or of standard input for "-", once it
// is known that it can be applied.
func (p *program) setPolicy(ctx context.Context, db *store.Store, file string) error {
	read := os.ReadFile
	if file == "-" {
		read = func(string) ([]byte, error) { return io.ReadAll(os.Stdin) }
	}
	text, err := read(file)
	if err != nil {
		return err
	}
	parsed, err := policy.Parse(text)
	if err != nil {
		return err
	}
	if err := publish(ctx, db, policy.KindAsks, string(text), commandLine("asks.publish", policy.KindAsks)); err != nil {
		return err
	}
	fmt.Fprintf(p.stderr, "The policy is taken: rules %d, experiments %d. Readers see it within 10 seconds.\n", len(parsed.Rules), len(parsed.Experiments))
	return nil
}

// publish makes body the document of a kind that is in force.
func publish(ctx context.Context, db *store.Store, kind, body string, e store.Entry) error {
	newest, err := db.Newest(ctx, kind)
	if err != nil {
		return err
	}
	_, err = db.Publish(ctx, store.Version{Kind: kind, Body: body, Who: e.Who, At: e.At}, newest.Number, nil, e)
	return err
}
