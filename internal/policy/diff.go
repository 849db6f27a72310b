package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
)

// A Change is one thing that differs between two policies, in words.
type Change struct {
	Where  string // "Texts, Українська, mid, lead"
	Before string // "" where it was not there
	After  string // "" where it is no more
}

// Diff returns what differs in b from a; nothing where they decide the same.
func Diff(a, b Policy) []Change {
	before, after := a.facts(), b.facts()
	var changes []Change
	for _, where := range union(before.order, after.order) {
		if was, is := before.values[where], after.values[where]; was != is {
			changes = append(changes, Change{where, was, is})
		}
	}
	return changes
}

// union returns a, with what only b has after what stands before it there.
func union(a, b []string) []string {
	all := slices.Clone(a)
	at := 0
	for _, name := range b {
		if i := slices.Index(all, name); i >= 0 {
			at = i + 1
			continue
		}
		all = slices.Insert(all, at, name)
		at++
	}
	return all
}

// facts is a policy as names and values, in the order it is read.
type facts struct {
	order  []string
	values map[string]string
}

func (f *facts) add(where, value string) {
	if value != "" {
		f.order = append(f.order, where)
		f.values[where] = value
	}
}

func (p Policy) facts() facts {
	f := facts{values: map[string]string{}}
	f.addTexts("Texts, ", p.Texts)
	for _, code := range offer.Currencies() {
		for _, interval := range offer.Intervals() {
			if s, ok := p.Amounts[code][interval]; ok {
				f.add("Amounts, "+code+", "+interval, amounts(s, code))
			}
		}
	}
	var order []string
	for _, r := range p.Rules {
		r.addTo(&f)
		order = append(order, r.Name)
	}
	if len(order) > 1 {
		f.add("Order of the rules", strings.Join(order, ", "))
	}
	for _, kind := range slices.Sorted(maps.Keys(p.Sensitive)) {
		f.add("Sensitivity, "+kind, string(p.Sensitive[kind]))
	}
	order = nil
	for _, x := range p.Experiments {
		x.addTo(&f)
		order = append(order, x.ID)
	}
	if len(order) > 1 {
		f.add("Order of the experiments", strings.Join(order, ", "))
	}
	return f
}

func (f *facts) addTexts(prefix string, all map[string]Texts) {
	for _, lang := range i18n.Languages() {
		for _, placement := range placements {
			text, where := all[lang][placement], prefix+i18n.Name(lang)+", "+placement+", "
			f.add(where+"opening", text.Lead)
			f.add(where+"rest", text.Rest)
			f.add(where+"button", text.Action)
		}
	}
}

func (r Rule) addTo(f *facts) {
	where := "Rule “" + r.Name + "”"
	f.add(where, "shows "+string(r.Show))
	if r.Priority != 0 {
		f.add(where+", priority", strconv.Itoa(r.Priority))
	}
	f.add(where+", placements", strings.Join(r.Placements, ", "))
	for _, t := range [...]struct {
		name    string
		targets Targets
	}{{"articles", r.Articles}, {"sections", r.Sections}, {"tags", r.Tags}, {"languages", r.Languages}, {"countries", r.Countries}} {
		f.add(where+", only "+t.name, strings.Join(t.targets.Include, ", "))
		f.add(where+", not "+t.name, strings.Join(t.targets.Exclude, ", "))
	}
	f.addTimes(where, r.From, r.Until, r.TimeZone)
}

func (f *facts) addTimes(where, from, until, zone string) {
	f.add(where+", from", i18n.Clock(from))
	f.add(where+", until", i18n.Clock(until))
	f.add(where+", time zone", zone)
}

func (x Experiment) addTo(f *facts) {
	where := "Experiment “" + x.ID + "”"
	var names []string
	for _, v := range x.Variants {
		names = append(names, v.Name)
	}
	f.add(where, strings.Join(names, ", "))
	f.add(where+", placements", strings.Join(x.Placements, ", "))
	f.addTimes(where, x.From, x.Until, x.TimeZone)
	f.add(where+", everybody gets", x.Stopped)
	for _, v := range x.Variants {
		variant := where + ", variant “" + v.Name + "”"
		f.add(variant+", weight", strconv.Itoa(v.Weight))
		f.add(variant+", shows at most", string(v.Show))
		f.addTexts(variant+", ", v.Texts)
	}
}

// amounts writes a suggestion as "10, 25 (first), 50 EUR".
func amounts(s offer.Suggestion, code string) string {
	var parts []string
	for _, minor := range s.Amounts {
		text := (money.Amount{Minor: minor, Currency: code}).Decimal()
		if minor == s.Default {
			text += " (first)"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ") + " " + code
}
