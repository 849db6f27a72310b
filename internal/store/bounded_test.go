package store

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/united24media/support/internal/testenv"
)

// endless is a question that no database answers.
const endless = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n WHERE i < 0`

// TestLongQuestionsEnd: what is asked within [Bounded] is ended when it takes
// too long, alone and in a transaction, on connections of its own, which serve
// the next question; what is not is left alone.
func TestLongQuestionsEnd(t *testing.T) {
	t.Parallel()
	open := func(address string) *Store {
		db, err := Open(address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	lite := open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	lite.read.most = 50 * time.Millisecond
	postgres := testenv.Postgres(t)
	hurried, err := url.Parse(postgres)
	if err != nil {
		t.Fatal(err)
	}
	values := hurried.Query()
	values.Set("statement_timeout", "50")
	hurried.RawQuery = values.Encode()
	for name, db := range map[string]*Store{"SQLite": lite, "PostgreSQL": open(hurried.String())} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bounded := Bounded(t.Context())
			var n int64
			if err := db.read.QueryRowContext(bounded, endless).Scan(&n); !TookTooLong(err) {
				t.Errorf("a question: %v", err)
			}
			err := db.Look(bounded, func(tx *Tx) error { return tx.query(bounded, endless, nil, func(r row) error { return r.Scan(&n) }) })
			if !TookTooLong(err) {
				t.Errorf("in a transaction: %v", err)
			}
			if err := db.read.QueryRowContext(bounded, `SELECT 1`).Scan(&n); err != nil {
				t.Errorf("the next: %v", err)
			}
		})
	}
	db := open(postgres)
	limit := func(ctx context.Context) (limit string) {
		if err := db.read.QueryRowContext(ctx, `SHOW statement_timeout`).Scan(&limit); err != nil {
			t.Fatal(err)
		}
		return limit
	}
	if own, others := limit(Bounded(t.Context())), limit(t.Context()); own != "30s" || others != "0" {
		t.Errorf("PostgreSQL ends them after %s, and others after %s", own, others)
	}
	if _, timed := within(t.Context(), boundedTime).Deadline(); timed {
		t.Error("SQLite ends what is not bounded")
	}
}
