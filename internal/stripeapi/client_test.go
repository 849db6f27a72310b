package stripeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stripe/stripe-go/v76"

	"github.com/united24media/support/internal/money"
)

// A server answers in turn what a test lists, the last answer for ever.
type server struct {
	*httptest.Server
	mu      sync.Mutex
	answers []func(w http.ResponseWriter)
	got     []*http.Request
	bodies  []string
}

func newServer(t *testing.T, answers ...func(w http.ResponseWriter)) (*server, *Client, *[]time.Duration) {
	t.Helper()
	s := &server{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		s.got, s.bodies = append(s.got, r), append(s.bodies, string(body))
		s.answers[min(len(s.got), len(s.answers))-1](w)
	}))
	t.Cleanup(s.Close)
	c := New(Options{Key: "sk_test_123", BaseURL: s.URL, Log: slog.New(slog.DiscardHandler)})
	var pauses []time.Duration
	c.pause = func(_ context.Context, d time.Duration) error {
		pauses = append(pauses, d)
		return nil
	}
	return s, c, &pauses
}

func fine(w http.ResponseWriter) {
	fmt.Fprint(w, `{"id":"cs_1","object":"checkout.session","url":"https://checkout.stripe.com/c/pay/cs_1","status":"open","payment_status":"unpaid"}`)
}

// fail answers with an error of Stripe's shape; headers are name, value pairs.
func fail(status int, fields map[string]string, headers ...string) func(w http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.Header().Set("Request-Id", "req_1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": fields})
	}
}

var params = SessionParams{
	IdempotencyKey: "key_1", Reference: "co_1", Amount: money.Amount{Minor: 1000, Currency: "EUR"}, Interval: "once",
	ProductName: "Gift", Lang: "uk", Metadata: map[string]string{"support_v": "1", "article": ""},
	SuccessURL: "https://x/thanks?session_id={CHECKOUT_SESSION_ID}", CancelURL: "https://x/", ExpiresAt: time.Unix(1_800_000_000, 0),
}

func TestFailures(t *testing.T) {
	t.Parallel()
	invalid := map[string]string{"type": "invalid_request_error", "code": "parameter_unknown", "param": "locale", "message": "no"}
	tests := map[string]struct {
		answer func(w http.ResponseWriter)
		want   Error
		tries  int
	}{
		"a refused parameter": {fail(400, invalid), Error{Kind: Refused, Status: 400, Code: "parameter_unknown", Param: "locale", RequestID: "req_1"}, 1},
		"a missing object":    {fail(404, map[string]string{"type": "invalid_request_error", "code": "resource_missing", "param": "id"}), Error{Kind: Missing, Status: 404, Code: "resource_missing", Param: "id", RequestID: "req_1"}, 1},
		"a wrong key":         {fail(401, map[string]string{"type": "invalid_request_error"}), Error{Kind: Denied, Status: 401, RequestID: "req_1"}, 1},
		"a key without right": {fail(403, map[string]string{"type": "invalid_request_error"}), Error{Kind: Denied, Status: 403, RequestID: "req_1"}, 1},
		"too many":            {fail(429, map[string]string{"type": "invalid_request_error", "code": "rate_limit"}), Error{Kind: Limited, Status: 429, Code: "rate_limit", RequestID: "req_1"}, 3},
		"too many, soon":      {fail(429, map[string]string{"code": "rate_limit"}, "Retry-After", "2"), Error{Kind: Limited, Status: 429, Code: "rate_limit", RequestID: "req_1", RetryAfter: 2 * time.Second}, 3},
		"too many, for long":  {fail(429, map[string]string{"code": "rate_limit"}, "Retry-After", "60"), Error{Kind: Limited, Status: 429, Code: "rate_limit", RequestID: "req_1", RetryAfter: time.Minute}, 1},
		"broken":              {fail(500, map[string]string{"type": "api_error"}), Error{Kind: Unreachable, Status: 500, RequestID: "req_1"}, 3},
		"broken for good":     {fail(500, map[string]string{"type": "api_error"}, "Stripe-Should-Retry", "false"), Error{Kind: Unreachable, Status: 500, RequestID: "req_1"}, 1},
		"a kept failure":      {fail(500, map[string]string{"type": "api_error"}, "Idempotent-Replayed", "true"), Error{Kind: Unreachable, Status: 500, RequestID: "req_1", KeySpent: true}, 1},
		"a key used before":   {fail(400, map[string]string{"type": "idempotency_error"}), Error{Kind: Refused, Status: 400, RequestID: "req_1", KeySpent: true}, 1},
		"a key in use":        {fail(409, map[string]string{"type": "invalid_request_error", "code": "idempotency_key_in_use"}), Error{Kind: Unreachable, Status: 409, Code: "idempotency_key_in_use", RequestID: "req_1"}, 5},
		"not Stripe":          {func(w http.ResponseWriter) { w.WriteHeader(502); fmt.Fprint(w, "<html>") }, Error{Kind: Unreachable}, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c, pauses := newServer(t, tt.answer)
			_, err := c.CreateSession(t.Context(), params)
			got, ok := errors.AsType[*Error](err)
			if !ok {
				t.Fatalf("CreateSession: %v", err)
			}
			kept := Error{
				Kind: got.Kind, Status: got.Status, Code: got.Code, Param: got.Param, RequestID: got.RequestID,
				RetryAfter: got.RetryAfter, KeySpent: got.KeySpent,
			}
			if kept != tt.want || len(s.got) != tt.tries {
				t.Errorf("%+v after %d tries; want %+v after %d", kept, len(s.got), tt.want, tt.tries)
			}
			for _, r := range s.got {
				if r.Header.Get("Idempotency-Key") != "key_1" {
					t.Errorf("a try went under %q", r.Header.Get("Idempotency-Key"))
				}
			}
			for i, pause := range *pauses {
				if least := max(firstPause<<i/2, tt.want.RetryAfter); pause < least || pause > max(firstPause<<i, tt.want.RetryAfter) {
					t.Errorf("pause %d took %v", i, pause)
				}
			}
			if !IsKind(fmt.Errorf("wrapped: %w", err), tt.want.Kind) || !strings.Contains(err.Error(), "create a checkout session") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestTryAgain(t *testing.T) {
	t.Parallel()
	s, c, _ := newServer(t, fail(500, map[string]string{"type": "api_error"}), fail(429, map[string]string{"code": "rate_limit"}), fine)
	got, err := c.CreateSession(t.Context(), params)
	if err != nil || got != (Session{"cs_1", "https://checkout.stripe.com/c/pay/cs_1", "open", "unpaid"}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if len(s.got) != 3 || s.bodies[0] != s.bodies[2] {
		t.Errorf("%d tries of %q", len(s.got), s.bodies)
	}
	r := s.got[0]
	if r.Header.Get("Authorization") != "Bearer sk_test_123" || r.Header.Get("Stripe-Version") != "2023-10-16" {
		t.Errorf("sent %v", r.Header)
	}
	if stripe.Key != "" {
		t.Error("the library's global key is set")
	}
}

// The key goes to no other host.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	other, _, _ := newServer(t, fine)
	_, c, _ := newServer(t, func(w http.ResponseWriter) {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	if _, err := c.Session(t.Context(), "cs_1"); err == nil || len(other.got) != 0 {
		t.Errorf("%v, %d requests to the other host", err, len(other.got))
	}
}

func TestSlowStripe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{Key: "sk_test_123", BaseURL: "http://stripe.invalid", HTTP: &http.Client{Transport: silent{}}, Log: slog.New(slog.DiscardHandler)})
		begin := time.Now()
		_, err := c.CreateSession(t.Context(), params)
		if !IsKind(err, Unreachable) || time.Since(begin) != callTimeout {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin = time.Now()
		if _, err := c.Session(ctx, "cs_1"); !IsKind(err, Unreachable) || time.Since(begin) != time.Second {
			t.Errorf("%v after %v, though the caller had a second", err, time.Since(begin))
		}
	})
}

// silent never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A pause that the caller has no time for is not begun.
func TestPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if err := pause(ctx, 500*time.Millisecond); err != nil || time.Since(begin) != 500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if err := pause(ctx, time.Second); err == nil || time.Since(begin) != 500*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestOptionalParam(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want string
	}{
		"locale":        {&Error{Kind: Refused, Param: "locale"}, "locale"},
		"a description": {&Error{Kind: Refused, Param: "subscription_data[description]"}, "description"},
		"a product":     {&Error{Kind: Refused, Param: "line_items[0][price_data][product]"}, "product"},
		"wrapped":       {fmt.Errorf("x: %w", &Error{Kind: Refused, Param: "submit_type"}), "submit_type"},
		"the amount":    {&Error{Kind: Refused, Param: "line_items[0][price_data][unit_amount]"}, ""},
		"none":          {&Error{Kind: Refused}, ""},
		"not refused":   {&Error{Kind: Limited, Param: "locale"}, ""},
		"another error": {io.EOF, ""},
		"nil":           {nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, ok := OptionalParam(tt.err); got != tt.want || ok != (tt.want != "") {
				t.Errorf("OptionalParam(%v) = %q, %v; want %q", tt.err, got, ok, tt.want)
			}
		})
	}
}

// Never Russian, and nothing that Stripe's pages do not have.
func TestLocale(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{"uk": "en", "ru": "en", "": "en", "pl": "pl", "de": "de"} {
		if got := Locale(lang); got != want {
			t.Errorf("Locale(%q) = %q, want %q", lang, got, want)
		}
	}
}

func TestExpireAndRead(t *testing.T) {
	t.Parallel()
	s, c, _ := newServer(t, fine)
	if _, err := c.ExpireSession(t.Context(), "cs_1"); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Session(t.Context(), "cs_1"); err != nil || got.PaymentStatus != "unpaid" {
		t.Fatalf("%+v, %v", got, err)
	}
	var calls []string
	for _, r := range s.got {
		calls = append(calls, r.Method+" "+r.URL.Path)
	}
	if !slices.Equal(calls, []string{"POST /v1/checkout/sessions/cs_1/expire", "GET /v1/checkout/sessions/cs_1"}) {
		t.Errorf("called %q", calls)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "abc": "abc", "їжак": "їжа", "🙂🙂🙂🙂": "🙂🙂🙂"} {
		if got := cut(text, 3); got != want {
			t.Errorf("cut(%q, 3) = %q, want %q", text, got, want)
		}
	}
}

// Stripe refuses a whole session for one value that is too long.
func TestMetadataKeepsStripesLimits(t *testing.T) {
	t.Parallel()
	p := params
	p.Metadata = map[string]string{
		"utm_source": strings.Repeat("ї", 501), "empty": "", strings.Repeat("k", 41): "x",
	}
	got := p.metadata()
	if len(got) != 1 || got["utm_source"] != strings.Repeat("ї", 500) {
		t.Errorf("metadata() = %v", got)
	}
}
