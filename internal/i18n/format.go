package i18n

import (
	"strconv"
	"strings"
	"time"

	"github.com/bojanz/currency"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/money"
)

// Money returns a as lang writes it, without a fraction that is zero:
// "€10", "10,50 €". An amount in a currency that is not known is written with
// its code.
func Money(lang string, a money.Amount) string {
	amount, err := currency.NewAmount(a.Decimal(), a.Currency)
	if err != nil {
		return a.String()
	}
	f := currency.NewFormatter(currency.NewLocale(locale(lang)))
	if isWhole(a) {
		f.MinDigits = 0
	}
	return f.Format(amount)
}

// Decimal returns a as people who write lang type it: without currency and
// groups, with their decimal mark, and without a fraction that is zero.
func Decimal(lang string, a money.Amount) string {
	text := a.Decimal()
	if isWhole(a) {
		text, _, _ = strings.Cut(text, ".")
	}
	if locale(lang) == Default {
		return text
	}
	return strings.Replace(text, ".", ",", 1)
}

// ParseMoney returns the amount that somebody typed in a currency, with its
// sign and spaces around the figures or without, in any of our languages. Its
// errors are [money.Parse]'s.
func ParseMoney(text, code string) (money.Amount, error) {
	text = clean.Text(text)
	for _, lang := range Languages() {
		text = strings.ReplaceAll(text, Symbol(lang, code), "")
	}
	text = strings.ReplaceAll(strings.ToUpper(text), code, "")
	return money.Parse(strings.ReplaceAll(text, " ", ""), code)
}

// Symbol returns how lang shortens a currency, such as "€", or its code where
// it has no sign for it.
func Symbol(lang, code string) string {
	symbol, ok := currency.GetSymbol(code, currency.NewLocale(locale(lang)))
	if !ok {
		return code
	}
	return symbol
}

func isWhole(a money.Amount) bool {
	_, fraction, _ := strings.Cut(a.Decimal(), ".")
	return strings.Trim(fraction, "0") == ""
}

func locale(lang string) string {
	if _, ok := figures[lang]; ok {
		return lang
	}
	return Default
}

// figures is how a language groups digits: the separator, and how many digits
// stand before the first one at least (CLDR's minimumGroupingDigits).
var figures = map[string]struct {
	separator string
	least     int
}{
	"en": {",", 1}, "uk": {"\u00a0", 1}, "de": {".", 1}, "fr": {"\u202f", 1},
	"es": {".", 2}, "it": {".", 2}, "pl": {"\u00a0", 2},
}

// Number returns n as lang writes it: "1,234" in English, "1234" in Polish.
func Number(lang string, n int64) string {
	style := figures[locale(lang)]
	text := strconv.FormatInt(n, 10)
	sign := ""
	if text[0] == '-' {
		sign, text = "-", text[1:]
	}
	if len(text) < 3+style.least {
		return sign + text
	}
	var out strings.Builder
	out.WriteString(sign)
	for i, digit := range text {
		if i > 0 && (len(text)-i)%3 == 0 {
			out.WriteString(style.separator)
		}
		out.WriteRune(digit)
	}
	return out.String()
}

// months are the names of the months as they stand in a date.
var months = map[string][12]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"uk": {"січня", "лютого", "березня", "квітня", "травня", "червня", "липня", "серпня", "вересня", "жовтня", "листопада", "грудня"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
	"fr": {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	"es": {"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
	"it": {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"},
	"pl": {"stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października", "listopada", "grudnia"},
}

// Date returns the day of t, in t's own time zone, as lang writes it in full:
// "23 November 2026".
func Date(lang string, t time.Time) string {
	lang = locale(lang)
	day, month, year := strconv.Itoa(t.Day()), months[lang][t.Month()-1], strconv.Itoa(t.Year())
	switch lang {
	case "uk":
		return day + " " + month + " " + year + "\u00a0р."
	case "de":
		return day + ". " + month + " " + year
	case "es":
		return day + " de " + month + " de " + year
	}
	return day + " " + month + " " + year
}
