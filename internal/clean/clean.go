// Package clean makes what comes from outside fit to be kept, shown and
// followed. It is pure.
package clean

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxAddress is how long an address may be, in bytes.
const maxAddress = 2000

// Text returns what a person typed as we keep it: in Unicode's composed
// form, one line, without characters that can't be seen or that turn the
// direction of what follows (CWE-1007). It may be any length.
func Text(s string) string {
	var out strings.Builder
	for _, r := range strings.ToValidUTF8(s, "") {
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
	// Composed last: what was dropped may have stood between a letter and its mark.
	return norm.NFC.String(strings.Join(strings.Fields(out.String()), " "))
}

// Cut returns the first n characters of s.
func Cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// Origin returns the origin of an absolute http or https address as browsers
// write it ("https://example.org"), or "" for anything else, or for an address that two readers could
// understand differently.
func Origin(address string) string {
	if len(address) > maxAddress || strings.ContainsFunc(address, func(r rune) bool {
		return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r)
	}) {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) || u.Hostname() == "" || u.User != nil {
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
