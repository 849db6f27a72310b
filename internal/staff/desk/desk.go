// Package desk is what all screens of the staff pages stand on: who is signed
// in and what their role lets them see, the frame around a screen, and the
// audit log.
//
// A screen is a package beside this one, with its routes. Each route says which
// role it needs; nothing is open by having been forgotten.
package desk

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// A Role is what somebody may see and do. Each may all that the one before may.
type Role string

// The roles.
const (
	Viewer  Role = "viewer"  // sums, no names
	Finance Role = "finance" // names, exports, refunds
	Admin   Role = store.RoleAdmin
)

// Roles returns all roles, the least first.
func Roles() []Role { return []Role{Viewer, Finance, Admin} }

// Allows reports whether r may what need may.
func (r Role) Allows(need Role) bool { return need.rank() > 0 && r.rank() >= need.rank() }

// rank is 0 for what is no role, which allows nothing and is never enough.
func (r Role) rank() int {
	for i, role := range Roles() {
		if role == r {
			return i + 1
		}
	}
	return 0
}

// A Member is somebody who is signed in.
type Member struct {
	ID, Email string
	Role      Role
}

// A Route is one address of a screen.
type Route struct {
	Method  string // GET, which answers HEAD too, or POST
	Path    string // /staff/…, as gin reads it
	Need    Role   // "" needs no sign-in: the sign-in pages alone
	Nav     string // what the navigation calls it; "" leaves it out
	MaxBody int64  // bytes of a POST; 0 is 64 KiB
	Long    bool   // makes a file of any length: not many at once for each
	Quiet   bool   // a script asks again and again: not logged, and no use of the session
	Handle  func(*Visit) error
}

// A Visit is one request, of a signed-in member wherever the route needs one.
type Visit struct {
	*gin.Context
	Member  Member
	session store.StaffSession
}

// Session returns the id of the session that the request is part of.
func (v *Visit) Session() string { return v.session.ID }

// Proved returns when the visitor last showed who they are; zero if that was
// elsewhere.
func (v *Visit) Proved() time.Time { return v.session.Proved }

// Options are what a desk needs.
type Options struct {
	Store          *store.Store
	Keys           *signin.Keys // sign-in addresses are derived with them
	PublicURL      string
	Sandbox        bool
	Zone           *time.Location // of the times that are shown
	Now            func() time.Time
	Limits         *limits.Limits
	TrustedProxies []netip.Prefix
	Log            *slog.Logger
}

// A Desk is what all screens share.
type Desk struct {
	Options
	nav     []Route
	trouble *look.Template

	pages, files *limits.AtOnce // of one member
}

// How many pages, and files of any length, one member is answered at once, and
// when one more may be asked for again, in seconds.
const (
	maxPages    = 12
	maxFiles    = 2
	retryAtOnce = 5
)

// New returns a desk without screens.
func New(o Options) *Desk {
	d := &Desk{Options: o, pages: limits.NewAtOnce(maxPages), files: limits.NewAtOnce(maxFiles)}
	d.trouble = d.Template(troubleHTML)
	return d
}

// Allow counts one more attempt of the visitor's network to get in. It returns
// a [fault.Limited] where there were too many.
func (d *Desk) Allow(v *Visit) error {
	network := limits.Network(limits.ClientIP(v.Request, d.TrustedProxies))
	ok, wait := d.Limits.Allow(v.Request.Context(), limits.SignIn, network)
	if ok {
		return nil
	}
	d.Failed(v.Request.Context(), "too many attempts from a network", "")
	limited := fault.New(fault.Limited, "There were too many attempts from your network. Wait a little and try again.")
	limited.RetryAfter = int(wait.Seconds()) + 1
	return limited
}

// Template returns the template of a screen; see [look.MustParse] for texts and
// [Desk.Funcs] for what it may call.
func (d *Desk) Template(texts ...string) *look.Template { return look.MustParse(d.Funcs(), texts...) }

// Funcs returns what templates of screens may call.
func (d *Desk) Funcs() template.FuncMap {
	return template.FuncMap{
		"method":  i18n.Method,
		"country": i18n.Country,
		"clock":   i18n.Clock,
		"when":    d.when,
		"date":    d.date,
		"ago":     func(t time.Time) string { return Ago(d.Now(), t) },
	}
}

// home is the first of the staff pages.
const home = "/staff"

// Mount returns the handlers of all screens' routes, in the order in which the
// navigation lists them. Where no screen is at /staff, it leads to the first
// one that the member may see. It is called once.
func (d *Desk) Mount(routes ...Route) []Mounted {
	atHome := false
	for _, r := range routes {
		if r.Nav != "" {
			d.nav = append(d.nav, r)
		}
		atHome = atHome || r.Path == home
	}
	if !atHome {
		routes = append(routes, Route{Method: http.MethodGet, Path: home, Need: Viewer, Handle: d.lead})
	}
	var mounted []Mounted
	for _, r := range routes {
		mounted = append(mounted, Mounted{Route: r, Handle: d.handler(r)})
	}
	return mounted
}

// A Mounted is a route with all that stands before its handler.
type Mounted struct {
	Route
	Handle func(*gin.Context) error
}

func (d *Desk) lead(v *Visit) error {
	for _, r := range d.nav {
		if v.Member.Role.Allows(r.Need) {
			v.Redirect(http.StatusSeeOther, r.Path)
			return nil
		}
	}
	v.Redirect(http.StatusSeeOther, "/staff/account")
	return nil
}

// liveHeader marks what a page asks for by itself.
const liveHeader = "Support-Live"

// visitKey is where a request's visit lives in gin's context.
const visitKey = "staff_visit"

// handler returns r's handler behind the door: who is not signed in is led to
// the sign-in page, and who may not is refused.
func (d *Desk) handler(r Route) func(*gin.Context) error {
	return func(c *gin.Context) error {
		v, err := d.visit(c, r.Quiet || c.GetHeader(liveHeader) != "")
		if err != nil {
			return err
		}
		c.Set(visitKey, v)
		switch {
		case r.Need == "":
		case v.Member.ID == "":
			return d.turnAway(c)
		case !v.Member.Role.Allows(r.Need):
			return fault.New(fault.Forbidden, "Your role, %s, does not open this page; an admin can change it.", v.Member.Role)
		default:
			leave, ok := d.atOnce(r).Enter(v.Member.ID)
			if !ok {
				busy := fault.New(fault.Limited, "You ask for too much at once: wait until what you asked for before has come.")
				busy.RetryAfter = retryAtOnce
				return busy
			}
			defer leave()
		}
		err = r.Handle(v)
		if old, ok := errors.AsType[*stale](err); ok {
			return d.askAgain(v, old.to)
		}
		return err
	}
}

// atOnce is what bounds the requests of one member on a route.
func (d *Desk) atOnce(r Route) *limits.AtOnce {
	if r.Long {
		return d.files
	}
	return d.pages
}

// turnAway leads to the sign-in page, and from there back to a page.
func (d *Desk) turnAway(c *gin.Context) error {
	if !strings.Contains(c.GetHeader("Accept"), "text/html") {
		return fault.New(fault.Unauthorized, "Sign in on the staff pages first.")
	}
	values := url.Values{}
	if c.Request.Method == http.MethodPost {
		values.Set("why", "ended")
	} else if to := c.Request.URL.RequestURI(); to != home {
		values.Set("to", to)
	}
	address := SignInPath
	if len(values) > 0 {
		address += "?" + values.Encode()
	}
	c.Redirect(http.StatusSeeOther, address)
	return nil
}

// Destination returns to if it is an address of the staff pages, and their
// first page otherwise.
func Destination(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || strings.ContainsAny(to, "\\\r\n\t") ||
		u.Path != home && !strings.HasPrefix(u.Path, home+"/") || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "..") {
		return home
	}
	return to
}

// Audit writes an entry of the audit log. What the store changes is audited by
// the store, in the same transaction; this is for all else.
func (d *Desk) Audit(ctx context.Context, e store.Entry) error { return d.Store.Audit(ctx, d.stamp(e)) }

// Entry is a line of the audit log.
type Entry = store.Entry

// By returns an entry about what the visitor does now.
func (d *Desk) By(v *Visit, action, subject string) Entry {
	return d.stamp(Entry{Who: v.Member.Email, Action: action, Subject: subject})
}

func (d *Desk) stamp(e Entry) Entry {
	if e.At.IsZero() {
		e.At = d.Now()
	}
	return e
}
