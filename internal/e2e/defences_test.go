package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A defence is a piece of the program without which a fault does harm.
type defence struct {
	name     string
	file     string // below the project's folder
	old, new string // what it is, and what stands there without it
	fault    string
}

// defences are what docs/reliability.md lists.
var defences = []defence{
	{
		"an answer of 200 waits for the commit", "webhooks/stripe.go",
		"if err := s.ledger.Deliver(ctx, body); err != nil {",
		"go func() { _ = s.ledger.Deliver(context.WithoutCancel(ctx), body) }()\n\tif err := error(nil); err != nil {",
		"a replica killed, eight times",
	},
	{
		"what could not be stored is answered with 503", "webhooks/stripe.go",
		"if err := s.ledger.Deliver(ctx, body); err != nil {",
		"if err := s.ledger.Deliver(ctx, body); err != nil && s.ledger == nil {",
		"PostgreSQL restarted, immediate",
	},
	{
		"a commit that was canceled while it waited for the standby is an error", "internal/store/tx.go",
		"return t.unwarned()", "return nil",
		"somebody cancels commits that wait for the lost standby, then the primary is lost",
	},
	{
		"where one connection is dead, those as old as it are not used", "internal/store/pulse.go",
		"limited, cancel := context.WithTimeout(ctx, pulseTime)", "limited, cancel := context.WithCancel(ctx)",
		"the primary's machine vanishes, and its synchronous standby takes over",
	},
}

// TestDefences removes each defence and wants its fault to be noticed.
func TestDefences(t *testing.T) {
	if !*allFaults {
		t.Skip("make chaos runs it")
	}
	for _, d := range defences {
		t.Run(d.name, func(t *testing.T) {
			without := d.remove(t)
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaults$/^"+regexp.QuoteMeta(strings.ReplaceAll(d.fault, " ", "_"))+"$", "-faults", "-test.v")
			cmd.Env = append(os.Environ(), givenBinary+"="+without)
			printed, err := cmd.CombinedOutput()
			switch {
			case !strings.Contains(string(printed), "=== RUN   TestFaults/"):
				t.Fatalf("the fault was not tried: %v\n%s", err, printed)
			case err == nil:
				t.Errorf("%q does no harm without it:\n%s", d.fault, printed)
			default:
				t.Logf("noticed:\n%s", tail(string(printed), 1500))
			}
		})
	}
}

// remove returns a build of the program without the defence.
func (d defence) remove(t *testing.T) string {
	t.Helper()
	at, err := filepath.Abs(filepath.Join("../..", d.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), d.old); n != 1 {
		t.Fatalf("%s has %q %d times", d.file, d.old, n)
	}
	return buildWith(t, at, strings.Replace(string(text), d.old, d.new, 1))
}

// buildWith returns a build of the program in which a file holds a text.
func buildWith(t *testing.T, file, text string) string {
	t.Helper()
	folder := t.TempDir()
	instead, overlay, path := filepath.Join(folder, "instead"), filepath.Join(folder, "overlay.json"), filepath.Join(folder, "support")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{file: instead}})
	if err != nil {
		t.Fatal(err)
	}
	for at, text := range map[string]string{instead: text, overlay: string(replace)} {
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := build(path, overlay); err != nil {
		t.Fatal(err)
	}
	return path
}
