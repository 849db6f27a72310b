// Package offer holds what readers are asked for: the currencies, and in each
// the amounts suggested, the least and the most, once, monthly and yearly; and
// the tiers of membership. It
// is data (offers.json, tiers.json) with the rules that data must keep, and is
// pure.
//
// All amounts are in minor units.
package offer

import (
	_ "embed" // for the data
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/united24media/support/internal/money"
)

// The intervals, in the order they are shown.
const (
	Once  = "once"
	Month = "month"
	Year  = "year"
)

// Intervals returns how often one can give, in the order it is shown.
func Intervals() []string { return []string{Once, Month, Year} }

// Errors of [Offer.Admits].
var (
	ErrLow  = errors.New("the amount is below the least that can be given")
	ErrHigh = errors.New("the amount is above the most that can be given")
	ErrStep = errors.New("the currency has no such fraction")
)

// An Offer is what is asked for in one currency and interval.
type Offer struct {
	Currency string  `json:"-"`       // ISO 4217, upper case
	Interval string  `json:"-"`       // once, month or year
	Min      int64   `json:"min"`     // the least we take, well above Stripe's own minimum
	Max      int64   `json:"max"`     // the most: more is a typing error or a case for a bank transfer
	Default  int64   `json:"default"` // one of Amounts
	Amounts  []int64 `json:"amounts"` // suggested, rising
}

// Admits returns nil if minor can be given, else [ErrLow], [ErrHigh] or
// [ErrStep].
func (o Offer) Admits(minor int64) error {
	switch {
	case minor < o.Min:
		return ErrLow
	case minor > o.Max:
		return ErrHigh
	case minor%step(o.Currency) != 0:
		return ErrStep
	}
	return nil
}

// step is Stripe's: ISK goes in whole krónur, dinars in tens of fils.
func step(currency string) int64 {
	c, err := money.Lookup(currency)
	if err != nil {
		return 1
	}
	return c.Step
}

//go:embed offers.json
var data []byte

// order is how currencies are listed: the house's own first, then by name.
var order = []string{"EUR", "USD", "GBP", "UAH"}

type catalogue struct {
	currencies []string
	offers     map[string]map[string]Offer
}

// load reads the embedded data once. It can only fail if this build is broken,
// which [Check] and its test tell.
var load = sync.OnceValues(func() (catalogue, error) { return parse(data) })

func parse(data []byte) (catalogue, error) {
	c := catalogue{offers: map[string]map[string]Offer{}}
	if err := json.Unmarshal(data, &c.offers); err != nil {
		return c, fmt.Errorf("read the offers: %w", err)
	}
	for currency, intervals := range c.offers {
		c.currencies = append(c.currencies, currency)
		for interval, o := range intervals {
			o.Currency, o.Interval = currency, interval
			intervals[interval] = o
		}
	}
	slices.SortFunc(c.currencies, func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return c, nil
}

func rank(currency string) int {
	if i := slices.Index(order, currency); i >= 0 {
		return i
	}
	return len(order)
}

// Currencies returns the codes of the currencies one can give in, in the order
// they are shown.
func Currencies() []string {
	c, _ := load() //nolint:errcheck // Check reports it at start
	return slices.Clone(c.currencies)
}

// Get returns what is asked for in a currency, in any case, and interval; ok
// is false if nothing is.
func Get(currency, interval string) (o Offer, ok bool) {
	c, _ := load() //nolint:errcheck // Check reports it at start
	o, ok = c.offers[strings.ToUpper(currency)][interval]
	o.Amounts = slices.Clone(o.Amounts)
	return o, ok
}

// Check reports every offer that a reader could be shown and not be able to
// pay: outside its own bounds, below Stripe's minimum, above its maximum, or
// with a fraction the currency does not have; and tiers that are not whole. It
// runs at start.
func Check() error {
	c, err := load()
	if err != nil {
		return err
	}
	tiers, err := loadTiers()
	if err != nil {
		return err
	}
	return errors.Join(c.check(), c.checkTiers(tiers))
}

// headroom is how many times Stripe's minimum our own least amount is: Stripe
// compares after conversion to the settlement currency.
const headroom = 2

func (c catalogue) check() error {
	var problems []error
	for _, currency := range c.currencies {
		limits, err := money.Lookup(currency)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		for _, interval := range Intervals() {
			o, ok := c.offers[currency][interval]
			if !ok {
				problems = append(problems, fmt.Errorf("%s has nothing to give %s", currency, interval))
				continue
			}
			for _, problem := range o.problems(limits) {
				problems = append(problems, fmt.Errorf("%s %s: %s", currency, interval, problem))
			}
		}
		if len(c.offers[currency]) != len(Intervals()) {
			problems = append(problems, fmt.Errorf("%s has an interval that is none of %v", currency, Intervals()))
		}
	}
	for country, currency := range countries {
		if _, ok := c.offers[currency]; !ok {
			problems = append(problems, fmt.Errorf("country %s: %s is not offered", country, currency))
		}
	}
	return errors.Join(problems...)
}

func (o Offer) problems(limits money.Currency) []string {
	var found []string
	note := func(bad bool, format string, args ...any) {
		if bad {
			found = append(found, fmt.Sprintf(format, args...))
		}
	}
	note(o.Min < max(1, headroom*limits.Min), "the least, %d, is not well above Stripe's %d", o.Min, limits.Min)
	note(o.Max > money.MaxMinor, "the most, %d, is above Stripe's %d", o.Max, int64(money.MaxMinor))
	note(o.Min%limits.Step != 0 || o.Max%limits.Step != 0, "a bound is not a multiple of %d", limits.Step)
	note(len(o.Amounts) == 0, "no amounts")
	note(!slices.IsSorted(o.Amounts), "amounts do not rise")
	note(!slices.Contains(o.Amounts, o.Default), "the default, %d, is not suggested", o.Default)
	for _, minor := range o.Amounts {
		if err := o.Admits(minor); err != nil {
			note(true, "%d: %v", minor, err)
		}
	}
	return found
}
