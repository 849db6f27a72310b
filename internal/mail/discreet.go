package mail

import (
	"context"
	"slices"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/store"
)

// told are the mails that somebody gets who is kept out of sight: what they
// asked for, what money they gave or got back, and what needs them.
var told = []string{SignIn, notice.Receipt, notice.Refund, notice.PromiseFailed, notice.RenewalFailed, RenewalReminder, notice.Cancelled}

// discreet reports whether a mail goes to somebody who is kept out of sight. A
// promise comes before there is a gift by which they are known.
func (s *Service) discreet(ctx context.Context, m store.QueuedMail, chosen store.Choices) (bool, error) {
	if chosen.Discreet || m.Kind != notice.Promise && m.Kind != notice.PromiseFailed {
		return chosen.Discreet, nil
	}
	visit, _, err := s.Store.CheckoutBySession(ctx, m.Subject)
	return visit.Discreet, err
}

// neutral takes out of a letter who writes and what for: whoever sees it in a
// mailbox, or over a shoulder, learns of a payment. Its links lead to our
// address, and so only what needs one has one.
func (s *Service) neutral(m store.QueuedMail, l *Letter) *Letter {
	say := func(key string) string { return i18n.T(l.Lang, "mail.discreet."+key) }
	quiet := &Letter{Lang: l.Lang, Subject: say("subject"), Text: []string{say("text")}, From: say("from"), Sender: say("from")}
	switch m.Kind {
	case SignIn:
		quiet.Subject = say("code")
		quiet.Text, quiet.Button, quiet.URL, quiet.CodeLabel, quiet.Code = nil, say("button"), l.URL, say("code"), l.Code
	case notice.RenewalFailed, notice.PromiseFailed, RenewalReminder:
		quiet.Text, quiet.Button, quiet.URL = []string{say("act")}, say("button"), l.URL
	}
	quiet.Heading = quiet.Subject
	us := i18n.T(l.Lang, "mail.row.from")
	quiet.Rows = slices.DeleteFunc(slices.Clone(l.Rows), func(row [2]string) bool {
		return row[0] == us || row[1] == s.from.Name || row[0] == i18n.T(l.Lang, "mail.row.for") || row[0] == i18n.T(l.Lang, "mail.row.support")
	})
	return quiet
}
