package ask

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
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

// A Policy says where, when and to whom asks are shown. It is data: staff
// change it without a release.
type Policy struct {
	// Rules are tried from the highest priority, and among equals in their
	// order; the first that fits decides. Where none does the ask is normal.
	Rules []Rule `json:"rules"`
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
	maxPolicy = 64 << 10 // bytes
	maxRules  = 200
	wallClock = "2006-01-02T15:04"
)

// ParsePolicy reads a policy and checks every rule, so that a policy that is
// stored can always be applied. The error names the rule at fault.
func ParsePolicy(data []byte) (Policy, error) {
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
	if len(p.Rules) > maxRules {
		return Policy{}, fmt.Errorf("the policy has more than %d rules", maxRules)
	}
	names := map[string]bool{}
	for i := range p.Rules {
		r := &p.Rules[i]
		if err := r.prepare(); err != nil {
			return Policy{}, fmt.Errorf("rule %d, %q: %w", i+1, r.Name, err)
		}
		if names[r.Name] {
			return Policy{}, fmt.Errorf("two rules are named %q", r.Name)
		}
		names[r.Name] = true
	}
	if len(p.Experiments) > maxExperiments {
		return Policy{}, fmt.Errorf("the policy has more than %d experiments", maxExperiments)
	}
	for i := range p.Experiments {
		x := &p.Experiments[i]
		if err := x.prepare(); err != nil {
			return Policy{}, fmt.Errorf("experiment %d, %q: %w", i+1, x.ID, err)
		}
		if names["experiment "+x.ID] {
			return Policy{}, fmt.Errorf("two experiments have the id %q", x.ID)
		}
		names["experiment "+x.ID] = true
	}
	for kind, level := range p.Sensitive {
		if !slices.Contains(levels, level) {
			return Policy{}, fmt.Errorf("sensitive %q: show none, quiet or normal", kind)
		}
	}
	slices.SortStableFunc(p.Rules, func(a, b Rule) int { return cmp.Compare(b.Priority, a.Priority) })
	return p, nil
}

// prepare checks r and reads its times.
func (r *Rule) prepare() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return errors.New("give it a name")
	case !slices.Contains(levels, r.Show):
		return errors.New("show none, quiet or normal")
	}
	if err := checkPlacements(r.Placements); err != nil {
		return err
	}
	for _, country := range slices.Concat(r.Countries.Include, r.Countries.Exclude) {
		if !countryCode.MatchString(country) || country != strings.ToUpper(country) {
			return fmt.Errorf("%q is not a country by ISO 3166 in upper case, such as DE", country)
		}
	}
	var err error
	r.from, r.until, err = readTimes(r.From, r.Until, r.TimeZone)
	return err
}

func checkPlacements(list []string) error {
	for _, placement := range list {
		if !slices.Contains(placements, placement) {
			return fmt.Errorf("%q is not a placement; there are mid and end", placement)
		}
	}
	return nil
}

// readTimes reads two times on the clocks of a zone; the zero time where one
// is left out.
func readTimes(from, until, zoneName string) (first, last time.Time, err error) {
	zone, err := time.LoadLocation(cmp.Or(zoneName, "UTC"))
	if err != nil {
		return first, last, fmt.Errorf("%q is not a time zone, such as Europe/Kyiv", zoneName)
	}
	for _, moment := range [...]struct {
		text string
		read *time.Time
	}{{from, &first}, {until, &last}} {
		if moment.text == "" {
			continue
		}
		if *moment.read, err = time.ParseInLocation(wallClock, moment.text, zone); err != nil {
			return first, last, fmt.Errorf("%q is not a time such as 2026-12-01T08:00", moment.text)
		}
	}
	if !first.IsZero() && !last.IsZero() && !first.Before(last) {
		return first, last, errors.New("it ends before it begins")
	}
	return first, last, nil
}

// within reports whether a moment lies in a time that may be open at its ends.
func within(from, until, at time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (until.IsZero() || at.Before(until))
}

// A miss is why a rule does not apply, and what would make it.
type miss struct{ because, change string }

// misses returns why r is not for the ask of q at a placement, whatever the
// time; nil if it is.
func (r *Rule) misses(q question, lang, placement string) *miss {
	if len(r.Placements) > 0 && !slices.Contains(r.Placements, placement) {
		return &miss{"it is not for " + placement, "a placement of " + strings.Join(r.Placements, " or ")}
	}
	for _, t := range [...]struct {
		name    string
		targets Targets
		values  []string
	}{
		{"article", r.Articles, single(q.article)}, {"section", r.Sections, single(q.section)}, {"tag", r.Tags, q.tags},
		{"language", r.Languages, single(lang)}, {"country", r.Countries, single(q.country)},
	} {
		if m := t.targets.misses(t.name, t.values); m != nil {
			return m
		}
	}
	return nil
}

func (t Targets) misses(name string, values []string) *miss {
	for _, value := range values {
		if slices.Contains(t.Exclude, value) {
			return &miss{fmt.Sprintf("it leaves out the %s %s", name, value), fmt.Sprintf("another %s", name)}
		}
	}
	if len(t.Include) == 0 || slices.ContainsFunc(values, func(value string) bool { return slices.Contains(t.Include, value) }) {
		return nil
	}
	given := "none is given"
	if len(values) > 0 {
		given = strings.Join(values, ", ") + " is not among them"
	}
	return &miss{fmt.Sprintf("it is for some of each %s, and %s", name, given), fmt.Sprintf("a %s of %s", name, strings.Join(t.Include, ", "))}
}

// single returns a list of value, or of nothing if that is not known.
func single(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// applies reports whether r applies at a moment.
func (r *Rule) applies(at time.Time) bool {
	return within(r.from, r.until, at)
}

// A phase is the level from a moment on. The first of a schedule has none.
type phase struct {
	From *time.Time `json:"from"`
	Show Level      `json:"show"`
}

// schedule returns how the ask of q shows at a placement, now and later: the
// device looks at its own clock, so that an answer that a cache kept too long
// is still right.
func (p *Policy) schedule(q question, lang, placement string) []phase {
	var moments []time.Time
	var fitting []*Rule
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.misses(q, lang, placement) != nil {
			continue
		}
		fitting = append(fitting, r)
		for _, moment := range [...]time.Time{r.from, r.until} {
			if !moment.IsZero() {
				moments = append(moments, moment.UTC())
			}
		}
		if r.from.IsZero() && r.until.IsZero() {
			break // it decides for ever
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	most := p.sensitivity(q)
	phases := []phase{{nil, lower(most, first(fitting, time.Time{}))}}
	for _, moment := range moments {
		if show := lower(most, first(fitting, moment)); show != phases[len(phases)-1].Show {
			phases = append(phases, phase{&moment, show})
		}
	}
	return phases
}

// first returns the level of the first rule that applies at a moment; the
// zero time is before all.
func first(rules []*Rule, at time.Time) Level {
	for _, r := range rules {
		if r.applies(at) {
			return r.Show
		}
	}
	return Normal
}

// sensitivity returns the most that the article of q may show.
func (p *Policy) sensitivity(q question) Level {
	if q.sensitivity == "" {
		return Normal
	}
	if level, ok := p.Sensitive[q.sensitivity]; ok {
		return level
	}
	if level, ok := sensitive[q.sensitivity]; ok {
		return level
	}
	return None
}

// at returns the level of a schedule at a moment.
func at(schedule []phase, moment time.Time) Level {
	show := schedule[0].Show
	for _, p := range schedule[1:] {
		if moment.Before(*p.From) {
			break
		}
		show = p.Show
	}
	return show
}

// moments returns when what is shown may change, sorted, in seconds since 1970.
func (p *Policy) moments() []int64 {
	var all []int64
	add := func(moments ...time.Time) {
		for _, moment := range moments {
			if !moment.IsZero() {
				all = append(all, moment.Unix())
			}
		}
	}
	for _, r := range p.Rules {
		add(r.from, r.until)
	}
	for _, x := range p.Experiments {
		add(x.from, x.until)
	}
	slices.Sort(all)
	return all
}
