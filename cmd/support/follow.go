package main

import (
	"log/slog"
	"time"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// newReconcile returns what keeps a ledger level with Stripe. local is where
// the sandbox stands.
func newReconcile(settings config.Settings, local string, db *store.Store, book *ledger.Ledger, log *slog.Logger) *reconcile.Service {
	return reconcile.New(reconcile.Options{
		Store: db, Ledger: book, Now: time.Now, Timezone: settings.Timezone, Log: log,
		Stripe: stripeapi.New(stripeapi.Options{Key: stripeKey(settings), BaseURL: stripeBase(settings, local), Log: log}),
	})
}
