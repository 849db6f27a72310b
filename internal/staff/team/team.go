// Package team is where admins say who works here.
package team

import (
	_ "embed" // for the pages
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"strings"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

var (
	//go:embed team.html
	teamHTML string
	//go:embed member.html
	memberHTML string
)

// path is the list of everybody; below it stands each one's own page.
const path = "/staff/team"

// maxEmail is the most bytes of an address (RFC 5321, 4.5.3.1.3).
const maxEmail = 254

// Options are what the screen needs.
type Options struct {
	Desk *desk.Desk
}

// A Team is the screen.
type Team struct {
	Options
	list, member *look.Template
}

// New returns the screen.
func New(o Options) *Team {
	return &Team{Options: o, list: o.Desk.Template(teamHTML), member: o.Desk.Template(memberHTML)}
}

// Routes returns the screen's addresses.
func (t *Team) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Admin, Nav: "Team", Handle: t.showList},
		{Method: http.MethodPost, Path: path, Need: desk.Admin, Handle: t.add},
		{Method: http.MethodGet, Path: path + "/:id", Need: desk.Admin, Handle: t.showMember},
		{Method: http.MethodPost, Path: path + "/:id/role", Need: desk.Admin, Handle: t.setRole},
		{Method: http.MethodPost, Path: path + "/:id/link", Need: desk.Admin, Handle: t.makeLink},
		{Method: http.MethodPost, Path: path + "/:id/sign-out", Need: desk.Admin, Handle: t.signOut},
		{Method: http.MethodPost, Path: path + "/:id/remove", Need: desk.Admin, Handle: t.remove},
	}
}

// A roleWord is a role and what it means.
type roleWord struct{ Role, Means string }

// roles returns all roles in words.
func roles() []roleWord {
	means := map[desk.Role]string{
		desk.Viewer:  "sees sums and reports, no names",
		desk.Finance: "also names and addresses, exports, refunds",
		desk.Admin:   "also who works here, settings, the kill switch",
	}
	var words []roleWord
	for _, r := range desk.Roles() {
		words = append(words, roleWord{string(r), means[r]})
	}
	return words
}

// A listView is what the list shows.
type listView struct {
	Members []store.Staff
	Roles   []roleWord
	Me      string // the visitor's id
	Email   string // as it was typed
	Role    string
	Error   string // what is wrong with the address; "" if nothing
}

// showList handles GET /staff/team.
func (t *Team) showList(v *desk.Visit) error {
	return t.renderList(v, listView{Role: string(desk.Viewer)}, http.StatusOK)
}

func (t *Team) renderList(v *desk.Visit, body listView, status int) (err error) {
	if body.Members, err = t.Desk.Store.StaffList(v.Request.Context()); err != nil {
		return err
	}
	body.Roles, body.Me = roles(), v.Member.ID
	return t.Desk.RenderStatus(v, t.list, desk.Page{Title: "Team", Body: body}, status)
}

// add handles POST /staff/team.
func (t *Team) add(v *desk.Visit) error {
	if err := t.Desk.Fresh(v, path); err != nil {
		return err
	}
	email, role := strings.TrimSpace(v.PostForm("email")), desk.Role(v.PostForm("role"))
	if !role.Allows(desk.Viewer) {
		return fault.Field("role", "Choose one of the roles.")
	}
	wrong := func(text string) error {
		return t.renderList(v, listView{Email: email, Role: string(role), Error: text}, http.StatusBadRequest)
	}
	if address, err := mail.ParseAddress(email); err != nil || address.Address != email || len(email) > maxEmail {
		return wrong("Write an e-mail address, such as name@example.org.")
	}
	m := store.Staff{ID: desk.NewMemberID(), Email: email, Role: string(role), Created: t.Desk.Now()}
	e := t.Desk.By(v, "staff.add", email)
	e.Detail = "role " + m.Role
	err := t.Desk.Store.AddStaff(v.Request.Context(), m, e)
	if known, ok := errors.AsType[*fault.Error](err); ok && known.Field == "email" {
		return wrong(known.Detail)
	}
	if err != nil {
		return err
	}
	return t.Desk.Back(v, path+"/"+m.ID, fmt.Sprintf("%s is a member now. Make a sign-in address below and pass it on.", email))
}

// A memberView is what the page of one member shows.
type memberView struct {
	Member   store.Staff
	Roles    []roleWord
	Me       bool   // it is the visitor
	Address  string // that was just made; "" if none was
	Hours    int    // how long that is good
	Sessions int
}

// showMember handles GET /staff/team/:id.
func (t *Team) showMember(v *desk.Visit) error { return t.renderMember(v, "") }

func (t *Team) renderMember(v *desk.Visit, address string) error {
	m, err := t.Desk.Store.StaffByID(v.Request.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	sessions, err := t.Desk.Store.StaffSessions(v.Request.Context(), m.ID)
	if err != nil {
		return err
	}
	return t.Desk.Render(v, t.member, desk.Page{Title: m.Email, Narrow: true, Body: memberView{
		Member: m, Roles: roles(), Me: m.ID == v.Member.ID, Address: address, Hours: int(desk.LinkLife.Hours()), Sessions: len(sessions),
	}})
}

// setRole handles POST /staff/team/:id/role.
func (t *Team) setRole(v *desk.Visit) error {
	role := desk.Role(v.PostForm("role"))
	if !role.Allows(desk.Viewer) {
		return fault.Field("role", "Choose one of the roles.")
	}
	if err := t.Desk.Fresh(v, path+"/"+v.Param("id")); err != nil {
		return err
	}
	m, err := t.Desk.Store.StaffByID(v.Request.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	e := t.Desk.By(v, "staff.role", m.Email)
	e.Detail = m.Role + " → " + string(role)
	if err := t.Desk.Store.SetStaffRole(v.Request.Context(), m.ID, string(role), e); err != nil {
		return err
	}
	to := path
	if m.ID == v.Member.ID && role != desk.Admin { // who gave the role up may not see the list any more
		to = "/staff/account"
	}
	return t.Desk.Back(v, to, fmt.Sprintf("%s has the role %s now.", m.Email, role))
}

// makeLink handles POST /staff/team/:id/link. The address is in this answer
// alone: it is kept nowhere.
func (t *Team) makeLink(v *desk.Visit) error {
	if err := t.Desk.Fresh(v, path+"/"+v.Param("id")); err != nil {
		return err
	}
	m, err := t.Desk.Store.StaffByID(v.Request.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	_, address, err := t.Desk.NewLink(v.Request.Context(), m, desk.LinkLife, "", t.Desk.By(v, "staff.link", m.Email))
	if err != nil {
		return err
	}
	return t.renderMember(v, address)
}

// signOut handles POST /staff/team/:id/sign-out.
func (t *Team) signOut(v *desk.Visit) error {
	m, err := t.Desk.Store.StaffByID(v.Request.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	if err := t.Desk.Store.EndStaffSessions(v.Request.Context(), m.ID, v.Session(), t.Desk.By(v, "staff.session.end", m.Email)); err != nil {
		return err
	}
	return t.Desk.Back(v, path+"/"+m.ID, m.Email+" is signed out everywhere.")
}

// remove handles POST /staff/team/:id/remove.
func (t *Team) remove(v *desk.Visit) error {
	if err := t.Desk.Fresh(v, path+"/"+v.Param("id")); err != nil {
		return err
	}
	m, err := t.Desk.Store.StaffByID(v.Request.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	if v.PostForm("sure") == "" {
		return fault.Field("sure", "Nobody was removed: tick that you are sure.")
	}
	if err := t.Desk.Store.RemoveStaff(v.Request.Context(), m.ID, t.Desk.By(v, "staff.remove", m.Email)); err != nil {
		return err
	}
	return t.Desk.Back(v, path, m.Email+" is removed, and signed out everywhere.")
}
