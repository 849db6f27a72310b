package checkout

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/united24media/support/internal/i18n"
)

// TestNoGiftsAreTaken: while giving is closed no way opens a checkout, whoever
// asks is told so, readers in their language, and when it opens all is as it
// was.
func TestNoGiftsAreTaken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	closed := true
	b.Closed = func() bool { return closed }
	form := "interval=once&currency=EUR&amount=10&lang=uk"
	ways := map[string]func() *httptest.ResponseRecorder{
		"page": func() *httptest.ResponseRecorder {
			return b.do(http.MethodGet, "/support?lang=uk&amount=10&article=troops", "", "")
		},
		"form": func() *httptest.ResponseRecorder {
			return b.do(http.MethodPost, "/support", "application/x-www-form-urlencoded", form)
		},
		"API": func() *httptest.ResponseRecorder { return b.post(gift) },
	}
	for name, ask := range ways {
		w := ask()
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", name, w.Code)
		}
		switch body := w.Body.String(); {
		case name == "API":
			if !strings.Contains(body, `"retry_after":300`) || !strings.Contains(body, "nothing was charged") {
				t.Errorf("%s: %s", name, body)
			}
		case w.Header().Get("Retry-After") != "300" || !strings.Contains(body, i18n.T("uk", "support.closed")) || strings.Contains(body, `class="give"`):
			t.Errorf("%s: Retry-After %q\n%s", name, w.Header().Get("Retry-After"), body)
		}
	}
	if n := b.stripe.calls(); n != 0 {
		t.Errorf("Stripe was asked %d times", n)
	}
	closed = false
	for name, want := range map[string]int{"page": http.StatusOK, "API": http.StatusCreated} {
		if w := ways[name](); w.Code != want {
			t.Errorf("%s when it is open again: %d", name, w.Code)
		}
	}
}
