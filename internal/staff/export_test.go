package staff_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/mailbox"
	"github.com/united24media/support/internal/staff/quarantine"
	"github.com/united24media/support/internal/staff/wall"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// TestGoldenExports compares the files of mail, wall and quarantine with those of
// testdata, to the byte. A name that a spreadsheet would run is no formula in
// them. They are for who may see names and signed in lately, and are audited.
func TestGoldenExports(t *testing.T) {
	t.Parallel()
	b := newBench(t, "",
		func(d *desk.Desk) staff.Screen { return mailbox.New(mailbox.Options{Desk: d}) },
		func(d *desk.Desk) staff.Screen { return wall.New(wall.Options{Desk: d}) },
		func(d *desk.Desk) staff.Screen { return quarantine.New(quarantine.Options{Desk: d}) })
	ctx, at := t.Context(), time.Date(2026, 3, 1, 21, 30, 0, 0, time.UTC)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const odd = "=cmd|' /C calc'!A0"
	for i, name := range []string{"Olena", odd} {
		id := string(rune('1' + i))
		email := "reader" + id + "@mail.example"
		given := at.Add(time.Duration(i) * time.Hour)
		ok(b.store.AddCheckouts(ctx, []store.Checkout{{
			ID: "co_" + id, Attempt: id, Status: store.CheckoutOpen, Session: "cs_" + id, Currency: "EUR", AmountMinor: 2500, Interval: "once", UTM: "{}",
			Locale: "uk", Name: name, Message: "Hold on, \"all\" of you", ShowMessage: true, CreatedAt: given, ExpiresAt: given,
		}}))
		ok(b.store.Ledger(ctx, func(tx *store.Tx) error {
			state := map[string]string{"checkout.session/cs_" + id: objects.Encode(&objects.Session{Status: "complete", Intent: "pi_" + id})}
			if err := tx.PutRegisters(ctx, state); err != nil {
				return err
			}
			return tx.PutDonations(ctx, []*giving.Donation{{
				Key: "pi_" + id, Email: email, Name: name, Supporter: giving.SupporterKey(email, "", ""), Created: given.Unix(), Gross: 2500, Refunded: 500,
				Currency: "EUR", Interval: giving.Once, Attribution: giving.Attribution{Checkout: "co_" + id},
			}})
		}))
		ok(b.store.AddWall(ctx, []store.WallGift{{Checkout: "co_" + id, Donation: "pi_" + id}}, given))
		ok(b.store.QueueMail(ctx, store.Mail{Kind: "receipt", Subject: "pi_" + id, To: email, Locale: "uk", Due: given}))
	}
	ok(b.store.HoldSuspects(ctx, []store.Suspect{
		{Subject: "pi_1", Kind: store.SuspectGift, Attack: "att_1", Reason: "Five cards were refused before", Found: at},
		{Subject: "pi_2", Kind: store.SuspectGift, Reason: "Its card's bank warned", Found: at},
		{Subject: "co_2", Kind: store.SuspectCheckout, Reason: "Cards are tried on it", Found: at.Add(time.Minute)},
	}))
	decided, err := b.store.SuspectBySubject(ctx, "pi_2")
	ok(err)
	decided.State, decided.Decided, decided.DecidedBy = store.SuspectAccepted, at.Add(time.Hour), "olha@news.example"
	_, err = b.store.DecideSuspect(ctx, decided, store.Entry{Who: "olha@news.example", Action: "quarantine.accept", At: decided.Decided})
	ok(err)

	c := b.enter(t, b.employ(t, "olha@news.example", desk.Finance))
	for name, path := range map[string]string{"mail.csv": "/staff/mail.csv?state=queued", "wall.csv": "/staff/wall.csv?state=waiting", "quarantine.csv": "/staff/quarantine.csv"} {
		got := c.get(t, path)
		if got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		testenv.Golden(t, name, []byte(got.body))
		if strings.Contains(got.body, ",=") || strings.Contains(got.body, `,"=`) {
			t.Errorf("%s has a formula", path)
		}
	}
	if got := c.get(t, "/staff/mail.csv?state=sent"); strings.Count(got.body, "\r\n") != 1 {
		t.Errorf("mails that were sent: %q", got.body)
	}
	entries, err := b.store.AuditBefore(ctx, store.AuditFilter{Action: "mail.export"}, 0, 10)
	if err != nil || len(entries) != 2 || entries[0].Detail != "state: sent" {
		t.Errorf("in the audit log: %+v, %v", entries, err)
	}
	b.later(desk.FreshFor)
	for path, list := range map[string]string{"/staff/mail.csv": "/staff/mail", "/staff/wall.csv": "/staff/wall?state=waiting", "/staff/quarantine.csv": "/staff/quarantine"} {
		if got := c.get(t, path); got.to != desk.Again(list) {
			t.Errorf("%s after a while: %d to %q", path, got.status, got.to)
		}
	}
	if got := b.enter(t, b.employ(t, "petro@news.example", desk.Viewer)).get(t, "/staff/mail.csv"); got.status != http.StatusForbidden {
		t.Errorf("a viewer gets %d", got.status)
	}
}
