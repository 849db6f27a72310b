package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

func TestSignIns(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.Date(2026, 3, 1, 12, 0, 0, 123000, time.UTC)
		wish := store.SignIn{
			ID: "w1", Address: "Ann@Example.org", Browser: "b1", Locale: "uk", ReturnURL: "https://news.example/",
			Created: now, Expires: now.Add(10 * time.Minute),
		}
		other := wish
		other.ID, other.Created = "w2", now.Add(time.Minute)
		for _, w := range []store.SignIn{wish, other} {
			if err := s.AddSignIn(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.SignInByID(ctx, "w1"); err != nil || got != wish {
			t.Errorf("by id: %+v, %v", got, err)
		}
		if _, err := s.SignInByID(ctx, "none"); !errors.Is(err, fault.NotFound) {
			t.Errorf("a wish that is none: %v", err)
		}
		if got, err := s.SignInsByBrowser(ctx, "b1", now, 5); err != nil || len(got) != 2 || got[0].ID != "w2" {
			t.Errorf("by browser: %+v, %v", got, err)
		}
		if got, err := s.SignInsByBrowser(ctx, "b1", now.Add(time.Hour), 5); err != nil || len(got) != 0 {
			t.Errorf("by browser, too late: %+v, %v", got, err)
		}

		mail := store.Mail{Kind: "sign_in", Subject: "w1", To: "Ann@Example.org", Locale: "uk", Due: now}
		for range 2 { // by two replicas
			if err := s.JudgeSignIn(ctx, "w1", now, mail); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.NewSignIns(ctx, 5); err != nil || len(got) != 1 || got[0].ID != "w2" {
			t.Errorf("still to be decided on: %+v, %v", got, err)
		}
		if got, err := s.TakeMail(ctx, now, time.Minute, 5); err != nil || len(got) != 1 || got[0].To != mail.To {
			t.Errorf("the outbox holds %+v, %v", got, err)
		}

		for i, want := range []bool{true, true, false} {
			if ok, err := s.TryCode(ctx, "w1", 2, now); err != nil || ok != want {
				t.Errorf("try %d: %v, %v", i, ok, err)
			}
		}
		if ok, err := s.UseSignIn(ctx, "w1", "h0", now.Add(10*time.Minute)); ok || err != nil {
			t.Errorf("a wish is used when its time is over: %v", err)
		}
		var used atomic.Int32
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if ok, err := s.UseSignIn(ctx, "w1", string(rune('a'+i)), now); err != nil {
					t.Error(err)
				} else if ok {
					used.Add(1)
				}
			})
		}
		all.Wait()
		if used.Load() != 1 {
			t.Errorf("%d of 8 used one link", used.Load())
		}
		if ok, err := s.UseSignIn(ctx, "w2", "h", now); ok || err != nil {
			t.Errorf("an older link opens after a newer one was used: %v", err)
		}
	})
}

func TestAccountSessions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		begin := func(id, address, hash string, at time.Time) {
			t.Helper()
			if err := s.AddSignIn(ctx, store.SignIn{ID: id, Address: address, Created: at, Expires: at.Add(time.Minute)}); err != nil {
				t.Fatal(err)
			}
			if ok, err := s.UseSignIn(ctx, id, hash, at); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		there := func(hash string) bool {
			t.Helper()
			_, err := s.AccountSession(ctx, hash)
			if err != nil && !errors.Is(err, fault.NotFound) {
				t.Fatal(err)
			}
			return err == nil
		}
		begin("w1", " Ann@Example.org ", "h1", now)
		begin("w2", "ann@example.org", "h2", now.Add(time.Hour))
		begin("w3", "bob@example.org", "h3", now.Add(time.Hour))
		if err := s.TouchAccountSession(ctx, "h1", now.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		want := store.AccountSession{Hash: "h1", Address: "ann@example.org", Created: now, Used: now.Add(2 * time.Hour)}
		if got, err := s.AccountSession(ctx, "h1"); err != nil || got != want {
			t.Errorf("the session: %+v, %v", got, err)
		}
		if err := s.EndAccountSession(ctx, "h2"); err != nil || there("h2") || !there("h1") {
			t.Errorf("one browser signs out: %v", err)
		}
		if err := s.EndAccountSessions(ctx, "ann@example.org", now); err != nil || there("h1") || !there("h3") {
			t.Errorf("all browsers of one sign out: %v", err)
		}
		if err := s.SweepAccounts(ctx, now.Add(time.Hour), now, now.Add(30*time.Minute)); err != nil || !there("h3") {
			t.Errorf("a session that is used is swept: %v", err)
		}
		if err := s.SweepAccounts(ctx, now.Add(24*time.Hour), now.Add(90*time.Minute), now); err != nil || there("h3") {
			t.Errorf("a session that is not used stays: %v", err)
		}
		if _, err := s.SignInByID(ctx, "w3"); !errors.Is(err, fault.NotFound) {
			t.Errorf("a wish that is over stays: %v", err)
		}
	})
}

// Only what has the address itself is somebody's; the key that counts people
// falls back on customers and gifts.
func TestGiftsOfAnAddress(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		gift := func(key, email, customer string, at int64) *giving.Donation {
			return &giving.Donation{
				Key: key, Email: email, Customer: customer, Created: at, Currency: "EUR", Gross: 1000, Interval: giving.Once, Source: "stripe",
				Supporter: giving.SupporterKey(email, customer, key),
			}
		}
		put(t, s, gift("pi_1", "Ann@example.org", "cus_1", 100), gift("pi_2", "ann@example.org", "cus_2", 200),
			gift("pi_3", "bob@example.org", "cus_1", 300), gift("pi_4", "", "cus_1", 400), gift("pi_5", "", "", 500))
		err := s.Ledger(ctx, func(tx *store.Tx) error {
			return tx.PutMemberships(ctx, []*giving.Membership{
				{Subscription: "sub_1", Email: "ANN@example.org", Supporter: giving.SupporterKey("ANN@example.org", "", ""), Status: "active", Live: true, Currency: "EUR", Amount: 500, Interval: giving.Month},
				{Subscription: "sub_2", Customer: "cus_1", Supporter: "customer:cus_1", Status: "active"},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		gifts, err := s.GiftsOf(ctx, "ann@EXAMPLE.org")
		if err != nil || len(gifts) != 2 || gifts[0].Key != "pi_2" || gifts[1].Key != "pi_1" {
			t.Errorf("gifts: %v, %v", gifts, err)
		}
		for key, want := range map[string]bool{"pi_1": true, "pi_3": false, "pi_4": false, "none": false} {
			got, err := s.GiftOf(ctx, "ann@example.org", key)
			if (err == nil) != want || err != nil && !errors.Is(err, fault.NotFound) || want && got.Key != key {
				t.Errorf("gift %s: %v, %v", key, got, err)
			}
		}
		if all, err := s.MembershipsOf(ctx, "ann@example.org"); err != nil || len(all) != 1 || all[0].Subscription != "sub_1" {
			t.Errorf("memberships: %v, %v", all, err)
		}
		for id, want := range map[string]bool{"sub_1": true, "sub_2": false} {
			if _, err := s.MembershipOf(ctx, "ann@example.org", id); (err == nil) != want || err != nil && !errors.Is(err, fault.NotFound) {
				t.Errorf("membership %s: %v", id, err)
			}
		}
		for address, want := range map[string]bool{"Bob@example.org": true, "eve@example.org": false, "": false} {
			if known, err := s.KnownAddress(ctx, address); err != nil || known != want {
				t.Errorf("%q is known: %v, %v", address, known, err)
			}
		}
		if all, err := s.GiftsOf(ctx, ""); err != nil || len(all) != 0 {
			t.Errorf("nobody's gifts: %v, %v", all, err)
		}
	})
}

func TestChoices(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		got, made, err := s.ChoicesOf(ctx, "Ann@example.org")
		if want := (store.Choices{Address: "ann@example.org", Renewals: true, Statement: true, Reminders: true}); err != nil || made || got != want {
			t.Errorf("before: %+v, %v, %v", got, made, err)
		}
		want := store.Choices{Address: "ann@example.org", Locale: "uk", Public: true, Name: "Анна", Statement: true, Reminders: true}
		for range 2 {
			if err := s.PutChoices(ctx, want, time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}
		if got, made, err := s.ChoicesOf(ctx, "ANN@example.org"); err != nil || !made || got != want {
			t.Errorf("after: %+v, %v, %v", got, made, err)
		}
	})
}
