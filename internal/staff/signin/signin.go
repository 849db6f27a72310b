// Package signin is the way into the staff pages, and out.
package signin

import (
	_ "embed" // for the pages
	"errors"
	"net/http"
	"strings"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

var (
	//go:embed signin.html
	signInHTML string
	//go:embed link.html
	linkHTML string
)

// Options are what the way in needs.
type Options struct {
	Desk *desk.Desk
}

// A SignIn is the way in.
type SignIn struct {
	Options
	page, link *look.Template
}

// New returns the way in.
func New(o Options) *SignIn {
	return &SignIn{Options: o, page: o.Desk.Template(signInHTML), link: o.Desk.Template(linkHTML)}
}

// Routes returns the addresses that need no sign-in, and the one that ends it.
func (s *SignIn) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: desk.SignInPath, Handle: s.show},
		{Method: http.MethodGet, Path: desk.LinkPath, Handle: s.showLink},
		{Method: http.MethodPost, Path: desk.LinkPath, Handle: s.useLink},
		{Method: http.MethodPost, Path: "/staff/sign-out", Need: desk.Viewer, Handle: s.signOut},
	}
}

// allow counts one more attempt of the visitor's network to get in. It returns
// a [fault.Limited] where there were too many.
func (s *SignIn) allow(v *desk.Visit) error {
	network := limits.Network(limits.ClientIP(v.Request, s.Desk.TrustedProxies))
	ok, wait := s.Desk.Limits.Allow(v.Request.Context(), limits.SignIn, network)
	if ok {
		return nil
	}
	limited := fault.New(fault.Limited, "There were too many attempts from your network. Wait a little and try again.")
	limited.RetryAfter = int(wait.Seconds()) + 1
	return limited
}

// reasons are why somebody stands before the door, by the address's "why".
var reasons = map[string]string{
	"ended": "You were signed out before that was sent, and nothing was changed. Sign in and do it again.",
	"out":   "You are signed out.",
}

// show handles GET /staff/sign-in.
func (s *SignIn) show(v *desk.Visit) error {
	if v.Member.ID != "" {
		v.Redirect(http.StatusSeeOther, desk.Destination(v.Query("to")))
		return nil
	}
	return s.Desk.Render(v, s.page, desk.Page{Title: "Sign in", Narrow: true, Body: struct{ Why, To string }{
		reasons[v.Query("why")], desk.Destination(v.Query("to")),
	}})
}

// A linkView is what the page of a one-time address shows.
type linkView struct {
	Token string
	Email string // whom it signs in; "" where it is no good
}

// showLink handles GET /staff/link. It uses nothing up: programs that read
// mails and chats open every address in them.
func (s *SignIn) showLink(v *desk.Visit) error {
	token := v.Query("token")
	l, err := s.good(v, token)
	if errors.Is(err, fault.NotFound) {
		return s.Desk.RenderStatus(v, s.link, desk.Page{Title: "This link is over", Narrow: true, Body: linkView{}}, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	return s.Desk.Render(v, s.link, desk.Page{Title: "Sign in", Narrow: true, Body: linkView{Token: token, Email: l.Staff.Email}})
}

// useLink handles POST /staff/link: the link is used up and a session begins.
func (s *SignIn) useLink(v *desk.Visit) error {
	if err := s.allow(v); err != nil {
		return err
	}
	l, err := s.good(v, v.PostForm("token"))
	used := false
	if err == nil {
		used, err = s.Desk.Store.UseStaffLink(v.Request.Context(), l.ID, s.Desk.Now())
	}
	if errors.Is(err, fault.NotFound) || err == nil && !used {
		return s.Desk.RenderStatus(v, s.link, desk.Page{Title: "This link is over", Narrow: true, Body: linkView{}}, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	if err := s.Desk.SignIn(v, l.Staff, store.ByLink); err != nil {
		return err
	}
	v.Redirect(http.StatusSeeOther, "/staff")
	return nil
}

// good returns the link of a token, or a [fault.NotFound] where it can't be
// used.
func (s *SignIn) good(v *desk.Visit, token string) (store.StaffLink, error) {
	l, err := s.Desk.Store.StaffLinkByHash(v.Request.Context(), desk.Hash(strings.TrimSpace(token)))
	if err == nil && (!l.Used.IsZero() || !s.Desk.Now().Before(l.Expires)) {
		err = fault.New(fault.NotFound, "This link was used or is over.")
	}
	return l, err
}

// signOut handles POST /staff/sign-out.
func (s *SignIn) signOut(v *desk.Visit) error {
	if err := s.Desk.SignOut(v); err != nil {
		return err
	}
	v.Redirect(http.StatusSeeOther, desk.SignInPath+"?why=out")
	return nil
}
