package bench

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// What the reports are asked of: three years of gifts that end with 2025.
const (
	reported     = 100_000 // gifts, unless SUPPORT_BENCH_GIFTS says otherwise
	readArticles = 5000
	years        = 3
	asked        = 15   // times each question is asked
	sampled      = 3000 // gifts that are both delivered and stored in bulk, to compare
)

var end = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// spread is the n-th of count gifts: some day of the three years, some article
// (few bring much), country, currency and placement.
func spread(n, count int) (id string, created time.Time, body []byte) {
	mixed := uint64(n+1) * 0x9e3779b97f4a7c15
	mixed ^= mixed >> 29
	created = end.AddDate(-years, 0, 0).Add(time.Duration(n) * (end.Sub(end.AddDate(-years, 0, 0)) / time.Duration(count)))
	article := mixed % readArticles
	if mixed>>20%3 == 0 {
		article %= 200
	}
	text := string(event(chargeEvent, n))
	id = fmt.Sprintf("%08d", n)
	return id, created, []byte(strings.NewReplacer(
		"1769850000", strconv.FormatInt(created.Unix(), 10),
		fmt.Sprintf(`"frontline-report-%d"`, n%articles), fmt.Sprintf(`"report-%d"`, article),
		`"eur"`, []string{`"eur"`, `"usd"`, `"uah"`}[mixed>>24%3],
		`"country": "UA"`, fmt.Sprintf(`"country": %q`, []string{"UA", "DE", "US", "PL", "GB", "FR", "CA", "NL"}[mixed>>32%8]),
		`"mid"`, []string{`"mid"`, `"end"`}[mixed>>40%2],
	).Replace(text))
}

// storeSpread stores gifts in bulk: their events, of which a rebuild then makes
// everything else.
func storeSpread(b *testing.B, s *store.Store, count int) {
	b.Helper()
	const chunk = 2000
	for first := 0; first < count; first += chunk {
		events, times := make([]store.Event, min(chunk, count-first)), make([]int64, min(chunk, count-first))
		var group sync.WaitGroup
		for part := range runtime.GOMAXPROCS(0) {
			group.Go(func() {
				for i := part; i < len(events); i += runtime.GOMAXPROCS(0) {
					id, created, body := spread(first+i, count)
					events[i] = store.Event{
						ID: "evt_3OqBench" + id, Type: "charge.succeeded", Ref: "charge/ch_3OqBench" + id, APIVersion: "2023-10-16",
						Created: created, Received: created, State: store.Applied, Body: ledger.Pack(body),
					}
					times[i] = 1
				}
			})
		}
		group.Wait()
		fatal(b, s.Ledger(b.Context(), func(tx *store.Tx) error { return tx.PutEvents(b.Context(), events, times) }))
	}
	_, _, err := bookOf(s).Rebuild(b.Context(), func(int) {})
	fatal(b, err)
}

func bookOf(s *store.Store) *ledger.Ledger {
	return ledger.New(ledger.Options{Store: s, Now: func() time.Time { return end }, Timezone: time.UTC, Grace: time.Hour})
}

func fatal(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func open(b *testing.B, address string) *store.Store {
	b.Helper()
	s, err := store.Open(address)
	fatal(b, err)
	b.Cleanup(func() { s.Close() })
	_, err = s.Migrate(b.Context())
	fatal(b, err)
	return s
}

// bulkIsTheSame: what the bulk path leaves is what deliveries leave.
func bulkIsTheSame(b *testing.B) {
	b.Helper()
	bulk, delivered := open(b, "sqlite:"+filepath.Join(b.TempDir(), "bulk.db")), open(b, "sqlite:"+filepath.Join(b.TempDir(), "one.db"))
	storeSpread(b, bulk, sampled)
	one := bookOf(delivered)
	ctx, cancel := context.WithCancel(b.Context())
	stopped := make(chan error)
	go func() { stopped <- one.Run(ctx) }()
	for n := range sampled {
		_, _, body := spread(n, sampled)
		fatal(b, one.Deliver(ctx, body))
	}
	cancel()
	<-stopped
	drifts, err := bookOf(bulk).Verify(b.Context())
	fatal(b, err)
	left, err := bookOf(bulk).Hash(b.Context(), bulk)
	fatal(b, err)
	should, err := one.Hash(b.Context(), delivered)
	fatal(b, err)
	if len(drifts) > 0 || left != should {
		b.Fatalf("the bulk path leaves something else: %v, %s and %s", drifts, left, should)
	}
}

// BenchmarkReports asks what staff ask, of us and straight of the donations.
func BenchmarkReports(b *testing.B) {
	count := reported
	if text := os.Getenv("SUPPORT_BENCH_GIFTS"); text != "" {
		var err error
		count, err = strconv.Atoi(text)
		fatal(b, err)
	}
	bulkIsTheSame(b)
	b.Run("PostgreSQL", func(b *testing.B) {
		address := testenv.Postgres(b)
		askAll(b, address, "pgx", address, count)
	})
	b.Run("SQLite", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "support.db")
		askAll(b, "sqlite:"+file, "sqlite", file, count)
	})
}

func askAll(b *testing.B, address, driver, source string, count int) {
	s := open(b, address)
	storeSpread(b, s, count)
	for month := range years * 12 {
		var signals []store.Signal
		for article := range readArticles {
			day := end.AddDate(0, -month-1, 0)
			for kind, times := range map[string]int64{"seen": 3000, "clicked": 90} {
				signals = append(signals, store.Signal{
					Day: int64(day.Year())*10000 + int64(day.Month())*100 + 1, Article: fmt.Sprintf("report-%d", article), Placement: "mid", Kind: kind, Times: times,
				})
			}
		}
		fatal(b, s.AddSignals(b.Context(), signals))
	}
	db, err := sql.Open(driver, source)
	fatal(b, err)
	b.Cleanup(func() { db.Close() })
	if driver == "pgx" {
		_, err = db.Exec(`ANALYZE`)
		fatal(b, err)
	}
	service := reports.New(reports.Options{Store: s, Timezone: time.UTC, Now: func() time.Time { return end }})
	month, year := end.AddDate(0, -1, 0), end.AddDate(-1, 0, 0)
	ctx := b.Context()
	const sums = `SUM(gross_minor), SUM(refunded_minor), SUM(disputed_minor), SUM(fee_minor), SUM(net_minor)`
	for _, question := range []struct {
		name     string
		ours     func() error
		straight string
		from     time.Time
	}{
		{"overview of a month", func() error {
			_, err := service.Overview(ctx, reports.Query{From: month, To: end})
			return err
		}, `SELECT created_at / 86400000000, currency, settlement_currency, COUNT(*), ` + sums + ` FROM donations WHERE created_at >= $1 GROUP BY 1, 2, 3`, month.AddDate(0, -1, 0)},
		{"12 months by country", func() error {
			_, err := service.Report(ctx, reports.Query{From: year, To: end, By: "country"})
			return err
		}, `SELECT country, currency, settlement_currency, COUNT(*), ` + sums + ` FROM donations WHERE created_at >= $1 GROUP BY 1, 2, 3`, year},
		{"50 articles over 12 months", func() error {
			_, _, err := service.Articles(ctx, reports.ArticleQuery{From: year, To: end})
			return err
		}, `SELECT article, COUNT(*), ` + sums + ` FROM donations WHERE created_at >= $1 GROUP BY 1 ORDER BY 2 DESC LIMIT 50`, year},
		{"50 articles over a month", func() error {
			_, _, err := service.Articles(ctx, reports.ArticleQuery{From: month, To: end})
			return err
		}, `SELECT article, COUNT(*), ` + sums + ` FROM donations WHERE created_at >= $1 GROUP BY 1 ORDER BY 2 DESC LIMIT 50`, month},
		{"list of an article, deep", func() error {
			_, err := s.DonationList(ctx, store.DonationFilter{
				Equal: map[string]string{"article": "report-17"}, At: store.Position{Created: year.Unix(), Key: "pi"}, Limit: 50,
			})
			return err
		}, `SELECT key, gross_minor FROM donations WHERE article = 'report-17' AND created_at >= $1 ORDER BY created_at DESC LIMIT 50 OFFSET 1000`, time.Unix(0, 0)},
		{"list of a country and currency, deep", func() error {
			_, err := s.DonationList(ctx, store.DonationFilter{
				Equal: map[string]string{"country": "PL", "currency": "UAH"}, At: store.Position{Created: year.Unix(), Key: "pi"}, Limit: 50,
			})
			return err
		}, `SELECT key, gross_minor FROM donations WHERE country = 'PL' AND currency = 'UAH' AND created_at >= $1 ORDER BY created_at DESC LIMIT 50 OFFSET 1000`, time.Unix(0, 0)},
	} {
		b.Run(question.name, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(medianMS(b, question.ours), "ms")
				b.ReportMetric(medianMS(b, func() error {
					rows, err := db.QueryContext(ctx, question.straight, question.from.UnixMicro())
					if err != nil {
						return err
					}
					defer rows.Close()
					for rows.Next() {
					}
					return rows.Err()
				}), "straight-ms")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
	b.Run("CSV", func(b *testing.B) {
		for b.Loop() {
			peak, start := watchMemory(b), time.Now()
			fatal(b, service.Export(ctx, io.Discard, reports.Export{What: "donations", From: end.AddDate(-years, 0, 0), To: end, Format: "csv"}))
			b.ReportMetric(float64(count)/time.Since(start).Seconds(), "rows/s")
			b.ReportMetric(peak()/(1<<20), "MiB")
			b.ReportMetric(0, "ns/op")
		}
	})
}

// medianMS asks a question some times and returns how many milliseconds the
// median took.
func medianMS(b *testing.B, ask func() error) float64 {
	b.Helper()
	var took []time.Duration
	for range asked {
		start := time.Now()
		fatal(b, ask())
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return float64(took[len(took)/2].Microseconds()) / 1000
}
