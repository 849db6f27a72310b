package ask

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/i18n"
)

// An Experiment shows readers one of several variants. The device chooses by a
// hash of the experiment's id and of a random number of its own, kept where
// the reader allowed that, else new for each page view. So a reader stays with
// a variant while the id and the weights stay, whatever else is changed.
type Experiment struct {
	ID         string    `json:"id"`
	Placements []string  `json:"placements,omitempty"` // all where empty
	Variants   []Variant `json:"variants"`
	From       string    `json:"from,omitempty"` // as in a [Rule]
	Until      string    `json:"until,omitempty"`
	TimeZone   string    `json:"time_zone,omitempty"`
	Stopped    string    `json:"stopped,omitempty"` // the variant that everybody gets from now on
	from       time.Time
	until      time.Time
}

// A Variant is one way to ask. One without texts and level is the control; one
// that shows none is a hold-back group.
type Variant struct {
	Name   string           `json:"name"` // in reports
	Weight int              `json:"weight"`
	Show   Level            `json:"show,omitempty"`  // at most; as staff's rules say where empty
	Texts  map[string]Texts `json:"texts,omitempty"` // by language; where one is missing, the text that ships
}

// Texts are what an ask says at each placement.
type Texts map[string]Text

// A Text is an ask's own words. What is empty stays as it ships.
type Text struct {
	Lead   string `json:"lead,omitempty"` // set strongly
	Rest   string `json:"rest,omitempty"`
	Action string `json:"action,omitempty"` // the button
}

// Limits of experiments.
const (
	maxExperiments = 20
	maxVariants    = 10
	maxWeight      = 10_000
	maxText        = 300 // bytes of one text
)

// prepare checks x and reads its times.
func (x *Experiment) prepare() error {
	if err := checkSlug("id", x.ID); err != nil {
		return fmt.Errorf("id: %w", err)
	}
	if len(x.Variants) < 2 || len(x.Variants) > maxVariants {
		return fmt.Errorf("give 2 to %d variants", maxVariants)
	}
	if err := checkPlacements(x.Placements); err != nil {
		return err
	}
	var names []string
	for _, v := range x.Variants {
		if slices.Contains(names, v.Name) {
			return fmt.Errorf("two variants are named %q", v.Name)
		}
		names = append(names, v.Name)
		if err := v.check(); err != nil {
			return fmt.Errorf("variant %q: %w", v.Name, err)
		}
	}
	if x.Stopped != "" && !slices.Contains(names, x.Stopped) {
		return fmt.Errorf("it is stopped at %q, which is none of its variants", x.Stopped)
	}
	var err error
	x.from, x.until, err = readTimes(x.From, x.Until, x.TimeZone)
	return err
}

func (v Variant) check() error {
	if err := checkSlug("name", v.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	switch {
	case v.Weight < 1 || v.Weight > maxWeight:
		return fmt.Errorf("weigh it 1 to %d", maxWeight)
	case v.Show != "" && !slices.Contains(levels, v.Show):
		return errors.New("show none, quiet or normal")
	}
	for lang, texts := range v.Texts {
		if !slices.Contains(i18n.Languages(), lang) {
			return fmt.Errorf("%q is none of our languages", lang)
		}
		for placement, text := range texts {
			if err := checkPlacements([]string{placement}); err != nil {
				return err
			}
			for _, part := range [...]string{text.Lead, text.Rest, text.Action} {
				if len(part) > maxText || part != strings.TrimSpace(part) {
					return fmt.Errorf("a text has at most %d bytes and no space around it", maxText)
				}
			}
		}
	}
	return nil
}

// experiment returns what runs at a placement now, or nil.
func (p *Policy) experiment(placement string, now time.Time) *Experiment {
	for i := range p.Experiments {
		x := &p.Experiments[i]
		if (len(x.Placements) == 0 || slices.Contains(x.Placements, placement)) && within(x.from, x.until, now) {
			return x
		}
	}
	return nil
}

// An arm is a variant in an answer: everything that it changes, ready to show.
type arm struct {
	Name   string `json:"name"`
	Weight int    `json:"weight"`
	Show   Level  `json:"show,omitempty"`
	Text   string `json:"text"`
	Lead   string `json:"lead"`
	Action string `json:"action"`
	Token  string `json:"token"`
}

// arms returns the variants of x as they stand in an answer; one alone once it
// is stopped.
func (s *Service) arms(x *Experiment, base *placed, claim attribution.Claim) []arm {
	var all []arm
	for _, v := range x.Variants {
		if x.Stopped != "" && v.Name != x.Stopped {
			continue
		}
		claim.Variant = v.Name
		rest := strings.TrimPrefix(base.Text[len(base.Lead):], " ")
		text := v.Texts[claim.Lang][claim.Placement]
		a := arm{
			Name: v.Name, Weight: v.Weight, Show: v.Show, Token: s.signer.Sign(claim),
			Lead: cmp.Or(text.Lead, base.Lead), Action: cmp.Or(text.Action, base.Action),
		}
		a.Text = a.Lead + " " + cmp.Or(text.Rest, rest)
		all = append(all, a)
	}
	return all
}
