package store

import (
	"context"
	"fmt"
	"os"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"golang.org/x/sys/unix"

	"github.com/united24media/support/migrations"
)

// A Migration is one step of the schema.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// Migrate brings the schema up to date and returns the steps it took. Any
// number of processes may call it at the same moment: they take turns.
func (s *Store) Migrate(ctx context.Context) ([]Migration, error) {
	unlock, err := s.lockMigrations()
	if err != nil {
		return nil, err
	}
	defer unlock()
	provider, err := s.migrations()
	if err != nil {
		return nil, err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	if s.postgres {
		if _, err := s.write.ExecContext(ctx, compareBytes); err != nil {
			return nil, fmt.Errorf("migrate: have text compared by its bytes: %w", err)
		}
	}
	var steps []Migration
	for _, r := range results {
		steps = append(steps, Migration{r.Source.Version, r.Source.Path, true})
	}
	return steps, nil
}

// compareBytes has PostgreSQL compare all text of the current schema by its
// bytes, as SQLite does: both then sort alike, and an index of ids, which is
// what ours are, is walked in a fraction of the time that the rules of a
// language take. It changes only columns that have none of it yet, and commits
// table by table: whoever reads one and then another would else wait for it, and
// it for them.
const compareBytes = `DO $$
DECLARE c record;
BEGIN
	FOR c IN
		SELECT a.attrelid::regclass AS table_name, string_agg(format('ALTER COLUMN %I TYPE TEXT COLLATE "C"', a.attname), ', ') AS columns
		FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
		WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
			AND a.atttypid = 'text'::regtype AND a.attcollation = 'default'::regcollation
		GROUP BY 1 ORDER BY 1
	LOOP
		EXECUTE format('ALTER TABLE %s %s', c.table_name, c.columns);
		COMMIT;
	END LOOP;
END $$`

// Migrations returns every step this program knows and whether the database
// has taken it.
func (s *Store) Migrations(ctx context.Context) ([]Migration, error) {
	provider, err := s.migrations()
	if err != nil {
		return nil, err
	}
	status, err := provider.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the schema's version: %w", err)
	}
	var steps []Migration
	for _, m := range status {
		steps = append(steps, Migration{m.Source.Version, m.Source.Path, m.State == goose.StateApplied})
	}
	return steps, nil
}

func (s *Store) migrations() (*goose.Provider, error) {
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption(nil)
	if s.postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, fmt.Errorf("prepare the migrations' lock: %w", err)
		}
		dialect, options = goose.DialectPostgres, append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, s.write, migrations.FS, options...)
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	return provider, nil
}

// lockMigrations makes processes on one SQLite file take turns; goose does so
// itself on PostgreSQL only (pressly/goose#1022).
func (s *Store) lockMigrations() (unlock func(), err error) {
	if s.postgres {
		return func() {}, nil
	}
	return lockFile(s.file+".migrate", unix.LOCK_EX)
}

// lockFile takes an advisory lock that the system gives back when the process
// ends, however it ends.
func lockFile(path string, how int) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}

// Own makes this process the one that serves from an SQLite file, until
// release is called or the process ends. A second one is refused. PostgreSQL
// is for many.
func (s *Store) Own() (release func(), err error) {
	if s.postgres {
		return func() {}, nil
	}
	release, err = lockFile(s.file+".serve", unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return nil, fmt.Errorf("%s is served by another process already; use PostgreSQL for several: %w", s.file, err)
	}
	return release, nil
}
