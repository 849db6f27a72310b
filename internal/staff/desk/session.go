package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// SignInPath is the page before the door.
const SignInPath = "/staff/sign-in"

// Lives of what lets somebody in.
const (
	Idle     = 12 * time.Hour     // of a session that is not used
	Absolute = 7 * 24 * time.Hour // of a session however much it is used
	LinkLife = 24 * time.Hour     // of an address that an admin or the command line made

	FreshFor  = 15 * time.Minute // of a sign-in, for what a stolen session must not do
	freshForm = 2 * FreshFor     // the same, to send a form that was opened in time

	challengeLife = 10 * time.Minute // to touch a passkey, or to sign in elsewhere

	touchEvery = time.Minute // how exactly it is known when a session was used
	maxAgent   = 300         // bytes of what a browser calls itself that are kept
)

// Cookies. A browser keeps one with the prefix only over https, from the very
// host, for all of it.
const (
	sessionCookie = "support_staff"
	hostPrefix    = "__Host-"
)

// SetCookie gives the browser a cookie of ours for a time, which no script can
// read and no other site's form sends. A life of 0 takes it away.
func (d *Desk) SetCookie(c *gin.Context, name, value string, life time.Duration) {
	cookie := &http.Cookie{
		Name: d.cookie(name), Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: d.https(), SameSite: http.SameSiteLaxMode,
	}
	if life <= 0 {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.Writer, cookie)
}

// Cookie returns the value of a cookie of ours, "" if there is none.
func (d *Desk) Cookie(c *gin.Context, name string) string {
	cookie, err := c.Request.Cookie(d.cookie(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (d *Desk) cookie(name string) string {
	if d.https() {
		return hostPrefix + name
	}
	return name
}

func (d *Desk) https() bool { return strings.HasPrefix(d.PublicURL, "https://") }

// visit returns the request as one of whoever is signed in, if somebody is. A
// quiet one is no use of the session: a page that is left open ends it as well.
func (d *Desk) visit(c *gin.Context, quiet bool) (*Visit, error) {
	v := &Visit{Context: c}
	text := d.Cookie(c, sessionCookie)
	if text == "" {
		return v, nil
	}
	ctx := c.Request.Context()
	session, err := d.Store.StaffSessionByHash(ctx, Hash(text))
	now := d.Now()
	switch {
	case errors.Is(err, fault.NotFound):
		return v, nil
	case err != nil:
		return nil, err
	case now.Sub(session.Used) >= Idle, now.Sub(session.Created) >= Absolute:
		return v, nil
	}
	if !quiet && now.Sub(session.Used) >= touchEvery {
		if err := d.Store.TouchStaffSession(ctx, session.ID, now); err != nil {
			d.Log.WarnContext(ctx, "staff: it could not be noted that a session was used", "err", err)
		}
	}
	v.session = session
	v.Member = Member{ID: session.Staff.ID, Email: session.Staff.Email, Role: Role(session.Staff.Role)}
	return v, nil
}

// SignIn begins a session of somebody in the visitor's browser, under a new
// cookie; one that was there ends. proved is when they showed who they are: see
// [Desk.Fresh].
func (d *Desk) SignIn(v *Visit, who store.Staff, method string, proved time.Time) error {
	text, now := Token(), d.Now()
	agent := v.Request.UserAgent()
	session := store.StaffSession{
		ID: "ses_" + strings.ToLower(rand.Text()), Staff: who, Method: method, Created: now, Proved: proved,
		Agent: strings.ToValidUTF8(strings.ReplaceAll(agent[:min(len(agent), maxAgent)], "\x00", ""), ""),
	}
	err := d.Store.AddStaffSession(v.Request.Context(), session, Hash(text), Hash(d.Cookie(v.Context, sessionCookie)), now.Add(-Idle),
		d.stamp(Entry{Who: who.Email, Action: "staff.sign-in", Detail: "by " + method}))
	if err != nil {
		return err
	}
	d.SetCookie(v.Context, sessionCookie, text, Absolute)
	return nil
}

// SignOut ends the visitor's session.
func (d *Desk) SignOut(v *Visit) error {
	err := d.Store.EndStaffSession(v.Request.Context(), v.Member.ID, v.session.ID, d.By(v, "staff.sign-out", ""))
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	d.SetCookie(v.Context, sessionCookie, "", 0)
	return nil
}

// NewLink makes a one-time address that signs somebody in, and ends the ones
// they had. browser is the hash of the cookie of whoever asked for it, "" where
// it was not the member.
func (d *Desk) NewLink(ctx context.Context, who store.Staff, life time.Duration, browser string, e Entry) (id, address string, err error) {
	id = signin.NewID()
	now := d.Now()
	err = d.Store.AddStaffLink(ctx, store.StaffLink{
		ID: id, Staff: who, Browser: browser, Created: now, Expires: now.Add(life),
	}, d.stamp(e))
	return id, d.PublicURL + signin.StaffPath + "?token=" + d.Keys.Token(signin.Staff, id), err
}

// Challenge gives the browser a cookie and keeps what it has to come back with,
// for as long as somebody may take to answer.
func (d *Desk) Challenge(c *gin.Context, purpose, data string) error {
	text, now := Token(), d.Now()
	if err := d.Store.AddChallenge(c.Request.Context(), Hash(text), purpose, data, now, now.Add(challengeLife)); err != nil {
		return err
	}
	d.SetCookie(c, purpose, text, challengeLife)
	return nil
}

// Answer returns what was kept for the browser's cookie, once, or a
// [fault.Invalid].
func (d *Desk) Answer(c *gin.Context, purpose string) (string, error) {
	data, err := d.Store.TakeChallenge(c.Request.Context(), Hash(d.Cookie(c, purpose)), purpose, d.Now())
	d.SetCookie(c, purpose, "", 0)
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return "", fault.New(fault.Invalid, "%s", known.Detail)
	}
	return data, err
}

// Token returns a text that nobody can guess: 256 random bits.
func Token() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails, by its documentation
	return base64.RawURLEncoding.EncodeToString(random[:])
}

// Hash returns what the database keeps of a text that opens something.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// NewMemberID returns a new member's id.
func NewMemberID() string { return "mem_" + strings.ToLower(rand.Text()) }
