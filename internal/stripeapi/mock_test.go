package stripeapi

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/sandbox/stripespec"
)

// A checkedTransport holds every request against Stripe's own document for
// 2023-10-16 before it goes to stripe-mock, which knows less of it.
type checkedTransport struct {
	t    *testing.T
	mu   sync.Mutex
	seen map[string]bool // "POST /v1/checkout/sessions"
}

func (c *checkedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	form := r.URL.Query()
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sent, err := url.ParseQuery(string(body))
		if err != nil {
			c.t.Errorf("%s %s: a body that is no form: %v", r.Method, r.URL.Path, err)
		}
		for name, values := range sent {
			form[name] = values
		}
	}
	if err := stripespec.Lint(r.Method, r.URL.Path, form); err != nil {
		c.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	c.mu.Lock()
	c.seen[r.Method+" "+r.URL.Path] = true
	c.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// TestRequestsAreStripes sends every kind of request we make to a running
// stripe-mock of API 2023-10-16.
func TestRequestsAreStripes(t *testing.T) {
	t.Parallel()
	transport := &checkedTransport{t: t, seen: map[string]bool{}}
	c := New(Options{
		Key: "sk_test_123", BaseURL: startMock(t), HTTP: &http.Client{Transport: transport}, Log: slog.New(slog.DiscardHandler),
	})
	ctx := t.Context()
	params := SessionParams{
		IdempotencyKey: "key_1", Reference: "co_1", Interval: "once", ProductName: "A gift", Lang: "uk",
		Amount: money.Amount{Minor: 1000, Currency: "EUR"}, Metadata: map[string]string{"support_v": "1", "article": "troops"},
		SuccessURL: "https://support.example/thanks?session_id={CHECKOUT_SESSION_ID}", CancelURL: "https://support.example/support",
		ExpiresAt: time.Now().Add(time.Hour),
	}
	for _, interval := range []string{"once", "month", "year"} {
		params.Interval = interval
		if _, err := c.CreateSession(ctx, params); err != nil {
			t.Errorf("open a session for %s: %v", interval, err)
		}
	}
	if _, err := c.Session(ctx, "cs_1"); err != nil {
		t.Errorf("read a session: %v", err)
	}
	if _, err := c.ExpireSession(ctx, "cs_1"); err != nil {
		t.Errorf("expire a session: %v", err)
	}
	for name, change := range changes {
		if answer, err := change(ctx, c); err != nil || len(answer.Object) == 0 || answer.At.IsZero() {
			t.Errorf("%s: %q at %v, %v", name, answer.Object, answer.At, err)
		}
	}
	c.account(ctx, t)
	if _, err := c.Health(ctx); err != nil {
		t.Errorf("health: %v", err)
	}
	for _, kind := range []objects.Kind{
		objects.KindCharge, objects.KindIntent, objects.KindInvoice, objects.KindSubscription, objects.KindSession,
		objects.KindCustomer, objects.KindRefund, objects.KindDispute, objects.KindTransaction, objects.KindPayout,
	} {
		if _, err := c.Fetch(ctx, kind, "id_1"); err != nil {
			t.Errorf("fetch a %s: %v", kind, err)
		}
	}
	for path, params := range map[string]url.Values{
		"/v1/charges":              {"created[gte]": {"1700000000"}},
		"/v1/refunds":              {"charge": {"ch_1"}},
		"/v1/disputes":             {"charge": {"ch_1"}},
		"/v1/invoices":             {"created[gte]": {"1700000000"}},
		"/v1/subscriptions":        {"status": {"all"}},
		"/v1/checkout/sessions":    {"created[gte]": {"1700000000"}},
		"/v1/payment_intents":      {"created[gte]": {"1700000000"}},
		"/v1/balance_transactions": {"payout": {"po_1"}},
		"/v1/payouts":              {"created[gte]": {"1700000000"}},
		"/v1/events":               {"delivery_success": {"false"}},
	} {
		for _, err := range c.List(ctx, path, params) {
			if err != nil {
				t.Errorf("list %s: %v", path, err)
			}
			break // it always has one page
		}
	}
	plan, err := c.PlanSetup(ctx, Setup{WebhookURL: "https://support.example/webhooks/stripe"})
	if err != nil {
		t.Fatalf("plan the set-up: %v", err)
	}
	for _, change := range plan.Changes {
		if err := change.Make(ctx); err != nil {
			t.Errorf("%s: %v", change.Words, err)
		}
	}
	for _, request := range []string{"POST /v1/checkout/sessions", "GET /v1/balance_transactions"} {
		if !transport.seen[request] {
			t.Errorf("%s was never sent", request)
		}
	}
}

// startMock builds and starts Stripe's own mock, and returns its address.
func startMock(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "stripe-mock")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/stripe/stripe-mock")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build stripe-mock: %v\n%s", err, out)
	}
	plain, secure := freeAddress(t), freeAddress(t)
	ctx, cancel := context.WithCancel(context.Background())
	mock := exec.CommandContext(ctx, program, "-http-addr", plain, "-https-addr", secure, "-strict-version-check")
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = mock.Wait() })
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		conn, err := net.Dial("tcp", plain)
		if err == nil {
			conn.Close()
			return "http://" + plain
		}
		if t.Context().Err() != nil {
			t.Fatal("stripe-mock never answered")
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
