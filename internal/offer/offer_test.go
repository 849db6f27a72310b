package offer

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	if err := Check(); err != nil {
		t.Error(err)
	}
}

func TestCheckFinds(t *testing.T) {
	t.Parallel()
	good := `{"min": 1000, "max": 100000, "default": 2500, "amounts": [2500, 5000]}`
	tests := map[string]struct{ currency, once, want string }{
		"a suggestion under the least":      {"EUR", `{"min": 1000, "max": 9000, "default": 500, "amounts": [500]}`, "below the least"},
		"a suggestion over the most":        {"EUR", `{"min": 1000, "max": 9000, "default": 9500, "amounts": [9500]}`, "above the most"},
		"a least below Stripe's":            {"CZK", `{"min": 1000, "max": 9000, "default": 9000, "amounts": [9000]}`, "Stripe's 1500"},
		"a most above Stripe's":             {"EUR", `{"min": 1000, "max": 100000000, "default": 2500, "amounts": [2500]}`, "above Stripe's"},
		"half a króna":                      {"ISK", `{"min": 10000, "max": 90000, "default": 20050, "amounts": [20050]}`, "no such fraction"},
		"a single fils":                     {"KWD", `{"min": 1000, "max": 90000, "default": 2501, "amounts": [2501]}`, "no such fraction"},
		"a default that is not shown":       {"EUR", `{"min": 1000, "max": 9000, "default": 3000, "amounts": [2500]}`, "not suggested"},
		"amounts in disorder":               {"EUR", `{"min": 1000, "max": 9000, "default": 3000, "amounts": [3000, 2500]}`, "do not rise"},
		"a currency Stripe does not charge": {"XTS", good, "not accepted"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := parse([]byte(`{"` + tt.currency + `": {"once": ` + tt.once + `, "month": ` + good + `, "year": ` + good + `}}`))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.check(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("check() = %v; want it to say %q", err, tt.want)
			}
		})
	}
}

func TestAdmits(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		currency, interval string
		minor              int64
		want               error
	}{
		"the least":            {"EUR", Once, 100, nil},
		"a cent less":          {"EUR", Once, 99, ErrLow},
		"nothing":              {"EUR", Once, 0, ErrLow},
		"less than nothing":    {"EUR", Once, -1000, ErrLow},
		"the most":             {"EUR", Once, 1000000, nil},
		"a cent more":          {"EUR", Once, 1000001, ErrHigh},
		"a monthly typo":       {"EUR", Month, 1000000, ErrHigh},
		"whole krónur":         {"ISK", Once, 50000, nil},
		"half a króna":         {"ISK", Once, 50050, ErrStep},
		"ten fils":             {"KWD", Once, 1010, nil},
		"one fils":             {"KWD", Once, 1001, ErrStep},
		"yen have no fraction": {"JPY", Once, 1501, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, ok := Get(tt.currency, tt.interval)
			if !ok {
				t.Fatal("not offered")
			}
			if err := o.Admits(tt.minor); !errors.Is(err, tt.want) {
				t.Errorf("Admits(%d) = %v, want %v", tt.minor, err, tt.want)
			}
		})
	}
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	got := Currencies()
	if !slices.Equal(got[:4], order) || !slices.IsSorted(got[4:]) {
		t.Errorf("Currencies() = %v", got)
	}
	for currency := range strings.FieldsSeq("EUR USD GBP UAH CAD AUD CHF SEK NOK DKK PLN CZK JPY") {
		if !slices.Contains(got, currency) {
			t.Errorf("%s is not offered", currency)
		}
	}
	o, ok := Get("jpy", Month)
	if !ok || o.Currency != "JPY" || o.Interval != Month {
		t.Errorf("Get(jpy, month) = %+v, %v", o, ok)
	}
	o.Amounts[0] = 1
	if again, _ := Get("JPY", Month); again.Amounts[0] == 1 {
		t.Error("a caller can change the offers")
	}
}

func TestCurrencyFor(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ country, lang, fallback, want string }{
		"the country's":                        {"PL", "en", "EUR", "PLN"},
		"in small letters":                     {"ua", "en", "EUR", "UAH"},
		"a country without one of its own":     {"BR", "uk", "USD", "USD"},
		"by language":                          {"", "uk", "EUR", "UAH"},
		"English says nothing":                 {"", "en", "GBP", "GBP"},
		"a setting in small letters":           {"", "en", "usd", "USD"},
		"a setting that is not offered":        {"", "en", "BRL", "EUR"},
		"Bulgaria has had the euro since 2026": {"BG", "en", "USD", "EUR"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := CurrencyFor(tt.country, tt.lang, tt.fallback); got != tt.want {
				t.Errorf("CurrencyFor(%q, %q, %q) = %s, want %s", tt.country, tt.lang, tt.fallback, got, tt.want)
			}
		})
	}
}
