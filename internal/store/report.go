package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
)

// A Span is a range of the sums' periods: days (20260131) or months (202601),
// from the first to, but without, the last.
type Span struct{ From, To int64 }

// Periods returns every day and month of spans.
func Periods(spans []Span) (all []int64) {
	for _, span := range spans {
		if span.From >= giving.FirstDay {
			end := giving.Date(span.To)
			for d := giving.Date(span.From); d.Before(end); d = d.AddDate(0, 0, 1) {
				all = append(all, giving.Day(d.Unix(), time.UTC))
			}
			continue
		}
		for month := span.From; month < span.To; month++ {
			if 1 <= month%100 && month%100 <= 12 {
				all = append(all, month)
			}
		}
	}
	return all
}

// A Sum is what the sums say of one cell.
type Sum struct {
	giving.Cell
	giving.Figures
}

// Sums returns the sums of a dimension's values over spans that don't overlap:
// one row a value and pair of currencies, or, byPeriod, one for each period as
// well. It reads everything at one moment. The rows come in no order.
func (s *Store) Sums(ctx context.Context, dimension string, spans []Span, byPeriod bool) (sums []Sum, err error) {
	err = s.Look(ctx, func(t *Tx) error {
		sums, err = t.SumsOver(ctx, dimension, spans, byPeriod)
		return err
	})
	return sums, err
}

// SumsOver is [Store.Sums] within a transaction.
func (t *Tx) SumsOver(ctx context.Context, dimension string, spans []Span, byPeriod bool) ([]Sum, error) {
	period := "0"
	if byPeriod {
		period = "period"
	}
	// A part for each span, since an OR of ranges would read more of the index.
	var parts []string
	args := []any{dimension}
	for _, span := range spans {
		args = append(args, span.From, span.To)
		parts = append(parts, fmt.Sprintf(`
			SELECT period, value, currency, settlement_currency, donations, new_supporters, won, kept,
				gross_minor, refunded_minor, disputed_minor, fee_minor, net_minor
			FROM sums WHERE dimension = $1 AND period >= $%d AND period < $%d`, len(args)-1, len(args)))
	}
	if len(parts) == 0 {
		return nil, nil
	}
	var sums []Sum
	err := t.query(ctx, `
		SELECT `+period+` AS p, value, currency, settlement_currency,
			CAST(SUM(donations) AS BIGINT), CAST(SUM(new_supporters) AS BIGINT), CAST(SUM(won) AS BIGINT), CAST(SUM(kept) AS BIGINT),
			CAST(SUM(gross_minor) AS BIGINT), CAST(SUM(refunded_minor) AS BIGINT), CAST(SUM(disputed_minor) AS BIGINT),
			CAST(SUM(fee_minor) AS BIGINT), CAST(SUM(net_minor) AS BIGINT)
		FROM (`+strings.Join(parts, " UNION ALL ")+`) AS spans
		GROUP BY 1, 2, 3, 4`, args, func(r row) error {
		sum := Sum{Cell: giving.Cell{Dimension: dimension}}
		err := r.Scan(&sum.Period, &sum.Value, &sum.Currency, &sum.Settlement, &sum.Donations, &sum.NewSupporters,
			&sum.Won, &sum.Kept, &sum.Gross, &sum.Refunded, &sum.Disputed, &sum.Fee, &sum.Net)
		sums = append(sums, sum)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read sums by %s: %w", dimension, err)
	}
	return sums, nil
}
