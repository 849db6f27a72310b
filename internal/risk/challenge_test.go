package risk

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A verifier stands in the place of a challenge's service.
type verifier struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	answer string
	asked  []url.Values
}

func newVerifier(t *testing.T) *verifier {
	t.Helper()
	v := &verifier{status: http.StatusOK, answer: `{"success":true}`}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.mu.Lock()
		defer v.mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		v.asked = append(v.asked, form)
		if v.status == http.StatusFound {
			w.Header().Set("Location", "http://192.0.2.1/")
		}
		w.WriteHeader(v.status)
		io.WriteString(w, v.answer) //nolint:errcheck // a test's
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *verifier) says(status int, answer string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.status, v.answer = status, answer
}

func (v *verifier) questions() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.asked)
}

func newTestChallenge(v *verifier, c *clock) *Challenge {
	return NewChallenge(ChallengeOptions{SiteKey: "site", Secret: "of the challenge", URL: v.URL, Now: c.now, Log: slog.New(slog.DiscardHandler)})
}

func TestChallengeVerdicts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status        int
		answer        string
		passed, known bool
	}{
		"a person":                  {200, `{"success":true,"challenge_ts":"2026-01-31T12:00:00Z","hostname":"support.example"}`, true, true},
		"no person":                 {200, `{"success":false,"error-codes":["invalid-input-response"]}`, false, true},
		"told a second time":        {200, `{"success":false,"error-codes":["timeout-or-duplicate"]}`, false, true},
		"a refusal with its status": {400, `{"success":false,"error-codes":["bad-request"]}`, false, true},
		"our secret is wrong":       {200, `{"success":false,"error-codes":["invalid-input-secret"]}`, false, false},
		"trouble of its own":        {200, `{"success":false,"error-codes":["internal-error"]}`, false, false},
		"broken":                    {502, `<html>`, false, false},
		"not a verdict":             {200, `{"ok":true}`, false, false},
		"a redirect":                {302, ``, false, false},
		"endless":                   {200, `{"a":"` + strings.Repeat("x", challengeBody) + `","success":true}`, false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVerifier(t)
			v.says(tt.status, tt.answer)
			challenge := newTestChallenge(v, newClock())
			passed, known := challenge.Passed(t.Context(), "r")
			if passed != tt.passed || known != tt.known {
				t.Errorf("passed %v, known %v", passed, known)
			}
			if challenge.answers() != tt.known {
				t.Error("what is not known leaves the service in use, or what is known does not")
			}
			if got := v.asked[0]; got.Get("secret") != "of the challenge" || got.Get("response") != "r" || len(got) != 2 {
				t.Errorf("it was told %v", got)
			}
		})
	}
}

// TestChallengeIsBounded: nobody can have us flood its service, and a service
// that hangs costs few of us a moment.
func TestChallengeIsBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	var waiting atomic.Int64
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		waiting.Add(1)
		<-release
		io.WriteString(w, `{"success":true}`) //nolint:errcheck // a test's
	}))
	t.Cleanup(hanging.Close)
	challenge := NewChallenge(ChallengeOptions{SiteKey: "s", Secret: "s", URL: hanging.URL, Now: c.now, Log: slog.New(slog.DiscardHandler)})
	if passed, known := challenge.Passed(t.Context(), strings.Repeat("x", responseMost+1)); passed || !known || waiting.Load() != 0 {
		t.Error("a response longer than any is passed on")
	}
	var group sync.WaitGroup
	for range challengeMost {
		group.Go(func() { challenge.Passed(t.Context(), "r") })
	}
	for deadline := time.Now().Add(20 * time.Second); len(challenge.slots) < challengeMost && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if passed, known := challenge.Passed(t.Context(), "r"); passed || known {
		t.Errorf("one more than %d at once: passed %v, known %v", challengeMost, passed, known)
	}
	close(release)
	group.Wait()
	if passed, _, silent := challenge.Counts(); passed+silent < challengeMost {
		t.Errorf("%d passed, %d found it silent", passed, silent)
	}
}

// TestAttackedWithAChallenge: while we are attacked a challenge that was passed
// opens the checkout and a proof of work alone does not, unless the challenge's
// service is silent. Patience helps in any case.
func TestAttackedWithAChallenge(t *testing.T) {
	t.Parallel()
	v, c := newVerifier(t), newClock()
	challenge := newTestChallenge(v, c)
	g := newGuard(t, c, func(o *Options) { o.Challenge, o.Marks.Unsigned = challenge, 1 })
	g.Judge(t.Context(), Try{Network: "thief"}) // arms it
	judge := func(response string, proof bool) Verdict {
		ticket, work := g.ticketAt(c.at.Add(-8*time.Second)), ""
		if proof {
			work = solve(t, ticket, g.Zeros())
		}
		return g.Judge(t.Context(), Try{Network: "reader", Ticket: ticket, Work: work, Response: response})
	}
	if !judge("r", false).Pass {
		t.Error("a challenge that was passed does not open the checkout")
	}
	if judge("", true).Pass {
		t.Error("a proof opens it where a challenge is asked for")
	}
	v.says(200, `{"success":false,"error-codes":["invalid-input-response"]}`)
	if v := judge("r", true); v.Pass || v.Zeros == 0 {
		t.Errorf("a challenge that was not passed: %+v", v)
	}
	asked := v.questions()
	if g.Judge(t.Context(), Try{Network: "thief", Ticket: "a.b.c", Response: "r"}).Pass || v.questions() != asked {
		t.Error("the service is asked for somebody without a ticket of ours")
	}
	hoarded := g.ticketAt(c.at.Add(-2 * time.Second))
	for range 50 {
		g.Judge(t.Context(), Try{Network: "thief", Ticket: hoarded, Response: "r"})
	}
	if got := v.questions() - asked; got > 5 {
		t.Errorf("one ticket had the service asked %d times", got)
	}
	v.says(503, "")
	if !judge("r", true).Pass || judge("r", false).Pass {
		t.Error("with the service silent, the proof is to count in its place")
	}
	if !judge("", true).Pass {
		t.Error("a form whose challenge did not load is kept out while its service is silent")
	}
	c.at = c.at.Add(challengePause)
	v.says(200, `{"success":true}`)
	if judge("", true).Pass || !judge("r", false).Pass {
		t.Error("the service is not asked again after its pause")
	}
	patient := g.ticketAt(c.at.Add(-2 * patientTime))
	if !g.Judge(t.Context(), Try{Network: "reader", Ticket: patient}).Pass {
		t.Error("patience does not help")
	}
}

// TestResumedAfterARestart: an attack that was on stays on, and ends by itself.
func TestResumedAfterARestart(t *testing.T) {
	t.Parallel()
	c := newClock()
	var told []Attack
	g := newGuard(t, c, func(o *Options) { o.Changed = func(a Attack) { told = append(told, a) } })
	since := c.at.Add(-time.Hour)
	g.Resume("it was on", since)
	if a := g.Attack(); !a.On || !a.Since.Equal(since) || g.Zeros() == 0 || len(told) != 0 {
		t.Errorf("%+v, told %v", a, told)
	}
	c.at = c.at.Add(calmTime)
	if a := g.Attack(); a.On || len(told) != 1 {
		t.Errorf("after a calm while: %+v, told %v", a, told)
	}
}
