// Package policy is what staff decide about asks, as one document: where, when
// and to whom they show, what they say and suggest, and what is tried out. It
// reads the document, answers what follows from it for a page, and keeps the
// one in force in memory.
package policy

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/offer"
)

// A Level is how an ask shows.
type Level string

// The levels, from the least.
const (
	None   Level = "none"   // not at all
	Quiet  Level = "quiet"  // its text and a link
	Normal Level = "normal" // with amounts to choose
)

var levels = []Level{None, Quiet, Normal}

// lower returns the lesser of two levels.
func lower(a, b Level) Level {
	if slices.Index(levels, a) < slices.Index(levels, b) {
		return a
	}
	return b
}

// Where in an article an ask may stand.
const (
	Mid = "mid"
	End = "end"
)

var (
	placements  = []string{Mid, End}
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
)

// Placements returns where in an article an ask may stand.
func Placements() []string { return slices.Clone(placements) }

// Levels returns the levels from the least.
func Levels() []Level { return slices.Clone(levels) }

// A Policy is everything that staff decide about asks. It is data: they change
// it without a release.
type Policy struct {
	// Texts are what asks say, by language. What is missing is as it ships.
	Texts map[string]Texts `json:"texts,omitempty"`
	// Amounts are suggested in place of those that ship.
	Amounts offer.Suggestions `json:"amounts,omitempty"`
	// Rules are tried from the highest priority, and among equals in their
	// order; the first that fits decides. Where none does the ask is normal.
	Rules []Rule `json:"rules,omitempty"`
	// Sensitive is what an article of each type of sensitivity shows, in place
	// of what is built in. No rule raises it.
	Sensitive map[string]Level `json:"sensitive,omitempty"`
	// Experiments are tried in their order; the first that runs at a placement
	// counts there.
	Experiments []Experiment `json:"experiments,omitempty"`
}

// A Rule is one decision with what it applies to. What is left empty applies
// to everything.
type Rule struct {
	Name       string   `json:"name"`
	Priority   int      `json:"priority,omitempty"`
	Show       Level    `json:"show"`
	Placements []string `json:"placements,omitempty"`
	Articles   Targets  `json:"articles,omitzero"`
	Sections   Targets  `json:"sections,omitzero"`
	Tags       Targets  `json:"tags,omitzero"`
	Languages  Targets  `json:"languages,omitzero"` // the language that is shown
	Countries  Targets  `json:"countries,omitzero"` // upper case; an unknown country is in no list
	From       string   `json:"from,omitempty"`     // 2026-12-01T08:00 on the clocks of TimeZone
	Until      string   `json:"until,omitempty"`    // the first moment at which it does not apply
	TimeZone   string   `json:"time_zone,omitempty"`
	from       time.Time
	until      time.Time
}

// Targets are values that a rule is for, and values that it is not for.
type Targets struct {
	Include []string `json:"include,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
}

// sensitive is what is built in for the types of sensitivity. A type that is
// not known shows nothing: whoever wrote it meant that something is delicate.
var sensitive = map[string]Level{
	"casualties": None, "funeral": None, "attack": None, "breaking": Quiet, "trauma": Quiet, "none": Normal,
}

// Limits of a policy.
const (
	maxPolicy = 256 << 10 // bytes
	maxRules  = 200
	wallClock = "2006-01-02T15:04"
)

// Parse reads a policy and checks every rule, so that a policy that is
// stored can always be applied. The error names the rule at fault.
func Parse(data []byte) (Policy, error) {
	var p Policy
	if len(data) > maxPolicy {
		return p, fmt.Errorf("the policy is longer than %d bytes", maxPolicy)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Policy{}, fmt.Errorf("the policy is not as it should be: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Policy{}, errors.New("something follows the policy")
	}
	if err := p.prepare(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

// prepare checks all of p, reads its times and sorts its rules.
func (p *Policy) prepare() error {
	if len(p.Rules) > maxRules {
		return fmt.Errorf("the policy has more than %d rules", maxRules)
	}
	if err := checkTexts(p.Texts); err != nil {
		return err
	}
	if err := p.Amounts.Check(); err != nil {
		return err
	}
	names := map[string]bool{}
	for i := range p.Rules {
		r := &p.Rules[i]
		if err := r.prepare(); err != nil {
			return fmt.Errorf("rule %d, %q, %w", i+1, r.Name, err)
		}
		if names[r.Name] {
			return fmt.Errorf("two rules are named %q", r.Name)
		}
		names[r.Name] = true
	}
	if len(p.Experiments) > maxExperiments {
		return fmt.Errorf("the policy has more than %d experiments", maxExperiments)
	}
	for i := range p.Experiments {
		x := &p.Experiments[i]
		if err := x.prepare(); err != nil {
			return fmt.Errorf("experiment %d, %q, %w", i+1, x.ID, err)
		}
		if names["experiment "+x.ID] {
			return fmt.Errorf("two experiments have the id %q", x.ID)
		}
		names["experiment "+x.ID] = true
	}
	for kind, level := range p.Sensitive {
		if strings.TrimSpace(kind) != kind || kind == "" || strings.ToLower(kind) != kind {
			return fmt.Errorf("sensitive %q: name a type in small letters, such as casualties", kind)
		}
		if !slices.Contains(levels, level) {
			return fmt.Errorf("sensitive %q: show none, quiet or normal", kind)
		}
	}
	slices.SortStableFunc(p.Rules, func(a, b Rule) int { return cmp.Compare(b.Priority, a.Priority) })
	return nil
}
