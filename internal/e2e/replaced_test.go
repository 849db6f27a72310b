package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Replaced are files' texts, by path: a build is made with them as if they were
// there. What is shipped has nothing of it.
type replaced map[string]string

// edit changes the one place in a file, below the project's folder, that holds
// a text.
func (r replaced) edit(t *testing.T, file, old, instead string) {
	t.Helper()
	r.editAt(t, projectFile(t, file), old, instead)
}

func (r replaced) editAt(t *testing.T, at, old, instead string) {
	t.Helper()
	if _, edited := r[at]; !edited {
		text, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		r[at] = string(text)
	}
	if n := strings.Count(r[at], old); n != 1 {
		t.Fatalf("%s has %q %d times", at, old, n)
	}
	r[at] = strings.Replace(r[at], old, instead, 1)
}

// projectFile returns where a file of the project is.
func projectFile(t *testing.T, file string) string {
	t.Helper()
	at, err := filepath.Abs(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// overlay returns the file that go build takes.
func (r replaced) overlay(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	instead := map[string]string{}
	for at, text := range r {
		instead[at] = filepath.Join(folder, strconv.Itoa(len(instead)))
		if err := os.WriteFile(instead[at], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": instead})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(overlay, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return overlay
}

// build returns a build of the program with these files, which is there as long
// as the test runs.
func (r replaced) build(t *testing.T) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), "support")
	r.buildAt(t, at)
	return at
}

func (r replaced) buildAt(t *testing.T, at string) {
	t.Helper()
	if err := build(at, r.overlay(t)); err != nil {
		t.Fatal(err)
	}
}

// once builds the program with these files for all tests of this process.
func (r replaced) once(t *testing.T, name string) string {
	t.Helper()
	at := filepath.Join(filepath.Dir(binary), name+"-"+strconv.Itoa(os.Getpid()))
	if _, err := os.Stat(at); err != nil {
		r.buildAt(t, at)
	}
	return at
}

// TestPlacesAreThere: whoever changes a line at which a build of the tests'
// own differs hears of it before `make chaos` does.
func TestPlacesAreThere(t *testing.T) {
	t.Parallel()
	mortalFiles(t)
	steppingFiles(t)
	for _, d := range defences {
		replaced{}.edit(t, d.file, d.old, d.new)
	}
}
