// Package sandbox stands in for Stripe: its API at version 2023-10-16 as far
// as this product uses it, a hosted checkout page, and signed webhook
// deliveries with retries. It remembers what happened, so what it answers,
// lists and delivers fits together, and no money moves.
//
// Its clock can be moved ahead ([Sandbox.Advance]), which brings renewals,
// retries, payouts and whatever else happens by itself.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Version is the API version the sandbox speaks, the only one it takes.
const Version = "2023-10-16"

// Options say how a sandbox is reached and where it keeps what it knows. Only
// BaseURL has no usable default.
type Options struct {
	// BaseURL is where browsers and API clients reach [Sandbox.Handler], such
	// as "http://127.0.0.1:8080/sandbox". Pages are linked under it.
	BaseURL string

	// WebhookURL gets events; "" delivers only to endpoints made through the
	// API.
	WebhookURL string

	// Events are the types that WebhookURL gets; none is all.
	Events []string

	// WebhookSecret signs what goes to WebhookURL. "" makes one.
	WebhookSecret string

	// Folder keeps the state across restarts; "" keeps it in memory.
	Folder string

	// Settlement is the currency of the account's balance; "" is EUR.
	Settlement string

	// DelayedAfter is how long a delayed payment method takes to succeed or
	// fail, by the sandbox's clock; 0 is 10 s.
	DelayedAfter time.Duration

	// DunningEnds is what becomes of a subscription whose renewal failed four
	// times: "canceled" (also for ""), "unpaid" or "past_due".
	DunningEnds string

	// Seed other than 0 makes ids and chaos repeat themselves.
	Seed uint64

	// Transport carries deliveries; nil is http.DefaultTransport.
	Transport http.RoundTripper

	Now func() time.Time // nil is time.Now
	Log *slog.Logger     // nil discards
}

func (o Options) withDefaults() Options {
	o.BaseURL = strings.TrimSuffix(o.BaseURL, "/")
	if o.Settlement == "" {
		o.Settlement = "eur"
	}
	o.Settlement = strings.ToLower(o.Settlement)
	if o.DelayedAfter == 0 {
		o.DelayedAfter = 10 * time.Second
	}
	if o.DunningEnds == "" {
		o.DunningEnds = "canceled"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// A Sandbox is one imagined Stripe account. Its methods may be called at the
// same time.
type Sandbox struct {
	opts   Options
	client *http.Client
	api    *http.ServeMux // the addresses under /v1/
	wake   chan struct{}  // something became due
	runs   atomic.Bool    // Run is delivering

	mu       sync.Mutex
	st       *state
	journal  *journal
	random   *rand.Rand // ids
	luck     *rand.Rand // chaos
	offset   time.Duration
	at       int64 // Unix time being lived through again, 0: now
	cause    *call // the API request being answered, nil: none
	underway map[string]bool
	settled  chan struct{} // closed and replaced when a delivery ends
	sessions []string      // the newest, oldest first

	mostOpened, mostEvents int
}

// New returns a sandbox with the state kept in opts.Folder, if there is any.
// It fails if BaseURL is missing or the folder can't be used.
func New(opts Options) (*Sandbox, error) {
	opts = opts.withDefaults()
	if opts.BaseURL == "" {
		return nil, errors.New("sandbox: BaseURL is missing; set it to where the handler is reached")
	}
	if _, known := rates[opts.Settlement]; !known {
		return nil, fmt.Errorf("sandbox: settlement currency %q has no exchange rate; use one of the rate table", opts.Settlement)
	}
	st := newState()
	j, err := openJournal(opts.Folder, st)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{
		opts: opts, st: st, journal: j,
		random: newRandom(opts.Seed), luck: newRandom(opts.Seed),
		client: &http.Client{
			Timeout: deliveryTimeout, Transport: opts.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a redirect is a failure to Stripe
		},
		api: http.NewServeMux(), wake: make(chan struct{}, 1), underway: map[string]bool{}, settled: make(chan struct{}),
		mostOpened: mostOpened, mostEvents: mostEvents,
	}
	s.sessions = slices.Clone(st.table(kindSession).ids)
	s.routeAPI(s.api)
	s.offset = time.Duration(s.setting(settingClock).int("offset_ns"))
	return s, s.do(func() error { s.prepare(); return nil })
}

// prepare makes what an account has from the start: the endpoint of the
// options, and the daily payout run.
func (s *Sandbox) prepare() {
	s.keepDefaultEndpoint()
	if s.setting(settingPayouts) == nil {
		s.st.put(kindSetting, Object{"id": settingPayouts, "since": s.now()})
		s.schedule(nextMidnight(s.now()), taskDay, settingPayouts, nil)
	}
}

// Names of the sandbox's own records.
const (
	settingClock   = "clock"
	settingChaos   = "chaos"
	settingPayouts = "payouts"
)

func (s *Sandbox) setting(name string) Object { return s.st.get(kindSetting, name) }

// Handler answers the API under /v1/, the hosted pages under /checkout/ and
// /portal/, and the switches under /control/. The path of BaseURL must be
// stripped before.
func (s *Sandbox) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", s.api)
	s.routePages(mux)
	s.routeControl(mux)
	return mux
}

// Run delivers events and lets what is due happen until ctx ends.
func (s *Sandbox) Run(ctx context.Context) error {
	s.runs.Store(true)
	defer s.runs.Store(false)
	return s.deliver(ctx)
}

// Close ends the use of the folder. Everything is in the file before an
// answer leaves the sandbox, so nothing is lost without it.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.close()
}

// do runs f alone, after everything that was due before it. If f fails,
// nothing of it remains, unless the failure says that its effects stay.
func (s *Sandbox) do(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.liveUntil(s.realNow())
	if err := s.commit(); err != nil {
		return err
	}
	err := f()
	if e, ok := errors.AsType[*apiError](err); err != nil && (!ok || !e.effectsStay) {
		s.st.rollback()
		return err
	}
	return errors.Join(err, s.commit())
}

func (s *Sandbox) commit() error {
	if len(s.st.changes) == 0 {
		return nil
	}
	if err := s.journal.write(s.st); err != nil {
		s.st.rollback()
		return fmt.Errorf("sandbox: keep the state: %w", err)
	}
	s.st.changes = nil
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}
