package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/store"
)

// noteTime is how long writing down an attack may take.
const noteTime = 10 * time.Second

// newGuard returns what keeps thieves from trying cards. An attack is written
// down when it begins and when it ends, for staff to see.
func newGuard(settings config.Settings, db *store.Store, cache redis.UniversalClient, limit *limits.Limits, log *slog.Logger) *risk.Guard {
	marks := risk.Production()
	if settings.Sandbox() {
		marks = risk.Sandbox()
	}
	return risk.New(risk.Options{
		Secrets: revealed(settings.Secrets), Limiter: limit, Marks: marks, Redis: cache, Now: time.Now, Log: log,
		Changed: func(attack risk.Attack) {
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), noteTime)
				defer cancel()
				text, err := json.Marshal(attack)
				if err == nil {
					err = db.PutFact(ctx, risk.FactAttack, string(text))
				}
				if err != nil {
					log.Error("an attack could not be written down", "err", err)
				}
			}()
		},
	})
}

// measureGuard tells whether we are attacked, and by how much.
func measureGuard(r prometheus.Registerer, g *risk.Guard) {
	gauge := func(name, help string, value func(risk.Attack) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(g.Attack()) }))
	}
	gauge("support_attack", "1 while somebody tries stolen cards, or something like it, on the checkout.", func(a risk.Attack) float64 {
		if a.On {
			return 1
		}
		return 0
	})
	gauge("support_checkout_tries", "Attempts to open a checkout in the last 10 minutes, on all replicas.", func(a risk.Attack) float64 { return float64(a.Sums.Tries) })
	gauge("support_checkout_tries_refused", "Of those, how many were kept out as an attacker's.", func(a risk.Attack) float64 { return float64(a.Sums.Refused) })
	gauge("support_payments_refused", "Payments of ours that banks refused in the last 10 minutes.", func(a risk.Attack) float64 { return float64(a.Sums.Failed) })
}
