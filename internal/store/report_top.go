package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/united24media/support/internal/giving"
)

// TopSignals returns the articles of which a kind of signal was counted most
// over spans that don't overlap, past the first offset ones.
func (s *Store) TopSignals(ctx context.Context, kind string, spans []Span, limit, offset int) ([]string, error) {
	args := []any{kind}
	var parts []string
	for _, span := range spans {
		args = append(args, span.From, span.To)
		parts = append(parts, fmt.Sprintf(`SELECT article, times FROM signals_daily WHERE kind = $1 AND day >= $%d AND day < $%d`, len(args)-1, len(args)))
	}
	args = append(args, limit, offset)
	return s.texts(ctx, fmt.Sprintf(`SELECT article FROM (%s) AS spans GROUP BY article ORDER BY SUM(times) DESC, article LIMIT $%d OFFSET $%d`,
		strings.Join(parts, " UNION ALL "), len(args)-1, len(args)), args...)
}

// texts returns the one column of a query.
func (s *Store) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	var all []string
	err := scanAll(s.read.QueryContext(ctx, query, args...))(func(r *sql.Rows) error {
		var text string
		err := r.Scan(&text)
		all = append(all, text)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read what ranks highest: %w", err)
	}
	return all, nil
}

// SumsOf returns the sums of some values of a dimension over periods, each a
// day or a month: one row a value and pair of currencies, in no order.
func (s *Store) SumsOf(ctx context.Context, dimension string, values []string, periods []int64) ([]Sum, error) {
	var sums []Sum
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT value, currency, settlement_currency, CAST(SUM(donations) AS BIGINT), CAST(SUM(new_supporters) AS BIGINT),
			CAST(SUM(won) AS BIGINT), CAST(SUM(kept) AS BIGINT), CAST(SUM(gross_minor) AS BIGINT),
			CAST(SUM(refunded_minor) AS BIGINT), CAST(SUM(disputed_minor) AS BIGINT),
			CAST(SUM(fee_minor) AS BIGINT), CAST(SUM(net_minor) AS BIGINT)
		FROM sums WHERE dimension = $1 AND `+s.anyOf("period", 2, "BIGINT")+` AND `+s.anyOf("value", 3, "TEXT")+`
		GROUP BY value, currency, settlement_currency`, dimension, s.listOf(periods), s.listOf(values)))(func(r *sql.Rows) error {
		sum := Sum{}
		sum.Dimension = dimension
		err := r.Scan(&sum.Value, &sum.Currency, &sum.Settlement, &sum.Donations, &sum.NewSupporters, &sum.Won, &sum.Kept,
			&sum.Gross, &sum.Refunded, &sum.Disputed, &sum.Fee, &sum.Net)
		sums = append(sums, sum)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read sums of some by %s: %w", dimension, err)
	}
	return sums, nil
}

// signalColumns are what signals can be asked by.
var signalColumns = map[string]string{"article": "article", "variant": "variant"}

// A SignalSum is how often a kind of signal was counted for a value.
type SignalSum struct {
	Value string // of an article or variant
	Kind  string
	Times int64
}

// SignalsOf returns the signals of some articles or variants, as by says, over
// spans that don't overlap; at one placement, or at all where it is "".
func (s *Store) SignalsOf(ctx context.Context, by string, values []string, placement string, spans []Span) ([]SignalSum, error) {
	column := signalColumns[by]
	args := []any{s.listOf(values)}
	also := ""
	if placement != "" {
		args = append(args, placement)
		also = " AND placement = $2"
	}
	if by == "variant" {
		also += " AND variant <> ''" // which lets the index serve it
	}
	var parts []string
	for _, span := range spans {
		args = append(args, span.From, span.To)
		parts = append(parts, fmt.Sprintf(`SELECT %s AS v, kind, times FROM signals_daily WHERE %s%s AND day >= $%d AND day < $%d`,
			column, s.anyOf(column, 1, "TEXT"), also, len(args)-1, len(args)))
	}
	var sums []SignalSum
	err := scanAll(s.read.QueryContext(ctx, `SELECT v, kind, CAST(SUM(times) AS BIGINT) FROM (`+
		strings.Join(parts, " UNION ALL ")+`) AS spans GROUP BY v, kind`, args...))(func(r *sql.Rows) error {
		var sum SignalSum
		err := r.Scan(&sum.Value, &sum.Kind, &sum.Times)
		sums = append(sums, sum)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read signals by %s: %w", by, err)
	}
	return sums, nil
}

// A MovementSum is by how much memberships moved in one way.
type MovementSum struct {
	giving.MovementCell
	giving.Moved
}

// MovementSums returns the movements of memberships over spans that don't
// overlap. Months come with their cohorts, days without.
func (s *Store) MovementSums(ctx context.Context, spans []Span) (sums []MovementSum, err error) {
	err = s.Look(ctx, func(t *Tx) error {
		for _, span := range spans {
			err := t.Movements(ctx, span.From, span.To, func(c giving.MovementCell, by giving.Moved) {
				sums = append(sums, MovementSum{c, by})
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return sums, err
}
