package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/united24media/support/internal/fault"
)

// maxSlug is how many bytes of a name a token carries.
const maxSlug = 200

// CheckSlug returns an error unless s can name an article, a campaign, a
// section or a tag: letters, digits and marks of any script, and the signs
// that addresses use. Checkouts keep the same rule: what they do not take as
// an article's name would be asked for and counted nowhere.
func CheckSlug(field, s string) error {
	fits := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || strings.ContainsRune("-_.~/:+", r)
	}
	if s == "" || len(s) > maxSlug || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !fits(r) }) {
		return fault.Field(field, "This is a name of 1 to %d bytes: letters, digits and -_.~/:+.", maxSlug)
	}
	return nil
}
