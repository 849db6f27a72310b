package main

import (
	"context"
	"strings"
	"testing"

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

	lookup = environment(t, nil)
	if code, _, stderr := runCommand(t, lookup, "migrate"); code != exitOK {
		t.Fatal(stderr)
	}
	address, _ := lookup("DATABASE_URL")
	db, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.PutFact(context.Background(), factDemo, `{"seed":3,"end":"2026-11-26T12:00:00Z","done":true}`); err != nil {
		t.Fatal(err)
	}
	code, stdout, _ := runCommand(t, lookup, "demo-data")
	if code != exitOK || !strings.Contains(stdout, "2026-11-26, of seed 3; nothing was changed") {
		t.Errorf("the second time: exit %d, %q", code, stdout)
	}
}
