package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/quarantine"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/store"
)

// noteAgain is after how long an attack is written down again, where the
// database did not answer.
const noteAgain = 10 * time.Second

// A guard keeps thieves from trying cards, writes down when an attack begins
// and ends, and tells staff.
type guard struct {
	*risk.Guard
	db      *store.Store
	log     *slog.Logger
	changed chan struct{} // an attack has begun or ended
	noted   bool          // the attack that is on is written down
}

func newGuard(settings config.Settings, db *store.Store, cache redis.UniversalClient, limit *limits.Limits, amounts func() offer.Suggestions, log *slog.Logger) *guard {
	marks := risk.Production()
	if settings.Sandbox() {
		marks = risk.Sandbox()
	}
	g := &guard{db: db, log: log, changed: make(chan struct{}, 1)}
	g.Guard = risk.New(risk.Options{
		Secrets: revealed(settings.Secrets), Limiter: limit, Marks: marks, Redis: cache, Now: time.Now, Log: log,
		Challenge: newChallenge(settings, log),
		Suggested: func(currency string, minor int64) bool { return amounts().Suggests(currency, minor) },
		Changed: func(risk.Attack) {
			select {
			case g.changed <- struct{}{}:
			default: // it is told already
			}
		},
	})
	return g
}

// newChallenge returns the challenge that is set, nil where none is.
func newChallenge(settings config.Settings, log *slog.Logger) *risk.Challenge {
	c := settings.Challenge
	if c.SiteKey == "" {
		return nil
	}
	return risk.NewChallenge(risk.ChallengeOptions{SiteKey: c.SiteKey, Secret: c.Secret.Reveal(), URL: c.URL, Now: time.Now, Log: log})
}

// challengeOrigin returns where a challenge's script and frame come from, ""
// where none is set.
func challengeOrigin(settings config.Settings) string {
	if settings.Challenge.SiteKey == "" {
		return ""
	}
	return clean.Origin(settings.Challenge.URL)
}

// note keeps what is written down true to what the guard knows, until ctx ends.
// An attack that was on when the program last ended is on again.
func (g *guard) note(ctx context.Context) error {
	g.resume(ctx)
	again := time.NewTicker(noteAgain)
	defer again.Stop()
	for {
		if err := g.write(ctx, g.Attack()); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "an attack could not be written down", "err", err)
		}
		select {
		case <-g.changed:
		case <-again.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (g *guard) resume(ctx context.Context) {
	if a, lasts, err := g.db.LastingAttack(ctx); err == nil && lasts {
		g.Resume(a.Why, a.Began)
		g.noted = true
	}
}

// write writes down that an attack has begun or ended, and mails staff. Where
// another replica did so before, the mail is the same one.
func (g *guard) write(ctx context.Context, a risk.Attack) error {
	switch {
	case a.On && !g.noted:
		noted, err := g.db.BeginAttack(ctx, store.Attack{ID: "atk_" + strings.ToLower(rand.Text()), Why: a.Why, Began: a.Since})
		if err != nil {
			return err
		}
		g.noted = true
		return g.tell(ctx, noted.ID+"/began", "Somebody tries stolen cards on the checkout", noted.Why+".",
			"The guard has armed itself: programs are kept out, and readers can give. It disarms when it is calm again, and you get another mail. Nothing has to be done at once; docs/operating.md says what can be, under SupportAttack.")
	case !a.On && g.noted:
		ended, was, err := g.db.EndAttack(ctx, a.Until)
		if err != nil {
			return err
		}
		g.noted = false
		if !was {
			return nil // another replica wrote it down
		}
		words, err := g.aftermath(ctx, ended)
		if err != nil {
			return err
		}
		return g.tell(ctx, ended.ID+"/ended", "The attack on the checkout is over", words...)
	}
	return nil
}

// aftermath says what came in during an attack.
func (g *guard) aftermath(ctx context.Context, a store.Attack) ([]string, error) {
	given, err := g.db.GivenBetween(ctx, a.Began, a.Ended)
	if err != nil {
		return nil, err
	}
	held, err := g.db.CountHeld(ctx)
	if err != nil {
		return nil, err
	}
	words := []string{fmt.Sprintf("It lasted %s.", a.Ended.Sub(a.Began).Round(time.Minute))}
	for _, sum := range given {
		words = append(words, fmt.Sprintf("Given meanwhile in %s: %s; gifts: %d.", sum.Currency,
			i18n.Money(i18n.Default, money.Amount{Minor: sum.Gross, Currency: sum.Currency}), sum.Gifts))
	}
	if held > 0 {
		words = append(words, fmt.Sprintf("In quarantine, for you to accept or to reject: %d. A thief’s gift that is given back before its owner complains costs no dispute.", held))
	}
	return words, nil
}

func (g *guard) tell(ctx context.Context, subject, headline string, text ...string) error {
	data, err := json.Marshal(mail.StaffNews{Subject: headline, Text: text, Path: "/staff/quarantine"})
	if err != nil {
		return err
	}
	return g.db.QueueStaffMail(ctx, store.Mail{Kind: mail.Attack, Subject: subject, Data: data})
}

// newQuarantine returns what holds suspects for staff.
func newQuarantine(settings config.Settings, local string, db *store.Store, book *ledger.Ledger, said decided, log *slog.Logger) *quarantine.Service {
	return quarantine.New(quarantine.Options{
		Store: db, Ledger: book, Stripe: newStripe(settings, local, log), Now: time.Now, Log: log, Amounts: said.policies.Amounts,
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
	if g.Challenge == nil {
		return
	}
	answers := func(answer string, value func() uint64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "support_challenges_total", Help: "Answers to the challenge by what its service said: passed, failed, or nothing (silent).",
			ConstLabels: prometheus.Labels{"answer": answer},
		}, func() float64 { return float64(value()) }))
	}
	answers("passed", func() uint64 { n, _, _ := g.Challenge.Counts(); return n })
	answers("failed", func() uint64 { _, n, _ := g.Challenge.Counts(); return n })
	answers("silent", func() uint64 { _, _, n := g.Challenge.Counts(); return n })
}

// measureQuarantine tells how much staff have to decide on.
func measureQuarantine(r prometheus.Registerer, db *store.Store) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "support_quarantine_held", Help: "Gifts and checkouts that look like a thief's and wait for staff; -1 while the database does not answer.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), collectTime)
		defer cancel()
		held, err := db.CountHeld(ctx)
		if err != nil {
			return -1
		}
		return float64(held)
	}))
}
