package offer

import (
	"fmt"
	"maps"
	"slices"
)

// Suggestions are amounts that staff suggest in place of those that ship, by
// currency and interval. The least and the most that can be given stay as they
// are. The zero value changes nothing.
type Suggestions map[string]map[string]Suggestion

// A Suggestion is what is suggested in one currency and interval.
type Suggestion struct {
	Amounts []int64 `json:"amounts"` // rising
	Default int64   `json:"default"` // one of Amounts, chosen at first
}

// How many amounts an ask has room for.
const (
	minSuggested = 2
	maxSuggested = 4
)

// Check returns an error that names the first suggestion that could not be
// given, or that an ask has no room for.
func (s Suggestions) Check() error {
	for _, currency := range slices.Sorted(maps.Keys(s)) {
		for _, interval := range slices.Sorted(maps.Keys(s[currency])) {
			if problem := s[currency][interval].problem(currency, interval); problem != "" {
				return fmt.Errorf("amounts, %s, %s: %s", currency, interval, problem)
			}
		}
	}
	return nil
}

func (s Suggestion) problem(currency, interval string) string {
	o, ok := Get(currency, interval)
	switch {
	case !ok || o.Currency != currency:
		return "nothing is offered there"
	case len(s.Amounts) < minSuggested || len(s.Amounts) > maxSuggested:
		return fmt.Sprintf("suggest %d to %d amounts", minSuggested, maxSuggested)
	case !slices.Contains(s.Amounts, s.Default):
		return "the one chosen at first must be among them"
	}
	for i, minor := range s.Amounts {
		if err := o.Admits(minor); err != nil {
			return fmt.Sprintf("amount %d of %d: %v", i+1, len(s.Amounts), err)
		}
		if i > 0 && minor <= s.Amounts[i-1] {
			return "write each amount once, the smallest first"
		}
	}
	return ""
}

// Suggests reports whether readers are asked for an amount (minor units) in a
// currency, in any case, at some interval, or it is a tier's.
func (s Suggestions) Suggests(currency string, minor int64) bool {
	for _, interval := range Intervals() {
		if o, ok := s.Get(currency, interval); ok && slices.Contains(o.Amounts, minor) {
			return true
		}
		for _, tier := range Tiers() {
			if amount, ok := tier.Amount(currency, interval); ok && amount == minor {
				return true
			}
		}
	}
	return false
}

// Get returns what is asked for in a currency, in any case, and interval, with
// the amounts of s where it has some; ok is false if nothing is.
func (s Suggestions) Get(currency, interval string) (o Offer, ok bool) {
	o, ok = Get(currency, interval)
	if own, there := s[o.Currency][interval]; ok && there {
		o.Amounts, o.Default = slices.Clone(own.Amounts), own.Default
	}
	return o, ok
}
