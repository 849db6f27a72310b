package policy

import (
	"errors"
	"fmt"
	"slices"
	"time"
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

// Limits of experiments.
const (
	maxExperiments = 20
	maxVariants    = 10
	maxWeight      = 10_000
)

// prepare checks x and reads its times.
func (x *Experiment) prepare() error {
	if err := CheckSlug("id", x.ID); err != nil {
		return fmt.Errorf("id: %w", err)
	}
	if len(x.Variants) < 2 || len(x.Variants) > maxVariants {
		return fmt.Errorf("variants: give 2 to %d", maxVariants)
	}
	if err := checkPlacements(x.Placements); err != nil {
		return err
	}
	var names []string
	for _, v := range x.Variants {
		if slices.Contains(names, v.Name) {
			return fmt.Errorf("variants: two variants are named %q", v.Name)
		}
		names = append(names, v.Name)
		if err := v.check(); err != nil {
			return fmt.Errorf("variant %q: %w", v.Name, err)
		}
	}
	if x.Stopped != "" && !slices.Contains(names, x.Stopped) {
		return fmt.Errorf("stopped: %q is none of its variants", x.Stopped)
	}
	var err error
	x.from, x.until, err = readTimes(x.From, x.Until, x.TimeZone)
	return err
}

func (v Variant) check() error {
	if err := CheckSlug("name", v.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	switch {
	case v.Weight < 1 || v.Weight > maxWeight:
		return fmt.Errorf("weight: weigh it 1 to %d", maxWeight)
	case v.Show != "" && !slices.Contains(levels, v.Show):
		return errors.New("show: choose none, quiet or normal")
	}
	return checkTexts(v.Texts)
}

// Experiment returns what runs at a placement now, or nil.
func (p *Policy) Experiment(placement string, now time.Time) *Experiment {
	for i := range p.Experiments {
		x := &p.Experiments[i]
		if (len(x.Placements) == 0 || slices.Contains(x.Placements, placement)) && within(x.from, x.until, now) {
			return x
		}
	}
	return nil
}
