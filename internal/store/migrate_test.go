package store_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/united24media/support/internal/testenv"
)

// TestMigratingBesideReaders: who reads one table and then another, while a
// release brings the schema up to date, holds it up and is not in its way.
func TestMigratingBesideReaders(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	s := openAt(t, address)
	if err := s.Exec(t.Context(), `CREATE TABLE a_first (word TEXT); CREATE TABLE z_last (word TEXT)`); err != nil {
		t.Fatal(err)
	}
	var conns [2]*pgx.Conn
	for i := range conns {
		var err error
		if conns[i], err = pgx.Connect(t.Context(), address); err != nil {
			t.Fatal(err)
		}
		defer conns[i].Close(t.Context())
	}
	reader, watcher := conns[0], conns[1]
	if _, err := reader.Exec(t.Context(), `BEGIN; SELECT word FROM z_last`); err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	go func() {
		_, err := s.Migrate(t.Context())
		migrated <- err
	}()
	for waits := 0; waits == 0 && len(migrated) == 0; {
		err := watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE relation = 'z_last'::regclass AND NOT granted`).Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := reader.Exec(t.Context(), `SELECT word FROM a_first; COMMIT`); err != nil {
		t.Errorf("the reader: %v", err)
	}
	if err := <-migrated; err != nil {
		t.Error(err)
	}
	var left int
	err := watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
		WHERE t.relname IN ('a_first', 'z_last') AND a.attcollation = 'default'::regcollation`).Scan(&left)
	if err != nil || left != 0 {
		t.Errorf("%d columns are not compared by their bytes: %v", left, err)
	}
}
