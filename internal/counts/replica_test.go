package counts_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/redisdb"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// process is one replica: a way to the database, a ledger, and counts.
type process struct {
	*ledger.Ledger
	counts *counts.Counts
}

// launch starts a replica that ends with the test. An empty redis is none.
func launch(t *testing.T, database, redis string) *process {
	t.Helper()
	s, err := store.Open(database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := counts.Options{Source: s, Log: slog.New(slog.DiscardHandler)}
	if redis != "" {
		if o.Redis, err = redisdb.Open(redis); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { o.Redis.Close() })
	}
	p := &process{counts: counts.New(o)}
	p.Ledger = ledger.New(ledger.Options{
		Store: s, Now: time.Now, Timezone: time.UTC, Grace: time.Hour, Moved: p.counts.Moved,
	})
	for _, run := range []func(context.Context) error{p.Run, p.counts.Run} {
		ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
		ended := make(chan error)
		go func() { ended <- run(ctx) }()
		t.Cleanup(func() { cancel(); <-ended })
	}
	return p
}

// give records the n-th gift, of somebody who has not given before.
func (p *process) give(t *testing.T, n int) {
	t.Helper()
	now := time.Now().Unix()
	body := fmt.Sprintf(`{"id":"evt_%d","object":"event","type":"charge.succeeded","api_version":"2023-10-16",
		"livemode":false,"created":%d,"data":{"object":{"id":"ch_%d","object":"charge","created":%d,
		"payment_intent":"pi_%d","currency":"eur","status":"succeeded","captured":true,"paid":true,"amount":1000,
		"amount_captured":1000,"amount_refunded":0,"customer":null,"invoice":null,"balance_transaction":"txn_%d",
		"metadata":{"support_v":"1","checkout":"co_%d","article":"troops"},
		"billing_details":{"email":"reader%d@example.org"}}}}`, n, now, n, now, n, n, n, n)
	if err := p.Deliver(t.Context(), []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// within waits until ok holds and returns how long that took.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	started := time.Now()
	for ; !ok(); <-tick.C {
		if time.Since(started) > limit {
			t.Fatalf("after %v still not: %s", limit, what)
		}
	}
	return time.Since(started).Round(time.Millisecond)
}

// shows reports whether p shows n supporters, in all and of the article.
func (p *process) shows(n int) bool {
	s := p.counts.Snapshot()
	for _, scope := range []string{"all", "article:troops"} {
		if c := s.Count(scope); !c.Known || c.Stale || c.Supporters != int64(n) {
			return false
		}
	}
	return true
}

// A gift that one replica has recorded is shown by it at once, and by another
// one on the same PostgreSQL within a second, or where there is no Redis in
// the time after which a count is stale.
func TestReplicasShowAGift(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		redis func(testing.TB) string
		limit time.Duration
		gifts int
	}{
		"Redis":         {testenv.Redis, time.Second, 5},
		"Redis Cluster": {testenv.RedisCluster, time.Second, 5},
		"no Redis":      {func(testing.TB) string { return "" }, counts.StaleAfter, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database, redis := testenv.Postgres(t), tt.redis(t)
			one, two := launch(t, database, redis), launch(t, database, redis)
			within(t, 10*time.Second, "both have read the database", func() bool {
				return one.counts.Snapshot().Count("all").Known && two.counts.Snapshot().Count("all").Known
			})
			gifts := 0
			if redis != "" { // a bell that nobody listens to yet is no measure
				within(t, 20*time.Second, "the bells are heard", func() bool {
					for _, p := range []*process{one, two} {
						gifts++
						p.give(t, gifts)
					}
					return one.counts.Stats().Bells > 0 && two.counts.Stats().Bells > 0
				})
			}
			for range tt.gifts {
				for _, p := range [][2]*process{{one, two}, {two, one}} {
					gifts++
					p[0].give(t, gifts)
					if !p[0].shows(gifts) {
						t.Error("the one that recorded it doesn't show it at once")
					}
					took := within(t, tt.limit, "the other shows it", func() bool { return p[1].shows(gifts) })
					t.Logf("shown by the other after %v", took)
				}
			}
		})
	}
}
