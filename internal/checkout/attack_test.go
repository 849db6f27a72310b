package checkout

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/testenv/chromium"
)

// attacked gives a bench a guard that any attempt arms.
func (b *bench) attacked() {
	b.Guard = risk.New(risk.Options{
		Secrets: [][]byte{[]byte("a secret of thirty-two bytes or more")}, Limiter: b.limit, Now: func() time.Time { return b.clock },
		Marks: risk.Marks{Surge: 1, Unsigned: 1, Failed: 1, Zeros: 12}, Log: slog.New(slog.DiscardHandler),
	})
}

var attemptField = regexp.MustCompile(`name="attempt" value="([^"]+)"`)

// TestAttackedWithoutScripts: a form without a proof comes back, says what to
// do, keeps what was chosen, and goes through after half a minute. Programs do
// not.
func TestAttackedWithoutScripts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.attacked()
	page := b.do(http.MethodGet, "/support?article=troops", "", "").Body.String()
	if strings.Contains(page, "data-work") {
		t.Error("a proof is asked for in calm times")
	}
	ticket := attemptField.FindStringSubmatch(page)
	if ticket == nil {
		t.Fatal("the form has no attempt")
	}
	wish := url.Values{
		"attempt": {ticket[1]}, "article": {"troops"}, "interval": {"once"}, "currency": {"EUR"}, "shown": {"EUR"},
		"amount_once": {"own"}, "own_once": {"12"}, "lang": {"en"},
	}
	b.clock = b.clock.Add(5 * time.Second)
	w := b.send(wish)
	if text := w.Body.String(); w.Code != http.StatusTooManyRequests || !strings.Contains(text, `data-work="12"`) ||
		!strings.Contains(text, strings.SplitAfter(i18n.T("en", "error.check"), ",")[0]) || !strings.Contains(text, `value="12"`) ||
		attemptField.FindStringSubmatch(text)[1] != ticket[1] {
		t.Errorf("a form without a proof: %d\n%s", w.Code, text)
	}
	if w := b.post(`{"amount_minor":1200,"currency":"EUR","interval":"once"}`); w.Code != http.StatusTooManyRequests {
		t.Errorf("a program: %d %s", w.Code, w.Body)
	}
	wish.Set("work", "1")
	if w := b.send(wish); w.Code != http.StatusTooManyRequests {
		t.Errorf("a wrong proof: %d", w.Code)
	}
	if b.stripe.calls() != 0 {
		t.Fatal("Stripe was asked")
	}
	b.clock = b.clock.Add(26 * time.Second)
	if w := b.send(wish); w.Code != http.StatusSeeOther {
		t.Errorf("after half a minute: %d\n%s", w.Code, w.Body)
	}
	if w := b.send(wish); w.Code != http.StatusSeeOther || b.stripe.calls() != 1 {
		t.Errorf("pressed again: %d, Stripe was asked %d times", w.Code, b.stripe.calls())
	}
	stranger := url.Values{"attempt": {"abc"}, "interval": {"once"}, "currency": {"EUR"}, "shown": {"EUR"}, "amount_once": {"1500"}}
	if w := b.send(stranger); w.Code != http.StatusTooManyRequests || attemptField.FindStringSubmatch(w.Body.String())[1] == "abc" {
		t.Errorf("a form with an attempt of its own gets nothing that can be proved: %d", w.Code)
	}
}

// TestAttackedWithScripts: a browser proves its work while the form is read.
func TestAttackedWithScripts(t *testing.T) {
	s, b := newStreet(t), chromium.New(t, 390, 800)
	s.attacked()
	s.post(`{"amount_minor":1200,"currency":"EUR","interval":"once"}`) // arms it
	b.Open(s.URL + "/support?article=troops")
	if got := chromium.Eval[string](b, `document.querySelector("[data-give]").dataset.work`); got != "12" {
		t.Errorf("the form asks for a proof of %q bits", got)
	}
	chromium.Eval[bool](b, `document.querySelector("[data-submit]").click() || true`)
	b.Await(`location.pathname === "/pay/cs_test_1"`)
	if n := s.posts.Load(); n != 1 {
		t.Errorf("%d forms were sent", n)
	}
}

// A turnstile stands in the place of a challenge's service: its script answers
// for the browser, and it takes that answer for a person's once.
type turnstile struct {
	*httptest.Server
	asked atomic.Int64
}

func newTurnstile(t *testing.T) *turnstile {
	t.Helper()
	service := &turnstile{}
	service.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api.js":
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, `for (const box of document.querySelectorAll(".cf-turnstile")) {
				const field = document.createElement("input");
				Object.assign(field, { type: "hidden", name: "cf-turnstile-response", value: "person of " + box.dataset.sitekey });
				setTimeout(() => box.append(field), 300);
			}`) //nolint:errcheck // a test's
		case "/siteverify":
			if r.FormValue("response") == "person of site-key" && r.FormValue("secret") == "its secret" && service.asked.Add(1) == 1 {
				io.WriteString(w, `{"success":true}`) //nolint:errcheck // a test's
				return
			}
			io.WriteString(w, `{"success":false,"error-codes":["timeout-or-duplicate"]}`) //nolint:errcheck // a test's
		}
	}))
	t.Cleanup(service.Close)
	return service
}

// challenged gives a bench's guard a challenge.
func (b *bench) challenged(service *turnstile) {
	b.Guard.Challenge = risk.NewChallenge(risk.ChallengeOptions{
		SiteKey: "site-key", Secret: "its secret", URL: service.URL, Now: b.Guard.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// TestAttackedWithAChallenge: in calm times nothing of another's is loaded; in
// an attack the browser answers the challenge while the form is read.
func TestAttackedWithAChallenge(t *testing.T) {
	s, b, service := newStreet(t), chromium.New(t, 390, 800), newTurnstile(t)
	s.attacked()
	s.challenged(service)
	s.third = service.URL
	if page := s.do(http.MethodGet, "/support", "", "").Body.String(); strings.Contains(page, service.URL) {
		t.Error("a calm page loads another's script")
	}
	s.post(`{"amount_minor":1200,"currency":"EUR","interval":"once"}`) // arms it
	b.Open(s.URL + "/support?article=troops")
	chromium.Eval[bool](b, `document.querySelector("[data-submit]").click() || true`)
	b.Await(`location.pathname === "/pay/cs_test_1"`)
	if n := s.posts.Load(); n != 1 || service.asked.Load() != 1 {
		t.Errorf("%d forms were sent, the service was asked %d times", n, service.asked.Load())
	}
	if wrong := b.Complaints(); len(wrong) > 0 {
		t.Errorf("the browser complains: %v", wrong)
	}
}
