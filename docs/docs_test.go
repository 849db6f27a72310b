package docs

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var alert = regexp.MustCompile(`(?m)^ +- alert: (\w+)$`)

// TestEveryAlertHasItsPage: whoever is woken by an alert finds its name.
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
		if page := Problem(name); len(page) < 80 {
			t.Errorf("operating.md says about %s: %q", name, page)
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
