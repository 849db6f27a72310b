package web

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/united24media/support/internal/checkout"
	"github.com/united24media/support/internal/fault"
)

const (
	self = "https://support.example"
	site = "https://news.example"
)

// fine is a handler that answers.
func fine(c *gin.Context) error {
	c.String(http.StatusOK, "fine")
	return nil
}

// failing returns a handler that fails with err.
func failing(err error) Handler { return func(*gin.Context) error { return err } }

// everything returns handlers behind every address.
func everything() Handlers {
	return Handlers{
		Ask: fine, Supporters: fine, SupportersSVG: fine, Wall: fine, WallPage: fine, Script: fine, PinnedScript: fine, PinnedPath: "/v1/support.0123.js", Embed: fine,
		Checkout: fine, Webhook: fine, Report: fine, Donations: fine, Donation: fine, Payouts: fine, Payout: fine,
		Membership: fine, JWKS: fine, Explain: fine, Signals: fine, Developers: fine, Frame: fine,
		Article: fine, Thanks: fine, SupportPage: fine, SupportForm: fine,
		Assets: http.NotFoundHandler(), Sandbox: http.NotFoundHandler(),
	}
}

// server returns the public face of h, and its log.
func server(h Handlers) (*Server, *bytes.Buffer) {
	var log bytes.Buffer
	return New(Options{
		Handlers: h, PublicURL: self, SiteOrigins: []string{site}, Ready: func() bool { return true },
		Log: slog.New(slog.NewJSONHandler(&log, nil)), Metrics: prometheus.NewRegistry(),
	}), &log
}

// send returns the answer to a request with headers, given as name, value.
func send(s http.Handler, method, path, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, self+path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

// TestClosedGivingIsNoFailure: that no gift is taken is told, and fills no log
// with errors.
func TestClosedGivingIsNoFailure(t *testing.T) {
	t.Parallel()
	h := everything()
	h.Checkout = failing(fault.Wrap(fault.Unavailable, checkout.ErrClosed, "No gifts are taken."))
	s, log := server(h)
	if answer := send(s, http.MethodPost, "/v1/checkouts", "{}"); answer.StatusCode != http.StatusServiceUnavailable || strings.Contains(log.String(), `"level":"ERROR"`) {
		t.Errorf("%d\n%s", answer.StatusCode, log)
	}
}

func TestErrorBecomesProblem(t *testing.T) {
	t.Parallel()
	limited := fault.New(fault.Limited, "Too many.")
	limited.RetryAfter = 60
	tests := map[string]struct {
		err    error
		status int
		body   string // without the request's id
		header string
	}{
		"field":        {fault.Field("to", "Give a day."), 400, `{"type":"about:blank","title":"Bad Request","status":400,"detail":"Give a day.","field":"to"}`, ""},
		"unauthorized": {fault.New(fault.Unauthorized, "Send a token."), 401, `{"type":"about:blank","title":"Unauthorized","status":401,"detail":"Send a token."}`, "Www-Authenticate: Bearer"},
		"not found":    {fault.New(fault.NotFound, "No such."), 404, `{"type":"about:blank","title":"Not Found","status":404,"detail":"No such."}`, ""},
		"conflict":     {fault.New(fault.Conflict, "Other content."), 409, `{"type":"about:blank","title":"Conflict","status":409,"detail":"Other content."}`, ""},
		"too large":    {&http.MaxBytesError{Limit: 1}, 413, `{"type":"about:blank","title":"Request Entity Too Large","status":413,"detail":"The request's body is too large."}`, ""},
		"limited":      {limited, 429, `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Too many."}`, "Retry-After: 60"},
		"upstream":     {fault.Wrap(fault.Upstream, errors.New("secret"), "Stripe refused."), 502, `{"type":"about:blank","title":"Bad Gateway","status":502,"detail":"Stripe refused.","request_id":"ID"}`, ""},
		"unavailable":  {fault.New(fault.Unavailable, "Later."), 503, `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"Later.","request_id":"ID"}`, ""},
		"no database":  {fmt.Errorf("report: %w", driver.ErrBadConn), 503, `{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The database can't be reached. Please try again in a moment.","request_id":"ID"}`, "Retry-After: 5"},
		"unknown":      {errors.New("secret: SELECT 1"), 500, `{"type":"about:blank","title":"Internal Server Error","status":500,"request_id":"ID"}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := everything()
			h.Report, h.Ask = failing(tt.err), failing(tt.err)
			for _, path := range []string{"/v1/reports/donations", "/v1/ask"} {
				s, log := server(h)
				answer := send(s, "GET", path, "")
				body, _ := io.ReadAll(answer.Body)
				want := strings.Replace(tt.body, `"ID"`, `"`+answer.Header.Get("X-Request-Id")+`"`, 1) + "\n"
				if answer.StatusCode != tt.status || string(body) != want {
					t.Errorf("%s: %d %s; want %d %s", path, answer.StatusCode, body, tt.status, want)
				}
				if kind := answer.Header.Get("Content-Type"); kind != "application/problem+json" {
					t.Errorf("%s: Content-Type %s", path, kind)
				}
				if header, value, _ := strings.Cut(tt.header, ": "); answer.Header.Get(header) != value {
					t.Errorf("%s: %s is %q; want %q", path, header, answer.Header.Get(header), value)
				}
				if logged := strings.Count(log.String(), `"request failed"`); logged != min(1, tt.status/500) {
					t.Errorf("%s: logged %d times:\n%s", path, logged, log)
				}
			}
		})
	}
}

func TestPanicIsAnsweredAndKeepsHeadersOut(t *testing.T) {
	t.Parallel()
	h := everything()
	h.Webhook = func(*gin.Context) error { panic("boom") }
	h.Thanks = h.Webhook
	s, log := server(h)
	for _, request := range [][2]string{{"POST", "/webhooks/stripe"}, {"GET", "/thanks"}} {
		answer := send(s, request[0], request[1], "", "Cookie", "canary-cookie", "Stripe-Signature", "canary-signature")
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != 500 || strings.Contains(string(body), "boom") {
			t.Errorf("%s: %d %s", request[1], answer.StatusCode, body)
		}
	}
	if !strings.Contains(log.String(), "boom") || strings.Contains(log.String(), "canary") {
		t.Errorf("log: %s", log)
	}
}

func TestHalfAnAnswerEndsTheConnection(t *testing.T) {
	t.Parallel()
	h := everything()
	h.Thanks = func(c *gin.Context) error {
		c.String(http.StatusOK, "half")
		return errors.New("no more")
	}
	s, _ := server(h)
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("half an answer looked whole")
		}
	}()
	send(s, "GET", "/thanks", "")
}

func TestLogHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	s, log := server(everything())
	for _, path := range []string{"/thanks?session_id=canary", "/v1/donations/canary?cursor=canary", "/canary@example.org?x=canary"} {
		send(s, "GET", path, "", "User-Agent", "canary", "Cookie", "canary", "Referer", "canary", "X-Forwarded-For", "192.0.2.1")
	}
	send(s, "CANARY", "/thanks", "")
	if strings.Contains(strings.ToLower(log.String()), "canary") || strings.Contains(log.String(), "192.0.2.1") {
		t.Errorf("log: %s", log)
	}
	if lines := strings.Count(log.String(), "\n"); lines != 4 {
		t.Errorf("%d lines; want one a request:\n%s", lines, log)
	}
}

// TestAChallengeIsOnTheFormAlone: another service's script and frame may be on
// the page that has its widget, where one is set, and nowhere else.
func TestAChallengeIsOnTheFormAlone(t *testing.T) {
	t.Parallel()
	const service = "https://challenges.example"
	for set, wanted := range map[string]bool{"": false, service: true} {
		s := New(Options{
			Handlers: everything(), PublicURL: self, SiteOrigins: []string{site}, Challenge: set, Ready: func() bool { return true },
			Log: slog.New(slog.DiscardHandler),
		})
		for _, route := range s.Routes() {
			method, path, _ := strings.Cut(route, " ")
			policy := send(s, method, path, "").Header.Get("Content-Security-Policy")
			may := strings.Contains(policy, "script-src 'self' "+self+" "+service+";") && strings.HasSuffix(policy, "; frame-src "+service)
			if want := wanted && path == "/support"; may != want || strings.Contains(policy, service) != want {
				t.Errorf("with %q set, %s has the policy %q", set, route, policy)
			}
		}
	}
}

// TestStrangeRequestsFindNothing: what scanners try is neither answered nor
// breaks anything.
func TestStrangeRequestsFindNothing(t *testing.T) {
	t.Parallel()
	s, _ := server(everything())
	for _, strange := range []struct {
		method, path string
		headers      []string
	}{
		{"TRACE", "/support", nil}, {"CONNECT", "/support", nil}, {"PUT", "/support", nil}, {"DELETE", "/v1/donations/1", nil},
		{"GET", "/v1/checkouts", []string{"X-HTTP-Method-Override", "POST", "X-Method-Override", "POST"}},
		{"GET", "/webhooks/stripe?_method=POST", nil}, {"GET", "//support", nil}, {"GET", "/support/", nil}, {"GET", "/support/..;/metrics", nil},
		{"GET", "/%2e%2e/metrics", nil}, {"GET", "/assets/..%2f..%2fetc/passwd", nil}, {"GET", "/SUPPORT", nil},
		{"GET", "/metrics", nil}, {"GET", "/debug/pprof/", nil}, {"GET", "/.env", nil}, {"GET", "/.git/config", nil}, {"GET", "/wp-login.php", nil},
		{"GET", "/support%00", nil},
	} {
		answer := send(s, strange.method, strange.path, "", strange.headers...)
		if answer.StatusCode < http.StatusBadRequest || answer.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%s %s: %d", strange.method, strange.path, answer.StatusCode)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	s, _ := server(everything())
	tests := map[string]struct {
		method, path string
		want         map[string]string
	}{
		"an answer for one": {"GET", "/v1/donations", map[string]string{
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
		}},
		"a page": {"GET", "/support", map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self' https://support.example; style-src 'self' https://support.example; " +
				"img-src 'self' https://support.example data:; font-src 'self' https://support.example; connect-src 'self' https://support.example; " +
				"form-action 'self' https://support.example https://checkout.stripe.com; base-uri 'none'; frame-ancestors 'none'",
		}},
		"an answer for all":   {"GET", "/v1/ask", map[string]string{"Cross-Origin-Resource-Policy": "cross-origin"}},
		"a webhook":           {"POST", "/webhooks/stripe", map[string]string{"Cache-Control": "no-store"}},
		"nothing there":       {"GET", "/nowhere", map[string]string{"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}},
		"a method not taken":  {"DELETE", "/support", map[string]string{"Allow": "GET, HEAD, POST"}},
		"the sandbox":         {"GET", "/sandbox/x", map[string]string{"Referrer-Policy": "same-origin"}},
		"alive":               {"GET", "/healthz", nil},
		"the API's document":  {"GET", "/v1/openapi.json", nil},
		"what pages load":     {"GET", "/assets/x", nil},
		"a head instead":      {"HEAD", "/v1/supporters", nil},
		"a refused preflight": {"OPTIONS", "/v1/checkouts", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := send(s, tt.method, tt.path, "")
			if tt.want == nil {
				tt.want = map[string]string{}
			}
			tt.want["X-Content-Type-Options"] = "nosniff"
			tt.want["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
			for header, value := range tt.want {
				if got := answer.Header.Get(header); got != value {
					t.Errorf("%s is %q; want %q", header, got, value)
				}
			}
			if answer.Header.Get("Set-Cookie") != "" || answer.Header.Get("Server") != "" {
				t.Errorf("headers %v", answer.Header)
			}
		})
	}
}

// TestWhoMayRead goes through every route: public GETs are for every origin,
// checkouts for the news site, and nothing else for any.
func TestWhoMayRead(t *testing.T) {
	t.Parallel()
	s, _ := server(everything())
	public := []string{"/v1/ask", "/v1/ask/explain", "/v1/signals", "/v1/supporters", "/v1/supporters.svg", "/v1/wall", "/v1/support.js", "/v1/support.0123.js", "/v1/embed", "/v1/openapi.json", "/.well-known/jwks.json"}
	for _, route := range s.Routes() {
		method, path, _ := strings.Cut(route, " ")
		for _, origin := range []string{site, "https://evil.example", "null"} {
			answer := send(s, method, path, "", "Origin", origin)
			want := ""
			switch {
			case slices.Contains(public, path):
				want = "*"
			case path == "/v1/checkouts" && origin == site:
				want = site
			}
			if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s from %s: allows %q; want %q", route, origin, got, want)
			}
			if answer.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s from %s: allows credentials", route, origin)
			}
		}
	}
}

func TestCheckoutsFromOrigins(t *testing.T) {
	t.Parallel()
	s, _ := server(everything())
	tests := map[string]struct {
		method  string
		headers []string
		status  int
	}{
		"the news site":             {"POST", []string{"Origin", site, "Sec-Fetch-Site", "cross-site"}, 200},
		"its preflight":             {"OPTIONS", []string{"Origin", site, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type"}, 204},
		"our own page":              {"POST", []string{"Origin", self, "Sec-Fetch-Site", "same-origin"}, 200},
		"a server":                  {"POST", nil, 200},
		"another site":              {"POST", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		"another site's preflight":  {"OPTIONS", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"}, 204},
		"a site that looks like it": {"POST", []string{"Origin", "https://news.example.evil.example", "Sec-Fetch-Site", "cross-site"}, 403},
		"no origin that can be":     {"POST", []string{"Origin", "null"}, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := send(s, tt.method, "/v1/checkouts", "{}", tt.headers...)
			if answer.StatusCode != tt.status {
				t.Errorf("status %d; want %d", answer.StatusCode, tt.status)
			}
			if vary := answer.Header.Get("Vary"); vary != "Origin" {
				t.Errorf("Vary is %q; a cache would mix origins", vary)
			}
			if tt.status == 204 && tt.headers[1] == site {
				if got := answer.Header.Get("Access-Control-Allow-Methods") + " " + answer.Header.Get("Access-Control-Allow-Headers"); got != "POST Content-Type" {
					t.Errorf("allows %q", got)
				}
			}
		})
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s, _ := server(everything())
	tests := map[string]struct {
		headers []string
		status  int
	}{
		"own page":                {[]string{"Sec-Fetch-Site", "same-origin", "Origin", self}, 200},
		"own page, old browser":   {[]string{"Origin", self}, 200},
		"no browser":              {nil, 200},
		"the news site":           {[]string{"Sec-Fetch-Site", "cross-site", "Origin", site}, 403},
		"a neighbour's subdomain": {[]string{"Sec-Fetch-Site", "same-site", "Origin", "https://www.example"}, 403},
		"another, old browser":    {[]string{"Origin", "https://evil.example"}, 403},
		"hidden, old browser":     {[]string{"Origin", "null"}, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if answer := send(s, "POST", "/support", "amount=5", tt.headers...); answer.StatusCode != tt.status {
				t.Errorf("status %d; want %d", answer.StatusCode, tt.status)
			}
		})
	}
}

func TestWhatPeopleSeeOfErrors(t *testing.T) {
	t.Parallel()
	h := everything()
	h.SupportPage = failing(errors.New("secret"))
	s, _ := server(h)
	tests := map[string]struct {
		path, accept string
		kind, holds  string
	}{
		"a browser, nowhere":        {"/nowhere", "text/html,*/*", "text/html; charset=utf-8", "There is no such page"},
		"a program, nowhere":        {"/nowhere", "application/json", "application/problem+json", `"status":404`},
		"a browser at the API":      {"/v1/nowhere", "text/html", "application/problem+json", `"status":404`},
		"a page that fails":         {"/support", "text/html", "text/html; charset=utf-8", "mention "},
		"a page, asked by a script": {"/support", "", "application/problem+json", `"status":500`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := send(s, "GET", tt.path, "", "Accept", tt.accept)
			body, _ := io.ReadAll(answer.Body)
			if answer.Header.Get("Content-Type") != tt.kind || !strings.Contains(string(body), tt.holds) || strings.Contains(string(body), "secret") {
				t.Errorf("%s\n%s", answer.Header.Get("Content-Type"), body)
			}
			if answer.Header.Get("Cache-Control") != "no-store" {
				t.Error("a failure may be cached")
			}
		})
	}
}

func TestErrorPageSpeaksTheReadersLanguage(t *testing.T) {
	t.Parallel()
	s, _ := server(everything())
	for path, want := range map[string]string{"/nowhere": `<html lang="uk"`, "/nowhere?lang=de": `<html lang="de"`} {
		body, _ := io.ReadAll(send(s, "GET", path, "", "Accept", "text/html", "Accept-Language", "uk-UA,uk;q=0.9,en;q=0.5").Body)
		if !strings.Contains(string(body), want) {
			t.Errorf("%s has no %s", path, want)
		}
	}
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	h := everything()
	h.Checkout = func(c *gin.Context) error {
		_, err := io.ReadAll(c.Request.Body)
		return err
	}
	h.SupportForm = h.Checkout
	s, _ := server(h)
	for _, path := range []string{"/v1/checkouts", "/support"} {
		if answer := send(s, "POST", path, strings.Repeat("x", maxForm+1)); answer.StatusCode != 413 {
			t.Errorf("%s: status %d; want 413", path, answer.StatusCode)
		}
	}
}

// TestSecurityText: who finds a hole finds whom to tell (RFC 9116), where there
// is somebody.
func TestSecurityText(t *testing.T) {
	t.Parallel()
	get := func(contact string) *httptest.ResponseRecorder {
		s := New(Options{PublicURL: self, Contact: contact, Ready: func() bool { return true }, Log: slog.New(slog.DiscardHandler)})
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/.well-known/security.txt", nil))
		return w
	}
	w := get("safe+us@news.example")
	fields := map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fields[name] = value
	}
	expires, err := time.Parse(time.RFC3339, fields["Expires"])
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" || fields["Contact"] != "mailto:safe+us@news.example" ||
		fields["Canonical"] != self+"/.well-known/security.txt" || err != nil || time.Until(expires) < 30*24*time.Hour || time.Until(expires) > 365*24*time.Hour {
		t.Errorf("%d %v\n%s", w.Code, w.Header(), w.Body)
	}
	if w := get(""); w.Code != http.StatusNotFound {
		t.Errorf("without a contact: %d", w.Code)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	for ready, want := range map[bool]struct {
		status int
		retry  string // Retry-After, seconds
	}{true: {200, ""}, false: {503, "5"}} {
		s := New(Options{PublicURL: self, Ready: func() bool { return ready }, Log: slog.New(slog.DiscardHandler)})
		if answer := send(s, "GET", "/readyz", ""); answer.StatusCode != want.status || answer.Header.Get("Retry-After") != want.retry {
			t.Errorf("ready %v: status %d, Retry-After %q; want %v", ready, answer.StatusCode, answer.Header.Get("Retry-After"), want)
		}
		if answer := send(s, "GET", "/healthz", ""); answer.StatusCode != 200 {
			t.Errorf("alive: status %d", answer.StatusCode)
		}
	}
}

func TestNothingOfTheAdminListenerIsPublic(t *testing.T) {
	t.Parallel()
	s, _ := server(everything())
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars"} {
		if answer := send(s, "GET", path, ""); answer.StatusCode != 404 {
			t.Errorf("%s: status %d; want 404", path, answer.StatusCode)
		}
	}
}

func TestProblemIsValidJSON(t *testing.T) {
	t.Parallel()
	h := everything()
	h.Report = failing(fault.Field("</script>\n", "A \"quoted\" %s.", "\x00 text"))
	s, _ := server(h)
	var p Problem
	if err := json.NewDecoder(send(s, "GET", "/v1/reports/donations", "").Body).Decode(&p); err != nil || p.Field != "</script>\n" {
		t.Errorf("%+v, %v", p, err)
	}
}
