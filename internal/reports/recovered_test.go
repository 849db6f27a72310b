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
	states := map[string]string{}
	for id, i := range map[string]*objects.Invoice{
		"in_paid":   {Currency: "eur", Status: "paid", Paid: 1000, PaidAt: at.Add(time.Hour).Unix()},
		"in_before": {Currency: "eur", Status: "paid", Paid: 500, PaidAt: at.Add(-time.Hour).Unix()},
		"in_open":   {Currency: "eur", Status: "open"},
		"in_usd":    {Currency: "usd", Status: "paid", Paid: 700, PaidAt: at.Add(time.Hour).Unix()},
		"in_later":  {Currency: "eur", Status: "paid", Paid: 900, PaidAt: at.Add(time.Hour).Unix()},
	} {
		states["invoice/"+id] = objects.Encode(i)
	}
	mail := func(subject string, due time.Time) store.Mail {
		return store.Mail{Kind: notice.RenewalFailed, Subject: subject, To: "reader@example.org", Due: due}
	}
	err = errors.Join(
		db.Ledger(t.Context(), func(tx *store.Tx) error { return tx.PutRegisters(t.Context(), states) }),
		db.QueueMail(t.Context(), mail("in_paid/1", at), mail("in_paid/2", at), mail("in_before/1", at), mail("in_open/1", at), mail("in_usd/1", at)))
	if err != nil {
		t.Fatal(err)
	}
	taken, err := db.TakeMail(t.Context(), at, time.Minute, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range taken {
		if err := db.EndMail(t.Context(), m, store.MailSent, "", at); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.QueueMail(t.Context(), mail("in_later/1", at)); err != nil { // not sent yet
		t.Fatal(err)
	}
	r := New(Options{Store: db, Timezone: time.UTC, Now: func() time.Time { return at }})
	got, err := r.Recovered(t.Context(), at.Add(-time.Hour), at.Add(time.Hour))
	want := []Recovered{{"EUR", 3, 1, 1000}, {"USD", 1, 1, 700}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Recovered = %v, %v; want %v", got, err, want)
	}
}
