package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// A Signal is how often something happened to an ask on a day.
type Signal struct {
	Day       int64 // 20260131
	Article   string
	Placement string
	Variant   string
	Kind      string // seen, clicked or closed, or checkout for each that was begun
	Times     int64
}

// signalRows is how many rows one statement adds. The last one is filled up
// with rows of nothing, so that there is one text to prepare.
const signalRows = 50

var addSignals = `
	INSERT INTO signals_daily (day, article, placement, variant, kind, times)
	SELECT CAST(v.day AS BIGINT), v.article, v.placement, v.variant, v.kind, CAST(v.times AS BIGINT)
	FROM (` + signalValues() + `) v WHERE CAST(v.times AS BIGINT) > 0
	ON CONFLICT (day, article, placement, variant, kind) DO UPDATE SET times = signals_daily.times + excluded.times`

func signalValues() string {
	var text strings.Builder
	for row := range signalRows {
		if row > 0 {
			text.WriteString(" UNION ALL ")
		}
		n := row * 6
		fmt.Fprintf(&text, "SELECT CAST($%d AS BIGINT) AS day, CAST($%d AS TEXT) AS article, CAST($%d AS TEXT) AS placement, "+
			"CAST($%d AS TEXT) AS variant, CAST($%d AS TEXT) AS kind, CAST($%d AS BIGINT) AS times", n+1, n+2, n+3, n+4, n+5, n+6)
	}
	return text.String()
}

// AddSignals adds all of signals, or none, to their days and months.
func (s *Store) AddSignals(ctx context.Context, signals []Signal) error {
	return s.inTx(ctx, func(tx *sql.Tx) error { return addSignalsIn(ctx, tx, signals) })
}

// byDayAndMonth returns signals folded by their days, and by their months.
func byDayAndMonth(signals []Signal) []Signal {
	times := map[Signal]int64{}
	for _, g := range signals {
		by := g.Times
		g.Times = 0
		times[g] += by
		g.Day /= 100
		times[g] += by
	}
	folded := make([]Signal, 0, len(times))
	for g, by := range times {
		g.Times = by
		folded = append(folded, g)
	}
	// In one order, so that two that add at once don't wait for each other.
	slices.SortFunc(folded, func(a, b Signal) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.Article, b.Article), cmp.Compare(a.Placement, b.Placement),
			cmp.Compare(a.Variant, b.Variant), cmp.Compare(a.Kind, b.Kind))
	})
	return folded
}

func addSignalsIn(ctx context.Context, tx *sql.Tx, signals []Signal) error {
	signals = byDayAndMonth(signals)
	for len(signals) > 0 {
		n := min(len(signals), signalRows)
		args := make([]any, 0, signalRows*6)
		for _, g := range signals[:n] {
			args = append(args, g.Day, g.Article, g.Placement, g.Variant, g.Kind, g.Times)
		}
		for range signalRows - n {
			args = append(args, 0, "", "", "", "", 0)
		}
		if _, err := tx.ExecContext(ctx, addSignals, args...); err != nil {
			return fmt.Errorf("add signals: %w", err)
		}
		signals = signals[n:]
	}
	return nil
}

// Signals returns what was counted from a day to another, which is left out,
// by day, article, placement, variant and kind.
func (s *Store) Signals(ctx context.Context, from, to int64) ([]Signal, error) {
	rows, err := s.read.QueryContext(ctx, `
		SELECT day, article, placement, variant, kind, times FROM signals_daily
		WHERE day >= $1 AND day < $2
		ORDER BY day, article, placement, variant, kind`, from, to)
	if err != nil {
		return nil, fmt.Errorf("read signals: %w", err)
	}
	defer rows.Close()
	var signals []Signal
	for rows.Next() {
		var g Signal
		if err := rows.Scan(&g.Day, &g.Article, &g.Placement, &g.Variant, &g.Kind, &g.Times); err != nil {
			return nil, fmt.Errorf("read signals: %w", err)
		}
		signals = append(signals, g)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read signals: %w", err)
	}
	return signals, nil
}
