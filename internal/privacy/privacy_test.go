package privacy_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
	"github.com/united24media/support/internal/testenv"
)

// A room is the service over a database and Stripe's stand-in, with a clock
// that tests set. Deletions fail while it is told so.
type room struct {
	*privacy.Service
	box     *sandbox.Sandbox
	ledger  *ledger.Ledger
	mu      sync.Mutex
	ahead   time.Duration
	failing bool
	deletes int
	gifts   int
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, f func(*testing.T, *room)) {
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		f(t, newRoom(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db")))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		f(t, newRoom(t, testenv.Postgres(t)))
	})
}

func newRoom(t *testing.T, database string) *room {
	t.Helper()
	r := &room{}
	db, err := store.Open(database)
	ok(t, err)
	t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(t.Context())
	ok(t, err)
	log := slog.New(slog.DiscardHandler)
	r.ledger = ledger.New(ledger.Options{Store: db, Now: r.now, Timezone: time.UTC, Grace: 14 * 24 * time.Hour, Log: log})
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	r.box, err = sandbox.New(sandbox.Options{BaseURL: server.URL + "/sandbox", WebhookURL: server.URL + "/webhooks", WebhookSecret: "whsec_test", Log: log})
	ok(t, err)
	t.Cleanup(func() { r.box.Close() })
	mux.HandleFunc("/sandbox/", func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodDelete && strings.HasPrefix(q.URL.Path, "/sandbox/v1/customers/") && !r.mayDelete() {
			http.Error(w, `{"error":{"type":"api_error"}}`, http.StatusInternalServerError)
			return
		}
		http.StripPrefix("/sandbox", r.box.Handler()).ServeHTTP(w, q)
	})
	mux.HandleFunc("/webhooks", func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err == nil {
			err = r.ledger.Deliver(q.Context(), body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	r.Service = privacy.New(privacy.Options{
		Store: db, Ledger: r.ledger, Secret: []byte("secret"), Now: r.now, Log: log,
		Stripe: stripeapi.New(stripeapi.Options{Key: "sk_test_1", BaseURL: server.URL + "/sandbox", Log: log}),
	})
	ctx, end := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = r.ledger.Run(ctx) })
	t.Cleanup(func() { end(); parts.Wait() })
	return r
}

func (r *room) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.ahead)
}

func (r *room) later(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ahead += d
}

func (r *room) fails(fails bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failing = fails
}

func (r *room) mayDelete() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deletes++
	return !r.failing
}

// give makes a gift through a checkout and returns the checkout's id.
func (r *room) give(t *testing.T, email, interval string, discreet bool) string {
	t.Helper()
	r.gifts++
	id := fmt.Sprint("co_", r.gifts)
	_, err := r.Store.AddCheckout(t.Context(), store.Checkout{
		ID: id, Attempt: id, Session: "cs_" + id, Status: store.CheckoutOpen, Currency: "EUR", AmountMinor: 1000, Interval: interval, UTM: "{}",
		Discreet: discreet, CreatedAt: r.now(), ExpiresAt: r.now(),
	})
	ok(t, err)
	session, err := r.Stripe.CreateSession(t.Context(), stripeapi.SessionParams{
		IdempotencyKey: id, Reference: id, Amount: money.Amount{Minor: 1000, Currency: "EUR"}, Interval: interval, ProductName: "Gift", Lang: "en",
		Without: []string{"product", "expires_at"}, Metadata: map[string]string{"support_v": "1", "checkout": id}, SuccessURL: "https://site.example/", CancelURL: "https://site.example/",
	})
	ok(t, err)
	_, err = r.box.Pay(session.ID, sandbox.Payer{Email: email, Name: "Olena Kovalenko", Country: "UA"}, sandbox.Paid)
	ok(t, err)
	r.box.DeliverAll(t.Context())
	return id
}

// known returns which of several addresses have gifts or memberships.
func (r *room) known(t *testing.T, addresses ...string) (known []string) {
	t.Helper()
	for _, address := range addresses {
		is, err := r.Store.KnownAddress(t.Context(), address)
		ok(t, err)
		if is {
			known = append(known, address)
		}
	}
	return known
}

// TestPurge: what was not paid is gone within 90 days, what was paid stays.
func TestPurge(t *testing.T) {
	t.Parallel()
	if privacy.KeepCheckouts+time.Hour > 90*24*time.Hour {
		t.Error("checkouts that were not paid are kept for longer than 90 days")
	}
	onBoth(t, func(t *testing.T, r *room) {
		paid := r.give(t, "olena@example.org", "once", false)
		row, _, err := r.Store.CheckoutByAttempt(t.Context(), paid)
		ok(t, err)
		gift, err := r.Store.GiftsOf(t.Context(), "olena@example.org")
		ok(t, err)
		session, err := r.Store.Naming(t.Context(), []string{"payment_intent/" + gift[0].Key})
		ok(t, err)
		i := slices.IndexFunc(session, func(ref string) bool { return strings.HasPrefix(ref, "checkout.session/") })
		ok(t, r.Store.OpenCheckout(t.Context(), paid, row.IdempotencyKey, strings.TrimPrefix(session[i], "checkout.session/"), "https://pay.example/"))
		for _, id := range []string{"old", "older"} {
			_, err := r.Store.AddCheckout(t.Context(), store.Checkout{ID: id, Attempt: id, Status: store.CheckoutOpen, UTM: "{}", Name: "Nobody", CreatedAt: r.now(), ExpiresAt: r.now()})
			ok(t, err)
		}
		ok(t, r.Store.AddView(t.Context(), store.SavedView{ID: "search", Staff: "mem_1", Filters: "text=olena%40example.org", Created: r.now()}))
		ok(t, r.Store.AddView(t.Context(), store.SavedView{ID: "named", Staff: "mem_1", Name: "Big gifts", Filters: "least=1", Created: r.now()}))
		left := func() (ids []string) {
			for _, id := range []string{paid, "old", "older", "new"} {
				if _, found, err := r.Store.CheckoutByAttempt(t.Context(), id); err == nil && found {
					ids = append(ids, id)
				}
			}
			return ids
		}
		r.later(88 * 24 * time.Hour)
		_, err = r.Store.AddCheckout(t.Context(), store.Checkout{ID: "new", Attempt: "new", Status: store.CheckoutOpen, UTM: "{}", CreatedAt: r.now(), ExpiresAt: r.now()})
		ok(t, err)
		ok(t, r.Purge(t.Context()))
		if got := left(); len(got) != 4 {
			t.Errorf("after 88 days there are %v", got)
		}
		if _, err := r.Store.View(t.Context(), "mem_1", "search"); err == nil {
			t.Error("what was searched for is kept")
		}
		if _, err := r.Store.View(t.Context(), "mem_1", "named"); err != nil {
			t.Errorf("a saved view: %v", err)
		}
		r.later(2 * 24 * time.Hour)
		for range 2 { // the second finds nothing
			ok(t, r.Purge(t.Context()))
			if got := left(); !slices.Equal(got, []string{paid, "new"}) {
				t.Errorf("after 90 days there are %v", got)
			}
		}
	})
}

// TestDeleteCustomers: a customer whom Stripe does not delete is deleted the
// next time, and one with a membership when that is over.
func TestDeleteCustomers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, r *room) {
		r.give(t, "olena@example.org", "once", false)
		r.give(t, "taras@example.org", "month", false)
		for _, address := range []string{"olena@example.org", "taras@example.org"} {
			_, err := r.Erase(t.Context(), address, store.Entry{Who: "test"})
			ok(t, err)
		}
		left := func() int {
			customers, err := r.Store.ErasedCustomers(t.Context(), "", 10)
			ok(t, err)
			return len(customers)
		}
		before := left() // Olena's, where the sandbox made one; Taras pays on
		r.fails(true)
		if deleted, err := r.DeleteCustomers(t.Context()); deleted != 0 || before > 0 && err == nil {
			t.Errorf("while Stripe fails %d are deleted, %v", deleted, err)
		}
		if left() != before {
			t.Error("what failed is not tried again")
		}
		r.fails(false)
		if deleted, err := r.DeleteCustomers(t.Context()); deleted != before || err != nil || left() != 0 {
			t.Errorf("%d are deleted, want %d; %v", deleted, before, err)
		}
		var subscription, customer string
		ok(t, r.Store.Look(t.Context(), func(tx *store.Tx) error {
			donations, err := tx.DonationsAfter(t.Context(), "", 10)
			for _, d := range donations {
				if d.Subscription != "" {
					subscription, customer = d.Subscription, d.Customer
				}
			}
			return err
		}))
		answer, err := r.Stripe.CancelSubscription(t.Context(), "end", subscription)
		ok(t, err)
		ok(t, r.ledger.Apply(t.Context(), ledger.Answer{Object: answer.Object, At: answer.At}))
		if deleted, err := r.DeleteCustomers(t.Context()); deleted != 1 || err != nil {
			t.Errorf("after the membership's end %d are deleted, %v", deleted, err)
		}
		body, _ := r.box.Call(t.Context(), http.MethodGet, "/v1/customers/"+customer, url.Values{})
		if !strings.Contains(string(body), `"deleted": true`) {
			t.Errorf("at Stripe the customer is %s", body)
		}
		r.box.DeliverAll(t.Context()) // customer.deleted, which says who it was
		if known := r.known(t, "olena@example.org", "taras@example.org"); len(known) > 0 {
			t.Errorf("known again: %v", known)
		}
	})
}

// TestRunTriesAgain: what Stripe refused in one round is done in the next, which
// an erasure begins.
func TestRunTriesAgain(t *testing.T) {
	t.Parallel()
	r := newRoom(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db"))
	for _, person := range []store.Person{{Customers: []string{"cus_gone"}}} {
		ok(t, r.Store.Ledger(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Forget(t.Context(), person, r.now())
			return err
		}))
	}
	r.give(t, "olena@example.org", "once", false)
	r.fails(true)
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() { end(); <-ended })
	tries := func() int {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.deletes
	}
	wait(t, "the first round has failed", func() bool { return tries() > 0 })
	r.fails(false)
	_, err := r.Erase(t.Context(), "olena@example.org", store.Entry{Who: "test"})
	ok(t, err)
	wait(t, "nobody is left to be deleted", func() bool {
		left, err := r.Store.ErasedCustomers(t.Context(), "", 10)
		return err == nil && len(left) == 0
	})
}

func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestEraseDiscreet: who is kept out of sight is forgotten a stated time after
// their last gift or their membership's end, and nobody else is.
func TestEraseDiscreet(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, r *room) {
		everybody := []string{"form@example.org", "chose@example.org", "again@example.org", "member@example.org", "open@example.org", "back@example.org"}
		r.give(t, "form@example.org", "once", true)
		r.give(t, "chose@example.org", "once", false)
		ok(t, r.Store.PutChoices(t.Context(), store.Choices{Address: "chose@example.org", Discreet: true}, r.now()))
		r.give(t, "again@example.org", "once", true)
		r.give(t, "member@example.org", "month", true)
		r.give(t, "open@example.org", "once", false)
		r.give(t, "back@example.org", "once", true)
		chosen, made, err := r.Store.ChoicesOf(t.Context(), "back@example.org")
		if err != nil || made || !chosen.Discreet || chosen.Public || chosen.Renewals {
			t.Errorf("what the form chose is %+v, %v, %v", chosen, made, err)
		}
		ok(t, r.Store.PutChoices(t.Context(), store.Choices{Address: "back@example.org"}, r.now()))
		if chosen, _, err := r.Store.ChoicesOf(t.Context(), "back@example.org"); err != nil || chosen.Discreet {
			t.Errorf("taken back, it is %+v, %v", chosen, err)
		}

		r.later(privacy.KeepDiscreet - time.Hour)
		ok(t, r.EraseDiscreet(t.Context()))
		if known := r.known(t, everybody...); len(known) != len(everybody) {
			t.Errorf("too early only %v are known", known)
		}
		gifts, err := r.Store.GiftsOf(t.Context(), "again@example.org")
		ok(t, err)
		r.later(2 * time.Hour)
		// Another gift of hers, made just now by Stripe's clock.
		ok(t, r.box.Advance(privacy.KeepDiscreet))
		r.give(t, "again@example.org", "once", false)
		ok(t, r.EraseDiscreet(t.Context()))
		ok(t, r.EraseDiscreet(t.Context()))
		if known := r.known(t, everybody...); !slices.Equal(known, []string{"again@example.org", "member@example.org", "open@example.org", "back@example.org"}) {
			t.Errorf("afterwards %v are known", known)
		}
		if len(gifts) != 1 {
			t.Errorf("she had %d gifts", len(gifts))
		}
		entries, err := r.Store.AuditBefore(t.Context(), store.AuditFilter{Who: "timer"}, 0, 10)
		if err != nil || len(entries) != 2 {
			t.Errorf("the audit log has %+v, %v", entries, err)
		}
		drifts, err := r.ledger.Verify(t.Context())
		if err != nil || len(drifts) > 0 {
			t.Errorf("verify: %v, %v", drifts, err)
		}
	})
}
