package asks

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/parts"
	"github.com/united24media/support/internal/store"
)

// The parts of a policy, each with a form of its own.
var forms = [...]struct{ name, text string }{
	{"texts", "Texts"}, {"amounts", "Amounts"}, {"rules", "Rules and schedule"}, {"sensitivity", "Sensitivity"},
	{"experiments", "Experiments"}, {"json", "JSON"},
}

// A choice is one of several to choose from; URL is where a link of it leads.
type choice struct {
	Value, Text, URL string
	Chosen           bool
}

// An editView is one part's form.
type editView struct {
	Part, Title, Problem string
	Draft                bool
	Parts                []choice
	Within               []choice // languages or currencies of the part
	Hidden               []choice // what the form carries unseen
	Texts                []textFields
	Amounts              []amountFields
	Rules                []ruleFields
	Sensitive            []sensitiveFields
	Experiments          []experimentFields
	JSON                 string
	Zone                 string
	Preview              []frame
	Note                 string
}

// at is which form is meant: a part, and what of it.
type at struct{ part, lang, currency, experiment, variant string }

func where(get func(string) string) at {
	w := at{get("part"), known(get("lang")), strings.ToUpper(get("currency")), get("experiment"), get("variant")}
	if !slices.ContainsFunc(forms[:], func(p struct{ name, text string }) bool { return p.name == w.part }) {
		w.part = forms[0].name
	}
	if !slices.Contains(offer.Currencies(), w.currency) {
		w.currency = offer.Currencies()[0]
	}
	return w
}

// url returns the form's address.
func (w at) url() string {
	values := url.Values{"part": {w.part}}
	switch w.part {
	case "texts":
		values.Set("lang", w.lang)
		if w.experiment != "" {
			values.Set("experiment", w.experiment)
			values.Set("variant", w.variant)
		}
	case "amounts":
		values.Set("currency", w.currency)
	}
	return path + "/edit?" + values.Encode()
}

// showEdit handles GET /staff/asks/edit.
func (a *Asks) showEdit(v *desk.Visit) error {
	w, err := a.work(v.Request.Context(), v.Member)
	if err != nil {
		return err
	}
	return a.renderEdit(v, where(v.Query), w.Policy, w.Draft, "", http.StatusOK)
}

// save handles POST /staff/asks/edit: it keeps a part in the visitor's draft.
func (a *Asks) save(v *desk.Visit) error {
	ctx, form := v.Request.Context(), where(v.PostForm)
	w, err := a.work(ctx, v.Member)
	if err != nil {
		return err
	}
	edited, problem := a.read(v, form, w.Policy)
	var checked policy.Policy
	if problem == "" {
		if checked, err = policy.Parse([]byte(text(edited))); err != nil {
			problem = parts.Sentence(err)
		}
	}
	if problem != "" {
		return a.renderEdit(v, form, edited, w.Draft, problem, http.StatusUnprocessableEntity)
	}
	draft := store.Draft{Kind: policy.KindAsks, Who: v.Member.Email, Base: w.Newest.Number, Body: text(checked), At: a.Desk.Now()}
	if w.Behind {
		draft.Base = -1 // it stays behind until it is published
	}
	if err := a.Desk.Store.PutDraft(ctx, draft); err != nil {
		return err
	}
	if v.PostForm("then") == "review" {
		return a.Desk.Back(v, path+"/review?lang="+form.lang, "")
	}
	return a.Desk.Back(v, form.url(), "Kept in your draft. Readers see nothing of it until you publish.")
}

// read returns p with what a form says, and what is wrong with that before it
// is even looked at as a policy.
func (a *Asks) read(v *desk.Visit, form at, p policy.Policy) (policy.Policy, string) {
	if err := v.Request.ParseForm(); err != nil {
		return p, "The form could not be read; send it again."
	}
	f := fields{v.Request.PostForm}
	switch form.part {
	case "texts":
		return readTexts(f, form, p)
	case "amounts":
		return readAmounts(f, form, p)
	case "rules":
		p.Rules = a.readRules(f)
	case "sensitivity":
		p.Sensitive = readSensitive(f)
	case "experiments":
		p.Experiments = a.readExperiments(f, p.Experiments)
	case "json":
		read, err := policy.Parse([]byte(f.Get("json")))
		if err != nil {
			return p, parts.Sentence(err)
		}
		return read, ""
	}
	return p, ""
}

// fields are what a form holds.
type fields struct{ url.Values }

// line returns a field on one line.
func (f fields) line(name string) string { return strings.Join(strings.Fields(f.Get(name)), " ") }

// list returns a field's values, which commas, spaces or lines part.
func (f fields) list(name string) []string {
	return strings.FieldsFunc(f.Get(name), func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
}

// renderEdit answers with the form of a part as p has it.
func (a *Asks) renderEdit(v *desk.Visit, form at, p policy.Policy, draft bool, problem string, status int) error {
	view := editView{Part: form.part, Problem: problem, Draft: draft, Zone: a.Desk.Zone.String(), Hidden: []choice{{Value: form.part, Text: "part"}}}
	for _, part := range forms {
		view.Parts = append(view.Parts, choice{Text: part.text, URL: at{part: part.name, lang: form.lang, currency: form.currency}.url(), Chosen: part.name == form.part})
		if part.name == form.part {
			view.Title = part.text
		}
	}
	switch form.part {
	case "texts":
		a.fillTexts(&view, form, p)
	case "amounts":
		fillAmounts(&view, form, p)
	case "rules":
		view.Rules = ruleForms(p.Rules)
	case "sensitivity":
		view.Sensitive = sensitiveForms(p)
	case "experiments":
		view.Experiments = experimentForms(p.Experiments)
	case "json":
		if view.JSON = text(p); problem != "" {
			view.JSON = v.PostForm("json")
		}
	}
	return a.Desk.RenderStatus(v, a.edit, desk.Page{Title: "Edit asks: " + strings.ToLower(view.Title), Body: view}, status)
}

// textFields are one placement's texts.
type textFields struct {
	Placement, Title string
	Fields           []textField
}

type textField struct {
	Name, Label, Value, Shipped string
	Most                        int // characters
}

// variantOf returns the variant that a form of texts is about, or nil.
func variantOf(p policy.Policy, form at) *policy.Variant {
	for i := range p.Experiments {
		for j := range p.Experiments[i].Variants {
			if v := &p.Experiments[i].Variants[j]; p.Experiments[i].ID == form.experiment && v.Name == form.variant {
				return v
			}
		}
	}
	return nil
}

func (a *Asks) fillTexts(view *editView, form at, p policy.Policy) {
	texts := p.Texts
	view.Hidden = append(view.Hidden, choice{Text: "lang", Value: form.lang})
	if variant := variantOf(p, form); variant != nil {
		texts = variant.Texts
		view.Note = "These are the texts of the variant " + form.variant + " of " + form.experiment + ". What is left empty is as without it."
		view.Hidden = append(view.Hidden, choice{Text: "experiment", Value: form.experiment}, choice{Text: "variant", Value: form.variant})
	} else {
		view.Preview = frames(form.lang, "draft")
	}
	for _, lang := range i18n.Languages() {
		to := form
		to.lang = lang
		view.Within = append(view.Within, choice{Text: i18n.Name(lang), URL: to.url(), Chosen: lang == form.lang, Value: lang})
	}
	for _, placement := range policy.Placements() {
		own, shipped := texts[form.lang][placement], a.Shipped(form.lang, placement)
		view.Texts = append(view.Texts, textFields{placement, titles[placement], []textField{
			{placement + ".lead", "Opening, set strongly", own.Lead, shipped.Lead, policy.MaxText},
			{placement + ".rest", "Rest", own.Rest, shipped.Rest, policy.MaxText},
			{placement + ".action", "Button", own.Action, shipped.Action, policy.MaxAction},
		}})
	}
}

var titles = map[string]string{policy.Mid: "In the middle of an article", policy.End: "At the end of an article"}

func readTexts(f fields, form at, p policy.Policy) (policy.Policy, string) {
	texts := policy.Texts{}
	for _, placement := range policy.Placements() {
		text := policy.Text{Lead: f.line(placement + ".lead"), Rest: f.line(placement + ".rest"), Action: f.line(placement + ".action")}
		if text != (policy.Text{}) {
			texts[placement] = text
		}
	}
	if form.experiment != "" {
		p = copied(p)
		variant := variantOf(p, form)
		if variant == nil {
			return p, "The variant is no longer in your draft."
		}
		variant.Texts = with(variant.Texts, form.lang, texts)
		return p, ""
	}
	p.Texts = with(p.Texts, form.lang, texts)
	return p, ""
}

// with returns all with the texts of one language, and without the language
// where there are none.
func with(all map[string]policy.Texts, lang string, texts policy.Texts) map[string]policy.Texts {
	out := map[string]policy.Texts{}
	for code, other := range all {
		out[code] = other
	}
	if out[lang] = texts; len(texts) == 0 {
		delete(out, lang)
	}
	return out
}

// copied returns p sharing nothing with it.
func copied(p policy.Policy) policy.Policy {
	var out policy.Policy
	if err := json.Unmarshal([]byte(text(p)), &out); err != nil {
		return p // what was encoded is decoded
	}
	return out
}

// sensitiveFields are one type's level.
type sensitiveFields struct {
	Index  int
	Kind   string
	Ships  string // what is built in; "" for a type of staff's own
	Levels []choice
}

func sensitiveForms(p policy.Policy) []sensitiveFields {
	kinds := p.Sensitivities()
	var list []sensitiveFields
	for i, kind := range append(kinds, "") {
		level, builtIn := policy.BuiltIn(kind)
		own := p.Sensitive[kind]
		f := sensitiveFields{Index: i, Kind: kind}
		if builtIn {
			f.Ships = string(level)
			f.Levels = append(f.Levels, choice{Value: "", Text: "as it ships: " + f.Ships, Chosen: own == ""})
		} else {
			f.Levels = append(f.Levels, choice{Value: "", Text: "remove", Chosen: own == ""})
		}
		f.Levels = append(f.Levels, levels(own)...)
		list = append(list, f)
	}
	return list
}

// levels returns the levels to choose from.
func levels(chosen policy.Level) []choice {
	texts := map[policy.Level]string{policy.None: "none: not at all", policy.Quiet: "quiet: text and link", policy.Normal: "normal: with amounts"}
	var list []choice
	for _, level := range policy.Levels() {
		list = append(list, choice{Value: string(level), Text: texts[level], Chosen: level == chosen})
	}
	return list
}

func readSensitive(f fields) map[string]policy.Level {
	out := map[string]policy.Level{}
	for i := range f.count() {
		kind, level := strings.ToLower(f.line(fmt.Sprintf("s%d.kind", i))), policy.Level(f.Get(fmt.Sprintf("s%d.level", i)))
		if kind != "" && level != "" {
			out[kind] = level
		}
	}
	return out
}

// zoneFor returns a time zone, ours where times are given without one.
func (a *Asks) zoneFor(zone, from, until string) string {
	if from == "" && until == "" {
		return ""
	}
	return cmp.Or(zone, a.Desk.Zone.String())
}
