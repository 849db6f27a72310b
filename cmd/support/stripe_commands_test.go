package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/united24media/support/internal/testenv"
)

// TestCommandsAskStripe runs each command that asks Stripe beside a service, on
// both databases: what it prints, how it ends, and that a second run finds
// nothing to do.
func TestCommandsAskStripe(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "support.db") },
		"PostgreSQL": func(t *testing.T) string { return testenv.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := map[string]string{"DATABASE_URL": database(t), "SUPPORT_SECRET": strings.Repeat("s", 32)}
			r := start(t, environment(t, settings))
			settings["SUPPORT_ADDR"] = strings.TrimPrefix(r.url, "http://")
			beside := environment(t, settings)
			run := func(code int, says string, args ...string) (printed string) {
				t.Helper()
				got, stdout, stderr := runCommand(t, beside, args...)
				if printed = stdout + stderr; got != code || !strings.Contains(printed, says) {
					t.Errorf("%q: exit %d, want %d with %q:\n%s", args, got, code, says, printed)
				}
				return printed
			}
			wish := map[string]any{"amount_minor": 1000, "currency": "EUR", "interval": "once", "article": "troops"}
			r.give(t, wish, "olena@example.org")
			eventually(t, "the gift is recorded", func() bool { return r.supporters(t, "troops") == 1 })

			if told := run(exitOK, "would make price support_notebook_eur_month", "stripe-setup", "--dry-run"); strings.Contains(told, "done:") {
				t.Errorf("a dry run did something:\n%s", told)
			}
			run(exitOK, "done: make price support_notebook_eur_month", "stripe-setup")
			run(exitOK, "nothing was changed", "stripe-setup")
			run(exitOK, "nothing was changed", "stripe-setup", "--dry-run")

			run(exitOK, "nothing differs", "reconcile")
			r.chaos(t, `{"vanish":100}`)
			r.give(t, wish, "petro@example.org")
			r.chaos(t, `{}`)
			for range 2 {
				run(exitFailed, "nothing was changed", "reconcile", "--dry-run")
			}
			run(exitFailed, "all repaired", "reconcile")
			run(exitOK, "nothing differs", "reconcile")
			run(exitOK, "nothing differs", "reconcile", "--dry-run")
			eventually(t, "what was lost is counted", func() bool { return r.supporters(t, "troops") == 2 })

			run(exitOK, "0 parked events", "replay", "--parked")
			run(exitFailed, "not stored", "replay", "evt_none")
			run(exitOK, "No drift", "verify")
			hashes := strings.Fields(run(exitOK, "before", "rebuild"))
			if len(hashes) != 4 || hashes[1] != hashes[3] {
				t.Errorf("a rebuild changed something: %q", hashes)
			}

			file := filepath.Join(t.TempDir(), "gifts.csv")
			write := func(text string) {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("date,amount,currency,reference,article\n2026-01-31,10.50,EUR,A,troops\n2026-01-31,five,EUR,B,troops\n2026-13-31,5,EUR,C,troops\n")
			if told := run(exitFailed, "line 3: amount", "import", file); !strings.Contains(told, "line 4: date") {
				t.Errorf("a bad row is not named:\n%s", told)
			}
			write("date,amount,currency,reference,article\n2026-01-31,10.50,EUR,A,troops\n2026-01-31,5,EUR,B,troops\n")
			run(exitOK, "2 rows were new", "import", file)
			before := run(exitOK, "troops", "report", "--from", "2026-01-01", "--to", "2026-02-01", "--by", "article", "--format", "csv")
			run(exitOK, "0 rows were new", "import", file)
			if after := run(exitOK, "1550", "report", "--from", "2026-01-01", "--to", "2026-02-01", "--by", "article", "--format", "csv"); after != before {
				t.Errorf("imported twice, the report is\n%sand was\n%s", after, before)
			}

			run(exitUsage, "no format", "payouts", "--format", "xml")
			run(exitFailed, "no such payout", "payouts", "po_none")

			r.end(t)
			run(exitOK, "No drift", "verify")
			run(exitUnreachable, "while `support serve` runs", "reconcile")
		})
	}
}

// TestALiveKeyIsAskedFor: the live account is set up only by who says so.
func TestALiveKeyIsAskedFor(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := runCommand(t, environment(t, map[string]string{
		"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": hookSecret, "SUPPORT_PUBLIC_URL": "https://support.example",
		"STRIPE_API_URL": "http://127.0.0.1:1",
	}), "stripe-setup")
	if code != exitUsage || stdout != "" || !strings.Contains(stderr, "support stripe-setup --live") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
}

// chaos changes what goes wrong at the sandbox.
func (r *running) chaos(t *testing.T, chances string) {
	t.Helper()
	status, _, text := call(t, "POST", r.url+"/sandbox/control/chaos", json.RawMessage(chances))
	if status != 200 {
		t.Fatalf("chaos: %d %s", status, text)
	}
}
