package mail

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// A mailServer is a real mail server, which takes what it is given unless a
// test says otherwise.
type mailServer struct {
	url          string
	certificates *tls.Config
	mu           sync.Mutex
	received     []received
	logins       int
	answer       func(to string, nth int) error // what it says to a recipient, or errCut
	onData       func(nth int) error            // what it says to the content, or errCut
	asked, data  int
}

// received is a mail as it came.
type received struct {
	to     string
	secure bool
	header netmail.Header
	body   string
}

// errCut has the connection cut instead of an answer.
var errCut = errors.New("cut")

// startServer starts a mail server. secure ones offer STARTTLS; login ones ask
// for a user and password.
func startServer(t *testing.T, secure, login bool) *mailServer {
	t.Helper()
	m := &mailServer{}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{server: m, conn: c, login: login}, nil
	}))
	s.Domain, s.AllowInsecureAuth = "mail.example", !secure
	if secure {
		web := httptest.NewTLSServer(nil)
		t.Cleanup(web.Close)
		pool := x509.NewCertPool()
		pool.AddCert(web.Certificate())
		s.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates}
		m.certificates = &tls.Config{RootCAs: pool}
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	go s.Serve(ln) //nolint:errcheck // it ends with the test
	user := ""
	if login {
		user = "support:pass%20word@"
	}
	m.url = "smtp://" + user + ln.Addr().String()
	return m
}

// mails returns what was received so far.
func (m *mailServer) mails() []received {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.received)
}

type session struct {
	server *mailServer
	conn   *smtp.Conn
	login  bool
	signed bool
	to     string
}

func (s *session) AuthMechanisms() []string {
	if !s.login {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		s.server.logins++
		if username != "support" || password != "pass word" {
			return smtp.ErrAuthFailed
		}
		s.signed = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if s.login && !s.signed {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.asked++
	s.to = to
	if s.server.answer == nil {
		return nil
	}
	return s.cut(s.server.answer(to, s.server.asked))
}

func (s *session) Data(r io.Reader) error {
	message, err := netmail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(message.Body)
	if err != nil {
		return err
	}
	_, secure := s.conn.TLSConnectionState()
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.data++
	if s.server.onData != nil {
		if err := s.cut(s.server.onData(s.server.data)); err != nil {
			return err
		}
	}
	s.server.received = append(s.server.received, received{s.to, secure, message.Header, string(body)})
	return nil
}

func (s *session) cut(err error) error {
	if errors.Is(err, errCut) {
		s.conn.Conn().Close()
	}
	return err
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// answered returns an SMTP error with a code.
func answered(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: strings.TrimSpace(text)}
}
