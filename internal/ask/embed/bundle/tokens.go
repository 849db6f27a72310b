package bundle

import (
	"regexp"
	"strings"

	"github.com/united24media/support/internal/look"
)

var (
	declared = regexp.MustCompile(`(--u24-[a-z0-9-]+):([^;]+);`)
	used     = regexp.MustCompile(`var\((--u24-[a-z0-9-]+)`)
)

// tokens returns the design tokens that a style sheet uses, as custom
// properties of selector. All of them would be a tenth of the script.
func tokens(selector, sheet string) string {
	wanted := map[string]bool{}
	for _, m := range used.FindAllStringSubmatch(sheet, -1) {
		wanted[m[1]] = true
	}
	return declared.ReplaceAllStringFunc(look.TokensCSS(selector), func(declaration string) string {
		if name, _, _ := strings.Cut(declaration, ":"); wanted[name] {
			return declaration
		}
		return ""
	})
}
