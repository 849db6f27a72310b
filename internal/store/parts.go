package store

import (
	"context"
	"fmt"
	"strings"
)

// sumParts are what moves the sums while a rebuild reads. Nobody asks what they
// come to until [Store.Finish] has added them up: to look for each sum and change
// it would cost most of the rebuild.
var sumParts = bulk{table: "sums_parts", columns: sumRows.columns}

// makeParts makes the table of [sumParts].
func (s *Store) makeParts(ctx context.Context) error {
	_, err := s.write.ExecContext(ctx, `CREATE TABLE sums_parts AS SELECT `+sumRows.names()+` FROM sums WHERE FALSE`)
	return err
}

// addUp makes the sums of their parts, and the rankings of those.
func (s *Store) addUp(ctx context.Context) error {
	if err := s.fresh.settle(); err != nil {
		return err
	}
	const key = `dimension, period, value, currency, settlement_currency`
	var figures, sums, left []string
	for _, c := range sumRows.columns {
		if !strings.Contains(key, c.name) {
			figures = append(figures, c.name)
			sums = append(sums, `CAST(SUM(`+c.name+`) AS BIGINT)`)
			left = append(left, `SUM(`+c.name+`) <> 0`)
		}
	}
	for _, statement := range []string{
		`INSERT INTO sums (` + key + `, ` + strings.Join(figures, ", ") + `)
			SELECT ` + key + `, ` + strings.Join(sums, ", ") + ` FROM sums_parts
			GROUP BY ` + key + ` HAVING ` + strings.Join(left, " OR ") + ` ORDER BY ` + key,
		`DROP TABLE sums_parts`,
		`INSERT INTO rankings (period, ranking, article, n)
			SELECT period, ranking, article, CAST(SUM(n) AS BIGINT) FROM (` + rankedSums + `) AS ranked
			GROUP BY period, ranking, article ORDER BY period, ranking, article`,
	} {
		if _, err := s.write.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("add up the sums: %w", err)
		}
	}
	s.fresh.addedUp = true
	return nil
}
