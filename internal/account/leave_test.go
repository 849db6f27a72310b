package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/mail"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// leaveLink queues a mail and returns the link that ends its kind.
func (w *town) leaveLink(t *testing.T, kind, subject, to, locale string) string {
	t.Helper()
	if err := w.Store.QueueMail(t.Context(), store.Mail{Kind: kind, Subject: subject, To: to, Locale: locale, Data: []byte(`{"year":2025}`)}); err != nil {
		t.Fatal(err)
	}
	return signin.LeavePath + "?token=" + w.keys.Token(signin.Leave, store.MailID(kind, subject))
}

// TestLeaveMails ends mails by one press, as a mailbox's own program does it:
// without cookies, and without saying where it comes from.
func TestLeaveMails(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "Ann@example.org"
	statement := w.leaveLink(t, mail.Statement, "2025/x", ann, "de")
	reminder := w.leaveLink(t, mail.RenewalReminder, "sub_1/2026-01-01", ann, "uk")
	press := func(link string) *http.Response {
		t.Helper()
		answer, err := http.PostForm(w.URL+link, url.Values{"List-Unsubscribe": {"One-Click"}})
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer
	}
	chosen := func() store.Choices {
		t.Helper()
		c, _, err := w.Store.ChoicesOf(t.Context(), ann)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	b := w.browser(t)
	if got := b.get(statement); got.status != http.StatusOK || !strings.Contains(got.text, `<html lang="de"`) || !strings.Contains(got.text, "Jahresübersicht") {
		t.Errorf("the page answers %d: %s", got.status, got.text)
	}
	if c := chosen(); !c.Statement || !c.Reminders {
		t.Errorf("opening the page ended mails: %+v", c)
	}
	for range 2 {
		if answer := press(statement); answer.StatusCode != http.StatusOK {
			t.Fatalf("a press answers %d", answer.StatusCode)
		}
	}
	if c := chosen(); c.Statement || !c.Reminders || !c.Renewals {
		t.Errorf("after one press: %+v", c)
	}
	if answer := press(reminder + "&lang=fr"); answer.StatusCode != http.StatusOK {
		t.Fatalf("a press answers %d", answer.StatusCode)
	}
	if c := chosen(); c.Statement || c.Reminders || !c.Renewals {
		t.Errorf("after both: %+v", c)
	}
}

func TestLinksThatEndNothing(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	old := w.leaveLink(t, mail.Statement, "2020/x", ann, "en")
	taken, err := w.Store.TakeMail(t.Context(), time.Now(), time.Minute, 10)
	if err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	long := time.Now().Add(time.Hour)
	if err := w.Store.EndMail(t.Context(), taken[0], store.MailSent, "", time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, err := w.Store.ForgetMail(t.Context(), long, 10); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	tests := map[string]string{
		"a receipt":       w.leaveLink(t, "receipt", "pi_1", ann, "en"),
		"an old mail":     old,
		"no mail":         signin.LeavePath + "?token=" + w.keys.Token(signin.Leave, store.MailID("x", "y")),
		"another purpose": signin.LeavePath + "?token=" + w.keys.Token(signin.Recover, store.MailID(mail.Statement, "2020/x")),
		"no token":        signin.LeavePath,
	}
	for name, link := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			r, err := http.NewRequestWithContext(t.Context(), method, w.URL+link, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s answers %d", name, method, answer.StatusCode)
			}
		}
	}
	if c, made, err := w.Store.ChoicesOf(t.Context(), ann); err != nil || made {
		t.Errorf("something was chosen: %+v, %v", c, err)
	}
}
