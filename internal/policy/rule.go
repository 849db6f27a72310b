package policy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/i18n"
)

// prepare checks r and reads its times.
func (r *Rule) prepare() error {
	switch {
	case strings.TrimSpace(r.Name) == "":
		return errors.New("name: give it one")
	case !slices.Contains(levels, r.Show):
		return errors.New("show: choose none, quiet or normal")
	}
	if err := checkPlacements(r.Placements); err != nil {
		return err
	}
	for _, lang := range slices.Concat(r.Languages.Include, r.Languages.Exclude) {
		if !slices.Contains(i18n.Languages(), lang) {
			return fmt.Errorf("languages: %q is none of ours, such as uk", lang)
		}
	}
	for _, t := range [...]struct {
		name    string
		targets Targets
	}{{"articles", r.Articles}, {"sections", r.Sections}, {"tags", r.Tags}} {
		for _, value := range slices.Concat(t.targets.Include, t.targets.Exclude) {
			if CheckSlug(t.name, value) != nil {
				return fmt.Errorf("%s: %q can't be one; use letters, digits and -_.~/:+", t.name, value)
			}
		}
	}
	for _, country := range slices.Concat(r.Countries.Include, r.Countries.Exclude) {
		if !countryCode.MatchString(country) {
			return fmt.Errorf("countries: %q is not a country by ISO 3166 in upper case, such as DE", country)
		}
	}
	var err error
	r.from, r.until, err = readTimes(r.From, r.Until, r.TimeZone)
	return err
}

func checkPlacements(list []string) error {
	for _, placement := range list {
		if !slices.Contains(placements, placement) {
			return fmt.Errorf("placements: %q is not a placement; there are mid and end", placement)
		}
	}
	return nil
}

// readTimes reads two times on the clocks of a zone; the zero time where one
// is left out.
func readTimes(from, until, zoneName string) (first, last time.Time, err error) {
	zone, err := time.LoadLocation(cmp.Or(zoneName, "UTC"))
	if err != nil {
		return first, last, fmt.Errorf("time_zone: %q is not a time zone, such as Europe/Kyiv", zoneName)
	}
	for _, moment := range [...]struct {
		name, text string
		read       *time.Time
	}{{"from", from, &first}, {"until", until, &last}} {
		if moment.text == "" {
			continue
		}
		if *moment.read, err = time.ParseInLocation(wallClock, moment.text, zone); err != nil {
			return first, last, fmt.Errorf("%s: %q is not a time such as 2026-12-01T08:00", moment.name, moment.text)
		}
	}
	if !first.IsZero() && !last.IsZero() && !first.Before(last) {
		return first, last, errors.New("until: it ends before it begins")
	}
	return first, last, nil
}

// Begins returns the first moment at which r applies; the zero time where that
// is long ago.
func (r *Rule) Begins() time.Time { return r.from }

// Ends returns the first moment at which r applies no more; the zero time where
// there is none.
func (r *Rule) Ends() time.Time { return r.until }

// within reports whether a moment lies in a time that may be open at its ends.
func within(from, until, at time.Time) bool {
	return (from.IsZero() || !at.Before(from)) && (until.IsZero() || at.Before(until))
}

// A Miss is why a rule does not apply, and what would make it.
type Miss struct{ Because, Change string }

// A Page is what is known of the article that an ask stands in.
type Page struct {
	Article     string
	Section     string
	Tags        []string
	Lang        string // that is shown
	Country     string // ISO 3166, upper case; "" where unknown
	Sensitivity string // "" for none
}

// Misses returns why r is not for an ask of page at a placement, whatever the
// time; nil if it is.
func (r *Rule) Misses(page Page, placement string) *Miss {
	if len(r.Placements) > 0 && !slices.Contains(r.Placements, placement) {
		return &Miss{"it is not for " + placement, "a placement of " + strings.Join(r.Placements, " or ")}
	}
	for _, t := range [...]struct {
		name    string
		targets Targets
		values  []string
	}{
		{"article", r.Articles, single(page.Article)}, {"section", r.Sections, single(page.Section)}, {"tag", r.Tags, page.Tags},
		{"language", r.Languages, single(page.Lang)}, {"country", r.Countries, single(page.Country)},
	} {
		if m := t.targets.misses(t.name, t.values); m != nil {
			return m
		}
	}
	return nil
}

func (t Targets) misses(name string, values []string) *Miss {
	for _, value := range values {
		if slices.Contains(t.Exclude, value) {
			return &Miss{fmt.Sprintf("it leaves out the %s %s", name, value), fmt.Sprintf("another %s", name)}
		}
	}
	if len(t.Include) == 0 || slices.ContainsFunc(values, func(value string) bool { return slices.Contains(t.Include, value) }) {
		return nil
	}
	given := "none is given"
	if len(values) > 0 {
		given = strings.Join(values, ", ") + " is not among them"
	}
	return &Miss{fmt.Sprintf("it is for some of each %s, and %s", name, given), fmt.Sprintf("a %s of %s", name, strings.Join(t.Include, ", "))}
}

// single returns a list of value, or of nothing if that is not known.
func single(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// Applies reports whether r applies at a moment.
func (r *Rule) Applies(at time.Time) bool {
	return within(r.from, r.until, at)
}

// A Phase is the level from a moment on. The first of a schedule has none.
type Phase struct {
	From *time.Time `json:"from"`
	Show Level      `json:"show"`
}

// Schedule returns how an ask of page shows at a placement, now and later: the
// device looks at its own clock, so that an answer that a cache kept too long
// is still right.
func (p *Policy) Schedule(page Page, placement string) []Phase {
	var moments []time.Time
	var fitting []*Rule
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Misses(page, placement) != nil {
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
	most := p.Sensitivity(page.Sensitivity)
	phases := []Phase{{nil, lower(most, first(fitting, time.Time{}))}}
	for _, moment := range moments {
		if show := lower(most, first(fitting, moment)); show != phases[len(phases)-1].Show {
			phases = append(phases, Phase{&moment, show})
		}
	}
	return phases
}

// first returns the level of the first rule that applies at a moment; the
// zero time is before all.
func first(rules []*Rule, at time.Time) Level {
	for _, r := range rules {
		if r.Applies(at) {
			return r.Show
		}
	}
	return Normal
}

// Sensitivity returns the most that an article of a type of sensitivity may
// show; [None] for a type that is not known.
func (p *Policy) Sensitivity(kind string) Level {
	if kind == "" {
		return Normal
	}
	if level, ok := p.Sensitive[kind]; ok {
		return level
	}
	if level, ok := sensitive[kind]; ok {
		return level
	}
	return None
}

// Sensitivities returns all types that are known, sorted.
func (p *Policy) Sensitivities() []string {
	kinds := slices.Collect(maps.Keys(sensitive))
	for kind := range p.Sensitive {
		if _, builtIn := sensitive[kind]; !builtIn {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// BuiltIn returns what an article of a type shows where staff did not say
// otherwise; ok is false for a type that only they can name.
func BuiltIn(kind string) (level Level, ok bool) {
	level, ok = sensitive[kind]
	return level, ok
}

// At returns the level of a schedule at a moment.
func At(schedule []Phase, moment time.Time) Level {
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
