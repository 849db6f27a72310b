package store_test

import (
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

func TestCheckouts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		now := time.Date(2026, 3, 1, 12, 0, 0, 123000, time.UTC)
		c := store.Checkout{
			ID: "co_1", Attempt: "form:a", Digest: "d", IdempotencyKey: "k1", Status: store.CheckoutNew, Currency: "EUR",
			AmountMinor: 1000, Interval: "month", Article: "troops", Placement: "mid", Campaign: "spring", Variant: "b",
			Tier: "friend", Locale: "uk", Attribution: "signed", UTM: `{"utm_source":"x"}`, Name: "Оля", Anonymous: true,
			Message: "м", ReturnURL: "https://site.example/", CreatedAt: now, ExpiresAt: now.Add(23 * time.Hour),
		}
		for i, want := range []bool{true, false} {
			if added, err := s.AddCheckout(ctx, c); err != nil || added != want {
				t.Fatalf("add, time %d: %v, %v", i, added, err)
			}
		}
		if got, ok, err := s.CheckoutByAttempt(ctx, c.Attempt); err != nil || !ok || got != c {
			t.Errorf("by attempt: %+v, %v, %v", got, ok, err)
		}
		if err := s.FailCheckout(ctx, c.ID, "Stripe was down"); err != nil {
			t.Fatal(err)
		}
		check := func(what, status, reason, session, key string) {
			t.Helper()
			got, _, err := s.CheckoutByAttempt(ctx, c.Attempt)
			if err != nil || got.Status != status || got.Error != reason || got.Session != session || got.IdempotencyKey != key {
				t.Errorf("%s: %+v, %v", what, got, err)
			}
		}
		check("failed", store.CheckoutFailed, "Stripe was down", "", "k1")
		if err := s.OpenCheckout(ctx, c.ID, "another key", "cs_0", "https://x/"); err != nil {
			t.Fatal(err)
		}
		check("opened under another key", store.CheckoutFailed, "Stripe was down", "", "k1")
		if err := s.OpenCheckout(ctx, c.ID, "k1", "cs_1", "https://pay/"); err != nil {
			t.Fatal(err)
		}
		if err := s.FailCheckout(ctx, c.ID, "too late"); err != nil {
			t.Fatal(err)
		}
		check("open stays open", store.CheckoutOpen, "", "cs_1", "k1")
		if got, ok, err := s.CheckoutBySession(ctx, "cs_1"); err != nil || !ok || got.ID != c.ID || got.URL != "https://pay/" {
			t.Errorf("by session: %+v, %v, %v", got, ok, err)
		}
		for i, want := range []bool{true, false} {
			if renewed, err := s.RenewCheckout(ctx, c.ID, "k1", "k2", now.Add(48*time.Hour)); err != nil || renewed != want {
				t.Errorf("renew, time %d: %v, %v", i, renewed, err)
			}
		}
		check("renewed", store.CheckoutNew, "", "", "k2")
		for _, session := range []string{"", "cs_none"} {
			if _, ok, err := s.CheckoutBySession(ctx, session); ok || err != nil {
				t.Errorf("a session %q is found: %v, %v", session, ok, err)
			}
		}
		if _, ok, err := s.CheckoutByAttempt(ctx, "none"); ok || err != nil {
			t.Errorf("an attempt that is none: %v, %v", ok, err)
		}
	})
}

func TestGiftOfCheckout(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		mine := store.Checkout{ID: "co_1", CreatedAt: now, ExpiresAt: now.Add(23 * time.Hour)}
		if _, ok, err := s.GiftOfCheckout(ctx, mine); ok || err != nil {
			t.Errorf("before it came: %v, %v", ok, err)
		}
		gifts := []*giving.Donation{
			{Key: "pi_0", Created: now.Unix(), Gross: 500, Currency: "EUR", Attribution: giving.Attribution{Checkout: "co_0"}},
			{Key: "pi_3", Created: now.AddDate(0, 1, 0).Unix(), Gross: 1100, Currency: "EUR", Attribution: giving.Attribution{Checkout: "co_1"}},
			{Key: "pi_2", Created: now.Unix() + 90, Gross: 1000, Currency: "EUR", Attribution: giving.Attribution{Checkout: "co_1"}},
		}
		err := s.Ledger(ctx, func(tx *store.Tx) error { return tx.PutDonations(ctx, gifts) })
		if err != nil {
			t.Fatal(err)
		}
		want := store.Gift{1000, "EUR", now.Add(90 * time.Second)}
		if got, ok, err := s.GiftOfCheckout(ctx, mine); err != nil || !ok || got != want {
			t.Errorf("GiftOfCheckout = %+v, %v, %v; want %+v", got, ok, err, want)
		}
	})
}
