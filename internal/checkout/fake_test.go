package checkout

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// A fakeStripe keeps sessions by idempotency key, as Stripe does, and answers
// what a test tells it to.
type fakeStripe struct {
	*httptest.Server
	mu       sync.Mutex
	sessions map[string]string     // by idempotency key
	params   map[string]url.Values // by session
	status   map[string]string     // by session: status and payment status
	asked    []string              // idempotency keys of POSTs, in order
	expired  []string
	// answer may answer a session's POST itself; it reports whether it did.
	answer func(w http.ResponseWriter, key string, form url.Values) bool
	payAt  string // where sessions lead
}

func newFakeStripe(t *testing.T) *fakeStripe {
	f := &fakeStripe{
		sessions: map[string]string{}, params: map[string]url.Values{}, status: map[string]string{},
		payAt: "https://checkout.stripe.com/c/pay/",
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/checkout/sessions", f.create)
	mux.HandleFunc("GET /v1/checkout/sessions/{id}", f.read)
	mux.HandleFunc("POST /v1/checkout/sessions/{id}/expire", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.expired = append(f.expired, r.PathValue("id"))
		f.mu.Unlock()
		f.write(w, r.PathValue("id"))
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeStripe) create(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = r.ParseForm()
	key := r.Header.Get("Idempotency-Key")
	f.asked = append(f.asked, key)
	if f.answer != nil && f.answer(w, key, r.PostForm) {
		return
	}
	id, known := f.sessions[key]
	if known && f.params[id].Encode() != r.PostForm.Encode() {
		refuse(w, http.StatusBadRequest, "idempotency_error", "", "", "Keys for idempotent requests can only be used with the same parameters.")
		return
	}
	if !known {
		id = fmt.Sprintf("cs_test_%d", len(f.sessions)+1)
		f.sessions[key], f.params[id] = id, r.PostForm
	}
	f.write(w, id)
}

func (f *fakeStripe) read(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.write(w, r.PathValue("id"))
}

func (f *fakeStripe) write(w http.ResponseWriter, id string) {
	status, paid, _ := strings.Cut(f.status[id], " ")
	if status == "" {
		status, paid = "open", "unpaid"
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"id": id, "object": "checkout.session", "url": f.payAt + id, "status": status, "payment_status": paid,
	})
}

// refuse answers with an error as Stripe writes it.
func refuse(w http.ResponseWriter, status int, kind, code, param, message string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{
		"type": kind, "code": code, "param": param, "message": message,
	}})
}

// calls returns how many sessions were asked for.
func (f *fakeStripe) calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.asked)
}

// last returns what was sent for the newest session.
func (f *fakeStripe) last() url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.params[fmt.Sprintf("cs_test_%d", len(f.sessions))]
}

// An allowance lets so many through.
type allowance struct {
	mu   sync.Mutex
	left int
	keys []string
}

func (a *allowance) Allow(_ context.Context, name, key string) (bool, time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys = append(a.keys, name+" "+key)
	if name != limits.Checkout {
		return true, 0
	}
	if a.left--; a.left < 0 {
		return false, 90 * time.Second
	}
	return true, 0
}

// A bench is a service with everything around it.
type bench struct {
	*Service
	stripe  *fakeStripe
	limit   *allowance
	handler http.Handler
	clock   time.Time
}

const (
	site = "https://united24media.example"
	here = "https://support.example"
)

// newBench returns a service on SQLite whose Stripe is fake. Tests may change
// it before their first request.
func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := &bench{
		stripe: newFakeStripe(t), limit: &allowance{left: 1000},
		clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
	log := slog.New(slog.DiscardHandler)
	b.Service, err = New(Options{
		Store: db, Stripe: stripeapi.New(stripeapi.Options{Key: "sk_test_123", BaseURL: b.stripe.URL, Log: log}),
		Signer: attribution.NewSigner([][]byte{[]byte("a secret of thirty-two bytes or more")}), Limiter: b.limit,
		Log: log, PublicURL: here, SiteOrigins: []string{site}, Currency: "EUR", Sandbox: true,
		Now: func() time.Time { return b.clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	gin.SetMode(gin.TestMode)
	e := gin.New()
	handle := func(h func(*gin.Context) error) gin.HandlerFunc {
		return func(c *gin.Context) {
			if err := h(c); err != nil {
				writeFault(c, err)
			}
		}
	}
	e.POST("/v1/checkouts", handle(b.Create))
	e.GET("/support", handle(b.SupportPage))
	e.POST("/support", handle(b.SupportForm))
	e.GET("/thanks", handle(b.Thanks))
	b.handler = e
	return b
}

// writeFault answers with an error in the shape of package web, near enough
// for these tests.
func writeFault(c *gin.Context, err error) {
	status := http.StatusInternalServerError
	f := &fault.Error{}
	if e, ok := asFault(err); ok {
		f = e
		status = map[fault.Kind]int{
			fault.Invalid: 400, fault.Conflict: 409, fault.TooLarge: 413, fault.MediaType: 415, fault.Limited: 429,
			fault.Upstream: 502, fault.Unavailable: 503,
		}[e.Kind]
	}
	c.JSON(status, gin.H{"field": f.Field, "detail": f.Detail, "retry_after": f.RetryAfter})
}

// do sends a request and returns the answer.
func (b *bench) do(method, target, contentType, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = "203.0.113.7:4711"
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w
}

func (b *bench) post(body string) *httptest.ResponseRecorder {
	return b.do(http.MethodPost, "/v1/checkouts", "application/json", body)
}

func (b *bench) send(values url.Values) *httptest.ResponseRecorder {
	return b.do(http.MethodPost, "/support", "application/x-www-form-urlencoded", values.Encode())
}
