package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is no report of ours is refused in words.
func TestBounce(t *testing.T) {
	t.Parallel()
	lookup := environment(t, nil)
	file := filepath.Join(t.TempDir(), "report")
	if err := os.WriteFile(file, []byte("Subject: Hello\n\nHello.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, text := runCommand(t, lookup, "bounce", file); code != exitFailed || !strings.Contains(text, "no delivery report") {
		t.Errorf("a letter: exit %d: %s", code, text)
	}
	if code, _, text := runCommand(t, lookup, "bounce"); code != exitUsage || !strings.Contains(text, "/dev/stdin") {
		t.Errorf("no file: exit %d: %s", code, text)
	}
}
