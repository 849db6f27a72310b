package checkout

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// cleanText returns what a person typed as we keep it: in Unicode's composed
// form, one line, without characters that can't be seen or that turn the
// direction of what follows (CWE-1007). It may be any length.
func cleanText(s string) string {
	s = norm.NFC.String(strings.ToValidUTF8(s, ""))
	var out strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			out.WriteByte(' ')
		case unicode.Is(unicode.C, r), unicode.Is(unicode.Variation_Selector, r),
			unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
			// Control, format (bidirectional, zero width), private use, fillers.
		default:
			out.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// cutRunes returns the first n characters of s.
func cutRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

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

// Origin returns the origin of an absolute http or https address as browsers
// write it ("https://example.org"), or "" for anything else, or for an address that two readers could
// understand differently.
func Origin(address string) string {
	if len(address) > maxURL || strings.ContainsFunc(address, func(r rune) bool {
		return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r)
	}) {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Host == "" || u.User != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "http" {
		host = strings.TrimSuffix(host, ":80")
	} else {
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}
