package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAsksCommand(t *testing.T) {
	t.Parallel()
	lookup := environment(t, nil)
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "policy.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const policy = `{"rules":[{"name":"sport","show":"none","sections":{"include":["sport"]}}]}`
	for _, step := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"off", []string{"asks", "off"}, exitOK, "", "Asks are off"},
		{"closed", []string{"asks", "closed"}, exitOK, "", "no gifts are taken"},
		{"on", []string{"asks", "on"}, exitOK, "", "Asks are on"},
		{"no policy yet", []string{"asks", "policy"}, exitOK, "", "No policy is set"},
		{"a policy", []string{"asks", "policy", file(policy)}, exitOK, "", "rules 1, experiments 0"},
		{"a broken one", []string{"asks", "policy", file(`{"rules":[{"name":"sport"}]}`)}, exitFailed, "", "none, quiet or normal"},
		{"no such file", []string{"asks", "policy", "nowhere.json"}, exitFailed, "", "nowhere.json"},
		{"the policy in force", []string{"asks", "policy"}, exitOK, policy, ""},
		{"nothing", []string{"asks"}, exitUsage, "", "off, on, closed, policy"},
		{"misspelt", []string{"asks", "of"}, exitUsage, "", "did you mean: support asks off"},
		{"one too many", []string{"asks", "off", "now"}, exitUsage, "", `"now"`},
	} {
		code, stdout, stderr := runCommand(t, lookup, step.args...)
		if code != step.code || !strings.Contains(stdout, step.stdout) || !strings.Contains(stderr, step.stderr) {
			t.Errorf("%s: exit %d, %q, %q; want %d, %q, %q", step.name, code, stdout, stderr, step.code, step.stdout, step.stderr)
		}
	}
}
