package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/united24media/support/internal/testenv"
)

// TestMain has the tests work in a folder of their own: on PostgreSQL a service
// keeps its files in data/ where it was started.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "support-commands-")
	if err == nil {
		err = os.Chdir(folder)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// environment returns a lookup over values, on a database of the test's own.
func environment(t *testing.T, values map[string]string) func(string) (string, bool) {
	t.Helper()
	all := map[string]string{
		"DATABASE_URL": "sqlite:" + filepath.Join(t.TempDir(), "support.db"), "SUPPORT_ADDR": "127.0.0.1:0", "SUPPORT_ADMIN_ADDR": "127.0.0.1:0",
	}
	for name, value := range values {
		all[name] = value
	}
	return func(name string) (string, bool) {
		value, set := all[name]
		return value, set
	}
}

// runCommand runs one command to its end.
func runCommand(t *testing.T, lookup func(string) (string, bool), args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.WithoutCancel(t.Context()), args, lookup, &out, &errs)
	return code, out.String(), errs.String()
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ args, want string }{
		"command":              {"sevre", "did you mean: support serve"},
		"another command":      {"reprot", "did you mean: support report"},
		"argument of serve":    {"serve now", `takes no argument "now"`},
		"flag of serve":        {"serve --port 1", "takes no flag --port"},
		"migrate":              {"migrate statsu", "did you mean: support migrate status"},
		"migrate, one more":    {"migrate up down", `"down"`},
		"token":                {"token", "create, revoke, list"},
		"token command":        {"token craete", "did you mean: support token create"},
		"token without a name": {"token create", "needs a name"},
		"token, one more":      {"token create a b", `"b"`},
		"token of no name":     {"token create we@ird", "letters, digits"},
		"token role":           {"token create a --role finances", "did you mean: --role finance"},
		"token flag":           {"token create a --rol viewer", "did you mean: --role"},
		"report flag":          {"report --form 2026-01-01", "did you mean: --from"},
		"report by":            {"report --from 2026-01-01 --to 2026-02-01 --by articles", "did you mean: --by article"},
		"report without by":    {"report --from 2026-01-01 --to 2026-02-01", "--by"},
		"report day":           {"report --from yesterday --to 2026-02-01 --by day", "--from"},
		"report format":        {"report --from 2026-01-01 --to 2026-02-01 --by day --format tabel", "did you mean: --format table"},
		"replay of nothing":    {"replay", "--parked"},
		"replay of both":       {"replay evt_1 --parked", "--parked"},
		"since of no time":     {"reconcile --since soon", "give a time to look back, such as 96h"},
		"since ahead":          {"reconcile --since -1h", "give a time to look back, such as 96h"},
		"flag without value":   {"report --from", "try: support report --help"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := runCommand(t, environment(t, nil), strings.Fields(tt.args)...)
			if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, tt.want) {
				t.Errorf("exit %d, stdout %q, stderr %q; want one line with %q", code, stdout, stderr, tt.want)
			}
		})
	}
}

func TestEveryCommandHelps(t *testing.T) {
	t.Parallel()
	_, overview, _ := runCommand(t, environment(t, nil), "--help")
	column := map[int]bool{}
	for _, c := range commands() {
		for line := range strings.SplitSeq(overview, "\n") {
			if strings.HasPrefix(line, "  "+c.name+" ") {
				column[strings.Index(line, c.summary)] = true
			}
		}
		if !strings.Contains(overview, "  "+c.name+" ") {
			t.Errorf("the overview has no %s", c.name)
		}
		code, stdout, stderr := runCommand(t, environment(t, nil), c.name, "--help")
		if code != exitOK || stderr != "" || !strings.Contains(stdout, "usage: support "+c.name) {
			t.Errorf("%s --help: exit %d, %q, %q", c.name, code, stdout, stderr)
		}
	}
	if len(column) != 1 || column[-1] {
		t.Errorf("the overview's summaries do not stand in one column: %v", column)
	}
}

func TestBadSettingsAreTold(t *testing.T) {
	t.Parallel()
	bad := environment(t, map[string]string{"SUPPORT_GRACE": "soon", "STRIPE_WEBHOOK_SECRET": ""})
	for _, c := range []string{"serve", "migrate"} {
		code, _, stderr := runCommand(t, bad, c)
		if code != exitFailed || !strings.Contains(stderr, "SUPPORT_GRACE") || !strings.Contains(stderr, "STRIPE_WEBHOOK_SECRET") {
			t.Errorf("%s: exit %d, %q", c, code, stderr)
		}
	}
	code, stdout, _ := runCommand(t, bad, "doctor")
	if code != exitFailed || !strings.HasPrefix(stdout, "FAIL  settings") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("doctor: exit %d, %q", code, stdout)
	}
	for _, currency := range []string{"XXX", "SGD"} { // none, and one that Stripe takes and we do not offer
		code, _, stderr := runCommand(t, environment(t, map[string]string{"SUPPORT_CURRENCY": currency, "SUPPORT_GRACE": "soon"}), "serve")
		if code != exitFailed || !strings.Contains(stderr, "SUPPORT_GRACE") || !strings.Contains(stderr, currency+"; want one of EUR, USD") {
			t.Errorf("serve in %s: exit %d, %q", currency, code, stderr)
		}
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	lookup := environment(t, nil)
	for _, step := range []struct{ args, stdout string }{
		{"migrate status", "pending 00001"}, {"migrate", "applied 00001"}, {"migrate up", "up to date"}, {"migrate status", "applied 00001"},
	} {
		code, stdout, stderr := runCommand(t, lookup, strings.Fields(step.args)...)
		if code != exitOK || !strings.HasPrefix(stdout, step.stdout) && !strings.Contains(stdout, step.stdout) {
			t.Errorf("%s: exit %d, %q, %q; want %q", step.args, code, stdout, stderr, step.stdout)
		}
	}
}

func TestTokenCommand(t *testing.T) {
	t.Parallel()
	lookup := environment(t, nil)
	code, text, told := runCommand(t, lookup, "token", "create", "desk", "--role", "finance")
	if code != exitOK || !strings.HasPrefix(text, "sup_") || strings.Count(text, "\n") != 1 || !strings.Contains(told, "desk (finance)") {
		t.Errorf("create: exit %d, %q, %q", code, text, told)
	}
	if code, _, told := runCommand(t, lookup, "token", "create", "--role=viewer", "desk"); code != exitFailed || !strings.Contains(told, "another name") {
		t.Errorf("create again: exit %d, %q", code, told)
	}
	if code, _, told := runCommand(t, lookup, "token", "revoke", "desk"); code != exitOK || !strings.Contains(told, "revoked") {
		t.Errorf("revoke: exit %d, %q", code, told)
	}
	code, list, _ := runCommand(t, lookup, "token", "list")
	if code != exitOK || !strings.Contains(list, "desk") || strings.Contains(list, strings.TrimSpace(text)) {
		t.Errorf("list: exit %d, %q", code, list)
	}
}

func TestDoctorBeforeTheFirstServe(t *testing.T) {
	t.Parallel()
	lookup := environment(t, nil)
	code, stdout, _ := runCommand(t, lookup, "doctor")
	if code != exitFailed || !strings.Contains(stdout, "FAIL  database") || !strings.Contains(stdout, "support migrate") {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	runCommand(t, lookup, "migrate")
	code, stdout, _ = runCommand(t, lookup, "doctor")
	if code != exitOK || strings.Count("\n"+stdout, "\nok  ") != 7 {
		t.Errorf("after migrate: exit %d\n%s", code, stdout)
	}
}

// TestDoctorNamesADatabaseThatTakesNoWrites: a standby, or one whose disk is
// full, answers what it is asked.
func TestDoctorNamesADatabaseThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	settings := func(address string) func(string) (string, bool) {
		return environment(t, map[string]string{"DATABASE_URL": address, "SUPPORT_SECRET": privacySecret, "STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_API_URL": "http://127.0.0.1:1", "STRIPE_WEBHOOK_SECRET": hookSecret})
	}
	if code, _, stderr := runCommand(t, settings(address), "migrate"); code != exitOK {
		t.Fatal(stderr)
	}
	and := "?"
	if strings.Contains(address, "?") {
		and = "&"
	}
	for address, line := range map[string]string{
		address: "ok    database", address + and + "default_transaction_read_only=on": "FAIL  database  answers, and takes no writes",
	} {
		if _, stdout, _ := runCommand(t, settings(address), "doctor"); !strings.Contains(stdout, line) {
			t.Errorf("no line %q in\n%s", line, stdout)
		}
	}
}

func TestDoctorNamesWhatIsDown(t *testing.T) {
	t.Parallel()
	lookup := environment(t, map[string]string{
		"REDIS_URL": "redis://127.0.0.1:1", "SMTP_URL": "smtp://127.0.0.1:1", "SUPPORT_MAIL_FROM": "a@b.example",
		"STRIPE_SECRET_KEY": "sk_test_x", "STRIPE_API_URL": "http://127.0.0.1:1",
	})
	runCommand(t, lookup, "migrate")
	code, stdout, _ := runCommand(t, lookup, "doctor")
	for _, line := range []string{"ok    settings", "ok    database", "FAIL  Redis", "FAIL  Stripe", "FAIL  webhook", "FAIL  mail"} {
		if !strings.Contains(stdout, line) {
			t.Errorf("no line %q in\n%s", line, stdout)
		}
	}
	if code != exitFailed {
		t.Errorf("exit %d", code)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	list := []string{"serve", "migrate", "report", "verify"}
	for word, want := range map[string]string{"server": "serve", "repot": "report", "": "serve", "verfiy": "verify", "migrations": "migrate"} {
		if got := nearest(word, list); got != want {
			t.Errorf("nearest(%q) = %q; want %q", word, got, want)
		}
	}
}

// away is an address where no database answers.
const away = "postgres://support:hunter2@127.0.0.1:1/support"

func TestCommandsWithoutDatabase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args string
		code int
	}{
		{"verify", exitFailed}, {"rebuild", exitFailed}, {"reconcile", exitUnreachable}, {"replay --parked", exitFailed}, {"migrate", exitFailed}, {"token list", exitFailed},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			lookup := environment(t, map[string]string{"DATABASE_URL": away, "SUPPORT_SECRET": strings.Repeat("s", 32), "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef"})
			code, stdout, stderr := runCommand(t, lookup, strings.Fields(tt.args)...)
			if code != tt.code || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "the database does not answer") || strings.Contains(stderr, "hunter2") {
				t.Errorf("exit %d, %q, %q; want %d and one line", code, stdout, stderr, tt.code)
			}
		})
	}
}

func TestVerifyWritesNothing(t *testing.T) {
	t.Parallel()
	lookup := environment(t, nil)
	if code, _, stderr := runCommand(t, lookup, "verify"); code != exitFailed || !strings.Contains(stderr, "support migrate") {
		t.Errorf("on no schema: exit %d, %q", code, stderr)
	}
	if _, stdout, _ := runCommand(t, lookup, "migrate", "status"); strings.Contains(stdout, "applied") {
		t.Errorf("verify brought the schema up: %s", stdout)
	}
	if code, _, stderr := runCommand(t, lookup, "migrate"); code != exitOK {
		t.Fatal(stderr)
	}
	if code, _, stderr := runCommand(t, lookup, "verify"); code != exitOK {
		t.Errorf("on a current schema: exit %d, %q", code, stderr)
	}
}
