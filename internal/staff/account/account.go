// Package account is a member's own page: where they are signed in, and their
// passkeys.
package account

import (
	_ "embed" // for the page
	"net/http"

	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

//go:embed account.html
var accountHTML string

// path is the member's own page.
const path = "/staff/account"

// Options are what the page needs.
type Options struct {
	Desk    *desk.Desk
	Passkey string // address of the script for passkeys; "" where there can be none
}

// An Account is the page.
type Account struct {
	Options
	page *look.Template
}

// New returns the page.
func New(o Options) *Account { return &Account{Options: o, page: o.Desk.Template(accountHTML)} }

// Routes returns the page's addresses.
func (a *Account) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Viewer, Handle: a.show},
		{Method: http.MethodPost, Path: path + "/sessions/end", Need: desk.Viewer, Handle: a.end},
		{Method: http.MethodPost, Path: path + "/sessions/end-others", Need: desk.Viewer, Handle: a.endOthers},
	}
}

// A view is what the page shows.
type view struct {
	Member   desk.Member
	Sessions []session
	Others   bool   // there are sessions beside this one
	Passkey  bool   // there can be passkeys
	Again    string // address to sign in again at, before there can be another passkey; "" if now
	Passkeys []store.Passkey
}

type session struct {
	store.StaffSession
	Device string
	Here   bool // it is the one that asks
}

// show handles GET /staff/account.
func (a *Account) show(v *desk.Visit) error {
	sessions, err := a.Desk.Store.StaffSessions(v.Request.Context(), v.Member.ID)
	if err != nil {
		return err
	}
	body := view{Member: v.Member, Others: len(sessions) > 1, Passkey: a.Passkey != ""}
	if body.Passkeys, err = a.Desk.Store.Passkeys(v.Request.Context(), v.Member.ID); err != nil {
		return err
	}
	if !a.Desk.IsFresh(v) {
		body.Again = desk.Again(path)
	}
	for _, s := range sessions {
		body.Sessions = append(body.Sessions, session{s, desk.Device(s.Agent), s.ID == v.Session()})
	}
	page := desk.Page{Title: "My account", Body: body}
	if a.Passkey != "" {
		page.Scripts = []string{a.Passkey}
	}
	return a.Desk.Render(v, a.page, page)
}

// end handles POST /staff/account/sessions/end.
func (a *Account) end(v *desk.Visit) error {
	id := v.PostForm("id")
	if err := a.Desk.Store.EndStaffSession(v.Request.Context(), v.Member.ID, id, a.Desk.By(v, "staff.session.end", id)); err != nil {
		return err
	}
	return a.Desk.Back(v, path, "That session is ended.")
}

// endOthers handles POST /staff/account/sessions/end-others.
func (a *Account) endOthers(v *desk.Visit) error {
	err := a.Desk.Store.EndStaffSessions(v.Request.Context(), v.Member.ID, v.Session(), a.Desk.By(v, "staff.session.end", "all others"))
	if err != nil {
		return err
	}
	return a.Desk.Back(v, path, "You are signed out everywhere else.")
}
