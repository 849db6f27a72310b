package money

import "testing"

// FuzzParse: what is read as an amount is written again as one that is read as
// the same.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"10", "10.50", "0,5", "-1", "1e3", " 7 ", "9223372036854775807", "92233720368547758.08", "1.234", ".", "٣"} {
		for _, currency := range []string{"EUR", "jpy", "BHD", "XXX"} {
			f.Add(text, currency)
		}
	}
	f.Fuzz(func(t *testing.T, text, currency string) {
		a, err := Parse(text, currency)
		if err != nil {
			return
		}
		if again, err := Parse(a.Decimal(), a.Currency); err != nil || again != a || a.Minor < 0 {
			t.Errorf("%q %s is %+v; %q is %+v, %v", text, currency, a, a.Decimal(), again, err)
		}
	})
}
