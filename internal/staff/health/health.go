// Package health shows whether everything comes in, and what needs a hand.
package health

import (
	"context"
	_ "embed" // for the page
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

//go:embed health.html
var healthHTML string

// path is the screen's.
const path = "/staff/health"

// Limits of what is shown and of what is still well.
const (
	shown       = 50 // of parked events, of failed fetches and of differences
	lagPeriod   = 24 * time.Hour
	lagWell     = 5 * time.Minute // of the slowest event
	fetchWell   = 10 * time.Minute
	mailWell    = 30 * time.Minute
	sweepWell   = 26 * time.Hour // a full sweep runs each night
	differences = 7 * 24 * time.Hour
	pingTime    = time.Second
)

// Options are what the screen looks at.
type Options struct {
	Desk   *desk.Desk
	Level  *reconcile.Service
	Ledger *ledger.Ledger
	Counts *counts.Counts
	Redis  func(context.Context) error                     // asks whether it answers; nil where none is set
	Stripe func(context.Context) (stripeapi.Health, error) // asks Stripe
	Mails  bool                                            // a mail server is set
	Attack func() risk.Attack                              // what is known of somebody who tries stolen cards
}

// A Screen is the page.
type Screen struct {
	Options
	page   *look.Template
	stripe *lately
}

// New returns the page.
func New(o Options) *Screen {
	return &Screen{Options: o, page: o.Desk.Template(healthHTML), stripe: &lately{ask: o.Stripe, now: o.Desk.Now}}
}

// Routes returns the page's addresses.
func (s *Screen) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Viewer, Nav: "Health", Handle: s.show},
		{Method: http.MethodPost, Path: path + "/retry", Need: desk.Admin, Handle: s.retry},
	}
}

// States of a check.
const (
	well  = "well"
	hand  = "hand"  // somebody should look
	later = "later" // not known yet, or nothing to be known
)

// A check is one line of the page.
type check struct {
	Name, State, Words string
	URL                string // of the screen where it is dealt with; "" if there is none
}

// dealt says where checks are dealt with, for who may see names.
var dealt = map[string]string{"Quarantine": "/staff/quarantine", "Mail": "/staff/mail"}

// A view is what the page shows.
type view struct {
	Checks      []check
	Hands       int // checks that need one
	MayRetry    bool
	Parked      []store.Event
	MoreParked  bool
	Fetches     []store.WaitingFetch
	Full, Last  reconcile.Report
	Differences []store.Difference
	Zone        string
}

func (v *view) add(name string, ok bool, format string, args ...any) {
	state := well
	if !ok {
		state = hand
		v.Hands++
	}
	v.Checks = append(v.Checks, check{Name: name, State: state, Words: fmt.Sprintf(format, args...)})
}

func (v *view) wait(name, words string) {
	v.Checks = append(v.Checks, check{Name: name, State: later, Words: words})
}

// show handles GET /staff/health. It waits for the database and, a second at
// most, for Redis; what Stripe says is what it said lately.
func (s *Screen) show(v *desk.Visit) error {
	ctx := v.Request.Context()
	body := view{MayRetry: v.Member.Role.Allows(desk.Admin), Zone: s.Desk.Zone.String()}
	if err := s.inflow(ctx, &body); err != nil {
		return err
	}
	if err := s.level(ctx, &body); err != nil {
		return err
	}
	s.machines(ctx, &body)
	if err := s.checkout(ctx, &body); err != nil {
		return err
	}
	if err := s.drift(ctx, &body); err != nil {
		return err
	}
	if err := s.mails(ctx, &body); err != nil {
		return err
	}
	if v.Member.Role.Allows(desk.Finance) {
		for i, c := range body.Checks {
			body.Checks[i].URL = dealt[c.Name]
		}
	}
	return s.Desk.Render(v, s.page, desk.Page{Title: "Health", Body: body})
}

// inflow looks at what Stripe delivers, and what could not be applied.
func (s *Screen) inflow(ctx context.Context, body *view) error {
	now := s.Desk.Now()
	h, err := s.Level.Health(ctx)
	if err != nil {
		return err
	}
	lag, err := s.Desk.Store.Lag(ctx, now.Add(-lagPeriod))
	if err != nil {
		return err
	}
	switch {
	case h.NewestEvent.IsZero():
		body.wait("Deliveries", "none has come yet")
	case h.Silent:
		body.add("Deliveries", false, "silence: the last came %s, and by now some %.0f usually would have. Is the webhook endpoint reached?", desk.Ago(now, h.NewestEvent), h.Missed)
	default:
		body.add("Deliveries", true, "the last came %s", desk.Ago(now, h.NewestEvent))
	}
	if lag.Events == 0 {
		body.wait("Webhook lag", "nothing came in 24 hours")
	} else {
		body.add("Webhook lag", lag.Slowest < lagWell, "%s on average, %s the slowest of %s in 24 hours", short(lag.Mean), short(lag.Slowest), count(lag.Events, "event"))
	}
	if body.Parked, err = s.Desk.Store.Parked(ctx, shown); err != nil {
		return err
	}
	body.MoreParked = h.Parked > int64(len(body.Parked))
	body.add("Parked events", h.Parked == 0, "%s", orNone(h.Parked, "none", "event", "could not be understood"))
	body.add("Questions to Stripe", h.OldestFetch.IsZero() || now.Sub(h.OldestFetch) < fetchWell, "%s",
		waiting(h.Fetches, "question", now, h.OldestFetch))
	body.Fetches, err = s.Desk.Store.WaitingFetches(ctx, shown)
	return err
}

// level looks at how far Stripe's lists were compared.
func (s *Screen) level(ctx context.Context, body *view) (err error) {
	now := s.Desk.Now()
	if body.Full, body.Last, err = s.Level.Reports(ctx); err != nil {
		return err
	}
	if body.Full.Finished.IsZero() {
		body.wait("Reconciliation", "not run yet; it runs each night")
	} else {
		body.add("Reconciliation", now.Sub(body.Full.Finished) < sweepWell, "everything was compared %s, with %s", desk.Ago(now, body.Full.Finished),
			orNone(int64(body.Full.Differences), "no difference", "difference", "found"))
	}
	body.Differences, err = s.Desk.Store.Differences(ctx, now.Add(-differences), shown)
	return err
}

// machines asks database, Redis and Stripe whether they answer.
func (s *Screen) machines(ctx context.Context, body *view) {
	ctx, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	kind := "SQLite"
	if s.Desk.Store.Postgres() {
		kind = "PostgreSQL"
	}
	began := time.Now()
	if err := s.Desk.Store.Ping(ctx); err != nil {
		body.add("Database", false, "%s does not answer", kind)
	} else {
		body.add("Database", true, "%s answers in %s", kind, short(time.Since(began)))
	}
	if s.Redis == nil {
		body.wait("Redis", "not set; right for one process")
	} else if began = time.Now(); s.Redis(ctx) != nil {
		body.add("Redis", false, "does not answer; the service goes on without, and counts reach other replicas later")
	} else {
		body.add("Redis", true, "answers in %s", short(time.Since(began)))
	}
	answer := s.stripe.look()
	endpoint, undelivered := answer.health.Delivers(s.Desk.PublicURL)
	switch {
	case answer.at.IsZero():
		body.wait("Stripe", "being asked; look again in a moment")
	case answer.err != nil && stripeapi.IsKind(answer.err, stripeapi.Denied):
		body.add("Stripe", false, "refuses the key, or the key may not read webhook endpoints; check STRIPE_SECRET_KEY")
	case answer.err != nil:
		body.add("Stripe", false, "did not answer %s", desk.Ago(s.Desk.Now(), answer.at))
	case answer.health.CheckVersion() != nil:
		body.add("Stripe", false, "%v", answer.health.CheckVersion())
	case s.Desk.Sandbox:
		body.add("Stripe", true, "the sandbox stands in its place, and answers")
	case undelivered != nil:
		body.add("Stripe", false, "%v", undelivered)
	default:
		body.add("Stripe", true, "takes the key; endpoint %s delivers here (asked %s)", endpoint, desk.Ago(s.Desk.Now(), answer.at))
	}
}

// drift compares the public counts with the database.
func (s *Screen) drift(ctx context.Context, body *view) error {
	rows, err := s.Desk.Store.ScopesSince(ctx, 0)
	if err != nil {
		return err
	}
	snapshot, off := s.Counts.Snapshot(), s.Counts.Drift(rows)
	switch {
	case snapshot.AsOf().IsZero():
		body.wait("Public counts", "not read yet")
	case snapshot.Stale():
		body.add("Public counts", false, "stale: last known to be true %s", desk.Ago(s.Desk.Now(), snapshot.AsOf()))
	default:
		body.add("Public counts", off == 0, "%s, %s", count(int64(len(rows)), "scope"), orNone(int64(off), "all as the database has them", "count", "not as the database has it"))
	}
	return nil
}

// mails looks at the outbox.
func (s *Screen) mails(ctx context.Context, body *view) error {
	open, err := s.Desk.Store.OpenMail(ctx)
	if err != nil {
		return err
	}
	now := s.Desk.Now()
	if !s.Mails {
		body.wait("Mail", "no server is set: mails are kept and not sent")
		return nil
	}
	words := waiting(open.Queued, "mail", now, open.Oldest)
	if open.Refused > 0 {
		words += fmt.Sprintf("; %s refused for good", count(open.Refused, "mail"))
	}
	body.add("Mail", open.Refused == 0 && (open.Oldest.IsZero() || now.Sub(open.Oldest) < mailWell), "%s", words)
	return nil
}

// retry handles POST /staff/health/retry: a parked event, or all of them.
func (s *Screen) retry(v *desk.Visit) error {
	ctx, id := v.Request.Context(), strings.TrimSpace(v.PostForm("id"))
	e := s.Desk.By(v, "event.replay", id)
	if id == "" {
		e.Detail = "all parked events"
	}
	if err := s.Desk.Audit(ctx, e); err != nil {
		return err
	}
	if id == "" {
		tried, left, err := s.Ledger.ReplayParked(ctx)
		if err != nil {
			return err
		}
		return s.Desk.Back(v, path, fmt.Sprintf("%s applied again; parked still: %d.", count(int64(tried), "event"), left))
	}
	found, err := s.Ledger.Replay(ctx, id)
	if err != nil {
		return err
	}
	if found == 0 {
		return fault.New(fault.NotFound, "There is no such event.")
	}
	return s.Desk.Back(v, path, "The event was applied again. If it is still in the list, this release can't read it.")
}

// checkout looks at who tries to give, and how much of that looks like a thief.
func (s *Screen) checkout(ctx context.Context, body *view) error {
	a := s.Attack()
	held, err := s.Desk.Store.CountHeld(ctx)
	if err != nil {
		return err
	}
	words := fmt.Sprintf("%s to give in 10 minutes, %s by banks", count(a.Sums.Tries, "attempt"), orNone(a.Sums.Failed, "none refused", "payment", "refused"))
	if a.On {
		words = fmt.Sprintf("attacked since %s: %s. %s were kept out in 10 minutes; readers can give", desk.Ago(s.Desk.Now(), a.Since), a.Why, count(a.Sums.Refused, "attempt"))
	}
	body.add("Checkout", !a.On, "%s", words)
	body.add("Quarantine", held == 0, "%s", orNone(held, "empty", "suspect", "to decide on: gifts, or checkouts, that look like a thief’s"))
	return nil
}
