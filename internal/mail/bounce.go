package mail

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"net/textproto"
	"strings"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

// A Bounce is what a delivery report says of one mail that was ours.
type Bounce struct {
	ID     string // of the outbox: it stands in the mail's Message-ID
	Status string // 5.1.1, by RFC 3463
	Reason string // in the words of the server that gave up; "" if it said none
}

// maxReport is how much of a delivery report is read, in bytes.
const maxReport = 1 << 20

// Why a report says nothing that somebody could act on.
var (
	errNoReport  = errors.New("this is no delivery report (RFC 3464)")
	errNoFailure = errors.New("the report tells of no failure")
	errNotOurs   = errors.New("the report does not name a mail that we sent")
)

// ReadBounce reads a delivery report (RFC 3464) of a mail that was given up on.
// A report of a delay, or of a delivery, is an error, as is anything else.
func ReadBounce(r io.Reader) (Bounce, error) {
	m, err := netmail.ReadMessage(io.LimitReader(r, maxReport))
	if err != nil {
		return Bounce{}, errNoReport
	}
	media, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || media != "multipart/report" || params["boundary"] == "" {
		return Bounce{}, errNoReport
	}
	var b Bounce
	failed, reported := false, false
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if err != nil { // its end, or where it was cut off
			break
		}
		body, _ := io.ReadAll(part) // as much as there is
		switch media, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); media {
		case "message/delivery-status", "message/global-delivery-status":
			reported = true
			failed = b.read(body) || failed
		case "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers":
			b.ID = messageID(body)
		}
	}
	switch {
	case !reported:
		return Bounce{}, errNoReport
	case !failed:
		return Bounce{}, errNoFailure
	case b.ID == "":
		return Bounce{}, errNotOurs
	}
	return b, nil
}

// read reads what a report says of recipients, and reports whether one of them
// can't be reached.
func (b *Bounce) read(body []byte) (failed bool) {
	groups := textproto.NewReader(bufio.NewReader(bytes.NewReader(body)))
	for {
		group, err := groups.ReadMIMEHeader()
		if strings.EqualFold(group.Get("Action"), "failed") {
			failed = true
			b.Status = strings.TrimSpace(group.Get("Status"))
			_, b.Reason, _ = strings.Cut(group.Get("Diagnostic-Code"), ";") // after the kind of server
			b.Reason = strings.Join(strings.Fields(b.Reason), " ")
		}
		if err != nil {
			return failed
		}
	}
}

// messageID returns the local part of the Message-ID of a mail that came back,
// if it looks like one of ours.
func messageID(body []byte) string {
	header, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(body))).ReadMIMEHeader() // as much as there is
	id, _, _ := strings.Cut(strings.Trim(strings.TrimSpace(header.Get("Message-Id")), "<>"), "@")
	if len(id) != len(store.MailID("", "")) || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id
}

// Bounced notes in the outbox that a mail came back, as a delivery report says,
// and returns the mail. The sender of a report proves nothing, but only who got
// a mail, or carried it, can name it; and all that follows is a line for staff.
func (s *Service) Bounced(ctx context.Context, report io.Reader) (store.QueuedMail, error) {
	b, err := ReadBounce(report)
	if err != nil {
		return store.QueuedMail{}, err
	}
	m, err := s.Store.MailByID(ctx, b.ID)
	if errors.Is(err, fault.NotFound) {
		return m, errNotOurs
	}
	if err != nil {
		return m, err
	}
	reason := strings.TrimSpace(fmt.Sprintf("it came back: %s %s", b.Status, b.Reason))
	return m, s.Store.MailCameBack(ctx, m.ID, without(reason, m.To), s.Now())
}
