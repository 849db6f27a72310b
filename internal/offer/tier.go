package offer

import (
	_ "embed" // for the data
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Tier is a level of membership: a name for giving at least an amount every
// month or every year, and what members of it get. Each tier includes the
// perks of those below it.
type Tier struct {
	ID      string                      `json:"id"`      // as in metadata, reports and addresses
	Names   map[string]string           `json:"name"`    // by language
	Own     []map[string]string         `json:"perks"`   // what it adds to the tier below, by language
	Amounts map[string]map[string]int64 `json:"amounts"` // by currency, then interval, in minor units
}

// Name returns what the tier is called in a language, or in English.
func (t Tier) Name(lang string) string { return inLanguage(t.Names, lang) }

// Perks returns what the tier adds to the one below, in a language.
func (t Tier) Perks(lang string) []string {
	var perks []string
	for _, perk := range t.Own {
		perks = append(perks, inLanguage(perk, lang))
	}
	return perks
}

// Amount returns what the tier costs in a currency (any case) and interval, in
// minor units; ok is false where it is not sold, as once.
func (t Tier) Amount(currency, interval string) (minor int64, ok bool) {
	minor, ok = t.Amounts[strings.ToUpper(currency)][interval]
	return minor, ok
}

func inLanguage(texts map[string]string, lang string) string {
	if text, ok := texts[lang]; ok {
		return text
	}
	return texts["en"]
}

//go:embed tiers.json
var tierData []byte

var loadTiers = sync.OnceValues(func() ([]Tier, error) { return parseTiers(tierData) })

func parseTiers(data []byte) ([]Tier, error) {
	var tiers []Tier
	if err := json.Unmarshal(data, &tiers); err != nil {
		return nil, fmt.Errorf("read the tiers: %w", err)
	}
	return tiers, nil
}

// Tiers returns the levels of membership, the lowest first.
func Tiers() []Tier {
	tiers, _ := loadTiers() //nolint:errcheck // Check reports it at start
	return slices.Clone(tiers)
}

// TierByID returns a tier; ok is false if there is none of that name.
func TierByID(id string) (t Tier, ok bool) {
	for _, t := range Tiers() {
		if t.ID == id {
			return t, true
		}
	}
	return Tier{}, false
}

// TierFor returns the highest tier that a gift reaches; ok is false where it
// reaches none, as a single gift does.
func TierFor(currency, interval string, minor int64) (reached Tier, ok bool) {
	for _, t := range Tiers() {
		if least, sold := t.Amount(currency, interval); sold && least <= minor {
			reached, ok = t, true
		}
	}
	return reached, ok
}

// tierChars are those of a tier's id.
const tierChars = "abcdefghijklmnopqrstuvwxyz0123456789-"

// checkTiers returns what is wrong with tiers beside the offers: a name or a
// perk without one of our languages, an amount that can't be given, a tier
// that costs no more than the one below it.
func (c catalogue) checkTiers(tiers []Tier) error {
	var problems []error
	seen := map[string]bool{}
	for i, t := range tiers {
		note := func(format string, args ...any) {
			problems = append(problems, fmt.Errorf("tier %q: "+format, append([]any{t.ID}, args...)...))
		}
		if t.ID == "" || strings.Trim(t.ID, tierChars) != "" || seen[t.ID] {
			note("its id must be its own, of small letters, digits and -")
		}
		seen[t.ID] = true
		for what, texts := range t.texts() {
			for _, lang := range spoken() {
				if strings.TrimSpace(texts[lang]) == "" {
					note("%s is missing in %s", what, lang)
				}
			}
			if len(texts) != len(spoken()) {
				note("%s is in a language that is none of %v", what, spoken())
			}
		}
		for _, currency := range c.currencies {
			for _, interval := range [...]string{Month, Year} {
				minor, sold := t.Amount(currency, interval)
				if !sold {
					note("it has no price in %s a %s", currency, interval)
					continue
				}
				if err := c.offers[currency][interval].Admits(minor); err != nil {
					note("%s %d a %s: %w", currency, minor, interval, err)
				}
				if i > 0 {
					if below, _ := tiers[i-1].Amount(currency, interval); minor <= below {
						note("%s %d a %s is no more than the tier below", currency, minor, interval)
					}
				}
			}
			if len(t.Amounts[currency]) != 2 {
				note("in %s it has a price for something that is neither a month nor a year", currency)
			}
		}
		if len(t.Amounts) != len(c.currencies) {
			note("it has a price in a currency that is not offered")
		}
	}
	return errors.Join(problems...)
}

// texts returns a tier's texts by what they are.
func (t Tier) texts() map[string]map[string]string {
	texts := map[string]map[string]string{"the name": t.Names}
	for i, perk := range t.Own {
		texts[fmt.Sprintf("perk %d", i+1)] = perk
	}
	return texts
}

// spoken returns the languages that texts must be in.
func spoken() []string { return append(slices.Sorted(maps.Keys(languages)), "en") }
