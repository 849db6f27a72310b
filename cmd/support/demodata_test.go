package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
)

// What the story is, its own package tests.
func TestDemoDataCommand(t *testing.T) {
	t.Parallel()
	lookup := environment(t, map[string]string{
		"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef",
	})
	code, _, stderr := runCommand(t, lookup, "demo-data")
	if code != exitFailed || !strings.Contains(stderr, "STRIPE_SECRET_KEY is set") {
		t.Errorf("with a key: exit %d, %q", code, stderr)
	}

	lookup, db := migrated(t)
	if err := db.PutFact(context.Background(), factDemo, `{"seed":3,"end":"2026-11-26T12:00:00Z","done":true}`); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := runCommand(t, lookup, "demo-data")
	if code != exitOK || !strings.Contains(stdout, "2026-11-26, of seed 3; nothing was changed") {
		t.Errorf("the second time: exit %d, %q", code, stdout)
	}
}

// TestDemoDataFillsTheScreens runs the command, and asks what the staff pages
// ask.
func TestDemoDataFillsTheScreens(t *testing.T) {
	t.Parallel()
	lookup, db := migrated(t)
	// One that was interrupted at once; a single year takes a third of the time.
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	if err := db.PutFact(t.Context(), factDemo, `{"seed":3,"end":"2026-11-26T12:00:00Z","years":1}`); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runCommand(t, lookup, "demo-data"); code != exitOK {
		t.Fatal(stderr)
	}
	ctx := t.Context()
	answers := reports.New(reports.Options{Store: db, Timezone: time.UTC, Now: func() time.Time { return now }})
	got := map[string]int{}
	count := func(what string, n int, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got[what] = n
	}
	recovered, err := answers.Recovered(ctx, now.AddDate(-1, 0, 0), now)
	ways := reports.Recovered{}
	for _, r := range recovered {
		ways.Plus(r)
	}
	count("renewals recovered by an attempt", int(ways.ByAttempt), err)
	count("renewals recovered by their supporters", int(ways.BySupporter), err)
	for _, state := range []string{store.WallShown, store.WallRejected} {
		found, err := db.Wall(ctx, state, 1000)
		count("words for the wall that are "+state, len(found), err)
	}
	months, err := answers.Statements(ctx)
	count("closed months", len(months), err)
	changed := 0
	for _, m := range months {
		month, err := reports.ParseMonth(m.Month)
		if err != nil {
			t.Fatal(err)
		}
		_, adjustments, err := answers.Adjustments(ctx, month)
		count("adjustments of "+m.Month, 1, err)
		changed += len(adjustments)
		for _, a := range adjustments {
			if a.Donations == 0 && a.NewSupporters == 0 && a.Gross == 0 && a.Refunded == 0 && a.Disputed == 0 && *a.Fee == 0 && *a.Net == 0 {
				t.Errorf("%s: an adjustment of %s changes nothing", m.Month, a.Donation)
			}
		}
	}
	count("what changed in closed months", changed, nil)
	versions, err := db.Versions(ctx, policy.KindAsks, 0, 10)
	count("versions of what asks say", len(versions), err)
	attacks, err := db.AttacksBetween(ctx, now.AddDate(0, 0, -90), now, 10)
	count("attacks", len(attacks), err)
	doubled, err := db.CountDoubled(ctx)
	count("supporters with two memberships", int(doubled), err)
	campaigns, err := db.Campaigns(ctx)
	count("campaigns", len(campaigns), err)
	for what, n := range got {
		if n == 0 {
			t.Errorf("there are no %s", what)
		}
	}
}

// migrated returns settings and their database, with its schema.
func migrated(t *testing.T) (lookup func(string) (string, bool), db *store.Store) {
	t.Helper()
	lookup = environment(t, nil)
	if code, _, stderr := runCommand(t, lookup, "migrate"); code != exitOK {
		t.Fatal(stderr)
	}
	address, _ := lookup("DATABASE_URL")
	db, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return lookup, db
}
