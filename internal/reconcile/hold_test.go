package reconcile

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/united24media/support/internal/store"
)

// TestWishesAreHeld: a wish is its process's for as long as that works on it,
// and soon another's once the process was killed.
func TestWishesAreHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		err = db.Ledger(t.Context(), func(tx *store.Tx) error {
			return tx.PutWishes(t.Context(), time.Now(), []store.Wish{{Ref: "charge/ch_1", Due: time.Now()}})
		})
		if err != nil {
			t.Fatal(err)
		}
		s := New(Options{Store: db, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		taken, err := s.take(t.Context(), 1)
		if err != nil || len(taken) != 1 {
			t.Fatalf("there is no wish: %v", err)
		}
		ctx, kill := context.WithCancel(t.Context())
		var holding sync.WaitGroup
		holding.Go(func() { s.hold(ctx, taken[0]) })
		time.Sleep(5 * time.Minute)
		if others, err := s.take(t.Context(), 1); err != nil || len(others) > 0 {
			t.Errorf("taken by two: %v, %v", others, err)
		}
		kill()
		holding.Wait()
		time.Sleep(time.Minute)
		if again, err := s.take(t.Context(), 1); err != nil || len(again) != 1 {
			t.Errorf("a minute after its process was killed: %v, %v", again, err)
		}
	})
}
