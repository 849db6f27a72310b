package store_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

func TestSignals(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "support.db") },
		"PostgreSQL": func(t *testing.T) string { return testenv.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, err := store.Open(address(t))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			var batch, want []store.Signal
			for i := range 120 { // more than two statements
				g := store.Signal{Day: 20261123, Article: fmt.Sprintf("article-%03d", i), Placement: "mid", Kind: "seen", Times: int64(i + 1)}
				batch = append(batch, g)
				g.Times *= 2
				want = append(want, g)
			}
			for range 2 {
				if err := db.AddSignals(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
			}
			other := store.Signal{Day: 20261124, Article: "a", Placement: "end", Variant: "b", Kind: "closed", Times: 1}
			if err := db.AddSignals(t.Context(), []store.Signal{other}); err != nil {
				t.Fatal(err)
			}
			got, err := db.Signals(t.Context(), 20261123, 20261124)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("Signals() = %v, %v; want %v", got, err, want)
			}
			bad := []store.Signal{{Day: 20261125, Article: "a", Kind: "seen", Times: 1}, {Day: 20261125, Article: "a", Kind: "sold", Times: 1}}
			if err := db.AddSignals(t.Context(), bad); err == nil {
				t.Error("a kind that is none was stored")
			}
			if left, err := db.Signals(t.Context(), 20261125, 20261126); err != nil || len(left) > 0 {
				t.Errorf("half a batch was stored: %v, %v", left, err)
			}
		})
	}
}
