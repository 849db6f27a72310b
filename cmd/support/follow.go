package main

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

// measureLevel returns what takes a health over into metrics.
func measureLevel(r prometheus.Registerer, now func() time.Time) (tell func(reconcile.Health)) {
	var last atomic.Pointer[reconcile.Health]
	gauge := func(name, help string, value func(h *reconcile.Health) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			if h := last.Load(); h != nil {
				return value(h)
			}
			return -1
		}))
	}
	age := func(of time.Time) float64 {
		if of.IsZero() {
			return -1
		}
		return now().Sub(of).Seconds()
	}
	gauge("support_event_age_seconds", "Time since the newest event came; -1 before the first.", func(h *reconcile.Health) float64 { return age(h.NewestEvent) })
	gauge("support_events_missed", "Events that the hours since the newest one usually bring; 7 or more is no chance.", func(h *reconcile.Health) float64 { return h.Missed })
	gauge("support_events_parked", "Events that could not be understood and wait for staff.", func(h *reconcile.Health) float64 { return float64(h.Parked) })
	gauge("support_events_undelivered", "Events that Stripe could not deliver, by the last sweep.", func(h *reconcile.Health) float64 { return float64(h.Undelivered) })
	gauge("support_fetches_waiting", "Questions to Stripe that wait.", func(h *reconcile.Health) float64 { return float64(h.Fetches) })
	gauge("support_fetch_oldest_seconds", "Age of the oldest question to Stripe; 0 without one.", func(h *reconcile.Health) float64 { return max(age(h.OldestFetch), 0) })
	gauge("support_reconciled_age_seconds", "Time since everything was last compared with Stripe's lists; -1 before the first time.", func(h *reconcile.Health) float64 { return age(h.Through) })
	gauge("support_reconciled_differences", "Differences that the last sweep over Stripe's lists found.", func(h *reconcile.Health) float64 { return float64(h.Differences) })
	return func(h reconcile.Health) { last.Store(&h) }
}
