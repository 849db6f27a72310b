package store_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

func TestCampaigns(t *testing.T) {
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
			want := []store.Campaign{
				{Slug: "armour", Name: "Body armour for reporters", GoalKind: store.GoalMoney, Goal: 5_000_000, GoalCurrency: "EUR", Body: `{"ends":"2027-01-01T00:00"}`},
				{Slug: "winter", Name: "A winter at the front", GoalKind: store.GoalSupporters, Goal: 2000, Body: "{}"},
			}
			for _, c := range []store.Campaign{{Slug: "armour", Name: "Armour"}, want[1], want[0]} {
				if err := db.PutCampaign(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			got, err := db.Campaigns(t.Context())
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("Campaigns() = %v, %v; want %v", got, err, want)
			}
		})
	}
}
