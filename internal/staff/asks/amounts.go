package asks

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/policy"
)

// slots is how many amounts a form has fields for.
const slots = 4

// amountFields are what is suggested in one interval.
type amountFields struct {
	Interval, Title, Ships, Bounds string
	Slots                          []amountSlot
}

type amountSlot struct {
	Index   int
	Value   string
	Default bool
}

var intervalTitles = map[string]string{offer.Once: "Once", offer.Month: "Each month", offer.Year: "Each year"}

func fillAmounts(view *editView, form at, p policy.Policy) {
	view.Hidden = append(view.Hidden, choice{Text: "currency", Value: form.currency})
	for _, code := range offer.Currencies() {
		view.Within = append(view.Within, choice{Text: code, Value: code, URL: at{part: "amounts", currency: code}.url(), Chosen: code == form.currency})
	}
	for _, interval := range offer.Intervals() {
		ships, _ := offer.Get(form.currency, interval)
		f := amountFields{
			Interval: interval, Title: intervalTitles[interval],
			Bounds: fmt.Sprintf("From %s to %s %s.", plain(ships.Min, form.currency), plain(ships.Max, form.currency), form.currency),
		}
		var amounts []string
		for _, minor := range ships.Amounts {
			amounts = append(amounts, plain(minor, form.currency))
		}
		f.Ships = strings.Join(amounts, ", ") + ", and " + plain(ships.Default, form.currency) + " chosen at first"
		own, there := p.Amounts[form.currency][interval]
		for i := range slots {
			slot := amountSlot{Index: i}
			if there && i < len(own.Amounts) {
				slot.Value = plain(own.Amounts[i], form.currency)
				slot.Default = own.Amounts[i] == own.Default
			}
			f.Slots = append(f.Slots, slot)
		}
		view.Amounts = append(view.Amounts, f)
	}
}

// plain writes an amount as the fields take it, without a fraction of zero.
func plain(minor int64, code string) string {
	whole, fraction, _ := strings.Cut(money.Amount{Minor: minor, Currency: code}.Decimal(), ".")
	if strings.Trim(fraction, "0") == "" {
		return whole
	}
	return whole + "." + fraction
}

// readAmounts reads what is suggested in a currency. Where no amount is given
// for an interval, what ships is suggested.
func readAmounts(f fields, form at, p policy.Policy) (policy.Policy, string) {
	own := map[string]offer.Suggestion{}
	problem := ""
	for _, interval := range offer.Intervals() {
		var s offer.Suggestion
		first, err := strconv.Atoi(cmp.Or(f.Get(interval+".first"), "-1"))
		if err != nil {
			first = -1
		}
		for i := range slots {
			typed := f.line(fmt.Sprintf("%s.%d", interval, i))
			if typed == "" {
				continue
			}
			amount, err := money.Parse(typed, form.currency)
			if err != nil {
				problem = cmp.Or(problem, fmt.Sprintf("Amounts, %s, %s: %q is no amount in %s, such as 25.", form.currency, interval, typed, form.currency))
				continue
			}
			s.Amounts = append(s.Amounts, amount.Minor)
			if i == first {
				s.Default = amount.Minor
			}
		}
		if len(s.Amounts) > 0 {
			own[interval] = s
		}
	}
	amounts := offer.Suggestions{}
	for code, other := range p.Amounts {
		amounts[code] = other
	}
	if amounts[form.currency] = own; len(own) == 0 {
		delete(amounts, form.currency)
	}
	p.Amounts = amounts
	return p, problem
}
