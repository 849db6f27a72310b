package giving

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOutcome(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		d    Donation
		want string
	}{
		"whole":                 {Donation{Gross: 10}, Received},
		"a part given back":     {Donation{Gross: 10, Refunded: 1}, PartlyRefunded},
		"of nothing":            {Donation{}, Received},
		"all given back":        {Donation{Gross: 1, Refunded: 1}, Refunded},
		"an open dispute":       {Donation{Gross: 10, Disputed: 10}, Disputed},
		"a lost one":            {Donation{Gross: 1, Disputed: 1, Lost: 1}, Lost},
		"one lost and one open": {Donation{Gross: 10, Disputed: 10, Lost: 4}, Disputed},
		"a part given back, then the rest is disputed": {Donation{Gross: 10, Refunded: 4, Disputed: 6}, Disputed},
	}
	for name, tt := range tests {
		if got := tt.d.Outcome(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		if !slices.Contains(Outcomes(), tt.want) {
			t.Errorf("%s is among no outcomes", tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Olena@Example.ORG":    "olena@example.org",
		"  Олена   Коваленко ": "олена коваленко",
		"Zażółć Gęślą":         "zazołc gesla",
		"José":                 "jose",
		"Straße":               "straße",
		"ΟΔΟΣ":                 "οδοσ",
		"ﬁne\u00a0print":       "fine print",
		"Кий\u0457в":           "кииів",
		"":                     "",
		"¨A b":                 "a b", // a mark alone is a space with a mark
		"\t \n":                "",
		"a\ufffdb":             "ab",
	} {
		if got := Fold(text); got != want {
			t.Errorf("Fold(%q) = %q, want %q", text, got, want)
		}
	}
}

// TestFoldOnce: what was folded stays, so that a search can fold what somebody
// copied from a page.
func TestFoldOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once := Fold(rapid.String().Draw(t, "text"))
		if twice := Fold(once); twice != once {
			t.Fatalf("%q became %q", once, twice)
		}
	})
}
