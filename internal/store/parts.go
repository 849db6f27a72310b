package store

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
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

// AddUp makes the sums of a scratch database when everything was written to it,
// and the rankings of those. Meanwhile PostgreSQL learns how large the tables
// are.
func (s *Store) AddUp(ctx context.Context) error {
	if err := s.fresh.settle(); err != nil {
		return err
	}
	var group errgroup.Group
	if s.postgres {
		group.Go(func() error { return s.each(ctx, byIndex, `VACUUM (ANALYZE) %s`) })
	}
	group.Go(func() error {
		if err := s.addUp(ctx); err != nil || !s.postgres {
			return err
		}
		return errors.Join(s.each(ctx, summed, `VACUUM (ANALYZE) %s`), s.each(ctx, byKey, `ANALYZE %s`))
	})
	return group.Wait()
}

func (s *Store) addUp(ctx context.Context) error {
	sums, left := addedUp()
	for _, statement := range []string{
		`INSERT INTO sums (` + sumRows.names() + `)
			SELECT ` + sumKey + `, ` + sums + ` FROM sums_parts GROUP BY ` + sumKey + ` HAVING ` + left + ` ORDER BY ` + sumKey,
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
