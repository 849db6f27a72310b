package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/ask"
	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/quarantine"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/staff/account"
	named "github.com/united24media/support/internal/staff/articles"
	"github.com/united24media/support/internal/staff/asks"
	"github.com/united24media/support/internal/staff/audit"
	"github.com/united24media/support/internal/staff/campaigns"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/door"
	"github.com/united24media/support/internal/staff/gifts"
	"github.com/united24media/support/internal/staff/health"
	"github.com/united24media/support/internal/staff/mailbox"
	"github.com/united24media/support/internal/staff/overview"
	"github.com/united24media/support/internal/staff/passkey"
	held "github.com/united24media/support/internal/staff/quarantine"
	"github.com/united24media/support/internal/staff/reportpages"
	"github.com/united24media/support/internal/staff/sso"
	"github.com/united24media/support/internal/staff/team"
	"github.com/united24media/support/internal/staff/tokens"
	thanks "github.com/united24media/support/internal/staff/wall"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/wall"
)

// newStaff returns the staff pages. The navigation lists the screens in the
// order in which they stand here.
func newStaff(settings config.Settings, o staffParts, log *slog.Logger) (*staff.Pages, error) {
	d := newDesk(settings, o.store, o.limits, log)
	in := door.Options{Desk: d, Mail: !settings.SMTPURL.Empty()}
	var screens []staff.Screen
	if passkey.Possible(settings.PublicURL) {
		keys, err := passkey.New(passkey.Options{Desk: d})
		if err != nil {
			return nil, err
		}
		in.Passkey = keys.Script().Path
		screens = append(screens, keys)
	}
	if settings.OIDC.Issuer != "" {
		in.SSO = sso.Path
		screens = append(screens, sso.New(sso.Options{
			Desk: d, Issuer: settings.OIDC.Issuer, ClientID: settings.OIDC.ClientID, Secret: settings.OIDC.Secret.Reveal(),
		}))
	}
	screens = append(screens,
		overview.New(overview.Options{Desk: d, Reports: o.reports}),
		reportpages.New(reportpages.Options{Desk: d, Reports: o.reports}),
		gifts.New(gifts.Options{
			Desk: d, Store: o.store, Reports: o.reports, Ledger: o.ledger, Privacy: o.privacy, Stripe: o.level.Stripe, Zone: settings.Timezone, Now: time.Now,
		}),
		asks.New(asks.Options{Desk: d, Preview: o.asks.Preview, Script: settings.PublicURL + "/v1/support.js", Shipped: ask.Shipped}),
		campaigns.New(campaigns.Options{Desk: d, Supporters: o.said.supporters}),
		health.New(health.Options{
			Desk: d, Level: o.level, Ledger: o.ledger, Counts: o.counts, Redis: pinging(o.redis), Stripe: o.level.Stripe.Health, Mails: !settings.SMTPURL.Empty() && !settings.Sandbox(),
			Attack: o.guard.Attack,
		}),
		held.New(held.Options{Desk: d, Quarantine: o.suspect}),
		mailbox.New(mailbox.Options{Desk: d, Mail: o.mail}),
		thanks.New(thanks.Options{Desk: d, Wall: o.wall}),
		named.New(named.Options{Desk: d}),
		tokens.New(tokens.Options{Desk: d, Reports: o.reports}),
		audit.New(audit.Options{Desk: d}),
		team.New(team.Options{Desk: d}),
		account.New(account.Options{Desk: d, Passkey: in.Passkey}),
		door.New(in),
	)
	return staff.New(d, screens...), nil
}

// staffParts are the parts of the service that the staff pages show.
type staffParts struct {
	store   *store.Store
	limits  *limits.Limits
	level   *reconcile.Service
	ledger  *ledger.Ledger
	privacy *privacy.Service
	counts  *counts.Counts
	redis   redis.UniversalClient // nil where none is set
	reports *reports.Service
	said    decided
	asks    *ask.Service
	mail    *mail.Service
	wall    *wall.Wall
	guard   *risk.Guard
	suspect *quarantine.Service
}

// pinging returns what asks Redis whether it answers, nil where there is none.
func pinging(client redis.UniversalClient) func(context.Context) error {
	if client == nil {
		return nil
	}
	return func(ctx context.Context) error { return client.Ping(ctx).Err() }
}

// newDesk returns what the staff pages stand on. limit may be nil for a command
// that makes sign-in addresses and lets nobody in.
func newDesk(settings config.Settings, db *store.Store, limit *limits.Limits, log *slog.Logger) *desk.Desk {
	return desk.New(desk.Options{
		Store: db, Keys: signin.New(revealed(settings.Secrets)), PublicURL: settings.PublicURL, Sandbox: settings.Sandbox(),
		Zone: settings.Timezone, Now: time.Now, Limits: limit, TrustedProxies: settings.TrustedProxies, Log: log,
	})
}
