package reconcile

import (
	"testing"

	"github.com/united24media/support/internal/money"
)

// GiveWP writes totals as its site shows them, with the site's signs for
// thousands and decimals.
func TestGiveWPsTotals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		total, currency string
		want            int64 // 0: refused
	}{
		"a point":                     {"20.00", "EUR", 2000},
		"a comma":                     {"20,00", "EUR", 2000},
		"one decimal":                 {"20,5", "EUR", 2050},
		"none":                        {"1250", "EUR", 125000},
		"thousands by commas":         {"1,250.50", "USD", 125050},
		"thousands by points":         {"1.250,50", "EUR", 125050},
		"thousands by spaces":         {"1 250,50", "PLN", 125050},
		"by spaces that do not break": {"1\u00a0250,50", "UAH", 125050},
		"by narrow ones":              {"1\u202f250,50", "EUR", 125050},
		"by apostrophes":              {"1'250.50", "CHF", 125050},
		"by typographic ones":         {"1’250.50", "CHF", 125050},
		"thousands, no decimals":      {"1,250", "EUR", 125000},
		"by points, no decimals":      {"1.250", "EUR", 125000},
		"millions":                    {"1,250,000", "EUR", 125000000},
		"millions, by points":         {"1.250.000,00", "EUR", 125000000},
		"the symbol before":           {"€20,00", "EUR", 2000},
		"the symbol after":            {"20,00\u00a0€", "EUR", 2000},
		"yen":                         {"1,250", "JPY", 1250},
		"yen, by points":              {"1.250", "JPY", 1250},
		"dinars":                      {"12.500", "KWD", 12500},
		"thousands of dinars":         {"1,012.500", "KWD", 1012500},
		"a dinar or a thousand":       {"1,250", "KWD", 0},
		"half a yen":                  {"12.5", "JPY", 0},
		"groups of two":               {"1,25,00", "EUR", 0},
		"a group of four":             {"1,2500.00", "EUR", 0},
		"a group that is too long":    {"1250,000.00", "EUR", 0},
		"one sign for both":           {"1.250.50", "EUR", 0},
		"four decimals":               {"12,3456", "EUR", 0},
		"signs alone":                 {",", "EUR", 0},
		"less than nothing":           {"-5,00", "EUR", 0},
		"a word":                      {"ten", "EUR", 0},
		"nothing":                     {"", "EUR", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readTotal(tt.total, "€", tt.currency)
			if tt.want == 0 {
				if err == nil {
					t.Errorf("%q is read as %s", tt.total, got)
				}
				return
			}
			if err != nil || got != (money.Amount{Minor: tt.want, Currency: tt.currency}) {
				t.Errorf("%q is read as %s, %v; want %d minor units", tt.total, got, err, tt.want)
			}
		})
	}
}
