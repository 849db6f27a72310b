package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/united24media/support/docs"
	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/redisdb"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// Limits of the doctor's checks.
const (
	checkTime = 10 * time.Second // for each
	clockSkew = 30 * time.Second // webhooks are refused from 300 s on
)

// factDoctor is when a doctor last wrote to the database: a full disk and a
// standby answer every question, and show only so.
const factDoctor = "doctor"

// runDoctor is `support doctor`: one line a check, and an error if one fails;
// or, with an alert's name, what it means and what to do.
func runDoctor(ctx context.Context, p *program, args []string) error {
	_, parse := p.flags("doctor")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return p.explain(rest)
	}
	settings, err := p.load()
	d := &doctor{program: p, settings: settings}
	d.say("settings", strings.Join(settings.Warnings, "; "), err)
	if err != nil {
		return errTold // the rest would only repeat it
	}
	for _, check := range []struct {
		name string
		run  func(ctx context.Context) (string, error)
	}{
		{"database", d.database}, {"Redis", d.redis}, {"Stripe", d.stripe}, {"webhook", d.webhook}, {"mail", d.mail}, {"clock", d.clock},
	} {
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		words, err := check.run(ctx)
		cancel()
		d.say(check.name, words, err)
	}
	if d.failed {
		return errTold
	}
	return nil
}

// explain prints the page of an alert.
func (p *program) explain(names []string) error {
	page := docs.Problem(names[0])
	if len(names) > 1 || page == "" {
		return usagef("there is no page about %q; did you mean: support doctor %s", strings.Join(names, " "),
			nearest(names[0], docs.Problems()))
	}
	fmt.Fprintln(p.stdout, page)
	return nil
}

// A doctor looks at one thing after the other.
type doctor struct {
	*program
	settings config.Settings
	health   stripeapi.Health
	answered bool // Stripe did, with health
	failed   bool
}

// say writes the line of a check.
func (d *doctor) say(name, words string, err error) {
	state := "ok  "
	if err != nil {
		state, words, d.failed = "FAIL", strings.ReplaceAll(err.Error(), "\n", "; "), true
	}
	if words == "" {
		words = "as it should be"
	}
	fmt.Fprintf(d.stdout, "%s  %-9s %s\n", state, name, words)
}

func (d *doctor) database(ctx context.Context) (string, error) {
	db, err := store.Open(d.settings.DatabaseURL.Reveal())
	if err != nil {
		return "", err
	}
	defer db.Close() //nolint:errcheck // only read
	if err := db.Ping(ctx); err != nil {
		return "", fmt.Errorf("does not answer; is it running, and is DATABASE_URL right? %w", err)
	}
	steps, err := db.Migrations(ctx)
	if err != nil {
		return "", err
	}
	pending := 0
	for _, step := range steps {
		if !step.Applied {
			pending++
		}
	}
	if pending > 0 {
		return "", fmt.Errorf("%d of %d steps of the schema are missing; run: support migrate", pending, len(steps))
	}
	if err := db.PutFact(ctx, factDoctor, time.Now().UTC().Format(time.RFC3339)); err != nil {
		return "", fmt.Errorf("answers, and takes no writes; is its disk full, is it a standby, or does another program hold it? %w", err)
	}
	kind := "SQLite"
	if db.Postgres() {
		kind = "PostgreSQL"
	}
	return fmt.Sprintf("%s answers and takes writes, its schema is current (step %d)", kind, len(steps)), nil
}

func (d *doctor) redis(ctx context.Context) (string, error) {
	if d.settings.RedisURL.Empty() {
		return "not set; counts are kept in process, which is right for one process", nil
	}
	client, err := redisdb.Open(d.settings.RedisURL.Reveal())
	if err != nil {
		return "", err
	}
	defer client.Close() //nolint:errcheck // nothing is under way
	if err := client.Ping(ctx).Err(); err != nil {
		return "", fmt.Errorf("does not answer; the service goes on without, and counts reach other replicas later: %w", err)
	}
	if d.settings.RedisOpen() {
		return "answers, without a password and over a network: who reaches it can lift limits and move the counts that are shown; set one (requirepass), or keep the network private", nil
	}
	return "answers", nil
}

func (d *doctor) stripe(ctx context.Context) (string, error) {
	client := stripeapi.New(stripeapi.Options{
		Key: stripeKey(d.settings), BaseURL: stripeBase(d.settings, d.settings.PublicURL), Log: slog.New(slog.DiscardHandler),
	})
	health, err := client.Health(ctx)
	d.health, d.answered = health, err == nil
	switch {
	case err != nil && d.settings.Sandbox():
		return "the built-in sandbox; it answers while `support serve` runs", nil
	case stripeapi.IsKind(err, stripeapi.Denied):
		return "", fmt.Errorf("refuses the key, or the key may not read webhook endpoints; check STRIPE_SECRET_KEY: %w", err)
	case err != nil:
		return "", fmt.Errorf("does not answer: %w", err)
	case health.CheckVersion() != nil:
		return "", health.CheckVersion()
	case d.settings.Sandbox():
		return "the built-in sandbox answers", nil
	}
	key := "test"
	if d.settings.Live() {
		key = "live"
	}
	words := "answers to a " + key + " key at API version " + stripeapi.Version
	if name, err := client.StatementName(ctx); err == nil && name != "" {
		// Nothing is wrong with any name. Who has readers in danger wants a neutral one.
		words += fmt.Sprintf("; bank statements say %q, which every donor's bank and family can read", name)
	}
	return words, nil
}

func (d *doctor) webhook(context.Context) (string, error) {
	if d.settings.Sandbox() {
		return "the sandbox delivers to the service by itself", nil
	}
	if !d.answered {
		return "", errors.New("not known, since Stripe did not tell")
	}
	endpoint, err := d.health.Delivers(d.settings.PublicURL)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("endpoint %s is enabled and pinned to %s", endpoint, stripeapi.Version), nil
}

func (d *doctor) mail(ctx context.Context) (string, error) {
	switch {
	case d.settings.SMTPURL.Empty():
		return "no server is set; mail is kept and shown to staff", nil
	case d.settings.Sandbox():
		return "a server is set and not used: the sandbox keeps its mail and shows it to staff", nil
	}
	server, err := mail.Check(ctx, d.settings.SMTPURL.Reveal(), d.settings.MailFrom)
	if err != nil {
		return "", fmt.Errorf("SMTP_URL: %w", err)
	}
	return server + " answers and lets us in; nothing was sent", nil
}

// clock compares this machine's clock with Stripe's: a delivery whose time is
// 300 s from ours is refused.
func (d *doctor) clock(context.Context) (string, error) {
	if !d.answered || d.health.Now.IsZero() || d.settings.Sandbox() {
		return "not compared: only Stripe's own answer has a clock to compare with", nil
	}
	skew := time.Since(d.health.Now).Round(time.Second)
	if skew.Abs() > clockSkew {
		return "", fmt.Errorf("%s from Stripe's; set it by NTP, or webhooks will be refused", skew)
	}
	return fmt.Sprintf("within %s of Stripe's", max(skew.Abs(), time.Second)), nil
}
