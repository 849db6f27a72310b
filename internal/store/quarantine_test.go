package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/store"
)

func TestAttacks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx, at := t.Context(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		if _, lasts, err := db.LastingAttack(ctx); lasts || err != nil {
			t.Fatalf("an attack before the first: %v", err)
		}
		if _, was, err := db.EndAttack(ctx, at); was || err != nil {
			t.Fatalf("one ended that had not begun: %v", err)
		}
		for n := range 2 {
			began := at.Add(time.Duration(n) * 24 * time.Hour)
			first, err := db.BeginAttack(ctx, store.Attack{ID: "atk_a" + string(rune('0'+n)), Why: "many", Began: began})
			if err != nil {
				t.Fatal(err)
			}
			second, err := db.BeginAttack(ctx, store.Attack{ID: "atk_b" + string(rune('0'+n)), Why: "many more", Began: began.Add(time.Second)})
			if err != nil || second != first || !first.Began.Equal(began) || !first.Ended.IsZero() {
				t.Errorf("two replicas wrote down %+v and %+v, %v", first, second, err)
			}
			ended, was, err := db.EndAttack(ctx, began.Add(time.Hour))
			if err != nil || !was || ended.ID != first.ID || !ended.Ended.Equal(began.Add(time.Hour)) {
				t.Errorf("ended %+v, %v, %v", ended, was, err)
			}
			if _, was, err := db.EndAttack(ctx, began.Add(time.Hour)); was || err != nil {
				t.Errorf("it ended twice: %v", err)
			}
		}
		for _, tt := range []struct {
			from, to time.Duration
			want     int
		}{{0, time.Minute, 1}, {time.Hour, 23 * time.Hour, 1}, {time.Hour + time.Second, 23 * time.Hour, 0}, {-time.Hour, 48 * time.Hour, 2}, {-time.Hour, 0, 0}} {
			if found, err := db.AttacksBetween(ctx, at.Add(tt.from), at.Add(tt.to), 9); err != nil || len(found) != tt.want {
				t.Errorf("from %v to %v: %+v, %v", tt.from, tt.to, found, err)
			}
		}
	})
}

func TestQuarantine(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx, at := t.Context(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		hold := func(reason string, subjects ...string) {
			t.Helper()
			var all []store.Suspect
			for _, s := range subjects {
				all = append(all, store.Suspect{Subject: s, Kind: store.SuspectGift, Attack: "atk_1", Reason: reason, Found: at})
			}
			if err := db.HoldSuspects(ctx, all); err != nil {
				t.Fatal(err)
			}
		}
		held := func(want int64) {
			t.Helper()
			n, err := db.CountHeld(ctx)
			list, err2 := db.Suspects(ctx, store.SuspectHeld, 9)
			if err := errors.Join(err, err2); err != nil || n != want || int64(len(list)) != want {
				t.Errorf("held: %d, %+v, %v; want %d", n, list, err, want)
			}
		}
		hold("two cards", "pi_1", "pi_2", "pi_3")
		hold("three cards", "pi_1")
		held(3)
		if q, err := db.SuspectBySubject(ctx, "pi_1"); err != nil || q.Reason != "three cards" || q.State != store.SuspectHeld || q.Attack != "atk_1" {
			t.Errorf("%+v, %v", q, err)
		}
		if _, err := db.SuspectBySubject(ctx, "pi_4"); !errors.Is(err, fault.NotFound) {
			t.Errorf("one that is not there: %v", err)
		}
		decide := func(subject, state string) bool {
			t.Helper()
			done, err := db.DecideSuspect(ctx, store.Suspect{Subject: subject, State: state, Decided: at.Add(time.Hour), DecidedBy: "olha@news.example"},
				store.Entry{At: at, Who: "olha@news.example", Action: "quarantine." + state, Subject: subject})
			if err != nil {
				t.Fatal(err)
			}
			return done
		}
		if !decide("pi_1", store.SuspectRejected) || decide("pi_1", store.SuspectAccepted) {
			t.Error("something is decided on twice, or not at all")
		}
		hold("again", "pi_1")
		held(2)
		if err := db.ReleaseSuspects(ctx, []string{"pi_1", "pi_2"}, at); err != nil {
			t.Fatal(err)
		}
		held(1)
		decided, err := db.DecidedSuspects(ctx, 9)
		if err != nil || len(decided) != 1 || decided[0].Subject != "pi_1" || decided[0].State != store.SuspectRejected || decided[0].DecidedBy != "olha@news.example" {
			t.Errorf("%+v, %v", decided, err)
		}
		if entries, err := db.AuditBefore(ctx, store.AuditFilter{}, 0, 9); err != nil || len(entries) != 1 {
			t.Errorf("the audit log: %+v, %v; want the one decision", entries, err)
		}
	})
}
