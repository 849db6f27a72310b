package e2e

import (
	"io"
	"net"
	netmail "net/mail"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// A mailServer takes every mail and counts them.
type mailServer struct {
	url  string
	mu   sync.Mutex
	came map[string]int // by Message-ID
}

func startMailServer(t *testing.T) *mailServer {
	t.Helper()
	m := &mailServer{came: map[string]int{}}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }))
	s.Domain = "mail.example"
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	go s.Serve(ln) //nolint:errcheck // it ends with the test
	m.url = "smtp://" + ln.Addr().String()
	return m
}

type mailSession struct{ *mailServer }

func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (mailSession) Reset()                               {}
func (mailSession) Logout() error                        { return nil }

func (s mailSession) Data(r io.Reader) error {
	message, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, message.Body); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.came[message.Header.Get("Message-Id")]++
	return nil
}

// withMailServer lets mails go out.
func withMailServer(r *trial) {
	r.mails = startMailServer(r.t)
	r.extra = append(r.extra, "SMTP_URL="+r.mails.url, "SUPPORT_MAIL_FROM=Support <support@example.org>")
}

// mailDies has replicas die at a point of sending. What they had taken is
// theirs for a quarter of an hour, which passes here at once.
func mailDies(point string) func(*trial) {
	return func(r *trial) {
		r.t.Helper()
		r.deaths = 2
		dies(point, r.deaths)(r)
		r.change("UPDATE outbox SET locked_until = 0 WHERE state = 'queued'")
		r.meanwhile(func() {
			eventually(r.t, "what the dead had taken is sent", func() bool {
				return r.query("SELECT count(*) FROM outbox WHERE state = 'queued' AND attempts > 0 AND due_at <= extract(epoch FROM now()) * 1000000") == 0
			})
		})
	}
}

// compareMails holds what came to the outbox: a mail is there twice only where
// somebody died between its sending and the note.
func (r *trial) compareMails() {
	r.t.Helper()
	sent := r.query("SELECT count(*) FROM outbox WHERE state = 'sent'")
	if other := r.query("SELECT count(*) FROM outbox WHERE state NOT IN ('sent', 'queued', 'dropped')"); other > 0 {
		r.t.Errorf("%d mails were neither sent nor dropped", other)
	}
	r.mails.mu.Lock()
	defer r.mails.mu.Unlock()
	twice := 0
	for _, times := range r.mails.came {
		twice += times - 1
	}
	if len(r.mails.came) != sent || sent < warm/5 || twice > r.deaths {
		r.t.Errorf("%d mails came, %d of them again; want %d, and %d again at most", len(r.mails.came), twice, sent, r.deaths)
	}
}
