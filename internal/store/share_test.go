package store

import (
	"context"
	"testing"
	"time"

	"github.com/united24media/support/internal/testenv"
)

// TestTheLedgerHasConnectionsOfItsOwn: with every connection taken by pages and
// reports, gifts are recorded.
func TestTheLedgerHasConnectionsOfItsOwn(t *testing.T) {
	t.Parallel()
	db, err := Open(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for range maxPostgresConns {
		conn, err := db.read.pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := db.Ledger(ctx, func(*Tx) error { return nil }); err != nil {
		t.Errorf("the ledger waits for readers: %v", err)
	}
}
