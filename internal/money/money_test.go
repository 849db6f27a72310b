package money

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text, currency string
		want           Amount
		err            error
	}{
		"whole euros":                {"10", "EUR", Amount{1000, "EUR"}, nil},
		"one decimal":                {"10.5", "EUR", Amount{1050, "EUR"}, nil},
		"a comma for a point":        {"10,50", "EUR", Amount{1050, "EUR"}, nil},
		"spaces around":              {" 10 ", "EUR", Amount{1000, "EUR"}, nil},
		"lower case":                 {"1", "eur", Amount{100, "EUR"}, nil},
		"yen have no minor unit":     {"1050", "JPY", Amount{1050, "JPY"}, nil},
		"dinars have three":          {"1.25", "KWD", Amount{1250, "KWD"}, nil},
		"kronur count two":           {"5", "ISK", Amount{500, "ISK"}, nil},
		"ariary count none":          {"5", "MGA", Amount{5, "MGA"}, nil},
		"zero":                       {"0", "USD", Amount{0, "USD"}, nil},
		"largest that fits":          {"92233720368547758.07", "USD", Amount{math.MaxInt64, "USD"}, nil},
		"one cent too many":          {"92233720368547758.08", "USD", Amount{}, ErrRange},
		"fraction of a cent":         {"10.505", "EUR", Amount{}, ErrSyntax},
		"fraction of a yen":          {"10.5", "JPY", Amount{}, ErrSyntax},
		"negative":                   {"-1", "EUR", Amount{}, ErrSyntax},
		"a plus":                     {"+1", "EUR", Amount{}, ErrSyntax},
		"point without digits":       {"10.", "EUR", Amount{}, ErrSyntax},
		"digits after all missing":   {".5", "EUR", Amount{}, ErrSyntax},
		"thousands separators":       {"1,000.00", "USD", Amount{}, ErrSyntax},
		"an exponent":                {"1e3", "USD", Amount{}, ErrSyntax},
		"empty":                      {"", "EUR", Amount{}, ErrSyntax},
		"digits of other scripts":    {"١", "EUR", Amount{}, ErrSyntax},
		"a currency that is none":    {"1", "XTS", Amount{}, ErrCurrency},
		"a currency out of use":      {"1", "DEM", Amount{}, ErrCurrency},
		"a currency that is no code": {"1", "", Amount{}, ErrCurrency},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tt.text, tt.currency)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Parse(%q, %q) = %v, %v; want %v, %v", tt.text, tt.currency, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	tests := map[Amount]string{
		{1050, "EUR"}: "10.50", {5, "EUR"}: "0.05", {0, "EUR"}: "0.00", {-305, "EUR"}: "-3.05", {-5, "EUR"}: "-0.05",
		{1050, "JPY"}: "1050", {1250, "KWD"}: "1.250", {math.MinInt64, "USD"}: "-92233720368547758.08",
	}
	for amount, want := range tests {
		if got := amount.Decimal(); got != want {
			t.Errorf("%d %s is %q, want %q", amount.Minor, amount.Currency, got, want)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := Amount{rapid.Int64Range(0, math.MaxInt64).Draw(t, "minor"), rapid.SampledFrom(Codes()).Draw(t, "currency")}
		if back, err := Parse(a.Decimal(), a.Currency); err != nil || back != a {
			t.Fatalf("%v is written %q and read back as %v, %v", a, a.Decimal(), back, err)
		}
	})
}

func TestAdd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		a, b, want Amount
		err        error
	}{
		"cents":               {Amount{1, "EUR"}, Amount{2, "EUR"}, Amount{3, "EUR"}, nil},
		"to nothing":          {Amount{}, Amount{2, "EUR"}, Amount{2, "EUR"}, nil},
		"nothing":             {Amount{2, "EUR"}, Amount{}, Amount{2, "EUR"}, nil},
		"a refund":            {Amount{5, "EUR"}, Amount{-5, "EUR"}, Amount{0, "EUR"}, nil},
		"zero euros":          {Amount{5, "EUR"}, Amount{0, "EUR"}, Amount{5, "EUR"}, nil},
		"two currencies":      {Amount{1, "EUR"}, Amount{2, "USD"}, Amount{}, ErrMixed},
		"more than fits":      {Amount{math.MaxInt64, "EUR"}, Amount{1, "EUR"}, Amount{}, ErrRange},
		"less than fits":      {Amount{math.MinInt64, "EUR"}, Amount{-1, "EUR"}, Amount{}, ErrRange},
		"the most and nought": {Amount{math.MaxInt64, "EUR"}, Amount{0, "EUR"}, Amount{math.MaxInt64, "EUR"}, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := tt.a.Add(tt.b); got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("%v + %v = %v, %v; want %v, %v", tt.a, tt.b, got, err, tt.want, tt.err)
			}
		})
	}
}

// TestShare holds Share against arithmetic without limits.
func TestShare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Int64Range(-2000, 2000), rapid.Int64Range(-math.MaxInt64, math.MaxInt64))
		minor, part, whole := number.Draw(t, "minor"), number.Draw(t, "part"), number.Draw(t, "whole")
		if got := Share(minor, part, whole); got != share(minor, part, whole) {
			t.Fatalf("%d × %d / %d = %d, want %d", minor, part, whole, got, share(minor, part, whole))
		}
	})
}

func share(minor, part, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	product := new(big.Int).Mul(big.NewInt(minor), big.NewInt(part))
	negative := product.Sign()*big.NewInt(whole).Sign() < 0
	w := new(big.Int).Abs(big.NewInt(whole))
	// Half of whole is added before the division: it rounds half away from zero.
	q := product.Abs(product).Add(product, new(big.Int).Quo(w, big.NewInt(2))).Quo(product, w)
	if !q.IsInt64() {
		q.SetInt64(math.MaxInt64)
	}
	if negative {
		q.Neg(q)
	}
	return q.Int64()
}

// TestDigits has each currency that is not counted in hundredths, and what its
// amounts are multiples of. All others are.
func TestDigits(t *testing.T) {
	t.Parallel()
	type counted struct {
		digits int
		step   int64
	}
	special := map[string]counted{}
	for codes, c := range map[string]counted{
		"BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF": {0, 1},
		"BHD JOD KWD OMR TND": {3, 10}, // the last digit is 0
		"ISK UGX":             {2, 100},
	} {
		for code := range strings.FieldsSeq(codes) {
			special[code] = c
		}
	}
	for _, code := range Codes() {
		want, ok := special[code]
		if !ok {
			want = counted{2, 1}
		}
		if c, err := Lookup(code); err != nil || c.Digits != want.digits || c.Step != want.step {
			t.Errorf("%s is %+v, %v; want %+v", code, c, err, want)
		}
		delete(special, code)
	}
	if len(special) > 0 {
		t.Errorf("not in the table: %v", special)
	}
	for code, minimum := range map[string]int64{
		"USD": 50, "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250, "EUR": 50, "GBP": 30,
		"HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200, "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300,
		"SGD": 50, "THB": 1000, "KRW": 50, "UAH": 0,
	} {
		if c, err := Lookup(code); err != nil || c.Min != minimum {
			t.Errorf("the least of %s is %d, want %d", code, c.Min, minimum)
		}
	}
}

// TestCurrencies holds the table against what is special in Stripe's.
func TestCurrencies(t *testing.T) {
	t.Parallel()
	tests := map[string]Currency{
		"EUR": {"EUR", 2, 1, 50}, "UAH": {"UAH", 2, 1, 0}, "JPY": {"JPY", 0, 1, 50}, "KRW": {"KRW", 0, 1, 50},
		"HUF": {"HUF", 2, 1, 17500}, "ISK": {"ISK", 2, 100, 0}, "UGX": {"UGX", 2, 100, 0}, "KWD": {"KWD", 3, 10, 0},
		"MGA": {"MGA", 0, 1, 0}, "GBP": {"GBP", 2, 1, 30},
	}
	for code, want := range tests {
		if got, err := Lookup(code); got != want || err != nil {
			t.Errorf("%s is %+v, %v; want %+v", code, got, err, want)
		}
	}
	for code := range minimums {
		if _, err := Lookup(code); err != nil {
			t.Errorf("there is a minimum for %s and no currency", code)
		}
	}
	if n := len(Codes()); n < 130 {
		t.Errorf("%d currencies; Stripe charges in more than 130", n)
	}
}
