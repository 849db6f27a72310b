package bench

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
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
	reported = "100000" // gifts, unless SUPPORT_BENCH_GIFTS says otherwise: several, by commas
	years    = 3
	asked    = 15   // times each question is asked
	sampled  = 3000 // gifts that are both delivered and stored in bulk, to compare
)

var (
	end   = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	start = end.AddDate(-years, 0, 0)
)

// A spread says how gifts are spread over what reports are by.
type spread struct {
	name     string
	articles int
	gift     func(created time.Time, random *rand.Rand) gift
}

type gift struct{ article, country, currency, placement string }

func pick(random *rand.Rand, of ...string) string { return of[random.IntN(len(of))] }

// spreads are the worst that can be, where each article goes on to get gifts
// from everywhere in every currency, and what a newsroom's look like.
var spreads = []spread{
	{"even", 5000, func(_ time.Time, random *rand.Rand) gift {
		article := random.IntN(5000)
		if random.IntN(3) == 0 { // few bring much
			article %= 200
		}
		return gift{
			fmt.Sprintf("report-%d", article), pick(random, "UA", "DE", "US", "PL", "GB", "FR", "CA", "NL"),
			pick(random, "eur", "usd", "uah"), pick(random, "mid", "end"),
		}
	}},
	{"newsroom", publications, newsroomGift},
}

// A newsroom that publishes nine articles a day.
const (
	publications = 10_000
	together     = 32 // published within some days, the first of them read most
)

// newsroomGift is one of a newsroom's: most come within days of an article, as
// readers do, and the rest at any age, from search and as renewals of the
// memberships that it won. Of articles that appear together the second brings
// half of the first, the third a third (Zipf's law). Readers give in the
// currency of where they live, some in euros.
func newsroomGift(created time.Time, random *rand.Rand) gift {
	age := random.ExpFloat64() * 3 * 24 // hours
	if random.IntN(5) < 2 {
		age = math.Exp(random.Float64() * math.Log(years*365*24)) // as many from 10 to 100 hours as from 100 to 1,000
	}
	slot := int(math.Floor(float64(publications) * (created.Sub(start).Hours() - age) / end.Sub(start).Hours()))
	first := (slot+together*publications)/together*together - together*publications - together
	article := first + int(math.Pow(together, random.Float64())) - 1
	g := gift{article: fmt.Sprintf("report-%d", article), placement: pick(random, "mid", "mid", "end")}
	if article < 0 {
		g.article = fmt.Sprintf("archive-%d", -article%500)
	}
	g.country = pick(random, "US", "US", "US", "US", "UA", "UA", "UA", "GB", "GB", "DE", "DE", "PL", "CA", "FR", "NL")
	g.currency = map[string]string{"US": "usd", "UA": "uah", "GB": "gbp", "CA": "cad", "PL": "pln"}[g.country]
	if g.currency == "" || random.IntN(10) == 0 {
		g.currency = "eur"
	}
	return g
}

// spreadPieces are the text of a charge that tells how it was settled, cut where
// gifts differ: each piece but the first begins with the letter of what stands
// before it.
var spreadPieces = sync.OnceValue(func() []string {
	text := strings.NewReplacer(
		fmt.Sprintf("%08d", 0), "$N", "1769850000", "$T", `"frontline-report-0"`, `"$A"`, `"eur"`, `"$E"`, `"country": "UA"`, `"country": "$C"`, `"mid"`, `"$P"`,
		`"balance_transaction": "txn_3OqBench00000000"`, `"balance_transaction": {"id": "txn_3OqBench$N", "object": "balance_transaction", "amount": 2500,`+
			` "created": $T, "currency": "eur", "fee": 98, "net": 2402, "source": "ch_3OqBench$N", "type": "charge"}`,
	).Replace(string(event(chargeEvent, 0)))
	return strings.Split(text, "$")
})

// event is the n-th of count gifts.
func (s *spread) event(n, count int) (id string, created time.Time, body []byte) {
	created = start.Add(time.Duration(float64(n) / float64(count) * float64(end.Sub(start)))).Truncate(time.Second)
	g := s.gift(created, rand.New(rand.NewPCG(uint64(n), 9)))
	id = fmt.Sprintf("%08d", n)
	values := map[byte]string{
		'N': id, 'T': strconv.FormatInt(created.Unix(), 10), 'A': g.article, 'E': g.currency, 'C': g.country, 'P': g.placement,
	}
	pieces := spreadPieces()
	body = append(body, pieces[0]...)
	for _, piece := range pieces[1:] {
		body = append(append(body, values[piece[0]]...), piece[1:]...)
	}
	return id, created, body
}

// storeSpread stores the events of gifts in bulk.
func storeSpread(b *testing.B, s *store.Store, by *spread, count int) {
	b.Helper()
	const chunk = 2000
	for first := 0; first < count; first += chunk {
		events, times := make([]store.Event, min(chunk, count-first)), make([]int64, min(chunk, count-first))
		var group sync.WaitGroup
		for part := range runtime.GOMAXPROCS(0) {
			group.Go(func() {
				for i := part; i < len(events); i += runtime.GOMAXPROCS(0) {
					id, created, body := by.event(first+i, count)
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
}

// rebuilt makes everything of the events that were stored.
func rebuilt(b *testing.B, s *store.Store) {
	b.Helper()
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
func bulkIsTheSame(b *testing.B, by *spread) {
	b.Helper()
	bulk, delivered := open(b, "sqlite:"+filepath.Join(b.TempDir(), "bulk.db")), open(b, "sqlite:"+filepath.Join(b.TempDir(), "one.db"))
	storeSpread(b, bulk, by, sampled)
	rebuilt(b, bulk)
	one := bookOf(delivered)
	ctx, cancel := context.WithCancel(b.Context())
	stopped := make(chan error)
	go func() { stopped <- one.Run(ctx) }()
	for n := range sampled {
		_, _, body := by.event(n, sampled)
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

// BenchmarkReports asks what staff ask, of us and straight of the donations,
// and tells how the answers grow with the gifts, as a table in Markdown.
func BenchmarkReports(b *testing.B) {
	var counts []int
	for text := range strings.SplitSeq(cmp.Or(os.Getenv("SUPPORT_BENCH_GIFTS"), reported), ",") {
		count, err := strconv.Atoi(text)
		fatal(b, err)
		counts = append(counts, count)
	}
	for _, driver := range []string{"PostgreSQL", "SQLite"} {
		b.Run(driver, func(b *testing.B) {
			for _, by := range spreads {
				b.Run(by.name, func(b *testing.B) {
					bulkIsTheSame(b, &by)
					growth := grown{counts: counts, figures: map[string]map[int]string{}}
					for _, count := range counts {
						b.Run(strconv.Itoa(count), func(b *testing.B) {
							if driver == "PostgreSQL" {
								address := testenv.Postgres(b)
								askAll(b, address, "pgx", address, &by, count, &growth)
								return
							}
							file := filepath.Join(b.TempDir(), "support.db")
							askAll(b, "sqlite:"+file, "sqlite", file, &by, count, &growth)
						})
					}
					b.Logf("%s, %s:\n%s", driver, by.name, growth.table())
				})
			}
		})
	}
}

// grown is what each question took at each count of gifts.
type grown struct {
	counts  []int
	names   []string                  // of questions, in their order
	figures map[string]map[int]string // by question and count
}

func (g *grown) add(name string, count int, figure string) {
	if g.figures[name] == nil {
		g.names, g.figures[name] = append(g.names, name), map[int]string{}
	}
	g.figures[name][count] = figure
}

func (g *grown) table() string {
	text := "| ours, straight |"
	for _, count := range g.counts {
		text += fmt.Sprintf(" %g M |", float64(count)/1e6)
	}
	text += "\n|---|" + strings.Repeat("---|", len(g.counts)) + "\n"
	for _, name := range g.names {
		text += "| " + name + " |"
		for _, count := range g.counts {
			text += " " + g.figures[name][count] + " |"
		}
		text += "\n"
	}
	return text
}

func askAll(b *testing.B, address, driver, source string, by *spread, count int, growth *grown) {
	s := open(b, address)
	stored := time.Now()
	storeSpread(b, s, by, count)
	rebuilt(b, s)
	b.Logf("%d gifts stored and rebuilt in %s", count, time.Since(stored).Round(time.Second))
	for month := range years * 12 {
		var signals []store.Signal
		for article := range by.articles {
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
	const topArticles = ` FROM donations WHERE created_at >= $1 GROUP BY 1 ORDER BY 2 DESC LIMIT 50`
	const pageBack = ` ORDER BY created_at DESC LIMIT 50`
	articlesBy := func(from time.Time, by string) func() error {
		return func() error {
			_, _, err := service.Articles(ctx, reports.ArticleQuery{From: from, To: end, By: by, Currency: "EUR"})
			return err
		}
	}
	list := func(pairs ...string) func() error {
		f := store.DonationFilter{Equal: map[string]string{}, At: store.Position{Created: year.Unix(), Key: "pi"}, Limit: 50}
		for i := 0; i < len(pairs); i += 2 {
			f.Equal[pairs[i]] = pairs[i+1]
		}
		return func() error {
			_, err := s.DonationList(ctx, f)
			return err
		}
	}
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
		{"first 50 articles of 12 months", articlesBy(year, "donations"), `SELECT article, COUNT(*), ` + sums + topArticles, year},
		{"the same by net", articlesBy(year, "net"), `SELECT article, SUM(net_minor), ` + sums + topArticles, year},
		{"the same by what they won", articlesBy(year, "won"), `SELECT article, SUM(CASE WHEN renewal THEN 0 ELSE 1 END), ` + sums + topArticles, year},
		{"first 50 articles of a month", articlesBy(month, "donations"), `SELECT article, COUNT(*), ` + sums + topArticles, month},
		{"the same of 30 days, by net", articlesBy(end.AddDate(0, 0, -30), "net"), `SELECT article, SUM(net_minor), ` + sums + topArticles, end.AddDate(0, 0, -30)},
		{"list, an article's, a year back", list("article", "report-1017"), `SELECT key, gross_minor FROM donations WHERE article = 'report-1017' AND created_at < $1` + pageBack, year},
		{"list, of a country in a currency", list("country", "PL", "currency", "EUR"), `SELECT key, gross_minor FROM donations WHERE country = 'PL' AND currency = 'EUR' AND created_at < $1` + pageBack, year},
		{"list, of what never meets", list("country", "PL", "currency", "EUR", "variant", "z"), `SELECT key, gross_minor FROM donations WHERE country = 'PL' AND currency = 'EUR' AND variant = 'z' AND created_at < $1` + pageBack, year},
		{"list, with no index", list("variant", "z", "source", "stripe"), `SELECT key, gross_minor FROM donations WHERE variant = 'z' AND created_at < $1` + pageBack, year},
	} {
		b.Run(question.name, func(b *testing.B) {
			for b.Loop() {
				ours := medianMS(b, question.ours)
				straight := medianMS(b, func() error {
					rows, err := db.QueryContext(ctx, question.straight, question.from.UnixMicro())
					if err != nil {
						return err
					}
					defer rows.Close()
					for rows.Next() {
					}
					return rows.Err()
				})
				growth.add(question.name, count, fmt.Sprintf("%.1f, %.0f ms", ours, straight))
				b.ReportMetric(ours, "ms")
				b.ReportMetric(straight, "straight-ms")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
	b.Run("CSV", func(b *testing.B) {
		for b.Loop() {
			peak, began := watchMemory(b), time.Now()
			fatal(b, service.Export(ctx, io.Discard, reports.Export{What: "donations", From: start, To: end, Format: "csv"}))
			rate, most := float64(count)/time.Since(began).Seconds(), peak()/(1<<20)
			growth.add("CSV of all donations", count, fmt.Sprintf("%.0f rows/s, %.0f MiB", rate, most))
			b.ReportMetric(rate, "rows/s")
			b.ReportMetric(most, "MiB")
			b.ReportMetric(0, "ns/op")
		}
	})
}

// medianMS asks a question some times, fewer if that takes long, and returns
// how many milliseconds the median took.
func medianMS(b *testing.B, ask func() error) float64 {
	b.Helper()
	var took []time.Duration
	for first := time.Now(); len(took) < asked && (len(took) < 3 || time.Since(first) < 10*time.Second); {
		began := time.Now()
		fatal(b, ask())
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return float64(took[len(took)/2].Microseconds()) / 1000
}
