package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// TestTopArticles holds the articles that rank highest to what the donations
// add up to: few that bring much and many that bring little, refunds that cost
// more than a gift, and equals.
func TestTopArticles(t *testing.T) {
	t.Parallel()
	const articles = 300
	random := rand.New(rand.NewPCG(7, 8))
	start := time.Date(2025, 11, 3, 0, 0, 0, 0, time.UTC)
	var donations []*giving.Donation
	for n := range 4000 {
		article := int(random.ExpFloat64() * 20)
		if random.IntN(3) == 0 {
			article = random.IntN(articles)
		}
		d := &giving.Donation{
			Key: fmt.Sprint(n), Created: start.AddDate(0, 0, random.IntN(100)).Unix(), Currency: []string{"EUR", "USD"}[n%2], Gross: 500,
			Settled: giving.Balance{Currency: "EUR", Net: random.Int64N(5) * 100}, Attribution: giving.Attribution{Article: fmt.Sprint("a", article)},
			Renewal: random.IntN(4) == 0, First: random.IntN(3) == 0,
		}
		switch random.IntN(12) {
		case 0:
			d.Settled.Net = -3000
		case 1:
			d.Settled = giving.Balance{}
		}
		donations = append(donations, d)
	}
	first, last := store.Span{From: 20251120, To: 20251201}, store.Span{From: 20260201, To: 20260205}
	tests := map[string][]store.Span{
		"a day": {{From: 20251224, To: 20251225}}, "a month": {{From: 202512, To: 202601}}, "two months and days": {first, {From: 202512, To: 202602}, last},
		"thirty days": {{From: 20251210, To: 20260109}}, "nothing": {{From: 202401, To: 202402}},
	}
	onBoth(t, func(t *testing.T, db *store.Store) {
		put(t, db, donations...)
		for name, spans := range tests {
			for _, by := range []store.Ranking{{By: "donations"}, {By: "net", Currency: "EUR"}, {By: "won"}, {By: "new_supporters"}, {By: "received", Currency: "USD"}} {
				want := ranked(donations, spans, by)
				for _, page := range [][2]int{{5, 0}, {50, 0}, {10, 20}, {1000, 0}, {10, 290}} {
					should := want[min(page[1], len(want)):min(page[0]+page[1], len(want))]
					got, err := db.TopArticles(t.Context(), spans, by, page[0], page[1])
					if err != nil || !slices.Equal(got, should) {
						t.Errorf("%s by %s, %d past %d: %v, %v; want %v", name, by.By, page[0], page[1], got, err, should)
					}
				}
			}
		}
	})
}

// ranked returns the articles of donations in the order of a ranking.
func ranked(donations []*giving.Donation, spans []store.Span, by store.Ranking) []string {
	worth, all := map[string]int64{}, []string{}
	for _, d := range donations {
		day := giving.Day(d.Created, time.UTC)
		if !slices.ContainsFunc(spans, func(s store.Span) bool {
			return s.From <= day && day < s.To || s.From <= day/100 && day/100 < s.To
		}) {
			continue
		}
		switch {
		case by.By == "donations":
			worth[d.Article]++
		case by.By == "won" && d.Renewal:
			worth[d.Article] += 0
		case by.By == "won":
			worth[d.Article]++
		case by.By == "new_supporters" && !d.First:
			worth[d.Article] += 0
		case by.By == "new_supporters":
			worth[d.Article]++
		case by.By == "net" && d.Settled.Currency == by.Currency:
			worth[d.Article] += d.Settled.Net
		case by.By == "received" && d.Currency == by.Currency:
			worth[d.Article] += d.Gross
		}
	}
	for article := range worth {
		all = append(all, article)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(worth[b], worth[a]), cmp.Compare(a, b)) })
	return all
}
