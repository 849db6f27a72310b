package store_test

import (
	"testing"
	"time"

	"github.com/united24media/support/internal/store"
)

func TestForgetPerson(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		for _, c := range []store.Checkout{
			{ID: "co_1", Attempt: "a", Status: store.CheckoutNew, UTM: `{}`, Name: "Olena", CreatedAt: now, ExpiresAt: now},
			{ID: "co_2", Attempt: "b", Status: store.CheckoutNew, UTM: `{}`, Name: "Taras", CreatedAt: now, ExpiresAt: now},
		} {
			if _, err := s.AddCheckout(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
		err := s.QueueMail(ctx,
			store.Mail{Kind: "receipt", Subject: "pi_1", To: "Ol_ena@Example.org", Due: now},
			store.Mail{Kind: "dispute", Subject: "du_1", To: "staff@example.org", Data: []byte(`{"from":"ol_ena@example.org"}`), Due: now},
			store.Mail{Kind: "receipt", Subject: "pi_2", To: "olxena@example.org", Due: now})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.PutChoices(ctx, store.Choices{Address: "ol_ena@example.org", Name: "Olena"}, now); err != nil {
			t.Fatal(err)
		}
		forget := func(p store.Person) (changed map[string]int64) {
			t.Helper()
			if err := s.Ledger(ctx, func(tx *store.Tx) (err error) { changed, err = tx.Forget(ctx, p, now); return err }); err != nil {
				t.Fatal(err)
			}
			return changed
		}
		person := store.Person{
			Addresses: []string{"ol_ena@example.org"}, Names: []string{"Olena"}, Checkouts: []string{"co_1"}, Customers: []string{"cus_1", "cus_2"},
		}
		if got := forget(person); got["checkouts"] != 1 || got["outbox"] != 2 || got["supporter_choices"] != 1 {
			t.Errorf("forgotten: %v", got)
		}
		if got := forget(person); len(got) != 0 {
			t.Errorf("forgotten twice: %v", got)
		}
		for id, want := range map[string]string{store.MailID("receipt", "pi_1"): "", store.MailID("receipt", "pi_2"): "olxena@example.org"} {
			if m, err := s.MailByID(ctx, id); err != nil || m.To != want {
				t.Errorf("a mail is to %q, want %q, %v", m.To, want, err)
			}
		}
		for attempt, want := range map[string]string{"a": "", "b": "Taras"} {
			if c, _, err := s.CheckoutByAttempt(ctx, attempt); err != nil || c.Name != want {
				t.Errorf("checkout %s is by %q, want %q, %v", attempt, c.Name, want, err)
			}
		}
		if err := s.CustomerDeleted(ctx, "cus_1", now, ""); err != nil {
			t.Fatal(err)
		}
		if left, err := s.ErasedCustomers(ctx, "", 10); err != nil || len(left) != 1 || left[0] != "cus_2" {
			t.Errorf("to be deleted: %v, %v", left, err)
		}
	})
}

func TestDropCheckouts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		for i, session := range []string{"cs_paid", "cs_open", "", "cs_new"} {
			_, err := s.AddCheckout(ctx, store.Checkout{
				ID: session + "!", Attempt: session, Session: session, Status: store.CheckoutOpen, UTM: `{}`,
				CreatedAt: began.Add(time.Duration(i) * time.Minute), ExpiresAt: began,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := s.Ledger(ctx, func(tx *store.Tx) error {
			return tx.PutRegisters(ctx, map[string]string{
				"checkout.session/cs_paid": `{"status":"complete"}`, "checkout.session/cs_open": `{"status":"expired"}`,
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		from, all := time.Time{}, int64(0)
		for to := began.Add(3 * time.Minute); from.Before(to); {
			until, dropped, err := s.DropCheckouts(ctx, from, to, 1)
			if err != nil || !until.After(from) {
				t.Fatalf("from %s until %s, %v", from, until, err)
			}
			from, all = until, all+dropped
		}
		if all != 2 {
			t.Errorf("%d were dropped, want those of cs_open and without session", all)
		}
		for _, kept := range []string{"cs_paid", "cs_new"} {
			if _, ok, err := s.CheckoutByAttempt(ctx, kept); !ok || err != nil {
				t.Errorf("%s is gone: %v", kept, err)
			}
		}
	})
}
