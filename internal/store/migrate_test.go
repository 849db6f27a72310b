package store_test

import (
	"context"
	"database/sql"
	"testing"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/migrations"
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

// TestMigratingWaitsForReaders: two replicas of a release start at once, while
// somebody reads for longer than a step of the schema waits. They take it once
// the reader is gone; and who goes on to read a table that the step had locked
// already, so that each waits for the other, is answered.
func TestMigratingWaitsForReaders(t *testing.T) {
	t.Parallel()
	ctx, address := t.Context(), testenv.Postgres(t)
	const before = 13 // the next step changes checkouts, and then supporter_choices
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(ctx, before); err != nil {
		t.Fatal(err)
	}
	reader, err := pgx.Connect(ctx, address)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close(context.WithoutCancel(ctx))
	if _, err := reader.Exec(ctx, `BEGIN; SELECT count(*) FROM supporter_choices`); err != nil {
		t.Fatal(err)
	}
	steps, ended := make(chan int, 2), make(chan error, 2)
	for range 2 {
		s, err := store.Open(address)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		go func() {
			taken, err := s.Migrate(ctx)
			steps <- len(taken)
			ended <- err
		}()
	}
	await := func(waiting bool) {
		t.Helper()
		for is := !waiting; is != waiting; {
			if len(ended) > 0 {
				t.Fatalf("a replica did not wait for the reader: %v", <-ended)
			}
			err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'supporter_choices'::regclass AND NOT granted)`).Scan(&is)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	await(true)
	await(false) // it gave way
	await(true)
	if _, err := reader.Exec(ctx, `SELECT count(*) FROM checkouts`); err != nil {
		t.Errorf("the reader: %v", err)
	}
	if _, err := reader.Exec(ctx, `COMMIT`); err != nil {
		t.Errorf("the reader: %v", err)
	}
	missing := 0
	for _, source := range provider.ListSources() {
		if source.Version > before {
			missing++
		}
	}
	for range 2 {
		missing -= <-steps
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if left, err := provider.HasPending(ctx); err != nil || left || missing != 0 {
		t.Errorf("%d steps more were to be taken than are said to be; some are left: %v, %v", missing, left, err)
	}
}
