package reconcile_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
	"github.com/united24media/support/internal/testenv"
)

// A house is a ledger on a database of its own, and Stripe's stand-in that
// delivers to it. Its time is the sandbox's.
type house struct {
	*reconcile.Service
	t      *testing.T
	box    *sandbox.Sandbox
	store  *store.Store
	ledger *ledger.Ledger
	stripe *stripeapi.Client
	zone   *time.Location

	address string           // of the database
	moved   func()           // called after a commit that moved a count; nil: nobody
	asked   chan struct{}    // holds one thing if the sandbox was asked for anything
	turn    atomic.Int64     // of deliveries
	others  []*ledger.Ledger // of other replicas, which get every other delivery
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, h *house)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, newHouse(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, newHouse(t, testenv.Postgres(t)))
	})
}

// newHouse starts a house on a database; edit may change its sandbox first.
func newHouse(t *testing.T, address string, edit ...func(*sandbox.Options)) *house {
	t.Helper()
	h := &house{t: t, asked: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	var err error
	options := sandbox.Options{
		BaseURL: server.URL + "/sandbox", WebhookURL: server.URL + "/webhooks", WebhookSecret: "whsec_test", Seed: 7,
	}
	for _, e := range edit {
		e(&options)
	}
	h.box, err = sandbox.New(options)
	ok(t, err)
	t.Cleanup(func() { h.box.Close() })
	api := http.StripPrefix("/sandbox", h.box.Handler())
	mux.HandleFunc("/sandbox/", func(w http.ResponseWriter, r *http.Request) {
		select {
		case h.asked <- struct{}{}:
		default:
		}
		api.ServeHTTP(w, r)
	})
	mux.HandleFunc("/webhooks", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			books := append([]*ledger.Ledger{h.ledger}, h.others...)
			err = books[int(h.turn.Add(1))%len(books)].Deliver(r.Context(), body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	h.stripe = stripeapi.New(stripeapi.Options{Key: "sk_test_1", BaseURL: server.URL + "/sandbox"})
	h.zone, err = time.LoadLocation("Europe/Kyiv")
	ok(t, err)
	h.open(address)
	return h
}

// open starts a ledger and a service on a database.
func (h *house) open(address string) {
	h.address = address
	h.store, h.ledger, h.Service = h.replica()
}

// replica starts a ledger and a service of its own on the database.
func (h *house) replica() (*store.Store, *ledger.Ledger, *reconcile.Service) {
	h.t.Helper()
	db, err := store.Open(h.address)
	ok(h.t, err)
	h.t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(h.t.Context())
	ok(h.t, err)
	book := ledger.New(ledger.Options{Store: db, Now: h.box.Now, Timezone: h.zone, Grace: 14 * 24 * time.Hour, Moved: func([]store.ScopeCount) {
		if h.moved != nil {
			h.moved()
		}
	}})
	h.background(book.Run)
	return db, book, reconcile.New(reconcile.Options{
		Store: db, Ledger: book, Stripe: h.stripe, Now: h.box.Now, Timezone: h.zone,
	})
}

// background runs a part until the test ends.
func (h *house) background(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- run(ctx) }()
	h.t.Cleanup(func() { cancel(); <-stopped })
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// session opens a checkout of ours.
func (h *house) session(amount int64, currency, interval string) string {
	h.t.Helper()
	s, err := h.stripe.CreateSession(h.t.Context(), stripeapi.SessionParams{
		IdempotencyKey: rnd(), Reference: "co_1", Amount: money.Amount{Minor: amount, Currency: currency}, Interval: interval,
		ProductName: "Gift", Lang: "en", Without: []string{"product", "expires_at"},
		Metadata:   map[string]string{"support_v": "1", "checkout": "co_1", "article": "troops", "attribution": "signed"},
		SuccessURL: "https://site.example/thanks", CancelURL: "https://site.example/support",
	})
	ok(h.t, err)
	return s.ID
}

// rnd returns a key that no other call returns.
func rnd() string { return strings.ReplaceAll(time.Now().Format("150405.000000000"), ".", "_") }

// give lets somebody give, and delivers what Stripe says of it.
func (h *house) give(amount int64, currency, interval string) {
	h.t.Helper()
	h.pay(h.session(amount, currency, interval))
}

// pay pays a checkout, and delivers what Stripe says of it.
func (h *house) pay(session string) {
	h.t.Helper()
	_, err := h.box.Pay(session, sandbox.Payer{Email: "olena@example.org", Name: "Olena", Country: "UA"}, sandbox.Paid)
	ok(h.t, err)
	h.deliver()
}

func (h *house) deliver() { h.box.DeliverAll(h.t.Context()) }

// advance moves the clock and delivers what happened.
func (h *house) advance(d time.Duration) {
	h.t.Helper()
	ok(h.t, h.box.Advance(d))
	h.deliver()
}

func (h *house) donations() []*giving.Donation {
	h.t.Helper()
	var all []*giving.Donation
	ok(h.t, h.store.Look(h.t.Context(), func(tx *store.Tx) (err error) {
		all, err = tx.DonationsAfter(h.t.Context(), "", 1000)
		return err
	}))
	return all
}

func (h *house) memberships() []*giving.Membership {
	h.t.Helper()
	var all []*giving.Membership
	ok(h.t, h.store.Look(h.t.Context(), func(tx *store.Tx) (err error) {
		all, err = tx.MembershipsAfter(h.t.Context(), "", 1000)
		return err
	}))
	return all
}

// donation has wishes answered, while time goes on, until the only donation is
// as wanted.
func (h *house) donation(what string, wanted func(*giving.Donation) bool) *giving.Donation {
	h.t.Helper()
	for range 30 {
		ok(h.t, h.FollowDue(h.t.Context()))
		if all := h.donations(); len(all) == 1 && wanted(all[0]) {
			return all[0]
		}
		h.advance(later)
	}
	for _, d := range h.donations() {
		h.t.Logf("donation %+v", *d)
	}
	h.t.Fatalf("in vain: %s", what)
	return nil
}
