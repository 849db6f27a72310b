package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// gifts is how many donations are rebuilt; the environment's
// SUPPORT_BENCH_GIFTS says otherwise.
const gifts = 1_000_000

// BenchmarkRebuild makes a million donations again from their stored events.
// They were stored as deliveries are, but never applied, so that the counts
// afterwards are the rebuild's alone.
func BenchmarkRebuild(b *testing.B) {
	count := gifts
	if text := os.Getenv("SUPPORT_BENCH_GIFTS"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			b.Fatalf("SUPPORT_BENCH_GIFTS: %v", err)
		}
	}
	b.Run("PostgreSQL", func(b *testing.B) {
		address := testenv.Postgres(b)
		rebuild(b, address, count, storeEvents)
		b.ReportMetric(copyRate(b, address, count), "floor/s")
	})
	newsroom := func(b *testing.B, s *store.Store, count int) { storeSpread(b, s, &spreads[1], count); rebuilt(b, s) }
	b.Run("PostgreSQL/newsroom", func(b *testing.B) { rebuild(b, testenv.Postgres(b), count, newsroom) })
	b.Run("SQLite", func(b *testing.B) { rebuild(b, "sqlite:"+filepath.Join(b.TempDir(), "support.db"), count, storeEvents) })
}

func rebuild(b *testing.B, address string, count int, fill func(*testing.B, *store.Store, int)) {
	s := open(b, address)
	fill(b, s, count)
	l := ledger.New(ledger.Options{Store: s, Now: time.Now, Timezone: time.UTC, Grace: time.Hour})
	debug.FreeOSMemory()
	for b.Loop() {
		peak := watchMemory(b)
		start, used := time.Now(), testenv.Processor(b)
		if _, _, err := l.Rebuild(b.Context(), func(int) {}); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(count)/time.Since(start).Seconds(), "donations/s")
		b.ReportMetric(float64((testenv.Processor(b)-used).Nanoseconds())/float64(count)/1000, "own-µs/donation")
		b.ReportMetric(peak()/(1<<20), "MiB")
		b.ReportMetric(0, "ns/op")
	}
	(&endpoint{ledger: l, store: s}).count(b, int64(count))
}

// copyRate is the floor: how many donations a second the server itself copies
// from the finished table into another one with the same indexes.
func copyRate(b *testing.B, address string, count int) float64 {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(b.Context(), `DROP TABLE IF EXISTS floor; CREATE TABLE floor (LIKE donations INCLUDING ALL)`); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if _, err := conn.Exec(b.Context(), `INSERT INTO floor SELECT * FROM donations`); err != nil {
		b.Fatal(err)
	}
	return float64(count) / time.Since(start).Seconds()
}

// storeEvents stores the charge of each gift.
func storeEvents(b *testing.B, s *store.Store, count int) {
	b.Helper()
	const chunk = 2000
	for first := 0; first < count; first += chunk {
		events := make([]store.Event, min(chunk, count-first))
		times := make([]int64, len(events))
		var group sync.WaitGroup
		for part := range runtime.GOMAXPROCS(0) {
			group.Go(func() {
				for i := part; i < len(events); i += runtime.GOMAXPROCS(0) {
					body := event(chargeEvent, first+i)
					n := strconv.Itoa(first + i)
					events[i] = store.Event{
						ID: "evt_" + n, Type: "charge.succeeded", Ref: fmt.Sprintf("charge/ch_3OqBench%08d", first+i), APIVersion: "2023-10-16",
						Created: time.Unix(1769850000, 0), Received: time.Unix(1769850000, 0), State: store.Applied,
						Body: ledger.Pack(body),
					}
					times[i] = 1
				}
			})
		}
		group.Wait()
		err := s.Ledger(b.Context(), func(tx *store.Tx) error { return tx.PutEvents(b.Context(), events, times) })
		if err != nil {
			b.Fatal(err)
		}
	}
}

// watchMemory returns a function that ends the watch and tells the most bytes
// that were resident.
func watchMemory(b *testing.B) (peak func() float64) {
	ctx, cancel := context.WithCancel(b.Context())
	most := make(chan float64)
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		var max float64
		for {
			if now := testenv.Resident(); now > max {
				max = now
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				most <- max
				return
			}
		}
	}()
	return func() float64 { cancel(); return <-most }
}
