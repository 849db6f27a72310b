package reports

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

func TestRecovered(t *testing.T) {
	t.Parallel()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	// Late on 31 October in UTC; in Kyiv it is November already.
	october := time.Date(2026, 10, 31, 23, 30, 0, 0, time.UTC)
	states := map[string]string{}
	for id, i := range map[string]*objects.Invoice{
		"in_paid":    {Currency: "eur", Status: "paid", Paid: 1000, PaidAt: at.Add(time.Hour).Unix(), Attempts: 2},
		"in_retried": {Currency: "eur", Status: "paid", Paid: 300, PaidAt: at.Add(time.Hour).Unix(), Attempts: 3},
		"in_bank":    {Currency: "eur", Status: "paid", Paid: 200, PaidAt: at.Add(time.Hour).Unix(), Attempts: 1, OutOfBand: true},
		"in_before":  {Currency: "eur", Status: "paid", Paid: 500, PaidAt: at.Add(-time.Hour).Unix(), Attempts: 1},
		"in_open":    {Currency: "eur", Status: "open", Attempts: 4},
		"in_void":    {Currency: "eur", Status: "void", Attempts: 1},
		"in_usd":     {Currency: "usd", Status: "paid", Paid: 700, PaidAt: at.Add(time.Hour).Unix(), Attempts: 1},
		"in_later":   {Currency: "eur", Status: "paid", Paid: 900, PaidAt: at.Add(time.Hour).Unix()},
		"in_october": {Currency: "eur", Status: "paid", Paid: 400, PaidAt: at.Unix(), Attempts: 1},
	} {
		states["invoice/"+id] = objects.Encode(i)
	}
	mail := func(subject string, due time.Time) store.Mail {
		return store.Mail{Kind: notice.RenewalFailed, Subject: subject, To: "reader@example.org", Due: due}
	}
	err = errors.Join(
		db.Ledger(t.Context(), func(tx *store.Tx) error { return tx.PutRegisters(t.Context(), states) }),
		db.QueueMail(t.Context(), mail("in_paid/1", at), mail("in_paid/2", at), mail("in_retried/1", at), mail("in_retried/2", at), mail("in_bank/1", at),
			mail("in_before/1", at), mail("in_open/1", at), mail("in_void/1", at), mail("in_usd/1", at), mail("in_october/1", october)))
	if err != nil {
		t.Fatal(err)
	}
	taken, err := db.TakeMail(t.Context(), at, time.Minute, 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range taken {
		if err := db.EndMail(t.Context(), m, store.MailSent, "", m.Queued); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.QueueMail(t.Context(), mail("in_later/1", at)); err != nil { // not sent yet
		t.Fatal(err)
	}
	for zone, want := range map[string][]Recovered{
		"UTC": {
			{"2026-11", "EUR", 6, 8, 12, 3, 1500, 1, 1, 1, 1},
			{"2026-11", "USD", 1, 1, 1, 1, 700, 0, 0, 1, 0},
			{"2026-10", "EUR", 1, 1, 1, 1, 400, 0, 0, 1, 0},
		},
		"Europe/Kyiv": {
			{"2026-11", "EUR", 7, 9, 13, 4, 1900, 1, 1, 2, 1},
			{"2026-11", "USD", 1, 1, 1, 1, 700, 0, 0, 1, 0},
		},
	} {
		place, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		r := New(Options{Store: db, Timezone: place, Now: func() time.Time { return at }})
		got, err := r.Recovered(t.Context(), october.Add(-time.Hour), at.Add(time.Hour))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("in %s Recovered = %v, %v; want %v", zone, got, err, want)
		}
	}
}
