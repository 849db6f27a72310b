package gifts

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// A listView is what the list of donations shows.
type listView struct {
	Form
	Rows         []row
	Persons      bool
	Older, Newer string // addresses; "" where the list ends
	Newest       string // address; "" on the first page
	Short        bool   // the page ends before the list does
	Views        []savedView
	CSV          string
	Search       string // what was searched for; "" if nothing
	All          bool   // nothing narrows the list
	Chips        []string
}

// A Form is the filters as they were given, with what is wrong about them.
type Form struct {
	Values  url.Values
	View    string // id of the view they stand on
	Wrong   string // one sentence; "" if nothing
	Field   string // what it is about
	Choices choices
}

// Get returns a filter's value.
func (f Form) Get(name string) string { return f.Values.Get(name) }

// choices are what can be chosen from.
type choices struct {
	Currencies []string
	Outcomes   []choice
	Methods    []string // of Stripe's that are usual
}

type choice struct{ Value, Text string }

type savedView struct {
	store.SavedView
	URL     string
	Current bool
}

func listChoices() choices {
	c := choices{Currencies: money.Codes(), Methods: i18n.Methods()}
	for _, outcome := range giving.Outcomes() {
		c.Outcomes = append(c.Outcomes, choice{outcome, outcomes[outcome].Text})
	}
	return c
}

// showList handles GET /staff/donations.
func (g *Gifts) showList(v *desk.Visit) error {
	ctx := v.Request.Context()
	w, err := g.want(v, v.Request.URL.Query())
	view := listView{Persons: persons(v), Search: w.Values.Get(fieldText), All: len(w.Values) == 0}
	for _, name := range fields {
		if value := w.Values.Get(name); value != "" {
			view.Chips = append(view.Chips, chip(name, value))
		}
	}
	view.Form = Form{Values: w.Values, View: w.View.ID, Choices: listChoices()}
	status := http.StatusOK
	if wrong, ok := errors.AsType[*fault.Error](err); ok && wrong.Kind == fault.Invalid {
		view.Wrong, view.Field, status = wrong.Detail, wrong.Field, http.StatusBadRequest
		if label := labels[wrong.Field]; label != "" {
			view.Wrong = label + ": " + view.Wrong
		}
	} else if err != nil {
		return err
	} else if err := g.fillList(ctx, &view, &w); err != nil {
		return err
	}
	saved, err := g.Store.Views(ctx, v.Member.ID)
	if err != nil {
		return err
	}
	for _, s := range saved {
		view.Views = append(view.Views, savedView{s, giftsPath + "?view=" + s.ID, s.ID == w.View.ID})
	}
	return g.Desk.RenderStatus(v, g.list, desk.Page{Title: "Donations", Body: view}, status)
}

// labels are what the form calls its filters.
var labels = map[string]string{
	"from": "From", "to": "To", "amount_from": "At least", "amount_to": "At most", "currency": "Currency", "status": "Status",
	fieldText: "Search", "article": "Article", "campaign": "Campaign", "country": "Country", "method": "Method",
}

// chip returns a filter in few words.
func chip(name, value string) string {
	switch name {
	case "from", "to":
		return name + " " + value
	case "amount_from":
		return "at least " + value
	case "amount_to":
		return "at most " + value
	case "status":
		return outcomes[value].Text
	case "interval":
		if value != string(giving.Once) {
			return "every " + value
		}
	case "placement":
		return "placement " + value
	}
	return value
}

func (g *Gifts) fillList(ctx context.Context, view *listView, w *wanted) error {
	page, err := g.Store.DonationList(ctx, w.Filter)
	if err != nil {
		return err
	}
	for _, d := range page.Donations {
		view.Rows = append(view.Rows, rowOf(d, view.Persons))
	}
	if err := g.name(ctx, view.Rows); err != nil {
		return err
	}
	view.Short = page.Short
	if page.Older != (store.Position{}) {
		view.Older = w.query(giftsPath, page.Older, false)
	}
	if page.Newer != (store.Position{}) {
		view.Newer = w.query(giftsPath, page.Newer, true)
	}
	if w.Filter.At != (store.Position{}) {
		view.Newest = w.query(giftsPath, store.Position{}, false)
	}
	view.CSV = w.query(giftsPath+".csv", store.Position{}, false)
	return nil
}

// formValues returns the filters that a form carries along.
func formValues(v *desk.Visit) (url.Values, error) {
	if err := v.Request.ParseForm(); err != nil {
		return nil, fault.New(fault.Invalid, "The form can't be read.")
	}
	given := url.Values{}
	for _, name := range append([]string{fieldView}, fields...) {
		if value := v.Request.PostForm.Get(name); value != "" {
			given.Set(name, value)
		}
	}
	return given, nil
}

// find handles POST /staff/donations/find. What was searched for may be an
// address, so it is kept here, and the page's address names where.
func (g *Gifts) find(v *desk.Visit) error {
	given, err := formValues(v)
	if err != nil {
		return err
	}
	w, err := g.want(v, given)
	if err != nil {
		return err
	}
	text, err := line(fieldText, v.Request.PostForm.Get(fieldText), 0, maxField)
	if err != nil {
		return err
	}
	w.Values.Set(fieldText, text)
	if text == "" {
		w.Values.Del(fieldText)
		w.View = store.SavedView{}
		return g.Desk.Back(v, w.query(giftsPath, store.Position{}, false), "")
	}
	id, err := g.keep(v, "", w.Values)
	if err != nil {
		return err
	}
	return g.Desk.Back(v, giftsPath+"?view="+id, "")
}

// keep stores filters for a member and returns the id of the view.
func (g *Gifts) keep(v *desk.Visit, name string, values url.Values) (string, error) {
	view := store.SavedView{ID: rand.Text(), Staff: v.Member.ID, Name: name, Filters: values.Encode(), Created: g.Now()}
	return view.ID, g.Store.AddView(v.Request.Context(), view)
}

// maxViewName is the most characters of a view's name.
const maxViewName = 60

// saveView handles POST /staff/donations/views.
func (g *Gifts) saveView(v *desk.Visit) error {
	given, err := formValues(v)
	if err != nil {
		return err
	}
	w, err := g.want(v, given)
	if err != nil {
		return err
	}
	name, err := line("name", v.Request.PostForm.Get("name"), 1, maxViewName)
	if err != nil {
		return err
	}
	id, err := g.keep(v, name, w.Values)
	if err != nil {
		return err
	}
	return g.Desk.Back(v, giftsPath+"?view="+id, fmt.Sprintf("Saved as %q.", name))
}

// dropView handles POST /staff/donations/views/drop.
func (g *Gifts) dropView(v *desk.Visit) error {
	if err := g.Store.DropView(v.Request.Context(), v.Member.ID, v.PostForm("id")); err != nil {
		return err
	}
	return g.Desk.Back(v, giftsPath, "The view is removed.")
}

// csv handles GET /staff/donations.csv: the whole list, as it is filtered.
func (g *Gifts) csv(v *desk.Visit) error {
	w, err := g.want(v, v.Request.URL.Query())
	if err != nil {
		return err
	}
	w.Filter.At, w.Filter.Back = store.Position{}, false
	if err := g.Desk.Export(v, "donations", w.used(), w.query(giftsPath, store.Position{}, false)); err != nil {
		return err
	}
	return g.Reports.ExportList(v.Request.Context(), v.File(), w.Filter, persons(v))
}

// used names the filters in use: the audit log holds no address.
func (w *wanted) used() string {
	var used []string
	for _, name := range append([]string{fieldText}, fields...) {
		if w.Values.Has(name) {
			used = append(used, name)
		}
	}
	return "filters: " + strings.Join(used, ", ")
}
