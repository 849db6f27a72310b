package desk

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/united24media/support/internal/fault"
)

// AgainPath is the page that asks somebody who is signed in to sign in once
// more.
const AgainPath = SignInPath + "/again"

// backCookie is of a browser that comes back to a page once somebody has signed
// in by an address.
const backCookie = "support_staff_back"

// stale is the error of a visitor whose sign-in is too long ago.
type stale struct{ to string }

func (*stale) Error() string { return "the sign-in is not fresh" }

// Fresh is asked before money goes back, names leave, or somebody gets a way in:
// what must not be done by whoever finds a screen open or a cookie of last week's.
// Where the visitor's sign-in is older than [FreshFor] its error leads to a page
// that asks for another one, and from there to an address of ours. A form that
// was opened in time may be sent for as long again.
func (d *Desk) Fresh(v *Visit, to string) error {
	if d.IsFresh(v) || v.Request.Method == http.MethodPost && d.Now().Sub(v.session.Proved) < freshForm {
		return nil
	}
	return &stale{to}
}

// IsFresh reports whether the visitor signed in a short time ago.
func (d *Desk) IsFresh(v *Visit) bool { return d.Now().Sub(v.session.Proved) < FreshFor }

// Again returns the address of the page that asks for another sign-in and leads
// back to a page of ours.
func Again(to string) string { return AgainPath + "?" + url.Values{"to": {to}}.Encode() }

// askAgain leads to the page that asks for another sign-in.
func (d *Desk) askAgain(v *Visit, to string) error {
	if !strings.Contains(v.GetHeader("Accept"), "text/html") {
		return fault.New(fault.Forbidden, "Your sign-in is more than %.0f minutes old: sign in again first, at %s.", FreshFor.Minutes(), AgainPath)
	}
	address := Again(to)
	if v.Request.Method == http.MethodPost {
		address += "&sent=1"
	}
	v.Redirect(http.StatusSeeOther, address)
	return nil
}

// Remember keeps where the browser goes when somebody signs in by an address.
func (d *Desk) Remember(v *Visit, to string) error {
	if to = Destination(to); to == home {
		return nil
	}
	return d.Challenge(v.Context, backCookie, to)
}

// Remembered returns where the browser goes now that somebody has signed in.
func (d *Desk) Remembered(v *Visit) string {
	if d.Cookie(v.Context, backCookie) == "" {
		return home
	}
	to, err := d.Answer(v.Context, backCookie)
	if err != nil {
		d.Log.DebugContext(v.Request.Context(), "staff: the page to come back to is not known", "err", err)
		return home
	}
	return Destination(to)
}
