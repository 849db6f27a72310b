package mail

import (
	"bytes"
	"errors"
	"mime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/store"
)

// TestDiscreet: who is kept out of sight gets few mails, none of which says
// whom the money went to, in any language. Only where something is to be done
// is there a link, and with it our address.
func TestDiscreet(t *testing.T) {
	t.Parallel()
	s, all := samples(t)
	for _, lang := range i18n.Languages() {
		if err := s.Store.PutChoices(t.Context(), store.Choices{Address: "reader@example.org", Locale: lang, Reminders: true, Discreet: true}, began); err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			if strings.HasPrefix(one.mail.Kind, "staff_") {
				continue
			}
			m := one.mail
			m.Locale = lang
			l, err := s.Compose(t.Context(), m)
			if !slices.Contains(told, m.Kind) {
				if !errors.As(err, new(moot)) {
					t.Errorf("%s in %s is sent: %v", one.name, lang, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s in %s: %v", one.name, lang, err)
			}
			html, err := l.HTML()
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join([]string{l.Subject, l.Sender, l.Plain(), html}, "\n")
			if l.URL != "" {
				text = strings.ReplaceAll(text, l.URL, "")
			}
			for _, us := range []string{"u24", "united24", "media", "ukrain", "support.example", "journalis"} {
				if strings.Contains(strings.ToLower(strings.ReplaceAll(text, "@media", "")), us) {
					t.Errorf("%s in %s says %q:\n%s", one.name, lang, us, l.Plain())
				}
			}
			if l.Sender == "" || l.Heading == "" || strings.Contains(text, "mail.discreet") {
				t.Errorf("%s in %s is\n%+v", one.name, lang, l)
			}
			if m.Kind == SignIn && (l.Code == "" || l.URL == "") {
				t.Errorf("the way in is missing: %+v", l)
			}
		}
	}
}

// TestDiscreetPromise: a payment that is on its way belongs to no gift yet, but
// to a checkout that says how it is to be told of.
func TestDiscreetPromise(t *testing.T) {
	t.Parallel()
	s, all := samples(t)
	_, err := s.Store.AddCheckout(t.Context(), store.Checkout{
		ID: "co_1", Attempt: "a", Status: store.CheckoutOpen, Session: "cs_failed", UTM: "{}", Discreet: true, CreatedAt: began, ExpiresAt: began.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.mail.Subject == "cs_failed" {
			if l, err := s.Compose(t.Context(), one.mail); err != nil || l.Sender == "" {
				t.Errorf("it is %+v, %v", l, err)
			}
		}
		if one.mail.Subject == "cs_promised" {
			if l, err := s.Compose(t.Context(), one.mail); err != nil || l.Sender != "" {
				t.Errorf("another's is %+v, %v", l, err)
			}
		}
	}
}

// TestDiscreetSender: the mailbox's list has a neutral name.
func TestDiscreetSender(t *testing.T) {
	t.Parallel()
	db, to, c := sqlite(t), startServer(t, false, false), &clock{now: began}
	if err := db.PutChoices(t.Context(), store.Choices{Address: "reader@example.org", Discreet: true}, began); err != nil {
		t.Fatal(err)
	}
	queue(t, db, 1, "reader@example.org")
	start(t, db, to, c, new(bytes.Buffer)).Send(t.Context())
	mails := to.mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(mails[0].header.Get("Subject"))
	if from := mails[0].header.Get("From"); err != nil || from != `"Payments" <support@u24.example>` || subject != "Your code" {
		t.Errorf("from %q, about %q, %v", from, subject, err)
	}
}
