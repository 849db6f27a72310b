package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A till is the commands over a database that gifts in cash are written into.
type till struct {
	t      *testing.T
	lookup func(string) (string, bool)
	files  int
}

func (c *till) run(args ...string) (stdout, stderr string) {
	c.t.Helper()
	code, stdout, stderr := runCommand(c.t, c.lookup, args...)
	if code != exitOK {
		c.t.Fatalf("%q: exit %d, %s", args, code, stderr)
	}
	return stdout, stderr
}

// give records a gift of a day, such as 10.00.
func (c *till) give(day, amount string) {
	c.t.Helper()
	c.files++
	file := filepath.Join(c.t.TempDir(), "gifts.csv")
	text := fmt.Sprintf("date,amount,currency,reference\n%s,%s,EUR,till-%d\n", day, amount, c.files)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.run("import", file)
}

// TestReportAsOf asks for a report, lets a gift come late, and asks again as of
// then: in each format it is the report of then.
func TestReportAsOf(t *testing.T) {
	t.Parallel()
	c := &till{t: t, lookup: environment(t, nil)}
	c.give("2026-01-15", "10.00")
	report := []string{"report", "--from", "2026-01-01", "--to", "2026-02-01", "--by", "day"}
	asOf := func(text string) string {
		_, rest, found := strings.Cut(text, `"as_of": "`)
		at, _, _ := strings.Cut(rest, `"`)
		if !found {
			t.Fatalf("the report does not say of when it is:\n%s", text)
		}
		return at
	}
	first, _ := c.run(append(report, "--format", "json")...)
	at := asOf(first)
	then := map[string]string{"json": first}
	for _, format := range []string{"table", "csv"} {
		then[format], _ = c.run(append(report, "--format", format, "--as-of", at)...)
	}
	c.give("2026-01-16", "2.50")
	now, _ := c.run(append(report, "--format", "json")...)
	if !strings.Contains(now, "2026-01-16") {
		t.Fatalf("a gift that came late is not there:\n%s", now)
	}
	for format, want := range then {
		if got, _ := c.run(append(report, "--format", format, "--as-of", at)...); got != want {
			t.Errorf("%s, as of %s:\n%s\nwas\n%s", format, at, got, want)
		}
	}
	for name, wrong := range map[string]string{"Give an instant": "yesterday", "has not come yet": "2999-01-01T00:00:00Z"} {
		if code, _, told := runCommand(t, c.lookup, append(report, "--as-of", wrong)...); code != exitUsage || !strings.Contains(told, "--as-of") || !strings.Contains(told, name) {
			t.Errorf("--as-of %s: exit %d, %q", wrong, code, told)
		}
	}
}

// TestCloseMonthCommand closes a month, which then stays as it was; what comes
// later stands beside it.
func TestCloseMonthCommand(t *testing.T) {
	t.Parallel()
	c := &till{t: t, lookup: environment(t, nil)}
	c.give("2026-01-15", "10.00")
	closed, told := c.run("close-month", "2026-01")
	if !strings.Contains(closed, "2026-01-15") || !strings.Contains(closed, "10.00") || told != "" {
		t.Errorf("closing: %q\n%s", told, closed)
	}
	again, told := c.run("close-month", "2026-01")
	if again != closed || !strings.Contains(told, "0 adjustments since") {
		t.Errorf("again: %q\n%s\nwas\n%s", told, again, closed)
	}
	c.give("2026-01-31", "2.50")
	after, told := c.run("close-month", "2026-01")
	rest, same := strings.CutPrefix(after, closed)
	if !same || !strings.Contains(told, "1 adjustments since") || !strings.Contains(rest, "2026-01-31") || !strings.Contains(rest, "2.50") {
		t.Errorf("after a gift that came late: %q\n%s", told, after)
	}
	next := time.Now().AddDate(0, 1, 0).Format("2006-01")
	for wrong, want := range map[string]string{"": "takes one month", "2026-13": "2026-01", "2026-01 2026-02": "takes one month", next: "not over yet"} {
		if code, _, told := runCommand(t, c.lookup, append([]string{"close-month"}, strings.Fields(wrong)...)...); code != exitUsage || !strings.Contains(told, want) {
			t.Errorf("close-month %s: exit %d, %q", wrong, code, told)
		}
	}
}
