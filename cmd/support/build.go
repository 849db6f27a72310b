package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/mail"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/articles"
	"github.com/united24media/support/internal/ask"
	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/checkout"
	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/redisdb"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/staff/overview"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
	"github.com/united24media/support/internal/trace"
	"github.com/united24media/support/internal/wall"
	"github.com/united24media/support/internal/web"
	"github.com/united24media/support/webhooks"
)

// sandboxPath is where the sandbox stands on the public listener.
const sandboxPath = "/sandbox"

// A service is all parts of `support serve`, wired.
type service struct {
	log     *slog.Logger
	calm    calm // of log
	store   *store.Store
	zone    *time.Location
	current atomic.Bool // the schema was current since start
	metrics *prometheus.Registry
	handler http.Handler
	staff   *staff.Pages
	guard   *guard
	parts   []func(context.Context) error // what runs behind the requests, until its context ends
	closers []func() error                // in the order they were opened
}

// build wires the parts. local is where this process reaches its own public
// listener.
func build(settings config.Settings, local string, log *slog.Logger) (*service, error) {
	quiet := newCalm(log.Handler(), time.Now)
	s := &service{log: slog.New(quiet), calm: quiet, zone: settings.Timezone, metrics: newMetrics()}
	if err := s.wire(settings, local); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *service) wire(settings config.Settings, local string) error {
	if err := s.open(settings); err != nil {
		return err
	}
	cache, err := s.openCache(settings)
	if err != nil {
		return err
	}
	count := counts.New(counts.Options{Source: s.store, Redis: cache, Log: s.log})
	measureCounts(s.metrics, count, time.Now)
	measureDrift(s.metrics, count, s.store)
	limit, err := newLimits(settings, cache, s.log)
	if err != nil {
		return err
	}
	said := newDecided(s.store, count, s.log)
	guard := newGuard(settings, s.store, cache, limit, said.policies.Amounts, s.log)
	measureGuard(s.metrics, guard.Guard)
	s.guard = guard
	book := ledger.New(ledger.Options{
		Store: s.store, Now: time.Now, Timezone: settings.Timezone, Grace: settings.Grace,
		Livemode: settings.Live(), Log: s.log, Moved: count.Moved, Heard: guard.Heard,
		Measured: measureLedger(s.metrics),
	})
	measureContradictions(s.metrics, book)
	level := newReconcile(settings, local, s.store, book, s.log)
	health := measureLevel(s.metrics, time.Now)
	s.parts = append(s.parts, level.Run, level.RunSweeps, func(ctx context.Context) error {
		return level.Watch(ctx, func(h reconcile.Health) { health(h); alarm(ctx, s.store, h, s.log) })
	})
	suspects := newQuarantine(settings, local, s.store, book, said, s.log)
	measureQuarantine(s.metrics, s.store)
	s.parts = append(append(s.parts, book.Run, count.Run, guard.Run, guard.note, suspects.Run), said.parts()...)

	post, err := newMail(settings, s.store, s.log)
	if err != nil {
		return err
	}
	measureMail(s.metrics, s.store, time.Now)
	s.parts = append(s.parts, post.Run, func(ctx context.Context) error { return post.Remind(ctx, newStripe(settings, local, s.log)) })

	signer := attribution.NewSigner(revealed(settings.Secrets))
	asks, err := ask.New(ask.Options{
		PublicURL: settings.PublicURL, Sites: settings.SiteOrigins, Sandbox: settings.Sandbox(), Currency: settings.Currency, Counts: count, Campaigns: said.campaigns, Policies: said.policies, Signer: signer,
	})
	if err != nil {
		return err
	}
	s.parts = append(s.parts, newArticles(settings, s.store, asks, s.log).Run)
	signals := ask.NewSignals(ask.SignalsOptions{Add: s.store.AddSignals, Redis: cache, Signer: signer, Timezone: settings.Timezone, Log: s.log})
	s.parts = append(s.parts, func(ctx context.Context) error { signals.Run(ctx); return nil })
	thanks := newWall(settings, s.store, s.log)
	s.parts = append(s.parts, thanks.Run)
	giving, err := newCheckout(settings, local, s.store, limit, guard.Guard, signer, said, thanks, s.log)
	if err != nil {
		return err
	}
	people := newPrivacy(settings, local, s.store, book, s.log)
	supporters := newAccount(settings, local, s.store, book, people, limit, s.log)
	s.parts = append(s.parts, supporters.Run, people.Run)
	answers := reports.New(reports.Options{Store: s.store, Timezone: settings.Timezone, Now: time.Now})
	s.parts = append(s.parts, func(ctx context.Context) error { answers.Run(ctx, s.log); return nil })
	hooks := webhooks.New(webhooks.Options{Ledger: book, Secrets: settings.WebhookSecrets, Now: time.Now, Log: s.log, Metrics: s.metrics})

	pages, err := newStaff(settings, staffParts{s.store, limit, level, book, people, count, cache, answers, said, asks, post, thanks, guard.Guard, suspects}, s.log)
	if err != nil {
		return err
	}
	s.staff = pages
	s.parts = append(s.parts, func(ctx context.Context) error { return tellAuditHead(ctx, s.store, s.log) })
	failing := newRecovery(settings, local, s.store, s.log)
	handlers := web.Handlers{
		Ask: asks.Ask, Explain: asks.Explain, Supporters: asks.Supporters, SupportersSVG: asks.Picture,
		Script: asks.Script, PinnedScript: asks.PinnedScript, PinnedPath: asks.PinnedPath(), Embed: asks.Embed,
		Developers: asks.Developers, Frame: asks.Frame, Signals: signals.Record,
		Checkout: giving.Create, SupportPage: giving.SupportPage, SupportForm: giving.SupportForm, Thanks: giving.Thanks,
		Webhook: hooks.Stripe,
		Report:  answers.Donations, Donations: answers.List, Donation: answers.Donation,
		Payouts: answers.Payouts, Payout: answers.PayoutByID,
		Staff: pages, Recover: failing.Show, RecoverForm: failing.Open,
		Picture: campaign.Pictures{Store: s.store}.Serve, Wall: thanks.JSON, WallPage: thanks.Page,
		Assets:  look.NewAssets(append(append(giving.Assets(), pages.Assets...), look.Style, look.StaffStyle, look.Icon, overview.Script)...),
		Account: supporters.Routes(), Membership: supporters.Membership, JWKS: supporters.JWKS,
	}
	if settings.Sandbox() {
		handlers.Article = asks.Example
		if handlers.Sandbox, err = s.openSandbox(settings, local); err != nil {
			return err
		}
	}
	tracer, err := s.openTraces(settings)
	if err != nil {
		return err
	}
	s.handler = web.New(web.Options{
		Handlers: handlers, PublicURL: settings.PublicURL, SiteOrigins: settings.SiteOrigins, Challenge: challengeOrigin(settings),
		Contact: contact(settings), Ready: s.current.Load, Log: s.log, Metrics: s.metrics, Tracer: tracer,
	})
	return nil
}

// contact returns the mail address for who finds a hole: the one that mail is
// from, "" where none is set.
func contact(settings config.Settings) string {
	from, err := mail.ParseAddress(settings.MailFrom)
	if err != nil {
		return ""
	}
	return from.Address
}

// newArticles returns what reads the titles of the site's articles. Our own
// address has no feed of them, but the sandbox has an example.
func newArticles(settings config.Settings, db *store.Store, asks *ask.Service, log *slog.Logger) *articles.Reader {
	o := articles.Options{Store: db, Now: time.Now, Log: log}
	for _, origin := range settings.SiteOrigins {
		if origin != clean.Origin(settings.PublicURL) {
			o.Origins = append(o.Origins, origin)
		}
	}
	if settings.Sandbox() {
		o.Known = append(o.Known, asks.ExampleArticle())
	}
	return articles.New(o)
}

// newLimits returns how often somebody may do something.
func newLimits(settings config.Settings, cache redis.UniversalClient, log *slog.Logger) (*limits.Limits, error) {
	rules := limits.Production()
	if settings.Sandbox() {
		rules = limits.Sandbox()
	}
	return limits.New(limits.Options{Redis: cache, Secret: []byte(settings.Secrets[0].Reveal()), Rules: rules, Log: log})
}

// newCheckout returns the giving path, with Stripe's API.
func newCheckout(settings config.Settings, local string, db *store.Store, limit *limits.Limits, guard *risk.Guard,
	signer *attribution.Signer, said decided, thanks *wall.Wall, log *slog.Logger,
) (*checkout.Service, error) {
	return checkout.New(checkout.Options{
		Store: db, Signer: signer, Limiter: limit, Guard: guard, Log: log,
		Stripe:    stripeapi.New(stripeapi.Options{Key: stripeKey(settings), BaseURL: stripeBase(settings, local), Log: log}),
		PublicURL: settings.PublicURL, SiteOrigins: settings.SiteOrigins, PayOrigins: payOrigins(settings),
		Currency: settings.Currency, Zone: settings.Timezone, Sandbox: settings.Sandbox(),
		TrustedProxies: settings.TrustedProxies, CountryHeader: settings.CountryHeader,
		Closed: said.policies.Closed, Amounts: said.policies.Amounts, Campaigns: said.campaigns, Supporters: said.supporters, Wall: thanks.On,
	})
}

// newWall returns the public thanks.
func newWall(settings config.Settings, db *store.Store, log *slog.Logger) *wall.Wall {
	o := wall.Options{
		Store: db, PublicURL: settings.PublicURL, SiteURL: settings.PublicURL + "/", Sandbox: settings.Sandbox(), Now: time.Now, Log: log,
	}
	if len(settings.SiteOrigins) > 0 {
		o.SiteURL = settings.SiteOrigins[0] + "/"
	}
	return wall.New(o)
}

// openCache returns Redis, or nil where none is set.
func (s *service) openCache(settings config.Settings) (redis.UniversalClient, error) {
	if settings.RedisURL.Empty() {
		return nil, nil
	}
	cache, err := redisdb.Open(settings.RedisURL.Reveal())
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, cache.Close)
	return cache, nil
}

// openTraces returns what sends traces, or nil where no collector is set.
func (s *service) openTraces(settings config.Settings) (*trace.Tracer, error) {
	if settings.OTLPEndpoint == "" {
		return nil, nil
	}
	tracer, err := trace.Open(context.Background(), settings.OTLPEndpoint, s.log)
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, tracer.Close)
	return tracer, nil
}

// open opens the database, and refuses an SQLite file that is served already.
func (s *service) open(settings config.Settings) error {
	db, err := store.Open(settings.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	s.store = db
	s.closers = append(s.closers, db.Close)
	release, err := db.Own()
	if err != nil {
		return err
	}
	// Given back after the database is closed, so before it in the list.
	s.closers = append([]func() error{func() error { release(); return nil }}, s.closers...)
	return nil
}

// openSandbox opens Stripe's stand-in. It delivers to this process, whatever
// the public address is.
func (s *service) openSandbox(settings config.Settings, local string) (http.Handler, error) {
	box, err := sandbox.New(sandbox.Options{
		BaseURL: settings.PublicURL + sandboxPath, WebhookURL: local + "/webhooks/stripe",
		WebhookSecret: settings.WebhookSecrets[0].Reveal(),
		Folder:        filepath.Join(settings.DataFolder, "sandbox"), Log: s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("open the sandbox: %w", err)
	}
	s.closers = append(s.closers, box.Close)
	s.parts = append(s.parts, box.Run)
	// It starts as an account that stripe-setup has seen. Products that are
	// there since an earlier start are refused, which is as well.
	for _, product := range stripeapi.Products() {
		_, err := box.Call(context.Background(), http.MethodPost, "/v1/products", url.Values{"id": {product[0]}, "name": {product[1]}})
		s.log.Debug("the sandbox's product", "product", product[0], "err", err)
	}
	if all, err := box.Call(context.Background(), http.MethodGet, "/v1/billing_portal/configurations", nil); err == nil && bytes.Contains(all, []byte(`"data":[]`)) {
		_, err := box.Call(context.Background(), http.MethodPost, "/v1/billing_portal/configurations",
			url.Values{"business_profile[headline]": {"Support"}, "features[payment_method_update][enabled]": {"true"}})
		s.log.Debug("the sandbox's portal", "err", err)
	}
	return http.StripPrefix(sandboxPath, box.Handler()), nil
}

// stripeBase returns where Stripe's API is: the sandbox's without a key, and
// "" for Stripe itself.
func stripeBase(settings config.Settings, local string) string {
	if settings.Sandbox() {
		return local + sandboxPath
	}
	return settings.StripeAPIURL
}

// stripeKey returns the key for Stripe's API; the sandbox takes any test key.
func stripeKey(settings config.Settings) string {
	if settings.Sandbox() {
		return "sk_test_sandbox"
	}
	return settings.StripeKey.Reveal()
}

// payOrigins returns where donors are sent to pay; none means Stripe's page.
// Another API, for tests, may have pages of its own.
func payOrigins(settings config.Settings) []string {
	if settings.Sandbox() {
		return []string{clean.Origin(settings.PublicURL)}
	}
	if settings.StripeAPIURL != "" {
		return []string{checkout.StripeOrigin, clean.Origin(settings.StripeAPIURL)}
	}
	return nil
}

// close closes what was opened, the last first.
func (s *service) close() error {
	var errs []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// revealed returns the texts of secrets.
func revealed(secrets []config.Secret) [][]byte {
	var texts [][]byte
	for _, secret := range secrets {
		texts = append(texts, []byte(strings.TrimSpace(secret.Reveal())))
	}
	return texts
}
