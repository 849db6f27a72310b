// Package docs is the project's documentation as far as the program shows it
// itself.
package docs

import (
	_ "embed" // for the page below
	"strings"
)

//go:embed operating.md
var operating string

// Problem returns the page of docs/operating.md about a problem, without its
// title: Problem("SupportSilence"). It returns "" where there is none.
func Problem(title string) string {
	_, page, found := strings.Cut(operating, "\n## "+title+"\n")
	if !found {
		return ""
	}
	page, _, _ = strings.Cut(page, "\n## ")
	return strings.TrimSpace(page)
}

// Problems returns the titles of all pages of docs/operating.md, in its order.
func Problems() []string {
	var titles []string
	for line := range strings.Lines(operating) {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			titles = append(titles, strings.TrimSpace(title))
		}
	}
	return titles
}
