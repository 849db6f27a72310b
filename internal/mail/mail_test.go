package mail

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// began is when tests begin.
var began = time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)

// A clock is what a test says it is.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func openStore(t *testing.T, address string) *store.Store {
	t.Helper()
	db, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func sqlite(t *testing.T) *store.Store {
	t.Helper()
	return openStore(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db"))
}

// start returns a service that sends through a server, or keeps mails where
// there is none.
func start(t *testing.T, db *store.Store, to *mailServer, c *clock, log *bytes.Buffer) *Service {
	t.Helper()
	o := Options{
		Store: db, Keys: signin.New([][]byte{bytes.Repeat([]byte("k"), 32)}), PublicURL: "https://support.example",
		From: "U24 <support@u24.example>", Zone: time.UTC, Now: c.Now, Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	if to != nil {
		o.Server, o.TLS = to.url, to.certificates
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// queue queues n sign-in mails.
func queue(t *testing.T, db *store.Store, n int, to string) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("id%d", i)
		m := store.Mail{Kind: SignIn, Subject: id, To: to, Locale: "en", Data: []byte(`{"id":"` + id + `"}`), Due: began}
		if err := db.QueueMail(t.Context(), m, m); err != nil {
			t.Fatal(err)
		}
	}
}

// only returns the one mail of the outbox.
func only(t *testing.T, db *store.Store) store.QueuedMail {
	t.Helper()
	all, err := db.MailBefore(t.Context(), "", time.Time{}, "", 10)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d mails, %v; want one", len(all), err)
	}
	return all[0]
}

func TestSent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ secure, login bool }{
		"plain, on this machine": {false, false}, "STARTTLS": {true, false}, "STARTTLS and AUTH": {true, true}, "AUTH on this machine": {false, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, to, c := sqlite(t), startServer(t, tt.secure, tt.login), &clock{now: began}
			queue(t, db, 1, "Reader@example.org")
			start(t, db, to, c, new(bytes.Buffer)).Send(t.Context())
			mails := to.mails()
			if len(mails) != 1 || mails[0].to != "Reader@example.org" || mails[0].secure != tt.secure {
				t.Fatalf("the server got %+v", mails)
			}
			m := only(t, db)
			if m.State != store.MailSent || !m.Done.Equal(began) {
				t.Errorf("the outbox has %+v", m)
			}
			for name, want := range map[string]string{
				"Message-Id": "<" + store.MailID(SignIn, "id0") + "@u24.example>", "From": `"U24" <support@u24.example>`,
				"Auto-Submitted": "auto-generated", "List-Unsubscribe": "",
			} {
				if got := mails[0].header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if tt.login && to.logins != 1 {
				t.Errorf("%d logins", to.logins)
			}
		})
	}
}

// Mails of one batch share a connection.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	db, to, c := sqlite(t), startServer(t, true, true), &clock{now: began}
	queue(t, db, 5, "reader@example.org")
	if n := start(t, db, to, c, new(bytes.Buffer)).Send(t.Context()); n != 5 || len(to.mails()) != 5 || to.logins != 1 {
		t.Errorf("%d taken, %d received, %d logins", n, len(to.mails()), to.logins)
	}
}

func TestPutOffAndRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer func(string, int) error
		onData func(int) error
		state  string // after the first try
		sent   int    // after the second
	}{
		"4xx to the address":            {func(_ string, n int) error { return first(n, answered(450, "busy, <reader@example.org>")) }, nil, store.MailQueued, 1},
		"4xx to the content":            {nil, func(n int) error { return first(n, answered(451, "later")) }, store.MailQueued, 1},
		"cut off before the content":    {func(_ string, n int) error { return first(n, errCut) }, nil, store.MailQueued, 1},
		"cut off instead of the answer": {nil, func(n int) error { return first(n, errCut) }, store.MailQueued, 1},
		"5xx to the address":            {func(string, int) error { return answered(550, "no such user: READER@example.org") }, nil, store.MailRefused, 0},
		"5xx to the content":            {nil, func(int) error { return answered(554, "spam") }, store.MailRefused, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, to, c, log := sqlite(t), startServer(t, false, false), &clock{now: began}, new(bytes.Buffer)
			to.answer, to.onData = tt.answer, tt.onData
			queue(t, db, 1, "reader@example.org")
			s := start(t, db, to, c, log)
			s.Send(t.Context())
			m := only(t, db)
			if m.State != tt.state || m.Error == "" || len(to.mails()) != 0 {
				t.Fatalf("after the first try %+v, %d received", m, len(to.mails()))
			}
			if wait := m.Due.Sub(began); tt.state == store.MailQueued && (wait < firstWait/2 || wait > firstWait) {
				t.Errorf("it waits %s", wait)
			}
			if strings.Contains(strings.ToLower(log.String()+m.Error), "reader@example.org") {
				t.Errorf("the address is in the log or the reason: %s", log)
			}
			if n := s.Send(t.Context()); n != 0 {
				t.Error("it does not wait")
			}
			c.pass(firstWait)
			s.Send(t.Context())
			if got := len(to.mails()); got != tt.sent {
				t.Errorf("%d sent at last, want %d", got, tt.sent)
			}
		})
	}
}

func first(n int, err error) error {
	if n == 1 {
		return err
	}
	return nil
}

// A connection that is cut off in the middle of a batch costs one mail its
// try, and no other.
func TestCutOffInTheMiddle(t *testing.T) {
	t.Parallel()
	db, to, c := sqlite(t), startServer(t, false, false), &clock{now: began}
	to.onData = func(n int) error {
		if n == 3 {
			return errCut
		}
		return nil
	}
	queue(t, db, 6, "reader@example.org")
	start(t, db, to, c, new(bytes.Buffer)).Send(t.Context())
	if n := len(to.mails()); n != 5 {
		t.Errorf("%d of 6 were sent", n)
	}
}

// The server is gone, or refuses the password: every mail waits.
func TestNoServer(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(string) string{
		"gone":           func(string) string { return "smtp://127.0.0.1:1" },
		"wrong password": func(url string) string { return strings.Replace(url, "pass", "fail", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, to, c, log := sqlite(t), startServer(t, true, true), &clock{now: began}, new(bytes.Buffer)
			to.url = change(to.url)
			queue(t, db, 3, "reader@example.org")
			start(t, db, to, c, log).Send(t.Context())
			open, err := db.OpenMail(t.Context())
			if err != nil || open.Queued != 3 || to.logins > 1 {
				t.Errorf("open %v, %d logins, %v", open, to.logins, err)
			}
			if strings.Contains(log.String(), "fail%20word") || strings.Contains(log.String(), "fail word") {
				t.Error("the password is in the log")
			}
		})
	}
}

func TestKeptWithoutAServer(t *testing.T) {
	t.Parallel()
	db, c := sqlite(t), &clock{now: began}
	queue(t, db, 1, "reader@example.org")
	start(t, db, nil, c, new(bytes.Buffer)).Send(t.Context())
	if m := only(t, db); m.State != store.MailKept || m.To == "" {
		t.Errorf("%+v", m)
	}
}

func TestSignInLinksEnd(t *testing.T) {
	t.Parallel()
	db, to, c := sqlite(t), startServer(t, false, false), &clock{now: began.Add(signInTime + time.Second)}
	queue(t, db, 1, "reader@example.org")
	start(t, db, to, c, new(bytes.Buffer)).Send(t.Context())
	if m := only(t, db); m.State != store.MailDropped || len(to.mails()) != 0 {
		t.Errorf("%+v, %d sent", m, len(to.mails()))
	}
}

// Two replicas share the outbox of one database and send no mail twice.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	db, to, c := openStore(t, address), startServer(t, false, false), &clock{now: began}
	const mails = 60
	queue(t, db, mails, "reader@example.org")
	var running sync.WaitGroup
	for range 2 {
		replica := start(t, openStore(t, address), to, c, new(bytes.Buffer))
		running.Go(func() {
			for replica.Send(t.Context()) > 0 {
			}
		})
	}
	running.Wait()
	seen := map[string]int{}
	for _, m := range to.mails() {
		seen[m.header.Get("Message-Id")]++
	}
	if len(seen) != mails || len(to.mails()) != mails {
		t.Errorf("%d mails were received, %d different ones, of %d", len(to.mails()), len(seen), mails)
	}
}

// A process that dies after the server took a mail has it sent again when its
// lease is over, with the same Message-ID.
func TestCrashBetweenSendingAndNoting(t *testing.T) {
	t.Parallel()
	db, to, c := sqlite(t), startServer(t, false, false), &clock{now: began}
	m := store.Mail{Kind: SignIn, Subject: "id", To: "reader@example.org", Data: []byte(`{"id":"id"}`), Due: began.Add(lease)}
	if err := db.QueueMail(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	c.pass(lease)
	s := start(t, db, to, c, new(bytes.Buffer))
	taken, err := db.TakeMail(t.Context(), c.Now(), signInTime/2, atOnce)
	if err != nil || len(taken) != 1 {
		t.Fatal(taken, err)
	}
	var open connection
	if err := s.send(t.Context(), &open, taken[0]); err != nil {
		t.Fatal(err)
	}
	open.close() // and here the process dies
	if s.Send(t.Context()) != 0 {
		t.Error("another process does not wait for the lease")
	}
	c.pass(signInTime / 2)
	s.Send(t.Context())
	mails := to.mails()
	if len(mails) != 2 || mails[0].header.Get("Message-Id") != mails[1].header.Get("Message-Id") {
		t.Errorf("%d mails were received", len(mails))
	}
	// The first one comes back to life, too late to say anything.
	if err := db.EndMail(t.Context(), taken[0], store.MailRefused, "late", c.Now()); err != nil {
		t.Fatal(err)
	}
	if m := only(t, db); m.State != store.MailSent {
		t.Errorf("the outbox has %+v", m)
	}
}

// What a donor wrote can't become a header.
func TestNoHeaderFromAnAddress(t *testing.T) {
	t.Parallel()
	db, to, c := sqlite(t), startServer(t, false, false), &clock{now: began}
	queue(t, db, 1, "reader@example.org\r\nBcc: all@example.org")
	start(t, db, to, c, new(bytes.Buffer)).Send(t.Context())
	if m := only(t, db); m.State != store.MailRefused || len(to.mails()) != 0 {
		t.Errorf("%+v, %d sent", m, len(to.mails()))
	}
}

func TestSTARTTLSIsAMustElsewhere(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"smtp://mail.example:25": "TLSMandatory", "smtp://127.0.0.1:25": "TLSOpportunistic", "smtp://localhost": "TLSOpportunistic",
	} {
		s, err := newServer(url, "u24.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		c := connection{}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // it is only made, not used
		if err := c.dial(ctx, s); err == nil {
			t.Error("connected")
		}
		if got := c.client.TLSPolicy(); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	to := startServer(t, false, true)
	if got, err := Check(t.Context(), to.url, "support@u24.example"); err != nil || !strings.Contains(to.url, got) || got == "" {
		t.Errorf("Check = %q, %v", got, err)
	}
	wrong := strings.Replace(to.url, "pass", "fail", 1)
	if _, err := Check(t.Context(), wrong, "support@u24.example"); err == nil || strings.Contains(err.Error(), "word") {
		t.Errorf("a wrong password: %v", err)
	}
	if len(to.mails()) != 0 {
		t.Error("a check sends a mail")
	}
}

// Staff who may read mails can't become whom they are to.
func TestShownLinksOpenNothing(t *testing.T) {
	t.Parallel()
	for _, sandbox := range []bool{false, true} {
		s := start(t, sqlite(t), nil, &clock{now: began}, new(bytes.Buffer))
		s.Sandbox = sandbox
		for kind, purpose := range map[string]signin.Purpose{SignIn: signin.Account, StaffSignIn: signin.Staff} {
			l, why, err := s.Show(t.Context(), queued(kind, "x", map[string]string{"id": "id1"}))
			if err != nil || why != "" {
				t.Fatal(why, err)
			}
			_, token, _ := strings.Cut(l.URL, "?token=")
			if id, opens := s.Keys.ID(purpose, token); opens != sandbox || opens && id != "id1" {
				t.Errorf("%s, sandbox %v: the link opens %v", kind, sandbox, opens)
			}
			if l.Code != "" && (strings.ReplaceAll(l.Code, " ", "") == s.Keys.Code(purpose, "id1")) != sandbox {
				t.Errorf("%s, sandbox %v: the code is %s", kind, sandbox, l.Code)
			}
		}
	}
}
