package giving

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// What has become of a donation.
const (
	Received       = "received"
	PartlyRefunded = "partly_refunded"
	Refunded       = "refunded"
	Disputed       = "disputed" // the donor's bank asks for it back, and nobody has decided yet
	Lost           = "lost"     // the bank took it, or a part of it
)

// Outcomes returns all that can become of a donation.
func Outcomes() []string { return []string{Received, PartlyRefunded, Refunded, Disputed, Lost} }

// Outcome returns what has become of the donation: what still needs a hand
// before what is over.
func (d *Donation) Outcome() string {
	switch {
	case d.Disputed > d.Lost:
		return Disputed
	case d.Lost > 0:
		return Lost
	case d.Refunded > 0 && d.Refunded >= d.Gross:
		return Refunded
	case d.Refunded > 0:
		return PartlyRefunded
	}
	return Received
}

// Fold returns a name or an address as it is searched for: without case and
// without the marks on letters, each run of spaces as one.
func Fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.IsSpace(r):
			space = true
			continue
		case unicode.Is(unicode.Mn, r) || r == unicode.ReplacementChar:
			continue
		case space && b.Len() > 0:
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(unicode.ToLower(unicode.ToUpper(r))) // ς and σ are one letter
	}
	return b.String()
}
