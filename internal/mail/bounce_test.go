package mail

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/united24media/support/internal/store"
)

// report is a delivery report as Postfix writes it.
const report = `From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: support@u24.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="edge"

--edge
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--edge
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Fri, 27 Nov 2026 12:00:00 +0000 (UTC)

Final-Recipient: rfc822; Reader@example.org
Original-Recipient: rfc822;reader@example.org
Action: ACTION
Status: 5.1.1
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; 550 5.1.1 <reader@example.org>: Recipient
    address rejected

--edge
Content-Type: text/rfc822-headers

From: U24 <support@u24.example>
To: reader@example.org
Message-ID: <MAIL@u24.example>
Subject: Thank you

--edge--
`

func reportOf(id, action string) string {
	return strings.ReplaceAll(strings.NewReplacer("MAIL@", id+"@", "ACTION", action).Replace(report), "\n", "\r\n")
}

func TestReadBounce(t *testing.T) {
	t.Parallel()
	id := store.MailID("receipt", "pi_1")
	whole := reportOf(id, "failed")
	tests := map[string]struct {
		report string
		want   Bounce
		err    error
	}{
		"given up on":          {whole, Bounce{id, "5.1.1", "550 5.1.1 <reader@example.org>: Recipient address rejected"}, nil},
		"the whole mail":       {strings.Replace(whole, "text/rfc822-headers", "message/rfc822", 1), Bounce{id, "5.1.1", "550 5.1.1 <reader@example.org>: Recipient address rejected"}, nil},
		"only late":            {reportOf(id, "delayed"), Bounce{}, errNoFailure},
		"delivered":            {reportOf(id, "delivered"), Bounce{}, errNoFailure},
		"another sender's":     {reportOf("CAF+x", "failed"), Bounce{}, errNotOurs},
		"cut off before it":    {whole[:strings.Index(whole, "Message-ID")], Bounce{}, errNotOurs},
		"cut off in its words": {whole[:strings.Index(whole, "Final-Recipient")], Bounce{}, errNoFailure},
		"a letter":             {"From: a@b.c\r\nSubject: Hello\r\n\r\nHello.\r\n", Bounce{}, errNoReport},
		"out of office":        {"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n", Bounce{}, errNoReport},
		"nothing":              {"", Bounce{}, errNoReport},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadBounce(strings.NewReader(tt.report))
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("ReadBounce = %+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func FuzzReadBounce(f *testing.F) {
	f.Add(reportOf(store.MailID("receipt", "pi_1"), "failed"))
	f.Add("Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\nAction: failed\n\n--x--")
	f.Fuzz(func(t *testing.T, report string) {
		b, err := ReadBounce(strings.NewReader(report))
		if err == nil && len(b.ID) != 32 || err != nil && b != (Bounce{}) {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

// What came back is shown as refused, with why and without the address.
func TestBounced(t *testing.T) {
	t.Parallel()
	db := sqlite(t)
	s := start(t, db, nil, &clock{now: began}, new(bytes.Buffer))
	queue(t, db, 1, "reader@example.org")
	taken, err := db.TakeMail(t.Context(), began, lease, 1)
	if err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	id := taken[0].ID
	if err := db.EndMail(t.Context(), taken[0], store.MailSent, "", began); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bounced(t.Context(), strings.NewReader(reportOf(store.MailID("x", "y"), "failed"))); !errors.Is(err, errNotOurs) {
		t.Errorf("a mail that nobody sent: %v", err)
	}
	for range 2 {
		if m, err := s.Bounced(t.Context(), strings.NewReader(reportOf(id, "failed"))); err != nil || m.ID != id {
			t.Fatal(m, err)
		}
	}
	m := only(t, db)
	if m.State != store.MailRefused || m.Error != "it came back: 5.1.1 550 5.1.1 <…>: Recipient address rejected" {
		t.Errorf("it is %s, %q", m.State, m.Error)
	}
}
