package checkout

import (
	"fmt"
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
	"github.com/united24media/support/internal/limits"
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

// TestARefusedAmount: an amount most of whose payments were refused is taken a
// few times more, whoever asks; then the form says so and takes another.
func TestARefusedAmount(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.attacked()
	b.Guard.Marks = risk.Marks{Surge: 1 << 40, Unsigned: 1 << 40, Failed: 1 << 40, Alike: 12, Zeros: 12}
	limit, err := limits.New(limits.Options{Now: func() time.Time { return b.clock }})
	if err != nil {
		t.Fatal(err)
	}
	b.Guard.Limiter = limit
	for range 12 {
		b.Guard.Heard(risk.Payment{Refused: true, Currency: "eur", Minor: 1337})
	}
	b.clock = b.clock.Add(20 * time.Minute) // the attack is over, and its amount not forgotten
	post := func(minor int) *httptest.ResponseRecorder {
		return b.post(fmt.Sprintf(`{"amount_minor":%d,"currency":"EUR","interval":"once"}`, minor))
	}
	for range 5 {
		if w := post(1337); w.Code != http.StatusCreated {
			t.Fatalf("one of a few: %d %s", w.Code, w.Body)
		}
	}
	if w := post(1337); w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), `"retry_after":300`) ||
		!strings.Contains(w.Body.String(), `"amount_minor"`) || !strings.Contains(w.Body.String(), "another amount") {
		t.Errorf("one more: %d %s", w.Code, w.Body)
	}
	if w := post(1338); w.Code != http.StatusCreated {
		t.Errorf("another amount: %d %s", w.Code, w.Body)
	}
	wish := url.Values{
		"attempt": {b.Guard.Ticket()}, "interval": {"once"}, "currency": {"EUR"}, "shown": {"EUR"}, "amount_once": {"own"}, "own_once": {"13.37"}, "lang": {"uk"},
	}
	b.clock = b.clock.Add(5 * time.Second)
	if w := b.send(wish); w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), i18n.T("uk", "error.amount.refused")) {
		t.Errorf("the form: %d\n%s", w.Code, w.Body)
	}
	wish.Set("own_once", "13.38")
	if w := b.send(wish); w.Code != http.StatusSeeOther {
		t.Errorf("the form with another amount: %d", w.Code)
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
