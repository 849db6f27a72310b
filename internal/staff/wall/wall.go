// Package wall is where staff read the words of supporters who may be thanked
// publicly, and decide which of them are. Nothing is shown that nobody read.
package wall

import (
	"cmp"
	_ "embed" // for the page
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/wall"
)

//go:embed wall.html
var pageHTML string

const (
	path = "/staff/wall"
	most = 100 // entries on a page, and of one press

	exportPage = 1000 // entries that an export holds in memory
)

// Options are what the screen needs.
type Options struct {
	Desk *desk.Desk
	Wall *wall.Wall
}

// A Screen is the screen.
type Screen struct {
	Options
	page *look.Template
}

// New returns the screen.
func New(o Options) *Screen { return &Screen{o, o.Desk.Template(pageHTML)} }

// Routes returns the screen's addresses.
func (s *Screen) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Finance, Nav: "Wall", Handle: s.show},
		{Method: http.MethodGet, Path: path + ".csv", Need: desk.Finance, Long: true, Handle: s.csv},
		{Method: http.MethodPost, Path: path + "/decide", Need: desk.Finance, Handle: s.decide},
		{Method: http.MethodPost, Path: path + "/switch", Need: desk.Admin, Handle: s.turn},
	}
}

// states are the parts of the list, with what each is called.
var states = [...][2]string{
	{store.WallWaiting, "Waiting"}, {store.WallAccepted, "Accepted"}, {store.WallShown, "Shown"}, {store.WallRejected, "Rejected"},
}

// An entry is one supporter in the list.
type entry struct {
	store.WallEntry
	Pick   string // what the form says of it
	Amount string
	URL    string // of the supporter
	Hidden string // why it is not shown though it was accepted; "" if it is
}

// A view is what the page shows.
type view struct {
	On      bool
	Admin   bool
	State   string
	Tabs    []tab
	Entries []entry
	More    bool
	Least   int
	CSV     string
	Lack    int // people who have to be accepted before a batch is shown; 0 if none waits
}

type tab struct {
	Name, URL string
	Count     string
	Current   bool
}

// show handles GET /staff/wall.
func (s *Screen) show(v *desk.Visit) error {
	ctx := v.Request.Context()
	state, err := stateOf(v)
	if err != nil {
		return err
	}
	if err := s.Wall.Collect(ctx); err != nil {
		return err
	}
	body := view{CSV: path + ".csv?state=" + state, On: s.Wall.On(), Admin: v.Member.Role.Allows(desk.Admin), State: state, Least: wall.Least}
	for _, known := range states {
		found, err := s.Desk.Store.Wall(ctx, known[0], most+1)
		if err != nil {
			return err
		}
		if known[0] == store.WallWaiting { // who took their word back need not be read
			found = slices.DeleteFunc(found, func(e store.WallEntry) bool { return !e.MayShow() })
			slices.SortStableFunc(found, func(a, b store.WallEntry) int { return a.Given.Compare(b.Given) })
		}
		t := tab{Name: known[1], URL: path + "?state=" + known[0], Count: fmt.Sprint(min(len(found), most)), Current: known[0] == state}
		if len(found) > most {
			t.Count += "+"
		}
		body.Tabs = append(body.Tabs, t)
		if known[0] == store.WallAccepted {
			body.Lack = lack(found)
		}
		if known[0] != state {
			continue
		}
		body.More = len(found) > most
		for _, e := range found[:min(len(found), most)] {
			body.Entries = append(body.Entries, entryOf(e))
		}
	}
	return s.Desk.Render(v, s.page, desk.Page{Title: "Wall", Body: body})
}

// stateOf reads which part of the list is asked for.
func stateOf(v *desk.Visit) (string, error) {
	state := cmp.Or(v.Query("state"), store.WallWaiting)
	if !slices.ContainsFunc(states[:], func(known [2]string) bool { return known[0] == state }) {
		return "", fault.Field("state", "There is no such part of the list.")
	}
	return state, nil
}

// csv handles GET /staff/wall.csv: the whole part of the list.
func (s *Screen) csv(v *desk.Visit) error {
	state, err := stateOf(v)
	if err != nil {
		return err
	}
	if err := s.Desk.Export(v, "wall", "state: "+state, path+"?state="+state); err != nil {
		return err
	}
	sheet := reports.NewSheet(v.File(), "id", "state", "name", "message", "locale", "donation", "given_at", "currency", "left_minor",
		"decided_at", "decided_by", "shown_at", "hidden_because")
	for last := ""; ; {
		entries, err := s.Desk.Store.WallAfter(v.Request.Context(), state, last, exportPage)
		if err != nil {
			return err
		}
		for _, e := range entries {
			last = e.Checkout
			if state == store.WallWaiting && !e.MayShow() { // as on the page
				continue
			}
			sheet.Row(e.Checkout, e.State, e.Name, e.Message, e.Locale, e.Donation, e.Given, e.Currency, e.Minor, e.Decided, e.By, e.Shown, entryOf(e).Hidden)
		}
		if len(entries) < exportPage {
			return sheet.End()
		}
	}
}

// lack returns how many people more make a batch of those who are accepted; 0 if
// nobody is.
func lack(accepted []store.WallEntry) int {
	people := map[string]bool{}
	for _, e := range accepted {
		if e.MayShow() && e.Read() {
			people[e.Supporter] = true
		}
	}
	if len(people) == 0 {
		return 0
	}
	return max(wall.Least-len(people), 0)
}

func entryOf(e store.WallEntry) entry {
	shown := entry{
		WallEntry: e, Pick: e.Checkout + ":" + e.Words(), URL: "/staff/supporters/" + e.Donation,
		Amount: i18n.Money("en", money.Amount{Minor: e.Minor, Currency: e.Currency}),
	}
	switch {
	case e.State != store.WallShown && e.State != store.WallAccepted:
	case e.Minor <= 0:
		shown.Hidden = "the gift was given back or is disputed"
	case !e.MayShow():
		shown.Hidden = "they no longer want to be named"
	case !e.Read():
		shown.Hidden = "the words have changed, and wait to be read"
	}
	return shown
}

// decide handles POST /staff/wall/decide: what was ticked is accepted or
// rejected, in the words that were read.
func (s *Screen) decide(v *desk.Visit) error {
	if err := v.Request.ParseForm(); err != nil {
		return fault.New(fault.Invalid, "The form can't be read.")
	}
	form := v.Request.PostForm
	do := form.Get("do")
	if do != "accept" && do != "reject" {
		return fault.Field("do", "Accept or reject.")
	}
	var decisions []store.WallDecision
	var about []string
	for _, pick := range form["pick"] {
		checkout, words, ok := strings.Cut(pick, ":")
		if !ok || words == "" || len(decisions) == most {
			return fault.Field("pick", "Open the page again: it has lost what was ticked.")
		}
		decisions = append(decisions, store.WallDecision{Checkout: checkout, Words: words, Accept: do == "accept"})
		about = append(about, checkout)
	}
	back := path + "?state=" + form.Get("state")
	if len(decisions) == 0 {
		return s.Desk.Back(v, back, "Tick what you want to "+do+".")
	}
	shown, err := s.Wall.Decide(v.Request.Context(), decisions, s.Desk.By(v, "wall."+do, strings.Join(about, " ")))
	if err != nil {
		return err
	}
	flash := fmt.Sprintf("%d %sed.", len(decisions), do)
	switch {
	case shown > 0 && s.Wall.On():
		flash += fmt.Sprintf(" %d are on the wall now.", shown)
	case shown > 0:
		flash += fmt.Sprintf(" %d will be on the wall once it is turned on.", shown)
	}
	return s.Desk.Back(v, back, flash)
}

// turn handles POST /staff/wall/switch.
func (s *Screen) turn(v *desk.Visit) error {
	to := v.PostForm("to")
	if to != "on" && to != "off" {
		return fault.Field("to", "Turn it on or off.")
	}
	e := s.Desk.By(v, "wall."+to, "wall")
	e.At = s.Desk.Now().Truncate(time.Microsecond)
	if err := s.Wall.Switch(v.Request.Context(), to == "on", e); err != nil {
		return err
	}
	return s.Desk.Back(v, path, "The wall is "+to+".")
}
