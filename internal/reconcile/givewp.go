package reconcile

import (
	"strings"

	"github.com/united24media/support/internal/money"
)

// thousand is how many digits stand together between signs for thousands.
const thousand = 3

const totalColumn = "column Donation Total"

// readTotal reads an amount as GiveWP's site shows it: one writes 1,250.50,
// another 1.250,50 or 1 250,50, and one that shows no decimals 1,250 or 1.250.
func readTotal(text, symbol, currency string) (money.Amount, error) {
	return readDecimal(totalColumn, strings.Trim(text, symbol+" \u00a0\u202f"), currency)
}

// doubtful reports whether an amount has one sign, and after it three digits in
// a currency that has not three: 5.000 is five of whoever writes three decimals,
// and five thousand of others.
func doubtful(text, currency string) bool {
	c, _ := money.Lookup(currency) //nolint:errcheck // whoever reads the amount says so
	at := strings.IndexAny(text, ".,")
	return c.Digits != thousand && at >= 0 && len(text)-at-1 == thousand
}

// plainDecimal returns an amount without signs for thousands and with a point;
// ok is false where it can't be told what it is. The last point or comma is the
// decimal sign, unless three digits follow it in a currency that has not three.
func plainDecimal(text, currency string) (plain string, ok bool) {
	c, _ := money.Lookup(currency) //nolint:errcheck // whoever reads the amount says so
	whole, fraction, sign := text, "", ""
	if at := strings.LastIndexAny(text, ".,"); at >= 0 {
		decimals := len(text) - at - 1
		switch {
		case decimals != thousand || c.Digits == thousand && text[at] == '.':
			whole, sign, fraction = text[:at], text[at:at+1], "."+text[at+1:]
		case c.Digits == thousand:
			return "", false // 1,250 is one dinar and a quarter, or a thousand
		}
	}
	at := strings.IndexFunc(whole, func(r rune) bool { return r < '0' || r > '9' })
	if at < 0 {
		return whole + fraction, true
	}
	separator := string([]rune(whole[at:])[:1])
	groups := strings.Split(whole, separator)
	if separator == sign || !strings.Contains(" ,.'’\u00a0\u202f", separator) || len(groups[0]) == 0 || len(groups[0]) > thousand {
		return "", false
	}
	for _, group := range groups[1:] {
		if len(group) != thousand {
			return "", false
		}
	}
	return strings.Join(groups, "") + fraction, true
}
