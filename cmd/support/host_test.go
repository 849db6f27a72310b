package main

import (
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
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
	for _, path := range []string{
		"/support?article=x", "/thanks", "/account", "/account/sign-in", "/staff", "/staff/sign-in", "/developers", "/frame?article=x", "/wall", "/nowhere",
		"/v1/ask?article=x", "/v1/embed", "/v1/openapi.json", "/v1/supporters", "/v1/support.js", "/.well-known/security.txt",
	} {
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
