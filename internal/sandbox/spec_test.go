package sandbox_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/united24media/support/internal/sandbox/stripespec"
)

// audited makes a world's server check every request to its API and every
// answer against Stripe's document, and every event that comes.
func audited(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/v1/") {
			next.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(r.URL.RawQuery)
		sent, _ := url.ParseQuery(string(body))
		for key, values := range sent {
			form[key] = values
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK {
			if err := stripespec.Lint(r.Method, r.URL.Path, form); err != nil {
				t.Errorf("%s %s took what Stripe refuses:\n%v", r.Method, r.URL.Path, err)
			}
			if err := stripespec.CheckAnswer(r.Method, r.URL.Path, answer.Body.Bytes()); err != nil {
				t.Errorf("%s %s answers what Stripe does not:\n%v", r.Method, r.URL.Path, err)
			}
		} else if err := stripespec.CheckError(answer.Body.Bytes()); err != nil {
			t.Errorf("%s %s refuses in words that are not Stripe's:\n%v", r.Method, r.URL.Path, err)
		}
		for key, values := range answer.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(answer.Code)
		w.Write(answer.Body.Bytes())
	})
}

// checkEvents checks what an endpoint got: each event, and the object in it.
func checkEvents(t *testing.T, in *inbox) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, body := range in.bodies {
		if bytes.Contains(body, []byte("sandbox_surprise")) {
			continue // chaos
		}
		e := decode(t, body)
		if err := stripespec.Lint("POST", "/v1/webhook_endpoints", url.Values{"url": {"https://a.example"}, "enabled_events[]": {e.str("type")}}); err != nil {
			t.Errorf("event %s does not exist at this version:\n%v", e.str("type"), err)
		}
		if err := stripespec.CheckObject(body); err != nil {
			t.Errorf("event %s:\n%v", e.str("type"), err)
		}
		if err := stripespec.CheckObject(mustEncode(t, e.get("data.object"))); err != nil {
			t.Errorf("object of %s:\n%v", e.str("type"), err)
		}
	}
}
