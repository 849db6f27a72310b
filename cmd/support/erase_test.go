package main

import (
	"database/sql"
	"errors"
	"strings"
	"testing"

	"github.com/united24media/support/internal/ledger"
)

// TestErase erases one of two readers beside the running service: nobody finds
// anything of them in the database or the log, and the other one is untouched.
func TestErase(t *testing.T) {
	t.Parallel()
	r := start(t, environment(t, map[string]string{"SUPPORT_TIMEZONE": "UTC"}))
	const article = "uk-defense-secretary-troops"
	eventually(t, "the count is known", func() bool { return r.supporters(t, article) == 0 })
	wish := map[string]any{"amount_minor": 1500, "currency": "eur", "interval": "once", "article": article, "name": "Annabella Secret", "message": "From Annabella"}
	r.give(t, wish, "ann@example.org")
	wish["interval"], wish["name"], wish["message"] = "month", "Bob", "From Bob"
	r.give(t, wish, "bob@example.org")
	eventually(t, "both are counted", func() bool { return r.supporters(t, article) == 2 })

	for _, args := range [][]string{{"erase"}, {"erase", "ann"}, {"erase", "a@example.org", "b@example.org"}} {
		if code, _, _ := runCommand(t, r.lookup, args...); code != exitUsage {
			t.Errorf("%v: exit %d", args, code)
		}
	}
	code, out, stderr := runCommand(t, r.lookup, "erase", "Ann@example.org")
	if code != exitOK || !strings.Contains(out, "donations that are nobody's now\t1\n") {
		t.Errorf("erase: exit %d\n%s%s", code, out, stderr)
	}
	if strings.Contains(strings.ToLower(out+stderr), "ann") {
		t.Errorf("it tells who was erased:\n%s%s", out, stderr)
	}
	if code, _, stderr := runCommand(t, r.lookup, "erase", "ann@example.org"); code != exitFailed || stderr != "support: nobody with this address is known\n" {
		t.Errorf("twice: exit %d, %q", code, stderr)
	}
	if text := stored(t, r); strings.Contains(text, "ann@example.org") || strings.Contains(text, "Annabella") {
		t.Errorf("still stored:\n%.3000s", text)
	} else if !strings.Contains(text, "bob@example.org") {
		t.Error("the other one is not stored any more")
	}
	if text := r.stdout.String() + r.stderr.String(); strings.Contains(text, "ann@example.org") || strings.Contains(text, "Annabella") {
		t.Errorf("still in the log:\n%s", text)
	}
	if got := r.supporters(t, article); got != 2 {
		t.Errorf("%d supporters after it", got)
	}
	if code, drifts, stderr := runCommand(t, r.lookup, "verify"); code != exitOK {
		t.Errorf("verify: exit %d\n%s%s", code, drifts, stderr)
	}

	code, out, stderr = runCommand(t, r.lookup, "erase", "bob@example.org")
	if code != exitOK || !strings.Contains(out, "customers deleted at Stripe\t0\n") || !strings.Contains(stderr, "1 memberships still run") {
		t.Errorf("with a membership: exit %d\n%s%s", code, out, stderr)
	}
}

// stored returns everything in a service's database as text, bodies unpacked.
func stored(t *testing.T, r *running) string {
	t.Helper()
	address, _ := r.lookup("DATABASE_URL")
	db, err := sql.Open("sqlite", strings.TrimPrefix(address, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all strings.Builder
	for _, table := range column(t, db, `SELECT name FROM sqlite_master WHERE type = 'table'`) {
		var each []string
		for _, name := range column(t, db, `SELECT name FROM pragma_table_info('`+table+`')`) {
			each = append(each, "COALESCE("+name+", '')")
		}
		rows, err := db.Query(`SELECT ` + strings.Join(each, ", ") + ` FROM "` + table + `"`)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			row, into := make([][]byte, len(each)), make([]any, len(each))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			for _, value := range row {
				if body, err := ledger.Unpack(value); err == nil {
					value = body
				}
				all.Write(append(value, ' '))
			}
			all.WriteByte('\n')
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// column returns the one column of a query.
func column(t *testing.T, db *sql.DB, query string) (values []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}
