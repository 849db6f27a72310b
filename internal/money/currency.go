package money

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Currency is how Stripe counts and limits one currency.
type Currency struct {
	Code   string // ISO 4217, upper case
	Digits int    // decimals between the major and the minor unit: 0, 2 or 3
	Step   int64  // amounts are whole multiples of this many minor units
	Min    int64  // smallest charge Stripe takes, in minor units; 0 where Stripe names none
}

// MaxMinor is the largest charge Stripe takes in any currency: eight digits.
// https://docs.stripe.com/api/payment_intents/object#payment_intent_object-amount
const MaxMinor = 99_999_999

// Lookup returns the currency of an ISO 4217 code in any case, or
// [ErrCurrency] if Stripe does not charge in it.
func Lookup(code string) (Currency, error) {
	c, ok := table[strings.ToUpper(code)]
	if !ok {
		return Currency{}, fmt.Errorf("%w: %q", ErrCurrency, code)
	}
	return c, nil
}

// Codes returns the codes of all currencies, sorted.
func Codes() []string { return slices.Sorted(maps.Keys(table)) }

// Stripe's own table, not ISO's: they differ for MGA, UGX and ISK. Stripe
// lists UGX without decimals but takes and answers it with two, ending in 00,
// as it does ISK. https://docs.stripe.com/currencies
const (
	twoDecimals = `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD
		CAD CDF CHF CNY COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF
		IDR ILS INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN
		NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SLL SOS SRD
		STD SVC SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD YER ZAR ZMW`
	noDecimals    = `BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF`
	threeDecimals = `BHD JOD KWD OMR TND` // the last digit is always 0
	wholeUnits    = `ISK UGX`             // two decimals that are always 00
)

// Smallest charges, in minor units. Stripe compares after conversion to the
// settlement currency, so a suggestion keeps well above them.
// https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
var minimums = map[string]int64{
	"USD": 50, "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250,
	"EUR": 50, "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300,
	"NZD": 50, "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "ARS": 50, "COP": 50, "IDR": 50,
	"ILS": 50, "KRW": 50, "PHP": 50, "RUB": 50, "ZAR": 50,
}

var table = func() map[string]Currency {
	t := map[string]Currency{}
	add := func(codes string, digits int, step int64) {
		for code := range strings.FieldsSeq(codes) {
			t[code] = Currency{code, digits, step, minimums[code]}
		}
	}
	add(twoDecimals, 2, 1)
	add(noDecimals, 0, 1)
	add(threeDecimals, 3, 10)
	add(wholeUnits, 2, 100)
	return t
}()
