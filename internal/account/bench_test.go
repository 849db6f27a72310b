package account_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/account"
	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
	"github.com/united24media/support/internal/web"
	"github.com/united24media/support/webhooks"
)

var secrets = [][]byte{[]byte(strings.Repeat("n", 32)), []byte(strings.Repeat("o", 32))}

// A town is the pages with everything around them: a database, the ledger, and
// the sandbox as Stripe.
type town struct {
	*httptest.Server
	*account.Service
	box    *sandbox.Sandbox
	keys   *signin.Keys
	people *privacy.Service
	down   atomic.Bool // Stripe can't be reached
	mu     sync.Mutex
	skew   time.Duration // of the pages' clock
	used   []string      // ids of mails that tests have seen
}

func (w *town) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.skew)
}

// later moves the pages' clock.
func (w *town) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skew += d
}

func (w *town) seen(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.used = append(w.used, id)
}

// tick lets a second pass at Stripe, whose word of the same second is not
// known to be later.
func (w *town) tick(t *testing.T) {
	t.Helper()
	if err := w.box.Advance(time.Second); err != nil {
		t.Fatal(err)
	}
}

const site = "https://news.example"

// anything allows all.
type anything struct{}

func (anything) Allow(context.Context, string, string) (bool, time.Duration) { return true, 0 }

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{keys: signin.New(secrets)}
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var handler atomic.Pointer[web.Server]
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/sandbox/v1/") && w.down.Load() {
			panic(http.ErrAbortHandler)
		}
		handler.Load().ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	log := slog.New(slog.DiscardHandler)
	if w.box, err = sandbox.New(sandbox.Options{
		BaseURL: w.URL + "/sandbox", WebhookURL: w.URL + "/webhooks/stripe", WebhookSecret: "whsec_test", Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.box.Close() })
	for _, product := range stripeapi.Products() {
		if _, err := w.box.Call(t.Context(), http.MethodPost, "/v1/products", url.Values{"id": {product[0]}, "name": {product[1]}}); err != nil {
			t.Fatal(err)
		}
	}
	portal := url.Values{"business_profile[headline]": {"Support"}, "features[payment_method_update][enabled]": {"true"}}
	if _, err := w.box.Call(t.Context(), http.MethodPost, "/v1/billing_portal/configurations", portal); err != nil {
		t.Fatal(err)
	}
	book := ledger.New(ledger.Options{Store: db, Now: time.Now, Timezone: time.UTC, Grace: 336 * time.Hour, Log: log})
	w.people = privacy.New(privacy.Options{
		Store: db, Ledger: book, Secret: secrets[0], Now: w.now, Log: log,
		Stripe: stripeapi.New(stripeapi.Options{Key: "sk_test_x", BaseURL: w.URL + "/sandbox", Log: log}),
	})
	w.Service = account.New(account.Options{
		Store: db, Ledger: book, Privacy: w.people, Keys: w.keys, Secrets: secrets, Limiter: anything{}, Log: log,
		Stripe:    stripeapi.New(stripeapi.Options{Key: "sk_test_x", BaseURL: w.URL + "/sandbox", Log: log}),
		PublicURL: w.URL, SiteOrigins: []string{site, w.URL}, PayOrigins: []string{w.URL}, Zone: time.UTC, Sandbox: true, Now: w.now,
	})
	hooks := webhooks.New(webhooks.Options{Ledger: book, Secrets: []config.Secret{config.NewSecret("whsec_test")}, Now: time.Now, Log: log})
	handler.Store(web.New(web.Options{
		Handlers: web.Handlers{
			Account: w.Routes(), Membership: w.Membership, JWKS: w.JWKS, Webhook: hooks.Stripe,
			Assets: look.NewAssets(look.Style, look.Icon), Sandbox: http.StripPrefix("/sandbox", w.box.Handler()),
		},
		PublicURL: w.URL, SiteOrigins: []string{site, w.URL}, Ready: func() bool { return true }, Log: log,
	}))
	ctx, end := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = book.Run(ctx) })
	parts.Go(func() { _ = w.Run(ctx) })
	parts.Go(func() { _ = w.people.Run(ctx) })
	t.Cleanup(func() { end(); parts.Wait() })
	return w
}

// give has somebody give, once or repeatedly, and returns Stripe's session.
func (w *town) give(t *testing.T, email, interval string, minor int64, metadata ...string) {
	t.Helper()
	marks := map[string]string{"support_v": "1", "checkout": "co_" + signin.NewID()}
	for i := 0; i+1 < len(metadata); i += 2 {
		marks[metadata[i]] = metadata[i+1]
	}
	session, err := w.Stripe.CreateSession(t.Context(), stripeapi.SessionParams{
		IdempotencyKey: signin.NewID(), Reference: marks["checkout"], Amount: money.Amount{Minor: minor, Currency: "EUR"}, Interval: interval,
		ProductName: "Support", Lang: "en", Metadata: marks, SuccessURL: w.URL, CancelURL: w.URL, ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.box.Pay(session.ID, sandbox.Payer{Email: email, Name: "Ann Example", Country: "DE"}, sandbox.Paid); err != nil {
		t.Fatal(err)
	}
	w.deliver(t)
}

// deliver has the sandbox deliver what waits.
func (w *town) deliver(t *testing.T) {
	t.Helper()
	w.box.DeliverAll(t.Context())
}

// A browser keeps cookies and follows nothing.
type browser struct {
	*http.Client
	t *testing.T
	w *town
}

func (w *town) browser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{&http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, t, w}
}

// An answer is what a browser got.
type answer struct {
	status   int
	location string
	text     string
	header   http.Header
}

func (b *browser) send(method, path string, form url.Values) answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.w.URL+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.w.URL)
	}
	r.Header.Set("Accept", "text/html")
	got, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{got.StatusCode, got.Header.Get("Location"), string(text), got.Header}
}

func (b *browser) get(path string) answer { b.t.Helper(); return b.send(http.MethodGet, path, nil) }

func (b *browser) post(path string, pairs ...string) answer {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.send(http.MethodPost, path, form)
}

// mailed returns the newest id of a sign-in mail to an address, once it is in
// the outbox; those in before are older.
func (w *town) mailed(t *testing.T, address string, before ...string) (id string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		mails, err := w.Store.MailBefore(t.Context(), "", time.Time{}, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			if m.To == address && m.Kind == "sign_in" {
				if slices.Contains(before, m.Subject) {
					break
				}
				w.seen(m.Subject)
				return m.Subject
			}
		}
	}
	t.Fatalf("never mailed to %s", address)
	return ""
}

// signIn signs a new browser in.
func (w *town) signIn(t *testing.T, address string) *browser {
	t.Helper()
	b := w.browser(t)
	b.post("/account/sign-in", "address", address)
	id := w.mailed(t, address, w.used...)
	if got := b.post(signin.AccountPath, "token", w.keys.Token(signin.Account, id)); got.status != http.StatusSeeOther || got.location != "/account" {
		t.Fatalf("signing in answers %d to %q: %s", got.status, got.location, got.text)
	}
	return b
}

// member returns the only membership of an address that runs.
func (w *town) member(t *testing.T, address string) string {
	t.Helper()
	members, err := w.Store.MembershipsOf(t.Context(), address)
	if err != nil || len(members) != 1 {
		t.Fatal(members, err)
	}
	return members[0].Subscription
}

var press = regexp.MustCompile(`name="press" value="(\w+)"`)

// press returns the press of a page's first form.
func (b *browser) press(path string) string {
	b.t.Helper()
	found := press.FindStringSubmatch(b.get(path).text)
	if found == nil {
		b.t.Fatal(errors.New("no form on " + path))
	}
	return found[1]
}
