// Package tokens is where admins make and end the keys with which programs read
// reports.
package tokens

import (
	_ "embed" // for the page
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

//go:embed tokens.html
var tokensHTML string

const path = "/staff/tokens"

// Options are what the screen needs.
type Options struct {
	Desk    *desk.Desk
	Reports *reports.Service
}

// Tokens are the screen.
type Tokens struct {
	Options
	page *look.Template
}

// New returns the screen.
func New(o Options) *Tokens { return &Tokens{Options: o, page: o.Desk.Template(tokensHTML)} }

// Routes returns the screen's addresses.
func (t *Tokens) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Admin, Nav: "API", Handle: t.show},
		{Method: http.MethodPost, Path: path, Need: desk.Admin, Handle: t.create},
		{Method: http.MethodPost, Path: path + "/revoke", Need: desk.Admin, Handle: t.revoke},
	}
}

// A view is what the page shows.
type view struct {
	Tokens []row
	URL    string // of this service
	Since  string // a day, for the example
	To     string // the day after the last one, for the example

	Name, Role string // as they were typed
	Error      string // what is wrong with them; "" if nothing
	Made       string // the text of the token that was just made; "" if none was
}

// A row is a token in the table.
type row struct {
	store.Token
	Reads string // address of what it read
}

// show handles GET /staff/tokens.
func (t *Tokens) show(v *desk.Visit) error {
	return t.render(v, view{Role: reports.RoleViewer}, http.StatusOK)
}

func (t *Tokens) render(v *desk.Visit, body view, status int) error {
	all, err := t.Desk.Store.Tokens(v.Request.Context())
	if err != nil {
		return err
	}
	for _, one := range all {
		body.Tokens = append(body.Tokens, row{one, "/staff/audit?" + url.Values{"who": {reports.TokenWho(one.Name)}}.Encode()})
	}
	today := t.Desk.Now().In(t.Desk.Zone)
	body.URL, body.To, body.Since = t.Desk.PublicURL, today.Format(time.DateOnly), today.AddDate(0, -1, 0).Format(time.DateOnly)
	return t.Desk.RenderStatus(v, t.page, desk.Page{Title: "API", Body: body}, status)
}

// create handles POST /staff/tokens. The token is in this answer alone: it is
// kept nowhere.
func (t *Tokens) create(v *desk.Visit) error {
	if err := t.Desk.Fresh(v, path); err != nil {
		return err
	}
	body := view{Name: strings.TrimSpace(v.PostForm("name")), Role: v.PostForm("role")}
	e := t.Desk.By(v, "token.create", body.Name)
	e.Detail = "role " + body.Role
	text, err := t.Reports.CreateToken(v.Request.Context(), body.Name, body.Role, e)
	if wrong, ok := errors.AsType[*fault.Error](err); ok && wrong.Kind != fault.NotFound {
		body.Error = wrong.Detail
		return t.render(v, body, http.StatusBadRequest)
	}
	if err != nil {
		return err
	}
	body.Made = text
	return t.render(v, body, http.StatusOK)
}

// revoke handles POST /staff/tokens/revoke.
func (t *Tokens) revoke(v *desk.Visit) error {
	name := v.PostForm("name")
	if err := t.Desk.Store.RevokeToken(v.Request.Context(), name, t.Desk.Now(), t.Desk.By(v, "token.revoke", name)); err != nil {
		return err
	}
	return t.Desk.Back(v, path, "The token "+name+" is revoked: programs that have it are refused from now on.")
}
