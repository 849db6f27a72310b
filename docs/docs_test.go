package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var alert = regexp.MustCompile(`(?m)^ +- alert: (\w+)$`)

// TestEveryAlertHasItsPage: whoever is woken by an alert is told what prints its
// page, which says what to run, and what it means when that does not help.
func TestEveryAlertHasItsPage(t *testing.T) {
	t.Parallel()
	rules, err := os.ReadFile("deploy/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var alerts []string
	for _, found := range alert.FindAllSubmatch(rules, -1) {
		alerts = append(alerts, string(found[1]))
	}
	if len(alerts) == 0 {
		t.Fatal("deploy/alerts.yaml has no alerts")
	}
	for _, name := range alerts {
		if page := Problem(name); !strings.Contains(page, "```sh\n") || !strings.Contains(page, "\n**Nothing helps**: ") {
			t.Errorf("operating.md does not say about %s what to run, or what to do when nothing helps: %q", name, page)
		}
		if !strings.Contains(string(rules), "\n          runbook: support doctor "+name+"\n") {
			t.Errorf("%s does not name what prints its page", name)
		}
	}
	for _, title := range Problems() {
		if strings.HasPrefix(title, "Support") && !slices.Contains(alerts, title) {
			t.Errorf("operating.md has a page about %s, which is no alert", title)
		}
	}
	if page := Problem("SupportDow"); page != "" {
		t.Errorf("a page about nothing: %q", page)
	}
}

// TestProofsExist: what security.md says is proved by a test, is.
func TestProofsExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	err = filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		code, err := os.ReadFile(path)
		for _, found := range testFunc.FindAllSubmatch(code, -1) {
			tests[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := testName.FindAllSubmatch(page, -1)
	if len(named) < 50 {
		t.Errorf("security.md names only %d tests", len(named))
	}
	for _, found := range named {
		if name := string(found[1]); !tests[name] {
			t.Errorf("security.md names %s, which is no test", name)
		}
	}
}

var (
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	testName = regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
)
