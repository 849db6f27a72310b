package main

import (
	"log/slog"
	"time"

	"github.com/united24media/support/internal/account"
	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// newAccount returns the supporters' own pages.
func newAccount(settings config.Settings, local string, db *store.Store, book *ledger.Ledger, people *privacy.Service, limit *limits.Limits, log *slog.Logger) *account.Service {
	secrets := revealed(settings.Secrets)
	return account.New(account.Options{
		Store: db, Ledger: book, Privacy: people, Keys: signin.New(secrets), Secrets: secrets, Limiter: limit, Log: log,
		Stripe:    stripeapi.New(stripeapi.Options{Key: stripeKey(settings), BaseURL: stripeBase(settings, local), Log: log}),
		PublicURL: settings.PublicURL, SiteOrigins: settings.SiteOrigins, PayOrigins: payOrigins(settings), Zone: settings.Timezone,
		Sandbox: settings.Sandbox(), TrustedProxies: settings.TrustedProxies, Now: time.Now,
	})
}
