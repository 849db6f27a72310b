package ledger_test

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// TestRoles runs the service's role from docs/deploy: it records, audits and
// goes on after the owner rebuilt, and can neither change nor remove what is in
// the audit log, nor touch the schema.
func TestRoles(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	newBook(t, address) // makes the schema, as somebody else's
	script, err := os.ReadFile("../../docs/deploy/postgres-roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	run := func(at, statement string) error {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		_, err = conn.Exec(t.Context(), statement)
		return err
	}
	for range 2 { // as after an upgrade
		if err := run(address, string(script)); err != nil {
			t.Fatal(err)
		}
	}
	as := func(role string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.User(role)
		return u.String()
	}
	app := newBook(t, as("support_app"))
	app.deliver(t, "charge.succeeded", charge("ch_1", "pi_1", marked, 1000, 0))
	audit := func() {
		t.Helper()
		if err := app.store.Audit(t.Context(), store.Entry{Who: "olha@news.example", Action: "test.done"}); err != nil {
			t.Fatal(err)
		}
	}
	audit()
	for statement, what := range map[string]string{
		`UPDATE audit SET who = 'somebody'`:     "audit",
		`DELETE FROM audit`:                     "audit",
		`TRUNCATE audit`:                        "audit",
		`DROP TABLE audit`:                      "audit",
		`ALTER TABLE audit DISABLE TRIGGER ALL`: "audit",
		`DROP TABLE donations`:                  "donations",
		`CREATE TABLE mine (a int)`:             "public",
		`CREATE SCHEMA mine`:                    "database",
	} {
		if err := run(as("support_app"), statement); err == nil || !strings.Contains(err.Error(), "42501") || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", statement, err)
		}
	}

	owner := newBook(t, as("support_owner"))
	if _, _, err := owner.Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	app.deliver(t, "charge.succeeded", charge("ch_2", "pi_2", marked, 1000, 0))
	audit()
	if got := app.donations(t); len(got) != 2 {
		t.Errorf("%d donations after the owner rebuilt", len(got))
	}
	if drifts, err := app.Verify(t.Context()); err != nil || len(drifts) > 0 {
		t.Errorf("%v, %v", drifts, err)
	}
	if state, err := app.store.CheckAudit(t.Context()); err != nil || state.Broken != "" || state.Entries != 2 {
		t.Errorf("%+v, %v", state, err)
	}
}
