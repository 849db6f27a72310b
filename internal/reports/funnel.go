package reports

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// A Funnel is what became of the readers of one article, or of those who were
// shown one variant.
type Funnel struct {
	Key       string // the article's slug or the variant; "" where unknown
	Seen      int64  // how often the ask was seen
	Clicked   int64
	Checkouts int64 // that were begun
	Paid      int64 // donations won: all but renewals, by their own day
	Kept      int64 // of those, the ones of which something is left
	Renewals  int64 // later payments of the memberships won here
	Money     []Money
	Settled   []Settled
	Rate      Rate // Kept of Seen, in millionths
}

// Ranks returns what articles can be ordered by: the figures of a [Funnel], and
// received and net, which need a currency.
func Ranks() []string {
	return []string{"donations", "won", "kept", "new_supporters", "received", "net", "seen", "clicked", "checkout"}
}

// An ArticleQuery asks for a page of the article table.
type ArticleQuery struct {
	From, To time.Time // days, as in [Query]
	By       string    // one of [Ranks]; "" is donations
	Currency string    // of received or, for net, the settlement currency; upper case
	Limit    int       // articles at most; 0 is a page
	Offset   int
}

// maxArticles is the most articles of one answer.
const maxArticles = 500

// Articles returns the articles that rank highest, each with its whole way from
// seen to kept. more tells whether others follow.
func (s *Service) Articles(ctx context.Context, q ArticleQuery) (found []Funnel, more bool, err error) {
	if q.By == "" {
		q.By = "donations"
	}
	if !slices.Contains(Ranks(), q.By) {
		return nil, false, fault.Field("by", "Articles are ordered by one of: %s.", strings.Join(Ranks(), ", "))
	}
	if q.Currency == "" && (q.By == "received" || q.By == "net") {
		return nil, false, fault.Field("currency", "Articles are ordered by %s in one currency; name it.", q.By)
	}
	if q.Limit <= 0 {
		q.Limit = defaultPage
	}
	q.Limit = min(q.Limit, maxArticles)
	period := spans(Query{From: q.From, To: q.To, By: "article"})
	var slugs []string
	if store.RankingBy(q.By) {
		slugs, err = s.store.TopArticles(ctx, period, store.Ranking{By: q.By, Currency: q.Currency}, q.Limit+1, q.Offset)
	} else {
		slugs, err = s.store.TopSignals(ctx, q.By, period, q.Limit+1, q.Offset)
	}
	if err != nil {
		return nil, false, fmt.Errorf("rank articles: %w", err)
	}
	if len(slugs) > q.Limit {
		slugs, more = slugs[:q.Limit], true
	}
	found, err = s.funnels(ctx, "article", slugs, "", q.From, q.To)
	return found, more, err
}

// Article returns one article's way from seen to kept over a period.
func (s *Service) Article(ctx context.Context, slug string, from, to time.Time) (Funnel, error) {
	found, err := s.funnels(ctx, "article", []string{slug}, "", from, to)
	if err != nil {
		return Funnel{}, err
	}
	return found[0], nil
}

// funnels returns the way from seen to kept of articles or variants, as by
// says, in their order; at one placement, or at all where it is "".
func (s *Service) funnels(ctx context.Context, by string, keys []string, placement string, from, to time.Time) ([]Funnel, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	period := spans(Query{From: from, To: to, By: by})
	dimension, values := by, keys
	if placement != "" {
		dimension = giving.PairName("placement", by)
		values = nil
		for _, key := range keys {
			values = append(values, giving.PairValue(placement, key))
		}
	}
	var sums []store.Sum
	var signals []store.SignalSum
	var reads errgroup.Group
	reads.Go(func() (err error) {
		sums, err = s.store.SumsOf(ctx, dimension, values, store.Periods(period))
		return err
	})
	reads.Go(func() (err error) {
		signals, err = s.store.SignalsOf(ctx, by, keys, placement, period)
		return err
	})
	if err := reads.Wait(); err != nil {
		return nil, err
	}
	bySum, bySignal := map[string][]store.Sum{}, map[string]map[string]int64{}
	for _, sum := range sums {
		bySum[sum.Value] = append(bySum[sum.Value], sum)
	}
	for _, signal := range signals {
		if bySignal[signal.Value] == nil {
			bySignal[signal.Value] = map[string]int64{}
		}
		bySignal[signal.Value][signal.Kind] += signal.Times
	}
	found := make([]Funnel, len(keys))
	for i, key := range keys {
		found[i] = funnelOf(key, bySum[values[i]], bySignal[key])
	}
	return found, nil
}

func funnelOf(key string, sums []store.Sum, signals map[string]int64) Funnel {
	f := Funnel{Key: key, Seen: signals["seen"], Clicked: signals["clicked"], Checkouts: signals["checkout"]}
	donations := int64(0)
	for _, sum := range sums {
		f.Paid += sum.Won
		f.Kept += sum.Kept
		donations += sum.Donations
	}
	f.Renewals = donations - f.Paid
	f.Money, _, _ = moneyOf(sums)
	f.Settled = settledOf(sums)
	f.Rate = rateOf(f.Kept, f.Seen)
	return f
}
