package i18n

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/money"
)

// forms are the plural forms of whole numbers and fractions that CLDR gives
// each language.
var forms = map[string][]string{
	"en": {"one", "other"}, "uk": {"few", "many", "one", "other"}, "de": {"one", "other"},
	"fr": {"many", "one", "other"}, "es": {"many", "one", "other"}, "it": {"many", "one", "other"},
	"pl": {"few", "many", "one", "other"},
}

// messages reads a language's file: the forms of each key, "" for a text
// without plural.
func messages(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	data, err := files.ReadFile("messages/" + lang + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatalf("%s: %v", lang, err)
	}
	all := map[string]map[string]string{}
	for key, value := range raw {
		all[key] = map[string]string{}
		switch value := value.(type) {
		case string:
			all[key][""] = value
		case map[string]any:
			for form, text := range value {
				all[key][form], _ = text.(string)
			}
		}
	}
	return all
}

var argument = regexp.MustCompile(`\{\{[^}]*\}\}`)

// arguments returns the sorted, distinct {{.Names}} of a text.
func arguments(text string) []string {
	return slices.Compact(slices.Sorted(slices.Values(argument.FindAllString(text, -1))))
}

// Every message is there in every language, in every plural form the language
// has, with the arguments of the English one.
func TestMessagesAreComplete(t *testing.T) {
	t.Parallel()
	english := messages(t, Default)
	for _, lang := range Languages() {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			own := messages(t, lang)
			for key := range own {
				if english[key] == nil {
					t.Errorf("%s: English has no such message", key)
				}
			}
			for key, english := range english {
				want := []string{""}
				if _, plain := english[""]; !plain {
					want = forms[lang]
				}
				if got := slices.Sorted(maps.Keys(own[key])); !slices.Equal(got, want) {
					t.Errorf("%s: has the forms %q, want %q", key, got, want)
				}
				for form, text := range own[key] {
					if strings.TrimSpace(text) == "" {
						t.Errorf("%s %s: is empty", key, form)
					}
					if got, want := arguments(text), arguments(english["other"]+english[""]); !slices.Equal(got, want) {
						t.Errorf("%s %s: has the arguments %v, want %v", key, form, got, want)
					}
				}
			}
		})
	}
}

// Files stay one line a message, sorted, so that two translators rarely touch
// the same lines.
func TestFilesAreSorted(t *testing.T) {
	t.Parallel()
	for _, lang := range Languages() {
		data, err := files.ReadFile("messages/" + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, line := range regexp.MustCompile(`(?m)^  "([^"]+)": `).FindAllStringSubmatch(string(data), -1) {
			keys = append(keys, line[1])
		}
		if len(keys) != len(messages(t, lang)) || !slices.IsSorted(keys) {
			t.Errorf("%s: not one message a line, sorted by key", lang)
		}
	}
}

func TestUkrainianIsUkrainian(t *testing.T) {
	t.Parallel()
	for key, texts := range messages(t, "uk") {
		for _, text := range texts {
			if strings.ContainsAny(strings.ToLower(text), "ыэъё") {
				t.Errorf("%s has a Russian letter: %s", key, text)
			}
		}
	}
}

func TestT(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		lang, key string
		args      Args
		want      string
	}{
		"plain":                  {"de", "interval.month", nil, "Monatlich"},
		"with an argument":       {"en", "error.amount.low", Args{"Min": "€1"}, "Enter at least €1."},
		"a language not ours":    {"pt", "interval.once", nil, "Once"},
		"one":                    {"en", "error.limited", Args{"Count": 1}, "There were many attempts from your network. Nothing was charged. Please try again in 1 minute."},
		"a key that is not":      {"en", "none.such", nil, "none.such"},
		"a number as it's wrote": {"en", "error.name.long", Args{"Count": int64(1200)}, "Shorten the name: it may have 1,200 characters."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := T(tt.lang, tt.key, tt.args); got != tt.want {
				t.Errorf("T(%q, %q, %v) = %q, want %q", tt.lang, tt.key, tt.args, got, tt.want)
			}
		})
	}
}

func TestUkrainianPlurals(t *testing.T) {
	t.Parallel()
	for count, want := range map[int]string{
		0: "хвилин.", 1: "хвилину.", 2: "хвилини.", 5: "хвилин.", 11: "хвилин.", 21: "хвилину.",
		22: "хвилини.", 25: "хвилин.", 111: "хвилин.", 1_000_000: "хвилин.",
	} {
		if got := T("uk", "error.limited", Args{"Count": count}); !strings.HasSuffix(got, want) {
			t.Errorf("%d: %q, want it to end in %q", count, got, want)
		}
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ asked, header, want string }{
		"asked for":                        {"fr", "de", "fr"},
		"asked with a region":              {"uk-UA", "de", "uk"},
		"asked for one we lack":            {"pt", "de-AT,de;q=0.9", "de"},
		"the first of the header we speak": {"", "pt-BR,pt;q=0.9,es;q=0.8,en;q=0.7", "es"},
		"by weight, not by place":          {"", "de;q=0.3,pl;q=0.9", "pl"},
		"refused by weight 0":              {"", "de;q=0", "en"},
		"Russian in Ukraine":               {"", "ru-UA,ru;q=0.9,en;q=0.5", "uk"},
		"Russian elsewhere":                {"", "ru-RU,ru;q=0.9", "en"},
		"nothing":                          {"", "", "en"},
		"nonsense":                         {"<script>", "§§§;q=x", "en"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Negotiate(tt.asked, tt.header); got != tt.want {
				t.Errorf("Negotiate(%q, %q) = %q, want %q", tt.asked, tt.header, got, tt.want)
			}
		})
	}
}

// As Chromium's Intl writes them, but for the signs of foreign currencies,
// which it turns into codes in some languages.
func TestMoney(t *testing.T) {
	t.Parallel()
	tests := []struct {
		lang string
		a    money.Amount
		want string
	}{
		{"en", money.Amount{Minor: 1000, Currency: "EUR"}, "€10"},
		{"en", money.Amount{Minor: 123450, Currency: "EUR"}, "€1,234.50"},
		{"uk", money.Amount{Minor: 50000, Currency: "UAH"}, "500 ₴"},
		{"de", money.Amount{Minor: 123450, Currency: "EUR"}, "1.234,50 €"},
		{"fr", money.Amount{Minor: 123450, Currency: "EUR"}, "1\u202f234,50 €"},
		{"es", money.Amount{Minor: 123450, Currency: "EUR"}, "1234,50 €"},
		{"pl", money.Amount{Minor: 4000, Currency: "PLN"}, "40 zł"},
		{"en", money.Amount{Minor: 4000, Currency: "JPY"}, "¥4,000"},
		{"en", money.Amount{Minor: 150000, Currency: "ISK"}, "ISK 1,500"},
		{"en", money.Amount{Minor: 3500, Currency: "KWD"}, "KWD 3.500"},
		{"xx", money.Amount{Minor: -50, Currency: "EUR"}, "-€0.50"},
		{"en", money.Amount{Minor: 50, Currency: "?"}, "0.50 ?"},
	}
	for _, tt := range tests {
		if got := Money(tt.lang, tt.a); strings.ReplaceAll(got, "\u00a0", " ") != tt.want {
			t.Errorf("Money(%s, %v) = %q, want %q", tt.lang, tt.a, got, tt.want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string][4]string{
		"en": {"999", "1,234", "12,345", "-1,234,567"},
		"uk": {"999", "1 234", "12 345", "-1 234 567"},
		"de": {"999", "1.234", "12.345", "-1.234.567"},
		"fr": {"999", "1 234", "12 345", "-1 234 567"},
		"es": {"999", "1234", "12.345", "-1.234.567"},
		"it": {"999", "1234", "12.345", "-1.234.567"},
		"pl": {"999", "1234", "12 345", "-1 234 567"},
	} {
		for i, n := range [...]int64{999, 1234, 12345, -1234567} {
			got := strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(Number(lang, n))
			if got != want[i] {
				t.Errorf("Number(%s, %d) = %q, want %q", lang, n, got, want[i])
			}
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 1, 23, 0, 0, 0, time.UTC)
	for lang, want := range map[string]string{
		"en": "1 November 2026", "uk": "1 листопада 2026\u00a0р.", "de": "1. November 2026", "fr": "1 novembre 2026",
		"es": "1 de noviembre de 2026", "it": "1 novembre 2026", "pl": "1 listopada 2026", "xx": "1 November 2026",
	} {
		if got := Date(lang, day); got != want {
			t.Errorf("Date(%s) = %q, want %q", lang, got, want)
		}
	}
}

func TestDecimal(t *testing.T) {
	t.Parallel()
	half := money.Amount{Minor: 750, Currency: "EUR"}
	if en, de, whole := Decimal("en", half), Decimal("de", half), Decimal("de", money.Amount{Minor: 700, Currency: "EUR"}); en != "7.50" || de != "7,50" || whole != "7" {
		t.Errorf("Decimal = %q, %q, %q", en, de, whole)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	if got := Name("uk"); got != "Українська" {
		t.Errorf("Name(uk) = %q", got)
	}
	if got := Symbol("en", "EUR") + Symbol("en", "SEK"); got != "€SEK" {
		t.Errorf("Symbol = %q", got)
	}
}
