package store_test

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// onBoth runs a test on an empty, migrated database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, db *store.Store)) {
	t.Helper()
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
			t.Cleanup(func() { db.Close() })
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, db)
		})
	}
}

// put stores donations, and their sums in UTC.
func put(t *testing.T, db *store.Store, donations ...*giving.Donation) {
	t.Helper()
	cells := giving.Cells{}
	for _, d := range donations {
		d.AddTo(cells, 1, time.UTC)
	}
	err := db.Ledger(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.PutDonations(t.Context(), donations), tx.MoveSums(t.Context(), cells))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSums(t *testing.T) {
	t.Parallel()
	at := func(day string) int64 {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return d.Unix()
	}
	onBoth(t, func(t *testing.T, db *store.Store) {
		put(t, db,
			&giving.Donation{Key: "a", Created: at("2026-01-31"), Currency: "EUR", Gross: 1, First: true, Attribution: giving.Attribution{Article: "x"}},
			&giving.Donation{Key: "b", Created: at("2026-02-01"), Currency: "EUR", Gross: 10, Settled: giving.Balance{Currency: "EUR", Fee: 2, Net: 8}},
			&giving.Donation{Key: "c", Created: at("2026-02-28"), Currency: "EUR", Gross: 100, Refunded: 40, Disputed: 60, Attribution: giving.Attribution{Article: "x"}},
			&giving.Donation{Key: "d", Created: at("2026-03-01"), Currency: "USD", Gross: 1000, Attribution: giving.Attribution{Article: "Ä"}},
			&giving.Donation{Key: "e", Created: at("2026-03-02"), Currency: "USD", Gross: 10000},
		)
		cell := func(dimension string, period int64, value, currency, settlement string, f giving.Figures) store.Sum {
			f.Won, f.Kept = f.Donations, f.Donations // none renews, and of each something is left
			return store.Sum{Cell: giving.Cell{Dimension: dimension, Period: period, Value: value, Currency: currency, Settlement: settlement}, Figures: f}
		}
		tests := map[string]struct {
			dimension string
			spans     []store.Span
			byPeriod  bool
			want      []store.Sum
		}{
			"no span": {"all", nil, false, nil},
			"a day before, a month, a day after": {"all", []store.Span{{From: 20260131, To: 20260201}, {From: 202602, To: 202603}, {From: 20260301, To: 20260302}}, false, []store.Sum{
				cell("all", 0, "", "EUR", "", giving.Figures{Donations: 2, NewSupporters: 1, Gross: 101, Refunded: 40, Disputed: 60}),
				cell("all", 0, "", "EUR", "EUR", giving.Figures{Donations: 1, Gross: 10, Fee: 2, Net: 8}),
				cell("all", 0, "", "USD", "", giving.Figures{Donations: 1, Gross: 1000}),
			}},
			"by period": {"all", []store.Span{{From: 20260228, To: 20260302}}, true, []store.Sum{
				cell("all", 20260228, "", "EUR", "", giving.Figures{Donations: 1, Gross: 100, Refunded: 40, Disputed: 60}),
				cell("all", 20260301, "", "USD", "", giving.Figures{Donations: 1, Gross: 1000}),
			}},
			"by value": {"article", []store.Span{{From: 202601, To: 202604}}, false, []store.Sum{
				cell("article", 0, "", "EUR", "EUR", giving.Figures{Donations: 1, Gross: 10, Fee: 2, Net: 8}),
				cell("article", 0, "", "USD", "", giving.Figures{Donations: 1, Gross: 10000}),
				cell("article", 0, "x", "EUR", "", giving.Figures{Donations: 2, NewSupporters: 1, Gross: 101, Refunded: 40, Disputed: 60}),
				cell("article", 0, "Ä", "USD", "", giving.Figures{Donations: 1, Gross: 1000}),
			}},
		}
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				got, err := db.Sums(t.Context(), tt.dimension, tt.spans, tt.byPeriod)
				slices.SortFunc(got, func(a, b store.Sum) int {
					return cmp.Or(cmp.Compare(a.Period, b.Period), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Settlement, b.Settlement))
				})
				if err != nil || !reflect.DeepEqual(got, tt.want) {
					t.Errorf("Sums = %+v, %v; want %+v", got, err, tt.want)
				}
			})
		}
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, db *store.Store) {
		ctx, now := context.Background(), time.UnixMicro(1_700_000_000_000_000).UTC()
		token := store.Token{Name: "desk", Role: "viewer", Created: now}
		if err := db.AddToken(ctx, token, "hash", store.Entry{}); err != nil {
			t.Fatal(err)
		}
		if err := db.AddToken(ctx, token, "other", store.Entry{}); !errors.Is(err, fault.Conflict) {
			t.Errorf("a name that is taken: %v", err)
		}
		if got, err := db.TokenByHash(ctx, "hash"); err != nil || got != token {
			t.Errorf("TokenByHash = %+v, %v", got, err)
		}
		if _, err := db.TokenByHash(ctx, "other"); !errors.Is(err, fault.NotFound) {
			t.Errorf("a hash that is not there: %v", err)
		}
		if err := db.RevokeToken(ctx, "desk", now.Add(time.Hour), store.Entry{}); err != nil {
			t.Fatal(err)
		}
		if err := db.RevokeToken(ctx, "desk", now, store.Entry{}); !errors.Is(err, fault.NotFound) {
			t.Errorf("revoked twice: %v", err)
		}
		for i, read := range []struct {
			route string
			after time.Duration
		}{{"/a", 0}, {"/a", time.Minute}, {"/b", time.Minute}, {"/a", 2 * time.Hour}, {"/a", 40 * time.Hour}, {"/a", 40 * time.Hour}} {
			e := store.Entry{At: now.Add(read.after), Who: "token desk", Action: "token.read", Subject: read.route}
			if err := db.AuditTokenRead(ctx, "desk", read.route, e); err != nil {
				t.Fatalf("read %d: %v", i, err)
			}
		}
		if log, err := db.AuditAfter(ctx, store.AuditFilter{Action: "token.read"}, 0, 10); err != nil || len(log) != 4 {
			t.Errorf("%d reads are in the audit log, want 4: %+v, %v", len(log), log, err)
		}
		token.Used, token.Revoked = now.Add(40*time.Hour), now.Add(time.Hour)
		if got, err := db.Tokens(ctx); err != nil || len(got) != 1 || got[0] != token {
			t.Errorf("Tokens = %+v, %v", got, err)
		}
	})
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	spans := []store.Span{{From: 20260130, To: 20260202}, {From: 202511, To: 202602}}
	if got, want := store.Periods(spans), []int64{20260130, 20260131, 20260201, 202511, 202512, 202601}; !slices.Equal(got, want) {
		t.Errorf("%v are the periods %d; want %d", spans, got, want)
	}
}
