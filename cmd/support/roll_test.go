package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/united24media/support/internal/testenv"
)

// A rolled is a Stripe that takes some keys and no other, and remembers what it
// was asked to open.
type rolled struct {
	*httptest.Server
	mu       sync.Mutex
	keys     []string // that it takes
	refused  int
	sessions []string // the key and the attribution of each that was opened
}

func newRolled(t *testing.T) *rolled {
	t.Helper()
	s := &rolled{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !slices.Contains(s.keys, key) {
			s.refused++
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"error":{"type":"invalid_request_error","message":"Expired API key"}}`) //nolint:errcheck // a test's
			return
		}
		if r.Method != http.MethodPost || r.URL.Path != "/v1/checkout/sessions" {
			io.WriteString(w, `{"object":"list","data":[],"has_more":false}`) //nolint:errcheck // a test's
			return
		}
		s.sessions = append(s.sessions, key+" "+r.FormValue("metadata[attribution]"))
		id := fmt.Sprintf("cs_test_%d", len(s.sessions))
		fmt.Fprintf(w, `{"id":%q,"object":"checkout.session","status":"open","url":"https://checkout.stripe.com/c/pay/%s"}`, id, id)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *rolled) takes(keys ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

var staffLink = regexp.MustCompile(`http\S+(/staff/link\S+)`)

// TestSecretsRollWithoutAGap rolls every secret that can be: the webhook's, our
// own and Stripe's key. Replicas are exchanged one after the other, as when each
// is restarted; at no time is a delivery, a token, a link or a checkout refused
// that was good when it was made, and in the end the old ones are worth nothing.
func TestSecretsRollWithoutAGap(t *testing.T) {
	t.Parallel()
	const (
		oldHook, newHook = "whsec_old_0123456789abcdef01234567", "whsec_new_0123456789abcdef01234567"
		oldKey, newKey   = "sk_test_old", "sk_test_new"
	)
	oldOwn, newOwn := strings.Repeat("o", 32), strings.Repeat("n", 32)
	stripe, database := newRolled(t), testenv.Postgres(t)
	stripe.takes(oldKey)
	replica := func(own, hook, key string) *running {
		t.Helper()
		return start(t, environment(t, map[string]string{
			"DATABASE_URL": database, "SUPPORT_SECRET": own, "STRIPE_WEBHOOK_SECRET": hook, "STRIPE_SECRET_KEY": key, "STRIPE_API_URL": stripe.URL,
		}))
	}
	gifts := 0
	give := func(r *running, hook string) {
		t.Helper()
		gifts++
		if _, body := gift(gifts); !deliver(t, r.url, hook, body) {
			t.Errorf("delivery %d is refused", gifts)
		}
	}
	token := func(r *running) string {
		t.Helper()
		_, _, text := call(t, "GET", r.url+"/v1/ask?article=x&placement=mid", nil)
		var ask struct{ Token string }
		if err := json.Unmarshal([]byte(text), &ask); err != nil || ask.Token == "" {
			t.Fatalf("the ask has no token: %v, %s", err, text)
		}
		return ask.Token
	}
	opened := func(r *running, token, want string) {
		t.Helper()
		status, _, text := call(t, "POST", r.url+"/v1/checkouts", map[string]any{"amount_minor": 1000, "currency": "EUR", "interval": "once", "token": token})
		stripe.mu.Lock()
		defer stripe.mu.Unlock()
		if last := len(stripe.sessions) - 1; status != http.StatusCreated || last < 0 || stripe.sessions[last] != want {
			t.Errorf("checkout: %d %s; sessions %q, want %q last", status, text, stripe.sessions, want)
		}
	}

	before := replica(oldOwn, oldHook, oldKey)
	give(before, oldHook)
	early := token(before)
	opened(before, early, oldKey+" signed")
	link, _ := (&till{t: t, lookup: before.lookup}).run("staff", "add", "olha@news.example", "--role", "admin")
	found := staffLink.FindStringSubmatch(link)
	if found == nil {
		t.Fatalf("no link: %s", link)
	}

	stripe.takes(oldKey, newKey) // Stripe lets both overlap
	between := replica(newOwn+","+oldOwn, newHook+","+oldHook, newKey)
	give(before, oldHook)
	give(between, oldHook)
	give(between, newHook)
	opened(before, early, oldKey+" signed")
	opened(between, early, newKey+" signed")
	if status, _, page := call(t, "GET", between.url+found[1], nil); status != http.StatusOK || strings.Contains(page, "is over") {
		t.Errorf("a staff link from before: %d\n%s", status, page)
	}
	late := token(between)
	if code := before.end(t); code != exitOK {
		t.Errorf("the replica from before ended with %d", code)
	}
	stripe.takes(newKey)
	opened(between, early, newKey+" signed")

	after := replica(newOwn, newHook, newKey)
	give(after, newHook)
	opened(after, late, newKey+" signed")
	give(between, newHook)
	if code := between.end(t); code != exitOK {
		t.Errorf("the replica between ended with %d", code)
	}
	opened(after, early, newKey+" unverified") // thirty days are over, or it was stolen
	_, forged := gift(gifts + 1)
	status, _, _ := call(t, "POST", after.url+"/webhooks/stripe", json.RawMessage(forged), "Stripe-Signature", signature(forged, oldHook))
	if status != http.StatusBadRequest {
		t.Errorf("the old webhook secret still signs: %d", status)
	}
	if stripe.refused > 0 {
		t.Errorf("Stripe refused a key %d times", stripe.refused)
	}
	eventually(t, "all gifts are counted", func() bool { return after.supporters(t, "x") == gifts })
}
