package bundle

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/united24media/support/internal/look"
)

var (
	declared = regexp.MustCompile(`(--u24-[a-z0-9-]+):([^;]+);`)
	used     = regexp.MustCompile(`var\((--u24-[a-z0-9-]+)`)
	named    = regexp.MustCompile(`--u24-[a-z0-9-]+`)
)

// tokens returns the design tokens that a style sheet uses, as custom
// properties of selector. All of them would be a tenth of the script.
func tokens(selector, sheet string) string {
	wanted := wantedBy(sheet)
	return declared.ReplaceAllStringFunc(look.TokensCSS(selector), func(declaration string) string {
		if name, _, _ := strings.Cut(declaration, ":"); wanted[name] {
			return declaration
		}
		return ""
	})
}

// shortened gives the tokens of a style sheet names of one letter. What a site
// may set, --u24-support-…, keeps its name.
func shortened(sheet string) string {
	short := map[string]string{}
	for i, name := range slices.Sorted(maps.Keys(wantedBy(sheet))) {
		short[name] = "--" + string(rune('a'+i))
	}
	return named.ReplaceAllStringFunc(sheet, func(name string) string {
		if letter, ok := short[name]; ok {
			return letter
		}
		return name
	})
}

// wantedBy returns the names of the tokens that a style sheet uses.
func wantedBy(sheet string) map[string]bool {
	wanted := map[string]bool{}
	for _, m := range used.FindAllStringSubmatch(sheet, -1) {
		if !strings.HasPrefix(m[1], "--u24-support-") {
			wanted[m[1]] = true
		}
	}
	return wanted
}
