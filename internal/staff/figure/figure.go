// Package figure writes numbers for the staff pages: amounts, counts, shares
// and how they changed. What a sighted person reads from a sign or a colour is
// said in words too.
package figure

import (
	"fmt"
	"html"
	"html/template"
	"maps"
	"strings"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
)

// lang is that of the staff pages.
const lang = i18n.Default

// Count writes how many there are: 12,345.
func Count(n int64) string { return minus(i18n.Number(lang, n)) }

// Amount writes an amount with all its decimals and without its currency, as
// columns of one currency want it: 1,234.50.
func Amount(minor int64, currency string) string {
	text := money.Amount{Minor: minor, Currency: currency}.Decimal()
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "−", text[1:]
	}
	whole, fraction, found := strings.Cut(text, ".")
	var grouped strings.Builder
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			grouped.WriteByte(',')
		}
		grouped.WriteRune(digit)
	}
	if found {
		grouped.WriteString("." + fraction)
	}
	return sign + grouped.String()
}

// Money writes an amount with its currency: €1,234.50.
func Money(minor int64, currency string) string {
	if currency == "" {
		return Count(minor)
	}
	text := Amount(minor, currency)
	symbol := i18n.Symbol(lang, currency)
	if symbol == currency {
		symbol += "\u00a0"
	}
	if rest, negative := strings.CutPrefix(text, "−"); negative {
		return "−" + symbol + rest
	}
	return symbol + text
}

// Brief writes an amount for an axis: €1.2K.
func Brief(minor int64, currency string) string {
	digits := 2
	if c, err := money.Lookup(currency); err == nil {
		digits = c.Digits
	}
	unit := int64(1)
	for range digits {
		unit *= 10
	}
	sign, n := "", minor
	if n < 0 {
		sign, n = "−", -n
	}
	symbol := i18n.Symbol(lang, currency)
	if symbol == currency {
		symbol += "\u00a0"
	}
	return sign + symbol + brief(n, unit)
}

// BriefCount writes a count for an axis: 1.2K.
func BriefCount(n int64) string {
	if n < 0 {
		return "−" + brief(-n, 1)
	}
	return brief(n, 1)
}

// brief writes n units of so many parts in three digits or so.
func brief(n, unit int64) string {
	for _, size := range []struct {
		name string
		of   int64
	}{{"B", 1_000_000_000}, {"M", 1_000_000}, {"K", 1000}} {
		if n >= size.of*unit {
			tenths := n / (size.of * unit / 10)
			return strings.TrimSuffix(fmt.Sprintf("%d.%d", tenths/10, tenths%10), ".0") + size.name
		}
	}
	if unit == 1 || n%unit == 0 {
		return fmt.Sprint(n / unit)
	}
	return fmt.Sprintf("%d.%d", n/unit, n%unit*10/unit)
}

func minus(text string) string { return strings.Replace(text, "-", "−", 1) }

// Percent writes part of whole in percent, to a tenth below ten; "–" of nothing.
func Percent(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return percent(money.Share(1000, part, whole))
}

// percent writes a number of tenths of a percent.
func percent(tenths int64) string {
	sign := ""
	if tenths < 0 {
		sign, tenths = "−", -tenths
	}
	if tenths >= 100 || tenths%10 == 0 {
		return fmt.Sprintf("%s%d%%", sign, (tenths+5)/10)
	}
	return fmt.Sprintf("%s%d.%d%%", sign, tenths/10, tenths%10)
}

// A Sense is whether more of something is better.
type Sense int

// The senses.
const (
	Better  Sense = iota // as of money received
	Worse                // as of members lost
	Neither              // as of an average
)

// Delta says how a figure changed against before, whose days than names. "" of
// two nothings, and where than is "": nothing is compared.
func Delta(now, before int64, than string, sense Sense) template.HTML {
	class, shown, said := "", "", ""
	switch {
	case now == before && now == 0, than == "":
		return ""
	case now == before:
		shown, said = "±0%", "unchanged against "+than
	case before <= 0:
		shown, said = "new", "there was none in "+than
		if before < 0 || now < 0 {
			return ""
		}
		class = signed(true, sense)
	default:
		tenths := money.Share(1000, now-before, before)
		if tenths == 0 { // less than can be shown
			shown, said = "±0%", "nearly unchanged against "+than
			break
		}
		up := now > before
		class = signed(up, sense)
		amount := percent(max(tenths, -tenths))
		if tenths > 99_990 {
			amount = "over 9,999%"
		}
		if up {
			shown, said = "↑ "+amount, "up "+amount+" on "+than
		} else {
			shown, said = "↓ "+amount, "down "+amount+" on "+than
		}
	}
	return template.HTML(fmt.Sprintf( //nolint:gosec // escaped here
		`<span class="delta%s"><span aria-hidden="true">%s</span><span class="visually-hidden">%s</span></span>`,
		class, shown, html.EscapeString(said)))
}

// signed is the class of a change.
func signed(up bool, sense Sense) string {
	switch {
	case sense == Neither:
		return ""
	case up == (sense == Better):
		return " up"
	}
	return " down"
}

// Country is a country's name in English, or its code where we know none.
func Country(code string) string {
	if code == "" {
		return "Unknown"
	}
	return i18n.Country(code)
}

// Funcs returns base with what templates call to write numbers.
func Funcs(base template.FuncMap) template.FuncMap {
	all := template.FuncMap{
		"count": Count, "amount": Amount, "money": Money, "percent": Percent, "country": Country,
		"delta": func(now, before int64, than string, sense int) template.HTML {
			return Delta(now, before, than, Sense(sense))
		},
	}
	maps.Copy(all, base)
	return all
}

// Key is what people call a key of a report by a dimension.
func Key(by, key string) string {
	if key == "" {
		if by == "country" || by == "interval" {
			return "Unknown"
		}
		return "No " + by
	}
	switch by {
	case "country":
		return Country(key)
	case "placement":
		return named(key, map[string]string{"mid": "In the middle", "end": "At the end"})
	case "interval":
		return named(key, map[string]string{"once": "Once", "month": "Monthly", "year": "Yearly"})
	}
	return key
}

func named(key string, names map[string]string) string {
	if name := names[key]; name != "" {
		return name
	}
	return key
}
