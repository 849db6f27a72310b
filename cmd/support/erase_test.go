package main

import (
	"strings"
	"testing"
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
