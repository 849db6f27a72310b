package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
	"github.com/united24media/support/internal/testenv"
)

// settledCharge is a charge as the sweep's list of them has it; a higher number
// is an older one.
func settledCharge(n int, now time.Time) []byte {
	return fmt.Appendf(nil, `{"id":"ch_%[1]d","object":"charge","created":%[2]d,"payment_intent":"pi_%[1]d",
		"currency":"eur","status":"succeeded","amount_captured":1000,"amount_refunded":0,"customer":"cus_%[3]d",
		"balance_transaction":{"id":"txn_%[1]d","object":"balance_transaction","created":%[4]d,"source":"ch_%[1]d","type":"charge",
		"currency":"eur","amount":1000,"fee":59,"net":941},"metadata":{"support_v":"1","article":"troops"},
		"billing_details":{"email":"donor%[3]d@example.org"}}`, n, now.Unix()-int64(n), n%5000, now.Unix())
}

// chargesOnly plays a Stripe that has so many charges and nothing else, and
// counts the calls and how many of them were answered at once at the most.
type chargesOnly struct {
	count       int
	now         time.Time
	calls       atomic.Int64
	atOnce, max atomic.Int64
	pages       chan int // gets each page of charges that is asked for, from 1 on; nil: none
}

func (s *chargesOnly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	if n := s.atOnce.Add(1); n > s.max.Load() {
		s.max.Store(n)
	}
	defer s.atOnce.Add(-1)
	first, page := 0, []json.RawMessage{}
	if after, ok := strings.CutPrefix(r.FormValue("starting_after"), "ch_"); ok {
		n, _ := strconv.Atoi(after) // it is one of ours
		first = n + 1
	}
	if r.URL.Path == "/v1/charges" {
		if s.pages != nil {
			s.pages <- first/100 + 1
		}
		for n := first; n < min(first+100, s.count); n++ {
			page = append(page, settledCharge(n, s.now))
		}
	}
	answer := map[string]any{"object": "list", "data": page, "has_more": len(page) == 100 && first+100 < s.count}
	_ = json.NewEncoder(w).Encode(answer) // the client tells
}

// BenchmarkSweep sweeps 100,000 objects of which nothing is known, and then
// again, when everything is. The floor is the time that as many calls take at
// the rate at which Stripe is asked.
func BenchmarkSweep(b *testing.B) {
	const callsASecond = 20
	stripe := &chargesOnly{count: 100_000, now: time.Now().Add(-time.Hour)}
	db, level := sweeper(b, testenv.Postgres(b), stripe)
	for _, known := range []bool{false, true} {
		b.Run(map[bool]string{false: "unknown", true: "known"}[known], func(b *testing.B) {
			for b.Loop() {
				debug.FreeOSMemory()
				stripe.calls.Store(0)
				start, used, most, held := time.Now(), testenv.Processor(b), uint64(0), 0.0
				report, err := level.SweepNow(b.Context(), reconcile.Sweep{Since: 96 * time.Hour, Progress: func(reconcile.Progress) {
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					most, held = max(most, m.HeapAlloc), max(held, testenv.Resident())
				}})
				if err != nil || report.Objects < stripe.count || known && report.Differences != 0 {
					b.Fatalf("%+v, %v", report, err)
				}
				took := time.Since(start).Seconds()
				b.ReportMetric(float64(report.Objects)/took, "objects/s")
				b.ReportMetric(float64(stripe.calls.Load())/callsASecond/took, "ratio")
				b.ReportMetric(float64(stripe.calls.Load()), "calls")
				b.ReportMetric(float64(stripe.max.Load()), "calls-at-once")
				b.ReportMetric(float64((testenv.Processor(b)-used).Microseconds())/float64(report.Objects), "own-µs/object")
				b.ReportMetric(float64(most)/(1<<20), "heap-MiB")
				b.ReportMetric(held/(1<<20), "resident-MiB")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
	all := 0
	err := db.Look(b.Context(), func(tx *store.Tx) (err error) {
		for after := ""; ; {
			some, err := tx.DonationsAfter(b.Context(), after, 1000)
			if err != nil || len(some) == 0 {
				return err
			}
			all, after = all+len(some), some[len(some)-1].Key
		}
	})
	if err != nil || all != stripe.count {
		b.Fatalf("%d donations, want %d; %v", all, stripe.count, err)
	}
}

// sweeper returns a service on a new database at an address, which asks a
// Stripe that is played.
func sweeper(tb testing.TB, address string, stripe http.Handler) (*store.Store, *reconcile.Service) {
	tb.Helper()
	server := httptest.NewServer(stripe)
	tb.Cleanup(server.Close)
	db, err := store.Open(address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	book := ledger.New(ledger.Options{Store: db, Now: time.Now, Timezone: time.UTC})
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- book.Run(ctx) }()
	tb.Cleanup(func() { cancel(); <-stopped })
	quiet := slog.New(slog.DiscardHandler)
	return db, reconcile.New(reconcile.Options{
		Store: db, Ledger: book, Now: time.Now, Log: quiet,
		Stripe: stripeapi.New(stripeapi.Options{Key: "sk_test_1", BaseURL: server.URL, Log: quiet}),
	})
}

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
					answers[i] = ledger.Answer{At: at, Object: settledCharge(id, now)}
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
