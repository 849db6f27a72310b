package checkout

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// isSlug reports whether s can name an article, a campaign, a variant or a tier:
// letters and digits of any script, and the marks that addresses use. Empty
// names nothing and is fine.
func isSlug(s string) bool {
	if len(s) > maxSlug || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune("-_.~/:+", r) {
			return false
		}
	}
	return true
}

// isPlacement reports whether s is a place in an article where an ask may
// stand. Empty is none, and fine.
func isPlacement(s string) bool { return s == "" || s == "mid" || s == "end" }

// slugOrNone returns s if it is a slug, else "": a reader is never stopped by
// a broken link.
func slugOrNone(s string) string {
	if !isSlug(s) {
		return ""
	}
	return s
}
