package i18n

import (
	"strings"
	"testing"
)

// FuzzParseMoney: whatever is typed into the form is an amount of the form's
// currency or is refused, and an amount as we write it in a field is read back.
func FuzzParseMoney(f *testing.F) {
	for _, text := range []string{"10", "€ 10,50", "10.50 €", "1 000", "zł 5", "USD 5", "-5", "10,,5", "５", "1e9", "EUR"} {
		f.Add(text, "EUR")
		f.Add(text, "JPY")
	}
	f.Fuzz(func(t *testing.T, text, code string) {
		a, err := ParseMoney(text, code)
		if err != nil {
			return
		}
		if a.Minor < 0 || !strings.EqualFold(a.Currency, code) {
			t.Fatalf("%q is read as %+v", text, a)
		}
		for _, lang := range Languages() {
			if again, err := ParseMoney(Decimal(lang, a), a.Currency); err != nil || again != a {
				t.Errorf("%+v in %s is %q, which is read as %+v, %v", a, lang, Decimal(lang, a), again, err)
			}
		}
	})
}
