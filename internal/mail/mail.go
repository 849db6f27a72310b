// Package mail sends what the outbox holds: it composes each mail in its
// reader's language when it is due, asks whether it is still true, and hands
// it to a mail server. Without a server mails are kept, for staff to see.
//
// Any number of replicas may run it: each takes mails for a time that the
// others then leave alone. A process that dies after the server took a mail and
// before that is noted has it sent once more, with the same Message-ID, by
// which mailboxes recognise it; that is the only way a mail is sent twice.
package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	netmail "net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
)

// Options are what mail works with.
type Options struct {
	Store     *store.Store
	Keys      *signin.Keys
	PublicURL string // of the service, without a slash at its end
	Server    string // SMTP_URL; "" keeps mails
	From      string // SUPPORT_MAIL_FROM; its name is the organisation's
	Zone      *time.Location
	Sandbox   bool // links in shown mails work, since there is no other way to them
	Now       func() time.Time
	Log       *slog.Logger
	TLS       *tls.Config // how the server's certificate is checked; nil is as usual
}

// Limits of sending.
const (
	lookEvery = time.Second      // how often the outbox is looked at
	atOnce    = 20               // mails over one connection
	lease     = 15 * time.Minute // after which another process takes a mail over
	batchTime = 5 * time.Minute  // for one connection, well within the lease
	firstWait = 30 * time.Second // before a mail is tried again; doubled each time
	longWait  = 2 * time.Hour    // no wait is longer
	maxTries  = 50               // some four days
	maxReason = 300              // bytes of a server's answer that are kept
	forgetAt  = 500              // mails
)

// KeepFor is how long the address and the data of a mail that is done are kept.
// docs/privacy.md says the same.
const KeepFor = 90 * 24 * time.Hour

// organisation is who writes where SUPPORT_MAIL_FROM has no name.
const organisation = "UNITED24 Media"

// A Service composes and sends mails.
type Service struct {
	Options
	from   netmail.Address
	server *server // nil keeps mails
}

// New returns the service. An error names the setting it comes from.
func New(o Options) (*Service, error) {
	s := &Service{Options: o, from: netmail.Address{Name: organisation, Address: "support@localhost"}}
	if o.From != "" {
		from, err := netmail.ParseAddress(o.From)
		if err != nil {
			return nil, errors.New("SUPPORT_MAIL_FROM: want an address such as: Support <support@example.org>")
		}
		s.from = netmail.Address{Name: cmp.Or(from.Name, organisation), Address: from.Address}
	}
	if o.Server == "" {
		return s, nil
	}
	var err error
	s.server, err = newServer(o.Server, s.domain(), o.TLS)
	return s, err
}

// domain is the sender's.
func (s *Service) domain() string {
	_, domain, _ := strings.Cut(s.from.Address, "@")
	return domain
}

// Run sends what is due until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	forget := time.NewTicker(time.Hour)
	defer forget.Stop()
	for {
		// As long as there is more, it does not wait.
		for s.Send(ctx) == atOnce && ctx.Err() == nil {
		}
		select {
		case <-tick.C:
		case <-forget.C:
			if _, err := s.Store.ForgetMail(ctx, s.Now().Add(-KeepFor), forgetAt); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "mail: old addresses are not forgotten", "err", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// Send sends what is due, up to a connection's worth, and returns how many
// mails that were.
func (s *Service) Send(ctx context.Context) int {
	taken, err := s.Store.TakeMail(ctx, s.Now(), lease, atOnce)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.WarnContext(ctx, "mail: the outbox can't be read", "err", err)
		}
		return 0
	}
	ctx, cancel := context.WithTimeout(ctx, batchTime)
	defer cancel()
	var open connection
	defer open.close()
	for _, m := range taken {
		s.note(ctx, m, s.send(ctx, &open, m))
	}
	return len(taken)
}

// errKept says that a mail would have been sent.
var errKept = errors.New("no mail server is set")

// send composes a mail and hands it to the server.
func (s *Service) send(ctx context.Context, open *connection, m store.QueuedMail) error {
	letter, err := s.Compose(ctx, m)
	if err != nil {
		return err
	}
	if s.server == nil {
		return errKept
	}
	message, err := s.message(m, letter)
	if err != nil {
		return refusal{"the address can't be written to"}
	}
	return open.send(ctx, s.server, message)
}

// note writes into the outbox what became of a mail.
func (s *Service) note(ctx context.Context, m store.QueuedMail, err error) {
	after := context.WithoutCancel(ctx) // the outbox hears of it even when the program ends
	var moot moot
	var refused refusal
	switch {
	case err == nil:
		err = s.Store.EndMail(after, m, store.MailSent, "", s.Now())
	case errors.Is(err, errKept):
		err = s.Store.EndMail(after, m, store.MailKept, "", s.Now())
	case errors.As(err, &moot):
		err = s.Store.EndMail(after, m, store.MailDropped, moot.reason, s.Now())
	case errors.As(err, &refused) || m.Attempts >= maxTries:
		reason := without(err.Error(), m.To)
		s.Log.WarnContext(ctx, "mail: refused", "kind", m.Kind, "mail", m.ID, "err", reason)
		err = s.Store.EndMail(after, m, store.MailRefused, reason, s.Now())
	case ctx.Err() != nil:
		err = s.Store.DeferMail(after, m, s.Now(), "the program ended")
	default:
		wait, reason := waitAfter(m.Attempts), without(err.Error(), m.To)
		s.Log.WarnContext(ctx, "mail: put off", "kind", m.Kind, "mail", m.ID, "attempt", m.Attempts, "wait", wait, "err", reason)
		err = s.Store.DeferMail(after, m, s.Now().Add(wait), reason)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "mail: the outbox can't be written", "mail", m.ID, "err", err)
	}
}

// waitAfter returns how long a mail waits after its nth try, half of it at
// random.
func waitAfter(attempts int64) time.Duration {
	wait := longWait
	if doublings := max(attempts-1, 0); doublings < 10 {
		wait = min(firstWait<<doublings, longWait)
	}
	return wait/2 + rand.N(wait/2)
}

// without returns a server's answer without the address, which must not be
// logged, and no longer than is kept.
func without(reason, address string) string {
	for address != "" {
		at := strings.Index(strings.ToLower(reason), strings.ToLower(address))
		if at < 0 || len(strings.ToLower(reason)) != len(reason) {
			break
		}
		reason = reason[:at] + "…" + reason[at+len(address):]
	}
	return strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
}

// message makes of a letter what goes over the wire.
func (s *Service) message(m store.QueuedMail, letter *Letter) (*gomail.Msg, error) {
	html, err := letter.HTML()
	if err != nil {
		return nil, err
	}
	msg := gomail.NewMsg()
	msg.FromMailAddress(&netmail.Address{Name: cmp.Or(letter.Sender, s.from.Name), Address: s.from.Address})
	if err := msg.To(m.To); err != nil {
		return nil, err
	}
	msg.Subject(letter.Subject)
	msg.SetDateWithValue(s.Now())
	msg.SetMessageIDWithValue(m.ID + "@" + s.domain())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no out-of-office answers
	msg.SetGenHeader("Content-Language", letter.Lang)
	if letter.Unsubscribe != "" {
		// RFC 8058: mailboxes offer a button of their own, and press ours.
		msg.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+letter.Unsubscribe+">")
		msg.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, letter.Plain())
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	return msg, nil
}

// moot says that what a mail was about is no longer so.
type moot struct{ reason string }

func (m moot) Error() string { return m.reason }

// refusal says that no server will take a mail, now or later.
type refusal struct{ reason string }

func (r refusal) Error() string { return r.reason }

// unreadable says that a row of the outbox is not as its kind must be: a fault
// of ours, for staff to see.
func unreadable(kind string, err error) error {
	return refusal{fmt.Sprintf("the outbox's row is no %s: %v", kind, err)}
}
