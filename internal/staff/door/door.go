// Package door is the way into the staff pages, and out.
package door

import (
	"cmp"
	_ "embed" // for the pages
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

var (
	//go:embed door.html
	doorHTML string
	//go:embed link.html
	linkHTML string
	//go:embed mailed.html
	mailedHTML string
	//go:embed again.html
	againHTML string
)

// Options are what the way in needs.
type Options struct {
	Desk    *desk.Desk
	Mail    bool   // sign-in addresses can be mailed
	Passkey string // address of the script for passkeys; "" where there can be none
	SSO     string // where single sign-on begins; "" where there is none
}

// A Door is the way in.
type Door struct {
	Options
	page, link, mailed, again *look.Template
	asking                    sync.WaitGroup // mails that are being queued
}

// New returns the way in.
func New(o Options) *Door {
	page := func(text string) *look.Template { return o.Desk.Template(text) }
	return &Door{Options: o, page: page(doorHTML), link: page(linkHTML), mailed: page(mailedHTML), again: page(againHTML)}
}

// Routes returns the addresses that need no sign-in, and the one that ends it.
func (d *Door) Routes() []desk.Route {
	routes := []desk.Route{
		{Method: http.MethodGet, Path: desk.SignInPath, Handle: d.show},
		{Method: http.MethodGet, Path: desk.AgainPath, Need: desk.Viewer, Handle: d.showAgain},
		{Method: http.MethodGet, Path: signin.StaffPath, Handle: d.showLink},
		{Method: http.MethodPost, Path: signin.StaffPath, Handle: d.useLink},
		{Method: http.MethodPost, Path: "/staff/sign-out", Need: desk.Viewer, Handle: d.signOut},
	}
	if d.Mail {
		routes = append(routes,
			desk.Route{Method: http.MethodPost, Path: desk.SignInPath, Handle: d.ask},
			desk.Route{Method: http.MethodPost, Path: desk.SignInPath + "/code", Handle: d.useCode})
	}
	return routes
}

// A view is what the page before the door shows.
type view struct {
	Why, To      string
	Mail         bool
	Passkey      bool
	SSO          string
	Email, Error string
}

// reasons are why somebody stands before the door, by the address's "why".
var reasons = map[string]string{
	"ended":   "You were signed out before that was sent, and nothing was changed. Sign in and do it again.",
	"out":     "You are signed out.",
	"unknown": "That address is not on the team here. Ask an admin to add it.",
}

// show handles GET /staff/sign-in.
func (d *Door) show(v *desk.Visit) error {
	if v.Member.ID != "" {
		v.Redirect(http.StatusSeeOther, desk.Destination(v.Query("to")))
		return nil
	}
	return d.render(v, view{Why: reasons[v.Query("why")]}, http.StatusOK)
}

func (d *Door) render(v *desk.Visit, body view, status int) error {
	body.To, body.Mail, body.Passkey, body.SSO = desk.Destination(cmp.Or(v.Query("to"), v.PostForm("to"))), d.Mail, d.Passkey != "", d.SSO
	page := desk.Page{Title: "Sign in", Narrow: true, Body: body}
	if d.Passkey != "" {
		page.Scripts = []string{d.Passkey}
	}
	return d.Desk.RenderStatus(v, d.page, page, status)
}

// An againView is what the page that asks for another sign-in shows.
type againView struct {
	view
	Sent    bool      // a form was sent too late
	Minutes int       // how old a sign-in may be
	Proved  time.Time // when they last signed in; zero if that was elsewhere
}

// showAgain handles GET /staff/sign-in/again.
func (d *Door) showAgain(v *desk.Visit) error {
	to := desk.Destination(v.Query("to"))
	if d.Desk.IsFresh(v) {
		v.Redirect(http.StatusSeeOther, to)
		return nil
	}
	if err := d.Desk.Remember(v, to); err != nil {
		return err
	}
	body := againView{
		view: view{To: to, Mail: d.Mail, Passkey: d.Passkey != "", SSO: d.SSO, Email: v.Member.Email},
		Sent: v.Query("sent") != "", Minutes: int(desk.FreshFor.Minutes()), Proved: v.Proved(),
	}
	page := desk.Page{Title: "Sign in again", Narrow: true, Body: body}
	if d.Passkey != "" {
		page.Scripts = []string{d.Passkey}
	}
	return d.Desk.Render(v, d.again, page)
}

// A linkView is what the page of a one-time address shows.
type linkView struct {
	Path  string // where the form goes
	Token string
	Email string // whom it signs in; "" where it is no good, or somebody else may be looking
	Ask   bool   // for the address, since another browser asked for the link
	Error string
}

// showLink handles GET of a one-time address. It uses nothing up: programs that read
// mails and chats open every address in them.
func (d *Door) showLink(v *desk.Visit) error {
	token := v.Query("token")
	l, err := d.good(v, token)
	if errors.Is(err, fault.NotFound) {
		return d.over(v)
	}
	if err != nil {
		return err
	}
	return d.showGood(v, l, token, "", http.StatusOK)
}

func (d *Door) showGood(v *desk.Visit, l store.StaffLink, token, wrong string, status int) error {
	body := linkView{Path: signin.StaffPath, Token: token, Email: l.Staff.Email, Ask: d.elsewhere(v, l), Error: wrong}
	if body.Ask {
		body.Email = ""
	}
	return d.Desk.RenderStatus(v, d.link, desk.Page{Title: "Sign in", Narrow: true, Body: body}, status)
}

func (d *Door) over(v *desk.Visit) error {
	return d.Desk.RenderStatus(v, d.link, desk.Page{Title: "This link is over", Narrow: true, Body: linkView{}}, http.StatusNotFound)
}

// useLink handles POST of a one-time address: the link is used up and a session begins.
// Some programs press the buttons of what they find in mails; none types the
// address, which another browser than the one that asked has to.
func (d *Door) useLink(v *desk.Visit) error {
	if err := d.Desk.Allow(v); err != nil {
		return err
	}
	token := v.PostForm("token")
	l, err := d.good(v, token)
	if errors.Is(err, fault.NotFound) {
		d.Desk.Failed(v.Request.Context(), "by a link that is over, or none of ours", "")
		return d.over(v)
	}
	if err != nil {
		return err
	}
	if d.elsewhere(v, l) && store.FoldEmail(v.PostForm("email")) != store.FoldEmail(l.Staff.Email) {
		d.Desk.Failed(v.Request.Context(), "by a link, with another address", l.Staff.Email)
		return d.showGood(v, l, token, "That is not the address that the link was sent to.", http.StatusBadRequest)
	}
	return d.enter(v, l)
}

// enter uses a link up and signs its member in.
func (d *Door) enter(v *desk.Visit, l store.StaffLink) error {
	used, err := d.Desk.Store.UseStaffLink(v.Request.Context(), l.ID, d.Desk.Now())
	if err != nil {
		return err
	}
	if !used {
		d.Desk.Failed(v.Request.Context(), "by a link that was just used", l.Staff.Email)
		return d.over(v)
	}
	if err := d.Desk.SignIn(v, l.Staff, store.ByLink, d.Desk.Now()); err != nil {
		return err
	}
	v.Redirect(http.StatusSeeOther, d.Desk.Remembered(v))
	return nil
}

// good returns the link of a token, or a [fault.NotFound] where it can't be
// used.
func (d *Door) good(v *desk.Visit, token string) (store.StaffLink, error) {
	id, ok := d.Desk.Keys.ID(signin.Staff, strings.TrimSpace(token))
	if !ok {
		return store.StaffLink{}, fault.New(fault.NotFound, "There is no such link.")
	}
	l, err := d.Desk.Store.StaffLinkByID(v.Request.Context(), id)
	return l, d.judge(l, err)
}

func (d *Door) judge(l store.StaffLink, err error) error {
	if err == nil && (!l.Used.IsZero() || !d.Desk.Now().Before(l.Expires)) {
		return fault.New(fault.NotFound, "This link was used or is over.")
	}
	return err
}

// elsewhere reports whether another browser asked for the link.
func (d *Door) elsewhere(v *desk.Visit, l store.StaffLink) bool {
	return l.Browser != "" && l.Browser != desk.Hash(d.Desk.Cookie(v.Context, askedCookie))
}

// signOut handles POST /staff/sign-out.
func (d *Door) signOut(v *desk.Visit) error {
	if err := d.Desk.SignOut(v); err != nil {
		return err
	}
	v.Redirect(http.StatusSeeOther, desk.SignInPath+"?why=out")
	return nil
}
