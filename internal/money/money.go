// Package money holds sums of money as Stripe counts them: whole minor units
// of one currency, never floating point.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Errors of [Parse], [Lookup] and [Amount.Add].
var (
	ErrCurrency = errors.New("currency is not accepted")
	ErrSyntax   = errors.New("amount is not a plain decimal number")
	ErrRange    = errors.New("amount does not fit")
	ErrMixed    = errors.New("amounts are of different currencies")
)

// An Amount is a sum of money: a whole number of minor units of one currency.
//
// A minor unit is the unit of Stripe's API: 1050 is 10.50 in EUR, which has
// cents, and 1050 in JPY, which has none.
//
// The zero Amount has no currency. It adds to any amount without changing it,
// so a sum can start from it; it is not valid as a donation.
type Amount struct {
	Minor    int64  // in minor units; negative for money that went back
	Currency string // ISO 4217 code in upper case, such as "EUR"
}

// Add returns the sum of a and b, or [ErrMixed] if their currencies differ,
// or [ErrRange] if the sum does not fit in an int64.
func (a Amount) Add(b Amount) (Amount, error) {
	switch {
	case a == Amount{}:
		return b, nil
	case b == Amount{}:
		return a, nil
	case a.Currency != b.Currency:
		return Amount{}, fmt.Errorf("%w: %s and %s", ErrMixed, a.Currency, b.Currency)
	}
	sum := a.Minor + b.Minor
	if (sum > a.Minor) != (b.Minor > 0) {
		return Amount{}, ErrRange
	}
	return Amount{sum, a.Currency}, nil
}

// Decimal returns a in major units with a point, such as "10.50" or "-3",
// without its currency. A currency not in the table is taken to have two
// decimals.
func (a Amount) Decimal() string {
	digits := 2
	if c, err := Lookup(a.Currency); err == nil {
		digits = c.Digits
	}
	text := strconv.FormatInt(a.Minor, 10)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	if digits == 0 {
		return sign + text
	}
	if pad := digits + 1 - len(text); pad > 0 {
		text = strings.Repeat("0", pad) + text
	}
	point := len(text) - digits
	return sign + text[:point] + "." + text[point:]
}

// String returns a for people who read logs and terminals: "10.50 EUR".
func (a Amount) String() string { return a.Decimal() + " " + a.Currency }

// Parse reads a non-negative amount in major units, as a donor types it:
// Parse("10.5", "eur") is 1050 cents. A comma is read as the decimal point.
//
// It returns [ErrCurrency] for a currency that is not in the table,
// [ErrSyntax] for text that is not a plain decimal or has more decimals than
// the currency, and [ErrRange] for a sum that does not fit in an int64.
func Parse(text, currency string) (Amount, error) {
	c, err := Lookup(currency)
	if err != nil {
		return Amount{}, err
	}
	whole, fraction, pointed := strings.Cut(strings.Replace(strings.TrimSpace(text), ",", ".", 1), ".")
	if whole == "" || (pointed && fraction == "") || len(fraction) > c.Digits || !digits(whole) || !digits(fraction) {
		return Amount{}, ErrSyntax
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", c.Digits-len(fraction)), 10, 64)
	if err != nil {
		return Amount{}, ErrRange
	}
	return Amount{minor, c.Code}, nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Share returns part/whole of minor, rounded half away from zero; it cannot
// overflow on the way. It is 0 if whole is 0.
func Share(minor, part, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	high, low := bits.Mul64(magnitude(minor), magnitude(part))
	low, carry := bits.Add64(low, magnitude(whole)/2, 0)
	quotient := uint64(math.MaxInt64)
	if high += carry; high < magnitude(whole) {
		q, _ := bits.Div64(high, low, magnitude(whole))
		quotient = min(q, math.MaxInt64)
	}
	if (minor < 0) != (part < 0) != (whole < 0) {
		return -int64(quotient)
	}
	return int64(quotient)
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}
