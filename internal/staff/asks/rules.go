package asks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/policy"
)

// maxRows bounds the rows of a form.
const maxRows = 500

// count returns how many rows a form has.
func (f fields) count() int {
	n, err := strconv.Atoi(f.Get("rows"))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, maxRows)
}

// ruleFields are one rule's fields.
type ruleFields struct {
	policy.Rule
	Index      int
	New        bool
	Open       bool
	Levels     []choice
	Placements []choice
	Targets    []targetFields
}

// targetFields are the values that a rule is for, and is not for.
type targetFields struct{ Name, Title, Hint, Include, Exclude string }

// ruleForms returns the fields of all rules, and of a new one.
func ruleForms(rules []policy.Rule) []ruleFields {
	var forms []ruleFields
	for i, r := range append(slices.Clone(rules), policy.Rule{}) {
		f := ruleFields{Rule: r, Index: i, New: i == len(rules), Levels: levels(r.Show), Placements: placementChoices(r.Placements)}
		f.Open = f.New && len(rules) == 0
		for _, t := range [...]struct {
			name, title, hint string
			targets           policy.Targets
		}{
			{"sections", "Sections", "war, culture", r.Sections}, {"tags", "Tags", "air-defense", r.Tags},
			{"articles", "Articles, by slug", "uk-defense-secretary-troops", r.Articles},
			{"languages", "Languages", "uk, de", r.Languages}, {"countries", "Countries", "UA, DE", r.Countries},
		} {
			f.Targets = append(f.Targets, targetFields{t.name, t.title, t.hint, strings.Join(t.targets.Include, ", "), strings.Join(t.targets.Exclude, ", ")})
		}
		forms = append(forms, f)
	}
	return forms
}

func placementChoices(chosen []string) []choice {
	var list []choice
	for _, placement := range policy.Placements() {
		list = append(list, choice{Value: placement, Text: placement, Chosen: slices.Contains(chosen, placement)})
	}
	return list
}

// readRules reads the rules of a form. A row without a name and a level is none.
func (a *Asks) readRules(f fields) []policy.Rule {
	var rules []policy.Rule
	for i := range f.count() {
		row := fmt.Sprintf("r%d.", i)
		if f.Get(row+"remove") != "" || f.line(row+"name") == "" && f.Get(row+"show") == "" {
			continue
		}
		r := policy.Rule{
			Name: f.line(row + "name"), Show: policy.Level(f.Get(row + "show")), Placements: f.Values[row+"placements"],
			From: f.line(row + "from"), Until: f.line(row + "until"),
		}
		r.Priority, _ = strconv.Atoi(f.line(row + "priority")) //nolint:errcheck // what is no number has none
		r.TimeZone = a.zoneFor(f.line(row+"zone"), r.From, r.Until)
		for _, t := range [...]struct {
			name    string
			targets *policy.Targets
		}{{"articles", &r.Articles}, {"sections", &r.Sections}, {"tags", &r.Tags}, {"languages", &r.Languages}, {"countries", &r.Countries}} {
			t.targets.Include, t.targets.Exclude = f.list(row+t.name), f.list(row+t.name+".not")
			if t.name == "countries" {
				upper(t.targets.Include)
				upper(t.targets.Exclude)
			}
		}
		rules = append(rules, r)
	}
	return rules
}

func upper(list []string) {
	for i := range list {
		list[i] = strings.ToUpper(list[i])
	}
}

// experimentFields are one experiment's fields.
type experimentFields struct {
	policy.Experiment
	Index      int
	New        bool
	Open       bool
	Placements []choice
	Stops      []choice
	Rows       []variantFields
}

// variantFields are one variant's fields.
type variantFields struct {
	policy.Variant
	Index  int
	New    bool
	Levels []choice
	Texts  []string // languages with texts of its own
	URL    string   // where its texts are written
}

// moreVariants is how many empty rows a form has for new variants.
const moreVariants = 2

func experimentForms(all []policy.Experiment) []experimentFields {
	var forms []experimentFields
	for i, x := range append(slices.Clone(all), policy.Experiment{}) {
		f := experimentFields{Experiment: x, Index: i, New: i == len(all), Placements: placementChoices(x.Placements)}
		f.Open = f.New && len(all) == 0
		f.Stops = append(f.Stops, choice{Text: "it runs", Chosen: x.Stopped == ""})
		for _, v := range x.Variants {
			f.Stops = append(f.Stops, choice{Value: v.Name, Text: "everybody gets " + v.Name, Chosen: x.Stopped == v.Name})
		}
		for j, v := range append(slices.Clone(x.Variants), make([]policy.Variant, moreVariants)...) {
			row := variantFields{Variant: v, Index: j, New: j >= len(x.Variants)}
			row.Levels = append([]choice{{Text: "as the rules say", Chosen: v.Show == ""}}, levels(v.Show)...)
			for lang := range v.Texts {
				row.Texts = append(row.Texts, lang)
			}
			slices.Sort(row.Texts)
			if !row.New {
				row.URL = at{part: "texts", lang: "en", experiment: x.ID, variant: v.Name}.url()
			}
			f.Rows = append(f.Rows, row)
		}
		forms = append(forms, f)
	}
	return forms
}

// readExperiments reads the experiments of a form. Texts of variants are
// written elsewhere: they stay with the variant, by the names it had.
func (a *Asks) readExperiments(f fields, before []policy.Experiment) []policy.Experiment {
	texts := map[[2]string]map[string]policy.Texts{}
	for _, x := range before {
		for _, v := range x.Variants {
			texts[[2]string{x.ID, v.Name}] = v.Texts
		}
	}
	var all []policy.Experiment
	for i := range f.count() {
		row := fmt.Sprintf("x%d.", i)
		if f.Get(row+"remove") != "" || f.line(row+"id") == "" {
			continue
		}
		x := policy.Experiment{
			ID: f.line(row + "id"), Placements: f.Values[row+"placements"], From: f.line(row + "from"), Until: f.line(row + "until"), Stopped: f.line(row + "stopped"),
		}
		x.TimeZone = a.zoneFor(f.line(row+"zone"), x.From, x.Until)
		for j := range maxVariantRows {
			cell := fmt.Sprintf("%sv%d.", row, j)
			name := f.line(cell + "name")
			if name == "" || f.Get(cell+"remove") != "" {
				continue
			}
			v := policy.Variant{Name: name, Show: policy.Level(f.Get(cell + "show")), Texts: texts[[2]string{f.Get(row + "was"), f.Get(cell + "was")}]}
			v.Weight, _ = strconv.Atoi(f.line(cell + "weight")) //nolint:errcheck // what is no number weighs nothing, which is refused
			x.Variants = append(x.Variants, v)
		}
		all = append(all, x)
	}
	return all
}

// maxVariantRows bounds the rows of variants that are read.
const maxVariantRows = 20
