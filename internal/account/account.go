// Package account is a supporter's own pages: signing in by a mailed link,
// what was given, memberships and how to change, pause and end them, receipts,
// yearly statements and choices. It also tells the news site who is a member.
//
// Only what has the address that was proven by mail is shown. A change is made
// at Stripe and its answer recorded by the ledger, as everything is, so that
// the next page shows it; the event that follows says nothing new.
package account

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// A Limiter says how often one may do something; see [limits.Limits].
type Limiter interface {
	Allow(ctx context.Context, name, key string) (ok bool, retryAfter time.Duration)
}

// A Recorder takes what Stripe answered into the books; see [ledger.Ledger].
type Recorder interface {
	Apply(ctx context.Context, answers ...ledger.Answer) error
}

// Options are what the pages need.
type Options struct {
	Store   *store.Store
	Stripe  *stripeapi.Client
	Ledger  Recorder
	Privacy *privacy.Service
	Keys    *signin.Keys
	Secrets [][]byte // newest first; the keys of membership tokens follow from them
	Limiter Limiter
	Log     *slog.Logger

	PublicURL   string         // how browsers reach us, without a slash at its end
	SiteOrigins []string       // the news site's; the first is its home
	PayOrigins  []string       // where Stripe's pages may be besides Stripe's own
	Zone        *time.Location // of days and years
	Sandbox     bool           // no money moves; every page says so

	TrustedProxies []netip.Prefix
	Now            func() time.Time
}

// A Service serves the pages.
type Service struct {
	Options
	tokens *tokens
	asked  chan struct{} // somebody wants to sign in
}

// New returns the pages. [Service.Run] must run for anybody to be mailed.
func New(o Options) *Service {
	return &Service{Options: o, tokens: newTokens(o.Secrets, o.PublicURL), asked: make(chan struct{}, 1)}
}

// A Route is one address of the pages. A POST comes from our own forms alone.
type Route struct {
	Method, Path string
	Handle       func(*gin.Context) error
}

// Routes returns every address below /account.
func (s *Service) Routes() []Route {
	get, post := http.MethodGet, http.MethodPost
	return []Route{
		{get, "/account", s.front},
		{post, "/account/sign-in", s.ask},
		{get, "/account/code", s.showCode},
		{post, "/account/code", s.useCode},
		{get, signin.AccountPath, s.showLink},
		{post, signin.AccountPath, s.useLink},
		{post, "/account/sign-out", s.signed(s.signOut)},
		{post, "/account/sign-out-everywhere", s.signed(s.signOutEverywhere)},
		{get, "/account/connect", s.connect},
		{get, signin.LeavePath, s.showStop},
		{post, signin.LeavePath, s.stopMail},

		{get, "/account/gifts/:key", s.signed(s.receipt)},
		{get, "/account/statements/:year", s.signed(s.statement)},
		{get, "/account/choices", s.signed(s.showChoices)},
		{post, "/account/choices", s.signed(s.saveChoices)},

		{get, "/account/data", s.signed(s.showData)},
		{get, "/account/data.json", s.signed(s.downloadData)},
		{get, "/account/erase", s.signed(s.showErase)},
		{post, "/account/erase", s.signed(s.erase)},

		{get, "/account/memberships/:id", s.signed(s.membership)},
		{get, "/account/memberships/:id/cancel", s.signed(s.showCancel)},
		{get, "/account/memberships/:id/card", s.signed(s.cardDone)},
		{post, "/account/memberships/:id/change", s.signed(s.change)},
		{post, "/account/memberships/:id/pause", s.signed(s.pause)},
		{post, "/account/memberships/:id/resume", s.signed(s.resume)},
		{post, "/account/memberships/:id/cancel", s.signed(s.cancel)},
		{post, "/account/memberships/:id/keep", s.signed(s.keep)},
		{post, "/account/memberships/:id/card", s.signed(s.card)},
	}
}
