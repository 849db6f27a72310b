package mail

import (
	"bytes"
	netmail "net/mail"
	"strings"
	"testing"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// Mails that somebody may do without carry what a mailbox needs for a button of
// its own (RFC 8058); what must be told does not.
func TestOneClick(t *testing.T) {
	t.Parallel()
	s, all := samples(t)
	for _, one := range all {
		m := one.mail
		letter, err := s.Compose(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		message, err := s.message(m, letter)
		if err != nil {
			t.Fatal(err)
		}
		var wire bytes.Buffer
		if _, err := message.WriteTo(&wire); err != nil {
			t.Fatal(err)
		}
		sent, err := netmail.ReadMessage(&wire)
		if err != nil {
			t.Fatal(err)
		}
		link, press := sent.Header.Get("List-Unsubscribe"), sent.Header.Get("List-Unsubscribe-Post")
		if m.Kind != Statement && m.Kind != RenewalReminder {
			if link != "" || press != "" || letter.Unsubscribe != "" {
				t.Errorf("%s can be left: %q %q", one.name, link, press)
			}
			continue
		}
		token, ok := strings.CutPrefix(strings.Trim(link, "<>"), "https://support.example"+signin.LeavePath+"?token=")
		id, known := s.Keys.ID(signin.Leave, token)
		if !ok || !known || id != m.ID || press != "List-Unsubscribe=One-Click" {
			t.Errorf("%s: List-Unsubscribe %q, List-Unsubscribe-Post %q", one.name, link, press)
		}
		if strings.Contains(link, "reader") {
			t.Errorf("%s: the link tells whose it is: %s", one.name, link)
		}
		if !strings.Contains(letter.Plain(), letter.Unsubscribe) {
			t.Errorf("%s: its text has no link to leave", one.name)
		}
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	s, all := samples(t)
	none := store.Choices{Address: "reader@example.org", Renewals: true}
	if err := s.Store.PutChoices(t.Context(), none, began); err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		_, err := s.Compose(t.Context(), one.mail)
		left := one.mail.Kind == Statement || one.mail.Kind == RenewalReminder
		if _, moot := err.(moot); moot != left { //nolint:errorlint // it is not wrapped
			t.Errorf("%s after both were left: %v", one.name, err)
		}
	}
}

// A pause that ends by itself says when.
func TestPausedUntil(t *testing.T) {
	t.Parallel()
	s, all := samples(t)
	for _, one := range all {
		if one.name != "membership_paused until" {
			continue
		}
		for _, lang := range i18n.Languages() {
			m := one.mail
			m.Locale = lang
			letter, err := s.Compose(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			day := i18n.Date(lang, began.AddDate(0, 0, 60))
			if strings.Count(letter.Plain(), day) != 2 {
				t.Errorf("in %s it does not say %s twice: %s", lang, day, letter.Plain())
			}
		}
		return
	}
	t.Error("no sample of a pause with an end")
}
