package offer

import (
	"slices"
	"strings"
)

// countries is the currency of each country (ISO 3166 alpha-2) whose own we
// offer, or whose readers are used to one we do.
var countries = func() map[string]string {
	m := map[string]string{}
	for currency, list := range map[string]string{
		"EUR": "AD AT BE BG CY DE EE ES FI FR GF GP GR HR IE IT LT LU LV MC ME MQ MT NL PT RE SI SK SM VA XK YT",
		"USD": "AS EC GU MH MP PR PW SV TL US VI",
		"GBP": "GB GG GI IM JE",
		"UAH": "UA",
		"CAD": "CA",
		"AUD": "AU KI NR TV",
		"NZD": "CK NU NZ TK",
		"CHF": "CH LI",
		"SEK": "SE",
		"NOK": "NO SJ",
		"DKK": "DK FO GL",
		"PLN": "PL",
		"CZK": "CZ",
		"HUF": "HU",
		"RON": "RO",
		"ISK": "IS",
		"JPY": "JP",
		"KWD": "KW",
	} {
		for country := range strings.FieldsSeq(list) {
			m[country] = currency
		}
	}
	return m
}()

// languages is the currency of each of our languages that points to one;
// English does not.
var languages = map[string]string{"uk": "UAH", "de": "EUR", "fr": "EUR", "es": "EUR", "it": "EUR", "pl": "PLN"}

// CurrencyFor returns the currency to ask in: the one of country (ISO 3166
// alpha-2, any case), else, where the country is unknown, of lang, else
// fallback, which is EUR if it is not offered.
func CurrencyFor(country, lang, fallback string) string {
	fallback = strings.ToUpper(fallback)
	if !slices.Contains(Currencies(), fallback) {
		fallback = "EUR"
	}
	if country != "" {
		if currency, ok := countries[strings.ToUpper(country)]; ok {
			return currency
		}
		return fallback
	}
	if currency, ok := languages[lang]; ok {
		return currency
	}
	return fallback
}
