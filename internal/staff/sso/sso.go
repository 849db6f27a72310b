// Package sso signs members in by the organisation's own sign-on (OpenID
// Connect): code flow with PKCE, state and nonce, all bound to the browser that
// began. Only addresses that are on the team come in.
package sso

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/outward"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// Path is where a sign-on begins.
const Path = "/staff/sso"

const (
	backPath = Path + "/back"      // where the provider sends the browser
	purpose  = "support_staff_sso" // of the challenge, and its cookie's name
	patience = 10 * time.Second    // for one answer of the provider
)

// Options are what the sign-on needs.
type Options struct {
	Desk             *desk.Desk
	Issuer           string
	ClientID, Secret string
	Client           *http.Client // one that follows no redirect and knows no proxy if nil
}

// A SSO is the sign-on.
type SSO struct {
	Options

	mu       sync.Mutex
	provider *oidc.Provider // nil until it has answered once
}

// New returns the sign-on. It asks nothing before somebody signs in.
func New(o Options) *SSO {
	if o.Client == nil {
		o.Client = outward.Client(patience)
	}
	return &SSO{Options: o}
}

// Routes returns the addresses. Both are opened by links and redirects, which
// is why they are no forms.
func (s *SSO) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: Path, Handle: s.begin},
		{Method: http.MethodGet, Path: backPath, Handle: s.back},
	}
}

// asked is what the browser has to come back with.
type asked struct {
	State, Nonce, Verifier, To string

	Again bool // the provider was told to ask who it is, unless it did just now
}

// begin handles GET /staff/sso: it sends the browser to the provider.
func (s *SSO) begin(v *desk.Visit) error {
	if err := s.Desk.Allow(v); err != nil {
		return err
	}
	config, _, err := s.config(v.Request.Context())
	if err != nil {
		return err
	}
	a := asked{desk.Token(), desk.Token(), oauth2.GenerateVerifier(), desk.Destination(v.Query("to")), v.Query("again") != ""}
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := s.Desk.Challenge(v.Context, purpose, string(data)); err != nil {
		return err
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	if a.Again {
		options = append(options, oauth2.SetAuthURLParam("max_age", strconv.Itoa(int(desk.FreshFor.Seconds()))))
	}
	v.Redirect(http.StatusSeeOther, config.AuthCodeURL(a.State, options...))
	return nil
}

// back handles GET /staff/sso/back.
func (s *SSO) back(v *desk.Visit) error {
	err := s.enter(v)
	if errors.Is(err, fault.Invalid) || errors.Is(err, fault.Forbidden) {
		s.Desk.Failed(v.Request.Context(), "by single sign-on", "")
	}
	return err
}

func (s *SSO) enter(v *desk.Visit) error {
	data, err := s.Desk.Answer(v.Context, purpose)
	if err != nil {
		return err
	}
	var a asked
	if err := json.Unmarshal([]byte(data), &a); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(a.State), []byte(v.Query("state"))) != 1 {
		return fault.New(fault.Invalid, "That answer belongs to another sign-on. Try again.")
	}
	if v.Query("error") != "" {
		return fault.New(fault.Invalid, "The sign-on was refused or canceled there.")
	}
	told, err := s.claims(v.Request.Context(), v.Query("code"), a)
	if err != nil {
		return err
	}
	who, err := s.Desk.Store.StaffByEmail(v.Request.Context(), told.Email)
	if errors.Is(err, fault.NotFound) {
		s.Desk.Failed(v.Request.Context(), "by single sign-on, with an address that is not on the team", "")
		v.Redirect(http.StatusSeeOther, desk.SignInPath+"?"+url.Values{"why": {"unknown"}}.Encode())
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.Desk.SignIn(v, who, store.BySSO, s.proved(a, told)); err != nil {
		return err
	}
	v.Redirect(http.StatusSeeOther, desk.Destination(a.To))
	return nil
}

// A claim is what a provider's token says of whoever signed in.
type claim struct {
	Email    string `json:"email"`
	Verified bool   `json:"email_verified"`
	AuthTime int64  `json:"auth_time"` // seconds since 1970; 0 where the provider does not say
}

// proved returns when somebody showed the provider who they are. A provider that
// was asked for a maximum age has to say (OpenID Connect Core 2, auth_time); of
// one that knows neither, having been asked again is all there is. A sign-on
// that was open already proves nothing.
func (s *SSO) proved(a asked, c claim) time.Time {
	now := s.Desk.Now()
	switch at := time.Unix(c.AuthTime, 0); {
	case c.AuthTime > 0 && at.Before(now):
		return at
	case c.AuthTime > 0 || a.Again:
		return now
	}
	return time.Time{}
}

// claims exchanges a code for whose it is: an address that the provider has
// verified.
func (s *SSO) claims(ctx context.Context, code string, a asked) (claim, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, s.Client), patience)
	defer cancel()
	config, provider, err := s.config(ctx)
	if err != nil {
		return claim{}, err
	}
	refused := func(err error) error {
		return fault.Wrap(fault.Forbidden, err, "The sign-on was not accepted. Try again, or sign in another way.")
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return claim{}, s.noted(ctx, refused(err))
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: s.ClientID, Now: s.Desk.Now}).Verify(ctx, raw)
	if err != nil {
		return claim{}, s.noted(ctx, refused(err))
	}
	// The library leaves the nonce to us: without this, a token of another
	// sign-on would do.
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return claim{}, s.noted(ctx, refused(errors.New("the token has another nonce")))
	}
	var told claim
	if err := id.Claims(&told); err != nil {
		return claim{}, s.noted(ctx, refused(err))
	}
	if told.Email == "" || !told.Verified {
		return claim{}, s.noted(ctx, refused(errors.New("the token holds no verified address")))
	}
	return told, nil
}

// noted logs why a sign-on was refused, which is not told outside.
func (s *SSO) noted(ctx context.Context, err error) error {
	s.Desk.Log.WarnContext(ctx, "staff: a single sign-on was refused", "err", err)
	return err
}

// config returns how to talk to the provider, which is asked the first time and
// again until it has answered.
func (s *SSO) config(ctx context.Context) (*oauth2.Config, *oidc.Provider, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.provider == nil {
		// The provider keeps the context for its keys, so it must not end.
		provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), s.Client), s.Issuer)
		if err != nil {
			return nil, nil, fault.Wrap(fault.Upstream, fmt.Errorf("OIDC_ISSUER: %w", err), "The sign-on does not answer. Sign in another way.")
		}
		s.provider = provider
	}
	return &oauth2.Config{
		ClientID: s.ClientID, ClientSecret: s.Secret, Endpoint: s.provider.Endpoint(),
		RedirectURL: s.Desk.PublicURL + backPath, Scopes: []string{oidc.ScopeOpenID, "email"},
	}, s.provider, nil
}
