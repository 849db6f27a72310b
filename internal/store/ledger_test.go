package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/testenv"
)

// What a batch reads of the donations does not grow with how many there are,
// though its plans were made when there were none.
func TestABatchReadsOnlyItsOwnDonations(t *testing.T) {
	t.Parallel()
	s, err := Open(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	const stored, batch = 2000, 30
	var all []*giving.Donation
	for i := range stored {
		key := fmt.Sprintf("pi_%04d", i)
		all = append(all, &giving.Donation{
			Key: key, Supporter: "gift:" + key, First: true, Created: time.Now().Unix(), Currency: "EUR", Gross: 1000, Interval: giving.Once, Source: "stripe",
		})
	}
	put := func(donations []*giving.Donation) {
		t.Helper()
		if err := s.Ledger(t.Context(), func(tx *Tx) error { return tx.PutDonations(t.Context(), donations) }); err != nil {
			t.Fatal(err)
		}
	}
	ways := map[string]transact{
		"the ledger": s.Ledger,
		"who looks as it does": func(ctx context.Context, f func(*Tx) error) error {
			return s.Look(ctx, func(tx *Tx) error { return errors.Join(tx.ByIndexes(ctx), f(tx)) })
		},
	}
	for range 8 { // often enough for a plan to be kept
		put(all[:batch])
		for _, way := range ways {
			readByABatch(t, way, all[:batch])
		}
	}
	put(all)
	for name, way := range ways {
		if read := readByABatch(t, way, all[stored-batch:]); read < batch || read > 3*batch {
			t.Errorf("%s reads %d to find %d donations and their supporters' first ones", name, read, batch)
		}
	}
}

type transact func(context.Context, func(*Tx) error) error

// readByABatch returns how many rows PostgreSQL read to find donations and
// their supporters' first ones.
func readByABatch(t *testing.T, way transact, all []*giving.Donation) (read int64) {
	t.Helper()
	var keys, supporters []string
	for _, d := range all {
		keys, supporters = append(keys, d.Key), append(supporters, d.Supporter)
	}
	err := way(t.Context(), func(tx *Tx) error {
		var before int64
		if err := tx.rowsRead(t, &before); err != nil {
			return err
		}
		found, err := tx.Donations(t.Context(), keys, supporters)
		if err != nil || len(found) != len(all) {
			t.Errorf("found %d donations, %v; want %d", len(found), err, len(all))
		}
		err = tx.rowsRead(t, &read)
		read -= before
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// rowsRead tells how many donations this connection has read.
func (t *Tx) rowsRead(test *testing.T, n *int64) error {
	return t.query(test.Context(), `SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'donations'`, nil,
		func(r row) error { return r.Scan(n) })
}
