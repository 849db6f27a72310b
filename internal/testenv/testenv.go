// Package testenv gives tests the real things they need beside the program:
// PostgreSQL, Redis, and objects that Stripe really sent; package chromium below
// it, Chromium. Only tests import them.
//
// Servers listen on 127.0.0.1, on ports the system chose, keep their files in
// a temporary folder, and are gone when the test process is gone, however it
// ends. A program that is missing fails the test with a line that names it:
// nothing is skipped in silence.
//
// `make test` starts one PostgreSQL and one Redis for all packages and tells
// where they are in SUPPORT_TEST_POSTGRES and SUPPORT_TEST_REDIS; where those
// are not set, a test process starts its own when a test first asks.
package testenv

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// StripeObjects returns the folder of recorded Stripe objects, which is not
// part of the project: the environment's SUPPORT_STRIPE_OBJECTS names it.
// Where it is not set the test is skipped, in words.
func StripeObjects(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("SUPPORT_STRIPE_OBJECTS")
	if folder == "" {
		t.Skip("LEFT OUT: the recorded Stripe objects were not read, because SUPPORT_STRIPE_OBJECTS does not name their folder")
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatalf("SUPPORT_STRIPE_OBJECTS: %v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) == 0 {
		t.Fatalf("SUPPORT_STRIPE_OBJECTS: %s holds nothing to read (%v)", folder, err)
	}
	return folder
}

// Program returns the path of a program by its name, or an error that says
// how to get it.
func Program(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", missing(name)
	}
	return path, nil
}

func missing(name string) error {
	return fmt.Errorf("%s is not installed: run `make test`, which installs it, or your system's package manager", name)
}

// oldestPostgres is the oldest major version of PostgreSQL the tests accept.
const oldestPostgres = 15

// postgresProgram returns the path of one of PostgreSQL's programs, of the
// newest version where Debian keeps several side by side.
func postgresProgram(name string) (string, error) {
	type version struct {
		major int
		path  string
	}
	var found []version
	paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	for _, path := range paths {
		major, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err == nil && major >= oldestPostgres {
			found = append(found, version{major, path})
		}
	}
	if len(found) > 0 {
		return slices.MaxFunc(found, func(a, b version) int { return cmp.Compare(a.major, b.major) }).path, nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", missing(fmt.Sprintf("PostgreSQL %d or newer (its %s)", oldestPostgres, name))
}
