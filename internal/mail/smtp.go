package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"github.com/united24media/support/internal/outward"
)

// stepTime is how long a mail server may take for one step.
const stepTime = 30 * time.Second

// A server is a mail server as SMTP_URL names it.
type server struct {
	host    string
	options []gomail.Option
}

// newServer reads SMTP_URL: smtp:// goes over to TLS before it says anything,
// unless the server is on this machine; smtps:// begins with it.
func newServer(address, domain string, certificates *tls.Config) (*server, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("SMTP_URL: want smtp://user:password@host:587") // err may hold the password
	}
	port := 587
	if u.Scheme == "smtps" {
		port = 465
	}
	if u.Port() != "" {
		if port, err = strconv.Atoi(u.Port()); err != nil {
			return nil, errors.New("SMTP_URL: the port is no number")
		}
	}
	s := &server{u.Hostname(), []gomail.Option{
		gomail.WithPort(port), gomail.WithTimeout(stepTime), gomail.WithHELO(domain), gomail.WithoutNoop(),
	}}
	switch {
	case u.Scheme == "smtps":
		s.options = append(s.options, gomail.WithSSL())
	case loopback(s.host):
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	safe := outward.TLS()
	if certificates != nil {
		safe = certificates.Clone()
	}
	safe.ServerName = s.host
	s.options = append(s.options, gomail.WithTLSConfig(safe))
	if u.User != nil {
		password, _ := u.User.Password()
		methods := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5}
		if loopback(s.host) {
			methods = append(methods, gomail.SMTPAuthPlainNoEnc)
		}
		s.options = append(s.options, gomail.WithUsername(u.User.Username()), gomail.WithPassword(password), gomail.WithOpportunisticSMTPAuth(methods...))
	}
	return s, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// A connection is one to a mail server, made when it is needed.
type connection struct {
	client *gomail.Client
	smtp   *smtp.Client
	failed error // the server could not be reached, or not signed in to
}

// send hands a message to the server. A nil error says that the server took
// it, and a [refusal] that it never will.
func (c *connection) send(ctx context.Context, to *server, message *gomail.Msg) error {
	if err := c.dial(ctx, to); err != nil {
		return err
	}
	err := c.client.SendWithSMTPClient(c.smtp, message)
	if message.IsDelivered() { // whatever went wrong after it
		if err != nil {
			c.close()
		}
		return nil
	}
	failure, ok := errors.AsType[*gomail.SendError](err)
	if !ok || failure.ErrorCode() == 0 {
		c.close() // cut off: the next mail gets a connection of its own
		return err
	}
	if failure.ErrorCode() >= 500 {
		return refusal{failure.Error()}
	}
	return err
}

// dial connects once. A server that does not answer is not asked again for
// the other mails of a batch.
func (c *connection) dial(ctx context.Context, to *server) error {
	if c.failed != nil || c.smtp != nil {
		return c.failed
	}
	client, err := gomail.NewClient(to.host, to.options...)
	if err == nil {
		c.client = client
		c.smtp, err = client.DialToSMTPClientWithContext(ctx)
	}
	if err != nil {
		c.failed = fmt.Errorf("no connection to the mail server: %w", err)
	}
	return c.failed
}

func (c *connection) close() {
	if c.smtp != nil {
		_ = c.client.CloseWithSMTPClient(c.smtp) // nothing is under way
		c.smtp = nil
	}
}

// Check connects to a mail server, goes over to TLS and signs in as sending
// does, and sends nothing. It returns the server's name and port.
func Check(ctx context.Context, address, from string) (string, error) {
	s, err := New(Options{Server: address, From: from})
	if err != nil {
		return "", err
	}
	var c connection
	if err := c.dial(ctx, s.server); err != nil {
		return "", err
	}
	defer c.close()
	host, port, err := net.SplitHostPort(c.client.ServerAddr())
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(host, port), nil
}
