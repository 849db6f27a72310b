package reconcile_test

import (
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// BenchmarkKnownPage measures what a page of a list costs of which everything
// is known, as most are. At 20 pages a second it may take 50 ms.
func BenchmarkKnownPage(b *testing.B) {
	for name, address := range map[string]func() string{
		"SQLite":     func() string { return "sqlite:" + b.TempDir() + "/support.db" },
		"PostgreSQL": func() string { return testenv.Postgres(b) },
	} {
		b.Run(name, func(b *testing.B) {
			db, err := store.Open(address())
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
			book := ledger.New(ledger.Options{Store: db, Now: func() time.Time { return now }, Timezone: time.UTC})
			go book.Run(b.Context()) //nolint:errcheck // ends with the test
			page := func(n int, at time.Time) []ledger.Answer {
				answers := make([]ledger.Answer, 100)
				for i := range answers {
					id := n*100 + i
					answers[i] = ledger.Answer{At: at, Object: fmt.Appendf(nil, `{"id":"ch_%d","object":"charge","created":%d,"payment_intent":"pi_%d",
						"currency":"eur","status":"succeeded","amount_captured":1000,"amount_refunded":0,"customer":"cus_%d",
						"balance_transaction":{"id":"txn_%d","object":"balance_transaction","created":%d,"source":"ch_%d","type":"charge",
						"currency":"eur","amount":1000,"fee":59,"net":941},"metadata":{"support_v":"1","article":"troops"},
						"billing_details":{"email":"donor%d@example.org"}}`, id, now.Unix()-int64(id), id, id%5000, id, now.Unix(), id, id%5000)}
				}
				return answers
			}
			const pages = 100
			for n := range pages {
				if err := book.Apply(b.Context(), page(n, now)...); err != nil {
					b.Fatal(err)
				}
			}
			for n := 0; b.Loop(); n++ {
				outcome, err := book.Would(b.Context(), page(n%pages, now.Add(time.Hour))...)
				if err != nil || len(outcome.Changes)+len(outcome.News) != 0 {
					b.Fatalf("%d changes, %d news, %v", len(outcome.Changes), len(outcome.News), err)
				}
			}
		})
	}
}
