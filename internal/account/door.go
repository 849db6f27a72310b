package account

import (
	"errors"
	"net/http"
	netmail "net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// Limits of signing in.
const (
	linkTime   = 10 * time.Minute // a link and its code are good for
	codeTries  = 3                // codes typed for one link
	maxWishes  = 4                // of one browser that a code may be for
	maxAddress = 254              // bytes, RFC 5321
)

// A doorView is what the pages before the sign-in show.
type doorView struct {
	Lang    string
	State   string // ask, code, link, locked or over
	Trouble string // one sentence; "" if all is well
	Field   string // the control it is about
	Address string
	To      string
	Token   string
	Done    string // what was just done: out, or erased; "" if nothing
	Minutes int
}

// front handles GET /account: what was given, or the door.
func (s *Service) front(c *gin.Context) error {
	v, ok, err := s.visit(c)
	if err != nil {
		return err
	}
	if ok {
		return s.home(v)
	}
	d := doorView{State: "ask", To: s.destination(c.Query("to"))}
	switch c.Query("done") {
	case "out":
		d.Done = "account.done.out"
	case "erased":
		d.Done = "erase.done"
	}
	return s.door(c, http.StatusOK, d)
}

// door renders a page before the sign-in.
func (s *Service) door(c *gin.Context, status int, d doorView) error {
	d.Lang, d.Minutes = s.lang(c, ""), int(linkTime/time.Minute)
	return s.render(c, doorPage, status, d.Lang, "account.door.title", d)
}

// destination returns where a visitor may go after the sign-in: a page of the
// account, or of the news site, which then learns of the membership. Anything
// else is "".
func (s *Service) destination(to string) string {
	if origin := clean.Origin(to); origin != "" {
		if slices.Contains(s.SiteOrigins, origin) {
			return to
		}
		return ""
	}
	u, err := url.Parse(to)
	if err != nil || u.Host != "" || u.Scheme != "" || u.Opaque != "" || !strings.HasPrefix(to, "/account/") || strings.ContainsAny(to, "\\\r\n") {
		return ""
	}
	return to
}

// ask handles POST /account/sign-in. It does the same for every address: that
// one has gifts is found out later, by [Service.Run].
func (s *Service) ask(c *gin.Context) error {
	d := doorView{State: "ask", Field: "address", Address: clean.Text(c.PostForm("address")), To: s.destination(c.PostForm("to"))}
	lang := s.lang(c, "")
	if !isAddress(d.Address) {
		d.Trouble = i18n.T(lang, "account.error.address")
		return s.door(c, http.StatusUnprocessableEntity, d)
	}
	ctx := c.Request.Context()
	for _, limit := range [...][2]string{
		{limits.Account, s.network(c)}, {limits.AccountWho, strings.ToLower(d.Address)}, {limits.AccountAll, ""},
	} {
		if err := s.allow(c, limit[0], limit[1]); err != nil {
			return s.tooMany(c, d, err)
		}
	}
	browser := s.cookie(c, browserCookie)
	if len(browser) < 20 {
		browser, _ = newSecret()
	}
	now := s.Now()
	wish := store.SignIn{
		ID: signin.NewID(), Address: d.Address, Browser: hashOf(browser), Locale: lang, ReturnURL: d.To,
		Created: now, Expires: now.Add(linkTime),
	}
	if err := s.Store.AddSignIn(ctx, wish); err != nil {
		return err
	}
	select {
	case s.asked <- struct{}{}:
	default: // it looks already
	}
	s.setCookie(c, browserCookie, browser, linkTime)
	c.Redirect(http.StatusSeeOther, "/account/code")
	return nil
}

// isAddress reports whether mail could be sent to an address. It takes no
// name, no comment and no list.
func isAddress(text string) bool {
	if len(text) > maxAddress || strings.ContainsAny(text, " ,;<>()\"") {
		return false
	}
	parsed, err := netmail.ParseAddress(text)
	if err != nil || parsed.Address != text {
		return false
	}
	_, domain, _ := strings.Cut(text, "@")
	return strings.Contains(domain, ".") && !strings.HasSuffix(domain, ".")
}

// tooMany shows the page again after a limit said no, and how long to wait.
func (s *Service) tooMany(c *gin.Context, d doorView, err error) error {
	limited, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	d.Field = ""
	c.Header("Retry-After", strconv.Itoa(limited.RetryAfter))
	d.Trouble = i18n.T(s.lang(c, ""), "account.error.limited", i18n.Args{"Count": (limited.RetryAfter + 59) / 60})
	return s.door(c, http.StatusTooManyRequests, d)
}

// showCode handles GET /account/code: look into your mail, or type the code.
func (s *Service) showCode(c *gin.Context) error {
	return s.door(c, http.StatusOK, doorView{State: "code"})
}

// useCode handles POST /account/code: the browser that asked, and the code.
func (s *Service) useCode(c *gin.Context) error {
	d := doorView{State: "code", Field: "code"}
	if err := s.allow(c, limits.Account, s.network(c)); err != nil {
		return s.tooMany(c, d, err)
	}
	var wishes []store.SignIn
	if browser := s.cookie(c, browserCookie); browser != "" {
		var err error
		if wishes, err = s.Store.SignInsByBrowser(c.Request.Context(), hashOf(browser), s.Now(), maxWishes); err != nil {
			return err
		}
	}
	for _, wish := range wishes {
		if ok, err := s.isCode(c, wish, c.PostForm("code")); err != nil {
			return err
		} else if ok {
			return s.enter(c, wish)
		}
	}
	s.failed(c, "by a code")
	d.Trouble = i18n.T(s.lang(c, ""), "account.error.code")
	return s.door(c, http.StatusUnprocessableEntity, d)
}

// isCode reports whether what was typed is the code of a wish. It counts the
// try first, so that nobody tries often at once.
func (s *Service) isCode(c *gin.Context, wish store.SignIn, typed string) (bool, error) {
	left, err := s.Store.TryCode(c.Request.Context(), wish.ID, codeTries, s.Now())
	return err == nil && left && s.Keys.IsCode(signin.Account, wish.ID, typed), err
}

// good returns the wish of a token, or a [fault.NotFound] where it can't be
// used.
func (s *Service) good(c *gin.Context, token string) (store.SignIn, error) {
	over := fault.New(fault.NotFound, "This link was used or is over.")
	id, ok := s.Keys.ID(signin.Account, strings.TrimSpace(token))
	if !ok {
		return store.SignIn{}, over
	}
	wish, err := s.Store.SignInByID(c.Request.Context(), id)
	if err == nil && (!wish.Used.IsZero() || !s.Now().Before(wish.Expires)) {
		err = over
	}
	return wish, err
}

// asksHere reports whether a request comes from the browser that asked.
func (s *Service) asksHere(c *gin.Context, wish store.SignIn) bool {
	browser := s.cookie(c, browserCookie)
	return browser != "" && hashOf(browser) == wish.Browser
}

// showLink handles GET /account/enter. It uses nothing up: programs that read
// mail open every address in it.
func (s *Service) showLink(c *gin.Context) error {
	token := c.Query("token")
	wish, err := s.good(c, token)
	switch {
	case errors.Is(err, fault.NotFound):
		return s.door(c, http.StatusNotFound, doorView{State: "over"})
	case err != nil:
		return err
	case s.asksHere(c, wish):
		return s.door(c, http.StatusOK, doorView{State: "link", Token: token, Address: wish.Address})
	}
	return s.door(c, http.StatusOK, doorView{State: "locked", Token: token})
}

// useLink handles POST /account/enter. Some of those programs press buttons
// too: without the cookie of the browser that asked, the code has to be typed.
func (s *Service) useLink(c *gin.Context) error {
	d := doorView{State: "locked", Token: c.PostForm("token"), Field: "code"}
	if err := s.allow(c, limits.Account, s.network(c)); err != nil {
		return s.tooMany(c, d, err)
	}
	wish, err := s.good(c, d.Token)
	switch {
	case errors.Is(err, fault.NotFound):
		s.failed(c, "by a link that is over, or none of ours")
		return s.door(c, http.StatusNotFound, doorView{State: "over"})
	case err != nil:
		return err
	case s.asksHere(c, wish):
		return s.enter(c, wish)
	case c.PostForm("code") == "":
		return s.door(c, http.StatusUnprocessableEntity, doorView{State: "locked", Token: d.Token})
	}
	ok, err := s.isCode(c, wish, c.PostForm("code"))
	if err != nil {
		return err
	}
	if ok {
		return s.enter(c, wish)
	}
	s.failed(c, "by a link, with another code")
	d.Trouble = i18n.T(s.lang(c, ""), "account.error.code")
	return s.door(c, http.StatusUnprocessableEntity, d)
}

// enter uses a wish up and begins a session in this browser; one that was open
// here ends.
func (s *Service) enter(c *gin.Context, wish store.SignIn) error {
	ctx := c.Request.Context()
	secret, hash := newSecret()
	used, err := s.Store.UseSignIn(ctx, wish.ID, hash, s.Now())
	if err != nil {
		return err
	}
	if !used {
		return s.door(c, http.StatusNotFound, doorView{State: "over"})
	}
	if old := s.cookie(c, sessionCookie); old != "" {
		if err := s.Store.EndAccountSession(ctx, hashOf(old)); err != nil {
			return err
		}
	}
	s.setCookie(c, sessionCookie, secret, AbsoluteTime)
	s.setCookie(c, browserCookie, "", 0)
	to := s.destination(wish.ReturnURL)
	switch {
	case clean.Origin(to) != "":
		to = "/account/connect?" + url.Values{"return_url": {to}}.Encode()
	case to == "":
		to = "/account"
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

// signOut handles POST /account/sign-out.
func (s *Service) signOut(v *visit) error {
	if err := s.Store.EndAccountSession(v.Request.Context(), v.session.Hash); err != nil {
		return err
	}
	return s.leave(v)
}

// signOutEverywhere handles POST /account/sign-out-everywhere.
func (s *Service) signOutEverywhere(v *visit) error {
	if err := s.Store.EndAccountSessions(v.Request.Context(), v.address(), s.Now()); err != nil {
		return err
	}
	return s.leave(v)
}

func (s *Service) leave(v *visit) error {
	s.setCookie(v.Context, sessionCookie, "", 0)
	v.Redirect(http.StatusSeeOther, "/account?done=out")
	return nil
}
