package bench

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// BenchmarkDonationList reads pages of the staff's list with each filter, at
// its beginning and far into the past; the slowest is told too. The donations
// are written without their registers, which no list reads.
func BenchmarkDonationList(b *testing.B) {
	count := gifts
	if text := os.Getenv("SUPPORT_BENCH_GIFTS"); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			b.Fatalf("SUPPORT_BENCH_GIFTS: %v", err)
		}
	}
	for name, address := range map[string]func() string{
		"PostgreSQL": func() string { return testenv.Postgres(b) },
		"SQLite":     func() string { return "sqlite:" + filepath.Join(b.TempDir(), "support.db") },
	} {
		b.Run(name, func(b *testing.B) {
			s, err := store.Open(address())
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { s.Close() })
			if _, err := s.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			writeGifts(b, s, count)
			for name, f := range listFilters() {
				b.Run(name, func(b *testing.B) { benchmarkPages(b, s, f) })
			}
		})
	}
}

const listStart, listSpan = 1_700_000_000, 3 * 365 * 24 * 3600 // seconds

func listFilters() map[string]store.DonationFilter {
	of := func(pairs ...string) store.DonationFilter {
		f := store.DonationFilter{Equal: map[string]string{}, Limit: 50}
		for i := 0; i < len(pairs); i += 2 {
			f.Equal[pairs[i]] = pairs[i+1]
		}
		return f
	}
	large, usual := of("currency", "EUR"), of("currency", "EUR")
	large.AmountFrom, usual.AmountFrom, usual.AmountTo = 90_000, 500, 2500
	one, many, everybody := of(), of(), of()
	one.Text, many.Text, everybody.Text = &store.Text{Person: "person77@"}, &store.Text{Person: "person7"}, &store.Text{Person: "p", Key: "pi_"}
	month := of("country", "UA")
	month.From, month.To = time.Unix(listStart, 0), time.Unix(listStart+30*24*3600, 0)
	return map[string]store.DonationFilter{
		"all": of(), "article": of("article", "article-17"), "no article": of("article", ""), "campaign": of("campaign", "winter"),
		"currency": of("currency", "PLN"), "country": of("country", "JP"), "monthly": of("interval", "month"), "yearly": of("interval", "year"),
		"refunded": of("status", "refunded"), "received": of("status", "received"), "lost": of("status", "lost"), "method": of("method", "sepa_debit"),
		"card": of("method", "card"), "unverified": of("attribution", "unverified"), "end": of("placement", "end"), "mid": of("placement", "mid"),
		"article and country": of("article", "article-17", "country", "JP"), "never together": of("country", "JP", "currency", "UAH"),
		"five at once":  of("article", "article-3", "country", "DE", "status", "received", "placement", "end", "interval", "month"),
		"large amounts": large, "usual amounts": usual, "one person": one, "many people": many, "everybody": everybody, "a month": month,
		"no such article": of("article", "none"), "variant": of("variant", "b"), "no such variant": of("variant", "z"),
	}
}

func writeGifts(b *testing.B, s *store.Store, count int) {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	const chunk = 2000
	for first := 0; first < count; first += chunk {
		donations := make([]*giving.Donation, min(chunk, count-first))
		for i := range donations {
			n := first + i
			person := random.IntN(count/4 + 1)
			d := &giving.Donation{
				Key: fmt.Sprintf("pi_3%015x", n), Charge: fmt.Sprintf("ch_3%015x", n), Customer: fmt.Sprintf("cus_%d", person),
				Email: fmt.Sprintf("person%d@example.org", person), Name: fmt.Sprintf("Person %d of the world", person),
				Created: listStart + int64(n)*listSpan/int64(count), Currency: pick("EUR", "EUR", "EUR", "USD", "USD", "UAH"), Country: pick("UA", "DE", "US", "US", "FR", "PL"),
				Gross: int64(100 * (1 + random.IntN(50))), Interval: giving.Interval(pick("once", "month")), Method: "card", Source: "stripe",
				First: n < count/4,
				Attribution: giving.Attribution{
					Article: fmt.Sprintf("article-%d", int(random.ExpFloat64()*300)), Placement: pick("mid", "mid", "end"), Status: "signed",
					Variant: pick("", "a", "b"), Locale: "en", Checkout: fmt.Sprintf("co_%d", n),
				},
				Settled: giving.Balance{Currency: "EUR", Fee: 40, Net: 1000},
			}
			d.Supporter = giving.SupporterKey(d.Email, "", d.Key)
			switch random.IntN(2000) { // what is rare, some of it in the distant past alone
			case 0:
				d.Country = "JP"
				d.Currency = "EUR"
			case 1:
				d.Gross = 100_000
			case 2:
				d.Refunded = d.Gross
			case 3:
				d.Disputed, d.Lost = d.Gross, d.Gross
			case 4, 5, 6:
				d.Method, d.Interval = "sepa_debit", "year"
			case 7:
				d.Status, d.Article, d.Placement = "unverified", "", ""
			}
			if n < count/50 {
				d.Campaign, d.Currency = "winter", pick("PLN", "EUR")
			}
			donations[i] = d
		}
		err := s.Ledger(b.Context(), func(tx *store.Tx) error { return tx.PutDonations(b.Context(), donations) })
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkPages(b *testing.B, s *store.Store, f store.DonationFilter) {
	random := rand.New(rand.NewPCG(3, 4))
	var took []time.Duration
	rows, pages, short := 0, 0, 0
	for b.Loop() {
		f.At, f.Back = store.Position{}, false
		if pages%4 > 0 {
			f.At = store.Position{Created: listStart + random.Int64N(listSpan), Key: "pi_3"}
			f.Back = pages%4 == 3
		}
		start := time.Now()
		page, err := s.DonationList(b.Context(), f)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		pages, rows = pages+1, rows+len(page.Donations)
		if page.Short {
			short++
		}
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms/page")
	b.ReportMetric(took[len(took)-1].Seconds()*1000, "ms/slowest")
	b.ReportMetric(float64(rows)/float64(pages), "rows/page")
	b.ReportMetric(float64(short)/float64(pages), "short/page")
	b.ReportMetric(0, "ns/op")
}
