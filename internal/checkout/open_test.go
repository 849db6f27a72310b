package checkout

import (
	"context"
	"fmt"
	"github.com/united24media/support/internal/money"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/store"
)

func TestStripeFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer func(w http.ResponseWriter, key string, form url.Values) bool
		code   int
		reason string
	}{
		"refuses what a session needs": {func(w http.ResponseWriter, _ string, _ url.Values) bool {
			refuse(w, 400, "invalid_request_error", "amount_too_small", "line_items[0][price_data][unit_amount]", "too small")
			return true
		}, 502, "amount_too_small"},
		"denies the key": {func(w http.ResponseWriter, _ string, _ url.Values) bool {
			refuse(w, 401, "invalid_request_error", "", "", "Invalid API Key")
			return true
		}, 502, "denied"},
		"is broken": {func(w http.ResponseWriter, _ string, _ url.Values) bool {
			w.Header().Set("Stripe-Should-Retry", "false")
			refuse(w, 500, "api_error", "", "", "oops")
			return true
		}, 503, "oops"},
		"answers with a page": {func(w http.ResponseWriter, _ string, _ url.Values) bool {
			w.WriteHeader(503)
			fmt.Fprint(w, "<html>")
			return true
		}, 503, "unreachable"},
		"limits us for long": {func(w http.ResponseWriter, _ string, _ url.Values) bool {
			w.Header().Set("Retry-After", "60")
			refuse(w, 429, "invalid_request_error", "rate_limit", "", "slow down")
			return true
		}, 503, "limited"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.stripe.answer = tt.answer
			body := `{"amount_minor":1000,"currency":"EUR","interval":"once","attempt":"x"}`
			w := b.post(body)
			if w.Code != tt.code || !strings.Contains(answer(t, w).Detail, "nothing was charged") {
				t.Errorf("%d %s, want %d", w.Code, w.Body, tt.code)
			}
			row, ok, err := b.Store.CheckoutByAttempt(t.Context(), fromAPI+"x")
			if err != nil || !ok || row.Status != store.CheckoutFailed || !strings.Contains(row.Error, tt.reason) {
				t.Errorf("the row is %+v, %v, %v", row, ok, err)
			}
			// Once Stripe is well, the attempt goes on under its key.
			b.stripe.mu.Lock()
			b.stripe.answer = nil
			b.stripe.mu.Unlock()
			if w := b.post(body); w.Code != 200 || answer(t, w).URL == "" {
				t.Errorf("afterwards: %d %s", w.Code, w.Body)
			}
			for _, key := range b.stripe.asked {
				if key != row.IdempotencyKey {
					t.Errorf("asked under %q, not only %q", key, row.IdempotencyKey)
				}
			}
		})
	}
}

// Where Stripe refuses what a session can do without, it is asked without it,
// once, under another key.
func TestOptionalParameterIsDropped(t *testing.T) {
	t.Parallel()
	for field, sent := range map[string]string{
		"locale": "locale", "submit_type": "submit_type", "expires_at": "expires_at",
		"line_items[0][price_data][product]": "line_items[0][price_data][product]",
		"payment_intent_data[description]":   "payment_intent_data[description]",
	} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.stripe.answer = func(w http.ResponseWriter, _ string, form url.Values) bool {
				if form.Get(sent) == "" {
					return false
				}
				refuse(w, 400, "invalid_request_error", "parameter_unknown", field, "Received unknown parameter")
				return true
			}
			w := b.post(gift)
			if w.Code != 201 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if len(b.stripe.asked) != 2 || b.stripe.asked[0] == b.stripe.asked[1] {
				t.Errorf("asked under %q", b.stripe.asked)
			}
			// The next donor does not wait for the same refusal; later it is tried again.
			b.post(gift)
			if n := b.stripe.calls(); n != 3 {
				t.Errorf("the next one took %d calls", n-2)
			}
			b.clock = b.clock.Add(refusalLife + time.Minute)
			b.post(gift)
			if n := b.stripe.calls(); n != 5 {
				t.Errorf("later it took %d calls", n-3)
			}
			if field == "line_items[0][price_data][product]" && b.stripe.last().Get("line_items[0][price_data][product_data][name]") == "" {
				t.Error("the session names no product")
			}
		})
	}
	t.Run("for ever refused", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.stripe.answer = func(w http.ResponseWriter, _ string, _ url.Values) bool {
			refuse(w, 400, "invalid_request_error", "parameter_unknown", "locale", "no")
			return true
		}
		if w := b.post(gift); w.Code != 502 || b.stripe.calls() != 2 {
			t.Errorf("%d after %d calls", w.Code, b.stripe.calls())
		}
	})
}

func TestSpentKeyIsReplaced(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := ""
	b.stripe.answer = func(w http.ResponseWriter, key string, _ url.Values) bool {
		if first == "" {
			first = key
		}
		if key != first {
			return false
		}
		w.Header().Set("Idempotent-Replayed", "true")
		refuse(w, 500, "api_error", "", "", "the same failure as before")
		return true
	}
	if w := b.post(gift); w.Code != 201 || b.stripe.calls() != 2 {
		t.Errorf("%d after %d calls", w.Code, b.stripe.calls())
	}
}

func TestOnlyStripesPage(t *testing.T) {
	t.Parallel()
	for _, payAt := range []string{
		"https://evil.example/", "http://checkout.stripe.com/", "https://checkout.stripe.com.evil.example/",
		"https://checkout.stripe.com@evil.example/", "//checkout.stripe.com/", "javascript:alert(1)//", "",
	} {
		t.Run(payAt, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.stripe.payAt = payAt
			if w := b.post(gift); w.Code != 502 || strings.Contains(w.Body.String(), "evil") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}

// Who hangs up leaves a row that says how it ended.
func TestHangUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/checkouts", strings.NewReader(gift))
	b.handler.ServeHTTP(httptest.NewRecorder(), r)
	if row := b.row(t, "cs_test_1"); row.Status != store.CheckoutOpen {
		t.Errorf("the row is %+v", row)
	}
}

func TestTierOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		interval, tier string
		minor          int64
		want           string
	}{
		"by its amount":                     {"month", "", 1000, "camera"},
		"under the lowest":                  {"month", "", 100, ""},
		"a single gift":                     {"once", "", 100000, ""},
		"made for another amount":           {"month", "camera", 2000, "expedition"},
		"made for another, and given once":  {"once", "camera", 2000, ""},
		"the site's own":                    {"month", "founders", 1000, "founders"},
		"the site's own for a single gift":  {"once", "founders", 1000, "founders"},
		"a year is counted as a year's own": {"year", "", 10000, "camera"},
	}
	for name, tt := range tests {
		r := request{Amount: money.Amount{Minor: tt.minor, Currency: "EUR"}, Interval: tt.interval, Tier: tt.tier}
		if got := tierOf(r); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
