package main

import (
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/web"
)

// letters are the mails that came, as text.
type letters chan string

// startMailServer returns the address of a server that takes every mail.
func startMailServer(t *testing.T) (string, letters) {
	t.Helper()
	came := make(letters, 10)
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return came, nil }))
	s.Domain = "mail.example"
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	go s.Serve(ln) //nolint:errcheck // it ends with the test
	return "smtp://" + ln.Addr().String(), came
}

func (letters) Mail(string, *smtp.MailOptions) error { return nil }
func (letters) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (letters) Reset()                               {}
func (letters) Logout() error                        { return nil }

func (l letters) Data(r io.Reader) error {
	message, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(message.Body)) // its parts' own headers pass as they are
	l <- string(text)
	return err
}

// anybodys are addresses that everybody may read.
var anybodys = []string{
	"/support?article=x", "/thanks", "/account", "/account/sign-in", "/staff", "/staff/sign-in", "/developers", "/frame?article=x", "/wall", "/nowhere",
	"/v1/ask?article=x", "/v1/ask/explain?article=x", "/v1/embed", "/v1/openapi.json", "/v1/supporters", "/v1/supporters?article=x", "/v1/supporters.svg?article=x",
	"/v1/wall", "/v1/support.js", "/v1/donations", "/v1/membership", "/.well-known/jwks.json", "/.well-known/security.txt", "/healthz", "/readyz",
}

// TestForeignHost: what a request says our host is called is in no answer, no
// mail, nothing that is stored and nothing that Stripe is told: all of these
// lead to SUPPORT_PUBLIC_URL.
func TestForeignHost(t *testing.T) {
	t.Parallel()
	const evil = "evil.example"
	stripe, deliverTo := besides(t)
	server, mails := startMailServer(t)
	r := start(t, environment(t, map[string]string{
		"SUPPORT_SECRET": privacySecret, "STRIPE_WEBHOOK_SECRET": hookSecret, "STRIPE_SECRET_KEY": "sk_test_host", "STRIPE_API_URL": stripe,
		"SMTP_URL": server, "SUPPORT_MAIL_FROM": "Support <support@example.org>",
	}))
	deliverTo(r.url)
	r.give(t, map[string]any{"amount_minor": 1000, "currency": "EUR", "interval": "once", "article": "x"}, "ann@example.org")
	if code, _, stderr := runCommand(t, r.lookup, "staff", "add", "olha@example.org", "--role", "viewer"); code != exitOK {
		t.Fatal(stderr)
	}
	thanks := <-mails
	if !strings.Contains(thanks, r.url) {
		t.Fatalf("the first mail has no link: %s", thanks)
	}
	ask := func(method, path string, form url.Values) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Host = evil
		request.Header.Set("X-Forwarded-Host", evil)
		request.Header.Set("Forwarded", "host="+evil)
		request.Header.Set("Origin", r.url)
		request.Header.Set("Accept", "text/html")
		if method == http.MethodPost {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		answer, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var whole strings.Builder
		if err := answer.Write(&whole); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode >= 500 || strings.Contains(strings.ToLower(whole.String()), evil) {
			t.Errorf("%s %s: %s", method, path, whole.String())
		}
	}
	for _, path := range anybodys {
		ask(http.MethodGet, path, nil)
	}
	ask(http.MethodPost, "/support", url.Values{"amount": {"10"}, "currency": {"EUR"}, "interval": {"once"}, "article": {"y"}})
	for path, field := range map[string]string{"/account/sign-in": "address", "/staff/sign-in": "email"} {
		address := map[string]string{"address": "ann@example.org", "email": "olha@example.org"}[field]
		ask(http.MethodPost, path, url.Values{field: {address}})
		letter := <-mails
		if !strings.Contains(letter, r.url+"/") || strings.Contains(letter, evil) {
			t.Errorf("%s: the mail says %s", path, letter)
		}
	}
	if strings.Contains(stored(t, r), evil) || strings.Contains(r.stderr.String(), evil) {
		t.Error("the foreign host is kept")
	}
	_, _, sessions := call(t, http.MethodGet, stripe+"/v1/checkout/sessions", nil, "Authorization", "Bearer sk_test_host")
	if strings.Count(sessions, `"success_url"`) < 2 || strings.Contains(sessions, evil) {
		t.Errorf("Stripe was told %s", sessions)
	}
}

// TestNobodyIsNamedInPublic: who gave, with a name and a message, stands in
// nothing that everybody may read; neither does what they gave.
func TestNobodyIsNamedInPublic(t *testing.T) {
	t.Parallel()
	r := start(t, environment(t, map[string]string{"SUPPORT_MAIL_FROM": "Support <support@example.org>"}))
	r.give(t, map[string]any{
		"amount_minor": 31415, "currency": "EUR", "interval": "once", "article": "x", "name": "Canary Person", "message": "sings like a canary", "anonymous": false,
	}, "canary@example.org")
	eventually(t, "the gift is counted", func() bool { return r.supporters(t, "x") == 1 })
	for _, path := range anybodys {
		for _, accept := range []string{"text/html", "application/json"} {
			_, header, text := call(t, http.MethodGet, r.url+path, nil, "Accept", accept)
			all := strings.ToLower(fmt.Sprint(header) + text)
			for _, word := range []string{"canary", "31415", "314.15", "314,15"} {
				if strings.Contains(all, word) {
					t.Errorf("%s says %q", path, word)
				}
			}
		}
	}
}

// TestWhatOtherSitesMayPost: of all routes, a browser on another site may post
// to those that no reader's cookie opens, and to none else.
func TestWhatOtherSitesMayPost(t *testing.T) {
	t.Parallel()
	v, _ := staffed(t)
	may := map[string]bool{
		"/webhooks/stripe": true, // signed
		"/v1/signals":      true, // counts what is shown, and knows no reader
	}
	refused := 0
	for _, route := range v.s.handler.(*web.Server).Routes() {
		method, path, _ := strings.Cut(route, " ")
		if method != http.MethodPost || strings.HasPrefix(path, "/sandbox/") {
			continue
		}
		w := v.send(t, desk.Admin, method, parameter.ReplaceAllString(path, "nobody"), "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
		if (w.Code == http.StatusForbidden) == may[path] {
			t.Errorf("%s from another site: %d", route, w.Code)
		}
		if !may[path] {
			refused++
		}
	}
	if refused < 30 {
		t.Errorf("only %d routes are tried", refused)
	}
}
