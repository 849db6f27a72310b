package reportpages_test

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// formula reports whether a spreadsheet would work a cell out.
func formula(cell string) bool {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return false
	}
	_, err := strconv.ParseInt(cell, 10, 64)
	return err != nil
}

// TestGoldenCSV compares every file that the reports give with the one of
// testdata, to the byte: whoever built a sheet on them is not surprised.
func TestGoldenCSV(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	slug := ""
	for row := range n.world.AfterFetches.Daily {
		if row.Dimension == "article" && strings.HasPrefix(row.Day, "2026-03") {
			slug = max(slug, row.Value)
		}
	}
	ok(t, n.store.AddArticles(t.Context(), []store.Article{{Slug: slug, Title: `=HYPERLINK("https://evil.example","Read")`, Address: "https://news.example/" + slug}}))
	payout := ""
	for id := range n.world.AfterFetches.Payouts {
		payout = max(payout, id)
	}
	n.dun(t)
	const march = "from=2026-03-01&through=2026-03-31&compare=none"
	for name, address := range map[string]string{
		"sums-by-day": ".csv?by=day&" + march, "sums-by-article": ".csv?by=article&" + march, "sums-by-placement-and-month": ".csv?by=placement&across=month&" + march,
		"sums-by-article-and-placement": ".csv?by=article&across=placement&" + march, "articles": "/articles.csv?" + march,
		"experiments": "/experiments.csv?" + march, "members": "/members.csv?" + march, "cohorts": "/cohorts.csv?from=2026-01-01&through=2026-03-31&compare=none",
		"payouts": "/payouts.csv?" + march, "payout": "/payouts/" + payout + ".csv", "month": "/months/2026-03.csv", "months": "/months.csv",
		"recovered": "/recovered.csv?from=2026-05-01&through=2026-05-31&compare=none",
	} {
		got := n.get(t, desk.Viewer, "/staff/reports"+address)
		rows, err := csv.NewReader(strings.NewReader(got)).ReadAll()
		ok(t, err)
		for _, row := range rows {
			if at := slices.IndexFunc(row, formula); at >= 0 {
				t.Errorf("%s has a formula in %q", name, row)
			}
		}
		testenv.Golden(t, name+".csv", []byte(got))
	}
}
