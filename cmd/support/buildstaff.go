package main

import (
	"log/slog"
	"time"

	"github.com/united24media/support/internal/ask"
	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/staff/account"
	"github.com/united24media/support/internal/staff/asks"
	"github.com/united24media/support/internal/staff/audit"
	"github.com/united24media/support/internal/staff/campaigns"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/gifts"
	"github.com/united24media/support/internal/staff/overview"
	"github.com/united24media/support/internal/staff/reportpages"
	"github.com/united24media/support/internal/staff/signin"
	"github.com/united24media/support/internal/staff/team"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// newStaff returns the staff pages. The navigation lists the screens in the
// order in which they stand here. local is where this process reaches its own
// public listener.
func newStaff(settings config.Settings, local string, db *store.Store, book *ledger.Ledger, limit *limits.Limits,
	said decided, articles *ask.Service, log *slog.Logger,
) *staff.Pages {
	d := newDesk(settings, db, limit, log)
	answers := reports.New(reports.Options{Store: db, Timezone: settings.Timezone, Now: time.Now})
	stripe := stripeapi.New(stripeapi.Options{Key: stripeKey(settings), BaseURL: stripeBase(settings, local), Log: log})
	return staff.New(d,
		overview.New(overview.Options{Desk: d, Reports: answers}),
		reportpages.New(reportpages.Options{Desk: d, Reports: answers}),
		gifts.New(gifts.Options{Desk: d, Store: db, Reports: answers, Ledger: book, Stripe: stripe, Zone: settings.Timezone, Now: time.Now}),
		asks.New(asks.Options{Desk: d, Preview: articles.Preview, Script: settings.PublicURL + "/v1/support.js", Shipped: ask.Shipped}),
		campaigns.New(campaigns.Options{Desk: d, Supporters: said.supporters}),
		audit.New(audit.Options{Desk: d}),
		team.New(team.Options{Desk: d}),
		account.New(account.Options{Desk: d}),
		signin.New(signin.Options{Desk: d}),
	)
}

// newDesk returns what the staff pages stand on. limit may be nil for a command
// that makes sign-in addresses and lets nobody in.
func newDesk(settings config.Settings, db *store.Store, limit *limits.Limits, log *slog.Logger) *desk.Desk {
	return desk.New(desk.Options{
		Store: db, Secret: revealed(settings.Secrets)[0], PublicURL: settings.PublicURL, Sandbox: settings.Sandbox(),
		Zone: settings.Timezone, Now: time.Now, Limits: limit, TrustedProxies: settings.TrustedProxies, Log: log,
	})
}
