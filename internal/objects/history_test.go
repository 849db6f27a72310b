package objects

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSteps has what a membership was worth when, from what was seen of its
// subscription, heard in any order.
func TestSteps(t *testing.T) {
	t.Parallel()
	const grace = 10 * secondsADay
	day := func(n int64) int64 { return n * secondsADay }
	seen := func(at int64, status, more string) said {
		return said{at, "customer.subscription.updated", fmt.Sprintf(`{"id":"sub_1","object":"subscription","created":%d,"status":%q,%s
			"items":{"data":[{"quantity":1,"price":{"unit_amount":600,"recurring":{"interval":"month","interval_count":1}}}]},"currency":"eur",%s}`,
			day(1), status, more, ours)}
	}
	worth := func(at int64, minor int, interval string) said {
		return said{at, "customer.subscription.updated", fmt.Sprintf(`{"id":"sub_1","object":"subscription","created":%d,"status":"active",
			"items":{"data":[{"quantity":1,"price":{"unit_amount":%d,"recurring":{"interval":%q,"interval_count":1}}}]},"currency":"eur",%s}`,
			day(1), minor, interval, ours)}
	}
	late := func(at int64, minor int) said {
		s := worth(at, minor, "month")
		s.object = strings.Replace(s.object, "active", "past_due", 1)
		return s
	}
	created := func(s said) said { s.event = "customer.subscription.created"; return s }
	answer := func(s said) said { s.event = ""; return s }
	bill := func(status string, at int64) said {
		return said{at, "invoice.payment_failed", fmt.Sprintf(`{"id":"in_1","object":"invoice","subscription":"sub_1","status":%q,"created":%d}`, status, at)}
	}
	tests := map[string]struct {
		said []said
		want string // days:worth, or a day alone where it ends
	}{
		"from its beginning on":                  {[]said{seen(day(3), "active", "")}, "1:600"},
		"on trial":                               {[]said{seen(day(3), "trialing", "")}, "1:600"},
		"not before its first bill is paid":      {[]said{created(seen(day(1), "incomplete", "")), seen(day(2), "active", "")}, "2:600"},
		"never paid":                             {[]said{created(seen(day(1), "incomplete", "")), seen(day(2), "incomplete_expired", "")}, ""},
		"paid in the second in which it began":   {[]said{created(seen(day(1), "incomplete", "")), seen(day(1), "active", "")}, "1:600"},
		"ended":                                  {[]said{seen(day(2), "active", ""), seen(day(5), "canceled", fmt.Sprintf(`"ended_at":%d,`, day(4)))}, "1:600 4"},
		"ended, as is known only later":          {[]said{seen(day(2), "active", ""), seen(day(6), "active", ""), seen(day(5), "canceled", fmt.Sprintf(`"ended_at":%d,`, day(4)))}, "1:600 4"},
		"paused and resumed":                     {[]said{seen(day(2), "active", ""), seen(day(4), "active", `"pause_collection":{"behavior":"void"},`), seen(day(6), "active", "")}, "1:600 4 6:600"},
		"unpaid":                                 {[]said{seen(day(2), "active", ""), seen(day(4), "unpaid", "")}, "1:600 4"},
		"more a month":                           {[]said{worth(day(2), 600, "month"), worth(day(4), 900, "month")}, "1:600 4:900"},
		"less, by the year":                      {[]said{worth(day(2), 600, "month"), worth(day(4), 1200, "year")}, "1:600 4:100"},
		"more, then less, within a day":          {[]said{worth(day(2), 600, "month"), worth(day(4)+10, 900, "month"), worth(day(4)+20, 600, "month")}, "1:600 4:900 4:600"},
		"more, then less, and both seen later":   {[]said{worth(day(2), 600, "month"), worth(day(4)+10, 900, "month"), worth(day(4)+20, 600, "month"), worth(day(6), 600, "month")}, "1:600 4:900 4:600"},
		"late, and dearer when it was over":      {[]said{seen(day(2), "past_due", ""), late(day(20), 900), worth(day(25), 900, "month")}, "1:600 12 25:900"},
		"paid as it began, and seen later":       {[]said{created(seen(day(1), "incomplete", "")), seen(day(1), "active", ""), seen(day(3), "active", "")}, "1:600"},
		"an answer in the second of an event":    {[]said{worth(day(2), 600, "month"), answer(worth(day(2), 900, "month"))}, "1:600"},
		"late, and paid":                         {[]said{seen(day(2), "active", ""), seen(day(4), "past_due", ""), seen(day(6), "active", "")}, "1:600"},
		"late, and paid after its grace":         {[]said{seen(day(2), "active", ""), seen(day(4), "past_due", ""), seen(day(20), "active", "")}, "1:600 14 20:600"},
		"late, and paid as its grace ended":      {[]said{seen(day(2), "active", ""), seen(day(4), "past_due", ""), seen(day(14), "active", "")}, "1:600"},
		"late, heard twice, and ended":           {[]said{seen(day(2), "active", ""), seen(day(4), "past_due", ""), seen(day(9), "past_due", ""), seen(day(20), "unpaid", "")}, "1:600 14"},
		"late, within its grace":                 {[]said{seen(day(2), "active", ""), seen(day(4), "past_due", "")}, "1:600 14"},
		"late, its grace from its bill":          {[]said{seen(day(2), "active", ""), seen(day(4), "past_due", ""), bill("open", day(3))}, "1:600 13"},
		"dearer when its grace was over already": {[]said{seen(day(2), "active", ""), late(day(14), 900), bill("open", day(3))}, "1:600 14"},
		"late from the beginning":                {[]said{seen(day(4), "past_due", "")}, "1:600 14"},
		"twice late":                             {[]said{seen(day(2), "past_due", ""), seen(day(8), "active", ""), seen(day(20), "past_due", "")}, "1:600 30"},
		"late twice, and each time over":         {[]said{seen(day(2), "past_due", ""), seen(day(15), "active", ""), seen(day(20), "past_due", ""), seen(day(40), "canceled", "")}, "1:600 12 15:600 30"},
		"paused while late, and late once more":  {[]said{seen(day(2), "past_due", ""), seen(day(5), "active", `"pause_collection":{"behavior":"void"},`), seen(day(20), "past_due", "")}, "1:600 5 20:600 30"},
		"late for another amount after it ended": {[]said{seen(day(2), "past_due", ""), seen(day(20), "past_due", ""), worth(day(25), 900, "month")}, "1:600 12 25:900"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, order := range permutations(tt.said) {
				m := know(t, order...).Membership("subscription/sub_1", day(100), grace*time.Second)
				var got []string
				for _, s := range m.Steps.All() {
					text := fmt.Sprint(s.At / secondsADay)
					if s.Live {
						text += fmt.Sprint(":", s.Monthly)
					}
					if s.Live && s.Currency != "EUR" {
						t.Errorf("worth in %q", s.Currency)
					}
					got = append(got, text)
				}
				if strings.Join(got, " ") != tt.want {
					t.Errorf("got %q, want %q", strings.Join(got, " "), tt.want)
				}
			}
		})
	}
}

// permutations returns all orders of a few things.
func permutations[T any](all []T) [][]T {
	if len(all) <= 1 {
		return [][]T{all}
	}
	var orders [][]T
	for i := range all {
		rest := slices.Delete(slices.Clone(all), i, i+1)
		for _, order := range permutations(rest) {
			orders = append(orders, append([]T{all[i]}, order...))
		}
	}
	return orders
}

// TestAHistoryKeepsADaysEnds: of what was seen on a day the first and the last
// sight stay, and no more.
func TestAHistoryKeepsADaysEnds(t *testing.T) {
	t.Parallel()
	var h History
	for _, at := range []Stamp{
		{At: 50, By: ByEvent}, {At: 10, By: ByEvent}, {At: 90, By: ByAnswer}, {At: 70, By: ByEvent}, {At: 90, By: ByEvent}, {At: 10, By: ByAnswer}, {At: 30, By: ByCreation},
	} {
		h.join(historyOf([]sight{sightOf(at, &SubState{Status: "active", Amount: 5, Currency: "a b", Interval: "month"})}))
	}
	h.join(historyOf([]sight{sightOf(Stamp{At: secondsADay, By: ByAnswer}, &SubState{Status: "past_due"})}))
	if want := History("0 live 5 a_b month 10 2 90 3\n1 owing 0 - - 86400 2 86400 2"); h != want {
		t.Errorf("kept:\n%s\nwant\n%s", h, want)
	}
}

func TestAHistoryThatCantBeReadIsNoted(t *testing.T) {
	t.Parallel()
	for _, text := range []History{"0 live 5 eur month 10 1 90", "0 live x eur month 10 1 90 3"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was read", text)
				}
			}()
			text.sights()
		}()
	}
}

// TestAHistoryKeepsApartWhatDiffers: two sights of a day are one only where all
// that a membership is worth agrees.
func TestAHistoryKeepsApartWhatDiffers(t *testing.T) {
	t.Parallel()
	one := SubState{Status: "active", Amount: 5, Currency: "eur", Interval: "month"}
	for name, change := range map[string]func(*SubState){
		"being": func(s *SubState) { s.Status = "unpaid" }, "amount": func(s *SubState) { s.Amount = 6 },
		"currency": func(s *SubState) { s.Currency = "usd" }, "interval": func(s *SubState) { s.Interval = "year" },
	} {
		other := one
		change(&other)
		var forth, back History
		a, b := historyOf([]sight{sightOf(Stamp{At: 10, By: ByEvent}, &one)}), historyOf([]sight{sightOf(Stamp{At: 20, By: ByEvent}, &other)})
		forth.join(a)
		forth.join(b)
		back.join(b)
		back.join(a)
		if forth != back || len(forth.sights()) != 2 {
			t.Errorf("another %s: %q and %q", name, forth, back)
		}
	}
}
