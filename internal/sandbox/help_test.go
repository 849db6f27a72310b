package sandbox_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/sandbox"
)

// A world is a sandbox with a clock that stands still, behind a server, and
// an endpoint that keeps what it gets.
type world struct {
	*sandbox.Sandbox
	t      *testing.T
	opts   sandbox.Options
	server *httptest.Server
	inbox  *inbox
}

var start = time.Date(2024, time.January, 31, 12, 0, 0, 0, time.UTC)

// newWorld starts a world; edit may change the options first.
func newWorld(t *testing.T, edit ...func(*sandbox.Options)) *world {
	t.Helper()
	w := &world{t: t, inbox: newInbox(t)}
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	w.opts = sandbox.Options{
		BaseURL: w.server.URL + "/sandbox", WebhookURL: w.inbox.server.URL, WebhookSecret: "whsec_test", Seed: 7,
		Now: func() time.Time { return start },
	}
	for _, e := range edit {
		e(&w.opts)
	}
	w.open()
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", audited(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Handler().ServeHTTP(rw, r)
	}))))
	t.Cleanup(func() { checkEvents(t, w.inbox) })
	return w
}

// open starts the sandbox, or starts it again from its folder.
func (w *world) open() {
	w.t.Helper()
	s, err := sandbox.New(w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Sandbox = s
	w.t.Cleanup(func() { s.Close() })
}

// An inbox is a webhook endpoint.
type inbox struct {
	server *httptest.Server
	mu     sync.Mutex
	status int // what it answers, 200 at first
	bodies [][]byte
	heads  []http.Header
	came   chan struct{} // one for each delivery
}

func newInbox(t *testing.T) *inbox {
	in := &inbox{status: http.StatusOK, came: make(chan struct{}, 1000)}
	in.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		in.mu.Lock()
		defer in.mu.Unlock()
		in.bodies, in.heads = append(in.bodies, body), append(in.heads, r.Header)
		w.WriteHeader(in.status)
		in.came <- struct{}{}
	}))
	t.Cleanup(in.server.Close)
	return in
}

func (in *inbox) answer(status int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.status = status
}

// events returns what came, decoded, in order.
func (in *inbox) events(t *testing.T) []object {
	t.Helper()
	in.mu.Lock()
	defer in.mu.Unlock()
	var events []object
	for _, body := range in.bodies {
		events = append(events, decode(t, body))
	}
	return events
}

func types(events []object) []string {
	var names []string
	for _, e := range events {
		names = append(names, e.str("type"))
	}
	return names
}

// An object is a decoded answer; get follows a path with dots.
type object map[string]any

func decode(t *testing.T, body []byte) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		t.Fatalf("not JSON: %v: %.200s", err, body)
	}
	return o
}

func mustEncode(t *testing.T, value any) []byte {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (o object) get(path string) any {
	var value any = map[string]any(o)
	for key := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			if key != "0" || len(v) == 0 {
				return nil
			}
			value = v[0]
		default:
			return nil
		}
	}
	return value
}

func (o object) str(path string) string { s, _ := o.get(path).(string); return s }

func (o object) int(path string) int64 { n, _ := o.get(path).(float64); return int64(n) }

func (o object) list(path string) []object {
	var items []object
	l, _ := o.get(path).([]any)
	for _, item := range l {
		items = append(items, item.(map[string]any))
	}
	return items
}

// An answer is a response of the API.
type answer struct {
	status int
	header http.Header
	object
}

// call sends a request to the API. The form is pairs of a key and a value.
func (w *world) call(method, path string, pairs ...string) answer {
	w.t.Helper()
	return w.callWith(nil, method, path, pairs...)
}

func (w *world) callWith(header http.Header, method, path string, pairs ...string) answer {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	address, body := w.opts.BaseURL+"/v1"+path, io.Reader(nil)
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	} else if len(form) > 0 {
		address += "?" + form.Encode()
	}
	req, err := http.NewRequestWithContext(context.Background(), method, address, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sk_test_sandbox")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for key, values := range header {
		req.Header[key] = values
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, decode(w.t, text)}
}

// must is call for a request that has to succeed.
func (w *world) must(method, path string, pairs ...string) object {
	w.t.Helper()
	a := w.call(method, path, pairs...)
	if a.status != http.StatusOK {
		w.t.Fatalf("%s %s: %d: %v", method, path, a.status, a.object)
	}
	return a.object
}

// once and monthly are the parameters of sessions, as pairs.
func once(amount, currency string, more ...string) []string {
	return append([]string{
		"mode", "payment", "success_url", "https://site.example/thanks?session_id={CHECKOUT_SESSION_ID}", "cancel_url", "https://site.example/support",
		"line_items[0][price_data][currency]", currency, "line_items[0][price_data][unit_amount]", amount,
		"line_items[0][price_data][product_data][name]", "Gift", "line_items[0][quantity]", "1",
		"payment_intent_data[metadata][article]", "a-day-at-the-front",
	}, more...)
}

func monthly(amount, currency string, more ...string) []string {
	return append([]string{
		"mode", "subscription", "success_url", "https://site.example/thanks?session_id={CHECKOUT_SESSION_ID}", "cancel_url", "https://site.example/support",
		"line_items[0][price_data][currency]", currency, "line_items[0][price_data][unit_amount]", amount,
		"line_items[0][price_data][product_data][name]", "Membership", "line_items[0][quantity]", "1",
		"line_items[0][price_data][recurring][interval]", "month",
		"subscription_data[metadata][article]", "a-day-at-the-front",
	}, more...)
}

var olena = sandbox.Payer{Email: "olena@example.org", Name: "Olena", Country: "UA"}

// paid opens a session, lets it be paid and returns it as it is then.
func (w *world) paid(pairs []string, outcome sandbox.Outcome) object {
	w.t.Helper()
	session := w.must("POST", "/checkout/sessions", pairs...)
	if _, err := w.Pay(session.str("id"), olena, outcome); err != nil {
		w.t.Fatal(err)
	}
	return w.must("GET", "/checkout/sessions/"+session.str("id"))
}

// advance moves the clock or fails the test.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	if err := w.Advance(d); err != nil {
		w.t.Fatal(err)
	}
}

// ok fails the test for an error of a switch.
func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
