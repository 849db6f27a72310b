package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/united24media/support/internal/giving"
)

// A Ranking is by what articles are ordered, the greatest first.
type Ranking struct {
	By       string // a name that [RankingBy] knows
	Currency string // of amounts: the currency, or for net the settlement currency
}

// A rank is what sums can be ordered by.
type rank struct {
	of       string // the sum's figure
	currency string // the column of its currency; "" if it has none
	kept     string // what the table of rankings calls it, without the currency; "" if it does not have it
	within   string // else a figure that it has and that this one never exceeds; "" if there is none
}

var ranks = map[string]rank{
	"donations":      {of: "donations", kept: "donations"},
	"won":            {of: "won", within: "donations"}, // as the next two, it counts some of the donations
	"kept":           {of: "kept", within: "donations"},
	"new_supporters": {of: "new_supporters", within: "donations"},
	"received":       {of: "gross_minor - refunded_minor - disputed_minor", currency: "currency"},
	"net":            {of: "net_minor", currency: "settlement_currency", kept: "net"},
}

// RankingBy reports whether articles can be ordered by a name.
func RankingBy(name string) bool { return ranks[name].of != "" }

// articles is the dimension whose values are ranked.
const articles = "article"

var rankingRows = bulk{
	"rankings",
	[]column{{"period", "BIGINT"}, {"ranking", "TEXT"}, {"article", "TEXT"}, {"n", "BIGINT"}},
	`ON CONFLICT (period, ranking, article) DO UPDATE SET n = rankings.n + excluded.n`,
}

// rankedBy is the name under which the table of rankings has a figure.
func rankedBy(name, currency string) string { return strings.TrimSuffix(name+" "+currency, " ") }

// rankedSums is what the rankings add up, of the sums.
const rankedSums = `
	SELECT period, 'donations' AS ranking, value AS article, donations AS n FROM sums WHERE dimension = 'article'
	UNION ALL SELECT period, 'net ' || settlement_currency, value, net_minor FROM sums WHERE dimension = 'article' AND settlement_currency <> ''`

// moveRankings adds to the rankings what moves the sums.
func (t *Tx) moveRankings(ctx context.Context, moves giving.Cells) error {
	type place struct {
		period           int64
		ranking, article string
	}
	by := map[place]int64{}
	for c, f := range moves {
		if c.Dimension != articles || *f == (giving.Figures{}) {
			continue
		}
		if f.Donations != 0 {
			by[place{c.Period, rankedBy("donations", ""), c.Value}] += f.Donations
		}
		if c.Settlement != "" {
			by[place{c.Period, rankedBy("net", c.Settlement), c.Value}] += f.Net
		}
	}
	r := rankingRows.rows(len(by))
	for p, n := range by {
		r.add(p.period, p.ranking, p.article, n)
	}
	return t.write(ctx, r, nil)
}

// A RankingDrift is a ranking that says something else than the sums.
type RankingDrift struct {
	Period           int64
	Ranking, Article string
	Is, Should       int64
}

// RankingDrifts calls f with every ranking that does not follow from the sums.
func (t *Tx) RankingDrifts(ctx context.Context, f func(RankingDrift)) error {
	return t.query(ctx, `
		SELECT period, ranking, article, CAST(SUM(n) AS BIGINT), CAST(SUM(should) AS BIGINT) FROM (
			SELECT period, ranking, article, n, 0 AS should FROM rankings
			UNION ALL SELECT period, ranking, article, 0, n FROM (`+rankedSums+`) AS ranked
		) AS both_of_them GROUP BY period, ranking, article HAVING SUM(n) <> SUM(should)`, nil, func(r row) error {
		var d RankingDrift
		err := r.Scan(&d.Period, &d.Ranking, &d.Article, &d.Is, &d.Should)
		if err == nil {
			f(d)
		}
		return err
	})
}

// MendRankings has the rankings follow from the sums again and returns how many
// did not.
func (t *Tx) MendRankings(ctx context.Context) (int, error) {
	r := rankingRows.rows(0)
	err := t.RankingDrifts(ctx, func(d RankingDrift) { r.add(d.Period, d.Ranking, d.Article, d.Should-d.Is) })
	if err != nil {
		return 0, err
	}
	return r.count, t.write(ctx, r, nil)
}

// How far into each period's order is looked for the first articles of several,
// before all their sums are added up instead.
const (
	maxRankings = 100   // periods
	maxRanks    = 2_000 // places in each
)

// TopArticles returns the articles that rank highest over spans that don't
// overlap, past the first offset ones, and the unknown article "" among them.
// Articles of equal rank stand in their own order; those of which the sums say
// nothing may be missing.
func (s *Store) TopArticles(ctx context.Context, spans []Span, by Ranking, limit, offset int) (found []string, err error) {
	err = s.Look(ctx, func(t *Tx) error {
		r := ranker{t, by, Periods(spans), offset + limit, map[string]int64{}}
		ordered := r.order() != "" && len(r.periods) <= maxRankings
		places := 2 * r.first
		if len(r.periods) > 3 { // of many, the first of each leave too much open
			places *= 4
		}
		for ; ordered && places <= maxRanks; places *= 4 {
			top, ok, err := r.among(ctx, places)
			if ok || err != nil {
				found = top[min(offset, len(top)):min(offset+limit, len(top))]
				return err
			}
		}
		found, err = r.all(ctx, spans, limit, offset)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rank articles by %s: %w", by.By, err)
	}
	return found, nil
}

// A ranker looks for the first articles of several periods together. No article
// is worth more over all of them than the sum of what it can be worth in each,
// and one that is not among a period's first can't be worth more there than the
// last of those (R. Fagin, A. Lotem, M. Naor: Optimal aggregation algorithms
// for middleware, 2003). The same holds where the order is that of a figure
// which the one that is asked for never exceeds.
type ranker struct {
	tx *Tx
	Ranking
	periods []int64
	first   int              // how many articles are looked for
	exact   map[string]int64 // what articles are worth, as far as it was read
}

// among looks for the first articles among those of each period's first places.
// It reports whether they are certain to be the first of all.
func (r *ranker) among(ctx context.Context, places int) (top []string, ok bool, err error) {
	seen, most, err := r.heads(ctx, places)
	if err != nil {
		return nil, false, err
	}
	rest := int64(0) // the most that an article is worth which is in no head
	for _, n := range most {
		rest += n
	}
	could := make(map[string]int64, len(seen)) // the most that one is worth
	for article, at := range seen {
		could[article] = rest
		for period, n := range at {
			could[article] += n - most[period]
		}
		if len(at) == len(r.periods) && ranks[r.By].kept != "" {
			r.exact[article] = could[article]
		}
	}
	order := byWorth(could)
	promising := order[:min(2*r.first, len(order))]
	if err := r.weigh(ctx, promising); err != nil {
		return nil, false, err
	}
	last := int64(math.MinInt64) // the least that the first ones are worth
	if exact := byWorth(r.exact); len(exact) >= r.first {
		last = r.exact[exact[r.first-1]]
	}
	if len(most) > 0 && rest >= last {
		return nil, false, nil
	}
	more := slices.DeleteFunc(order[len(promising):], func(article string) bool { return could[article] < last })
	err = r.weigh(ctx, more)
	return byWorth(r.exact), true, err
}

// byWorth returns articles in the order of what they are worth, and of their
// names.
func byWorth(worth map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(worth), func(a, b string) int {
		return cmp.Or(cmp.Compare(worth[b], worth[a]), cmp.Compare(a, b))
	})
}

// heads returns what each period's first articles are worth there, by article,
// and the most that others are, by period; a period that ends before has none.
func (r *ranker) heads(ctx context.Context, places int) (seen map[string]map[int64]int64, most map[int64]int64, err error) {
	var q query
	for i, period := range r.periods {
		if i > 0 {
			q.add(" UNION ALL ")
		}
		q.add(`SELECT period, article, n FROM (SELECT period, article, n FROM rankings WHERE period = ? AND ranking = ?
			ORDER BY n DESC, article LIMIT ?) AS head`, period, r.order(), places)
	}
	seen, most = map[string]map[int64]int64{}, map[int64]int64{}
	count := map[int64]int{}
	err = r.tx.query(ctx, q.text.String(), q.args, func(row row) error {
		var period, n int64
		var article string
		err := row.Scan(&period, &article, &n)
		if seen[article] == nil {
			seen[article] = map[int64]int64{}
		}
		seen[article][period] = n
		if count[period]++; count[period] == places {
			most[period] = max(n, 0) // one that is not in the period is worth nothing there
		}
		return err
	})
	return seen, most, err
}

// order is the ranking by whose order is looked, "" if there is none.
func (r *ranker) order() string {
	rank := ranks[r.By]
	name := cmp.Or(rank.kept, rank.within)
	if name == "" || rank.currency == "" {
		return name
	}
	return rankedBy(name, r.Currency)
}

// weigh reads what articles are worth over all periods, but for those of which
// it is known.
func (r *ranker) weigh(ctx context.Context, all []string) error {
	var of []string
	for _, article := range all {
		if _, known := r.exact[article]; !known {
			of, r.exact[article] = append(of, article), 0
		}
	}
	if len(of) == 0 {
		return nil
	}
	rank := ranks[r.By]
	query, which := `SELECT article, CAST(SUM(n) AS BIGINT) FROM rankings
		WHERE `+r.tx.any("period", 1)+` AND ranking = $2 AND `+r.tx.among("article", 3)+` GROUP BY article`, r.order()
	if rank.kept == "" {
		query, which = `SELECT value, CAST(SUM(`+rank.of+`) AS BIGINT) FROM sums
			WHERE `+r.tx.any("period", 1)+` AND dimension = $2 AND `+r.tx.among("value", 3)+` GROUP BY value`, articles
	}
	return r.tx.query(ctx, query, []any{r.tx.list(r.periods), which, r.tx.list(of)}, func(row row) error {
		var article string
		var n int64
		err := row.Scan(&article, &n)
		r.exact[article] = n
		return err
	})
}

// all adds up all sums.
func (r *ranker) all(ctx context.Context, spans []Span, limit, offset int) (found []string, err error) {
	var q query
	q.add("SELECT value FROM (")
	for i, span := range spans {
		if i > 0 {
			q.add(" UNION ALL ")
		}
		q.add("SELECT value, "+ranks[r.By].of+" AS n FROM sums WHERE dimension = ? AND period >= ? AND period < ?", articles, span.From, span.To)
		if column := ranks[r.By].currency; column != "" {
			q.add(" AND "+column+" = ?", r.Currency)
		}
	}
	q.add(") AS spans GROUP BY value ORDER BY SUM(n) DESC, value LIMIT ? OFFSET ?", limit, offset)
	err = r.tx.query(ctx, q.text.String(), q.args, func(row row) error {
		var article string
		err := row.Scan(&article)
		found = append(found, article)
		return err
	})
	return found, err
}
