package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// TestWall walks every statement of the wall on both databases.
func TestWall(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx, now := t.Context(), time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		var donations []*giving.Donation
		for i := range 4 {
			id, email := fmt.Sprint(i), fmt.Sprintf("r%d@example.org", i)
			_, err := db.AddCheckout(ctx, store.Checkout{
				ID: "co_" + id, Attempt: id, Status: store.CheckoutOpen, Session: "cs_" + id, Currency: "EUR", AmountMinor: 100, Interval: "once",
				UTM: "{}", Name: "R" + id, Anonymous: i == 3, Message: "M" + id, ShowMessage: i == 0, CreatedAt: now, ExpiresAt: now,
			})
			ok(err)
			donations = append(donations, &giving.Donation{
				Key: "pi_" + id, Email: email, Supporter: giving.SupporterKey(email, "", ""), Created: now.Unix(), Gross: 100, Currency: "EUR",
				Subscription: "sub_" + id, Attribution: giving.Attribution{Checkout: "co_" + id},
			})
		}
		ok(db.Ledger(ctx, func(tx *store.Tx) error {
			if err := tx.PutMemberships(ctx, []*giving.Membership{
				{Subscription: "sub_0", Supporter: donations[0].Supporter, Status: "active", Created: 1}, {Subscription: "sub_x", Supporter: donations[0].Supporter, Status: "past_due", Created: 2},
				{Subscription: "sub_1", Supporter: donations[1].Supporter, Status: "active"}, {Subscription: "sub_y", Supporter: donations[1].Supporter, Status: "active", CancelAtEnd: true},
			}); err != nil {
				return err
			}
			return tx.PutDonations(ctx, donations)
		}))
		if key, err := db.FirstGiftOf(ctx, "sub_0"); err != nil || key != "pi_0" {
			t.Errorf("FirstGiftOf = %q, %v", key, err)
		}
		if n, err := db.CountDoubled(ctx); err != nil || n != 1 {
			t.Errorf("CountDoubled = %d, %v", n, err)
		}
		if pair, err := db.DoubledMemberships(ctx, 10); err != nil || len(pair) != 2 || pair[0].Subscription != "sub_0" || pair[1].Subscription != "sub_x" {
			t.Errorf("DoubledMemberships = %v, %v", pair, err)
		}
		if key, err := db.GiftOfSupporter(ctx, donations[0].Supporter); err != nil || key != "pi_0" {
			t.Errorf("GiftOfSupporter = %q, %v", key, err)
		}
		for address, want := range map[string]bool{"R0@example.org": true, "r3@example.org": false, "nobody@example.org": false} {
			if c, made, err := db.ChoicesOf(ctx, address); err != nil || made || c.Public != want {
				t.Errorf("%s may be named: %v, %v; want %v", address, c.Public, err, want)
			}
		}

		found, err := db.WallCandidates(ctx, now.Add(-time.Hour), 10)
		if err != nil || len(found) != 3 {
			t.Fatalf("candidates: %v, %v", found, err)
		}
		ok(db.PutChoices(ctx, store.Choices{Address: "r3@example.org", Public: true}, now))
		chosen, err := db.WallChosen(ctx, now.Add(-time.Hour), 10)
		if err != nil || len(chosen) != 1 || chosen[0] != (store.WallGift{Checkout: "co_3", Session: "cs_3", Donation: "pi_3"}) {
			t.Fatalf("chosen: %v, %v", chosen, err)
		}
		for i := range found {
			found[i].Donation = "pi_" + found[i].Checkout[3:]
		}
		for range 2 {
			ok(db.AddWall(ctx, append(found, chosen...), now))
		}
		waiting, err := db.Wall(ctx, store.WallWaiting, 10)
		if err != nil || len(waiting) != 4 || waiting[0].Name != "R0" || waiting[0].Message != "M0" || waiting[1].Message != "" || !waiting[3].MayShow() {
			t.Fatalf("waiting: %+v, %v", waiting, err)
		}
		decide := func(want int, entries ...store.WallEntry) {
			t.Helper()
			var all []store.WallDecision
			for _, e := range entries {
				all = append(all, store.WallDecision{Checkout: e.Checkout, Words: e.Words(), Accept: true})
			}
			if shown, err := db.DecideWall(ctx, all, 3, store.Entry{Who: "ann", Action: "wall.accept", At: now}); err != nil || shown != want {
				t.Errorf("decided: %d shown, %v; want %d", shown, err, want)
			}
		}
		decide(0, waiting[:2]...)
		decide(3, waiting[2])
		decide(0, waiting[0]) // it stays in its batch
		shown, err := db.Wall(ctx, store.WallShown, 10)
		if err != nil || len(shown) != 3 || shown[0].Batch != 1 || !shown[0].Read() || !shown[0].Shown.Equal(now) {
			t.Errorf("shown: %+v, %v", shown, err)
		}
		ok(db.PutChoices(ctx, store.Choices{Address: "r0@example.org", Public: true, Name: "Other"}, now))
		shown, err = db.Wall(ctx, store.WallShown, 10)
		ok(err)
		for _, e := range shown {
			if e.Checkout == "co_0" {
				if e.Read() || e.Name != "Other" {
					t.Errorf("another name counts as read: %+v", e)
				}
				ok(db.WaitAgain(ctx, []store.WallEntry{e}))
			}
		}
		if waiting, err = db.Wall(ctx, store.WallWaiting, 10); err != nil || len(waiting) != 2 {
			t.Errorf("waiting again: %+v, %v", waiting, err)
		}

		// Who later gives so that nobody may know of it is shown no more.
		mayShow := func(checkout string) bool {
			shown, err := db.Wall(ctx, store.WallShown, 10)
			ok(err)
			for _, e := range shown {
				if e.Checkout == checkout {
					return e.MayShow()
				}
			}
			return false
		}
		if !mayShow("co_1") {
			t.Error("a gift that was accepted may not be shown")
		}
		_, err = db.AddCheckout(ctx, store.Checkout{ID: "co_9", Attempt: "9", Status: store.CheckoutOpen, UTM: "{}", Anonymous: true, Discreet: true, CreatedAt: now, ExpiresAt: now})
		ok(err)
		later := *donations[1]
		later.Key, later.Attribution.Checkout = "pi_9", "co_9"
		ok(db.Ledger(ctx, func(tx *store.Tx) error { return tx.PutDonations(ctx, []*giving.Donation{&later}) }))
		if mayShow("co_1") {
			t.Error("who is kept out of sight is on the wall")
		}
	})
}

func TestMailThatCameBack(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx, now := t.Context(), time.Now()
		if err := db.QueueMail(ctx, store.Mail{Kind: "receipt", Subject: "pi_1", To: "a@example.org", Due: now}); err != nil {
			t.Fatal(err)
		}
		id := store.MailID("receipt", "pi_1")
		state := func() string {
			t.Helper()
			m, err := db.MailByID(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			return m.State + " " + m.Error
		}
		if err := db.MailCameBack(ctx, id, "no such box", now); err != nil || state() != "queued " {
			t.Errorf("one that was not sent: %s, %v", state(), err)
		}
		taken, err := db.TakeMail(ctx, now, time.Minute, 1)
		if err != nil || len(taken) != 1 {
			t.Fatal(taken, err)
		}
		if err := db.EndMail(ctx, taken[0], store.MailSent, "", now); err != nil {
			t.Fatal(err)
		}
		if err := db.MailCameBack(ctx, id, "no such box", now); err != nil || state() != "refused no such box" {
			t.Errorf("one that was: %s, %v", state(), err)
		}
	})
}
