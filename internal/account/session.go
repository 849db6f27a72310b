package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/store"
)

// How long a session lives. docs/privacy.md says the same.
const (
	IdleTime     = 14 * 24 * time.Hour // without being used
	AbsoluteTime = 60 * 24 * time.Hour // in all
	touchEvery   = time.Minute         // how exactly its use is noted
)

// Cookies, each with the prefix that browsers guard where there is https.
const (
	sessionCookie = "support_account"
	browserCookie = "support_browser" // the browser that asked for a link
	langCookie    = "support_lang"    // chosen by a link
)

// A visit is one request of somebody who is signed in.
type visit struct {
	*gin.Context
	session store.AccountSession
	choices store.Choices
	lang    string
}

// address is the one that was proven by mail.
func (v *visit) address() string { return v.session.Address }

// newSecret returns a secret of 130 random bits for a cookie, and the hash
// that is kept of it.
func newSecret() (secret, hash string) {
	secret = rand.Text()
	return secret, hashOf(secret)
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func (s *Service) secure() bool { return strings.HasPrefix(s.PublicURL, "https://") }

func (s *Service) cookieName(name string) string {
	if s.secure() {
		return "__Host-" + name
	}
	return name
}

// setCookie gives the browser a cookie that no script reads and no other site
// sends; "" takes it away.
func (s *Service) setCookie(c *gin.Context, name, value string, life time.Duration) {
	cookie := &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.Writer, cookie)
}

func (s *Service) cookie(c *gin.Context, name string) string {
	cookie, err := c.Request.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// session returns the session of a request; ok is false where there is none
// that still counts.
func (s *Service) session(c *gin.Context) (n store.AccountSession, ok bool, err error) {
	secret := s.cookie(c, sessionCookie)
	if secret == "" {
		return n, false, nil
	}
	n, err = s.Store.AccountSession(c.Request.Context(), hashOf(secret))
	now := s.Now()
	switch {
	case errors.Is(err, fault.NotFound):
		return n, false, nil
	case err != nil:
		return n, false, err
	case now.Sub(n.Used) > IdleTime, now.Sub(n.Created) > AbsoluteTime:
		return n, false, s.Store.EndAccountSession(c.Request.Context(), n.Hash)
	case now.Sub(n.Used) >= touchEvery:
		err = s.Store.TouchAccountSession(c.Request.Context(), n.Hash, now)
	}
	return n, true, err
}

// visit returns the visit of a request; ok is false where nobody is signed in.
func (s *Service) visit(c *gin.Context) (v *visit, ok bool, err error) {
	n, ok, err := s.session(c)
	if err != nil || !ok {
		return nil, false, err
	}
	v = &visit{Context: c, session: n}
	if v.choices, _, err = s.Store.ChoicesOf(c.Request.Context(), n.Address); err != nil {
		return nil, false, err
	}
	v.lang = s.lang(c, v.choices.Locale)
	return v, true, nil
}

// signed handles requests of those who are signed in. Others are led to the
// door, and from there to where they wanted.
func (s *Service) signed(h func(*visit) error) func(*gin.Context) error {
	return func(c *gin.Context) error {
		v, ok, err := s.visit(c)
		if err != nil {
			return err
		}
		if ok {
			return h(v)
		}
		door := "/account"
		if c.Request.Method == http.MethodGet {
			door += "?" + url.Values{"to": {c.Request.URL.Path}}.Encode()
		}
		c.Redirect(http.StatusSeeOther, door)
		return nil
	}
}

// lang returns the language to answer in: the address's, which is kept for the
// pages that follow, else what somebody chose before, else the browser's.
func (s *Service) lang(c *gin.Context, chosen string) string {
	if asked, ok := i18n.Match(c.Query("lang")); ok {
		if asked != s.cookie(c, langCookie) {
			s.setCookie(c, langCookie, asked, AbsoluteTime)
		}
		return asked
	}
	for _, known := range [...]string{s.cookie(c, langCookie), chosen} {
		if lang, ok := i18n.Match(known); ok {
			return lang
		}
	}
	return i18n.Negotiate("", c.GetHeader("Accept-Language"))
}

// allow counts one more act under a limit. It returns a [fault.Limited] where
// there were too many.
func (s *Service) allow(c *gin.Context, name, key string) error {
	ok, wait := s.Limiter.Allow(c.Request.Context(), name, key)
	if ok {
		return nil
	}
	if name != limits.AccountAct && name != limits.AccountData {
		s.failed(c, "too many attempts")
	}
	limited := fault.New(fault.Limited, "There were too many attempts. Please wait a little and try again.")
	limited.RetryAfter = int(wait.Seconds()) + 1
	return limited
}

// failed notes in the audit log that somebody did not get in, and how, in words
// of ours: nothing that tells who. A flood makes few entries.
func (s *Service) failed(c *gin.Context, how string) {
	ctx := c.Request.Context()
	err := s.Store.AuditSeldom(ctx, store.Entry{At: s.Now(), Who: "somebody", Action: "account.sign-in.failed", Detail: how})
	if err != nil && !store.Away(err) {
		s.Log.WarnContext(ctx, "account: that a sign-in failed was not noted", "err", err)
	}
}

func (s *Service) network(c *gin.Context) string {
	return limits.Network(limits.ClientIP(c.Request, s.TrustedProxies))
}
