package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
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

// How a step of the schema waits for who reads or writes the tables that it
// changes. Whoever comes after it waits with it, so it gives way soon and tries
// again; and sooner than PostgreSQL looks for deadlocks (after a second), which
// would end it or them.
const (
	schemaWaits = "500ms" // for one lock, in PostgreSQL's words
	schemaPause = time.Second
	schemaTries = 20

	turnEvery = 1   // seconds between two looks at whether it is our turn
	turnTries = 300 // looks
)

// Migrate brings the schema up to date and returns the steps it took. Any
// number of processes may call it at the same moment: they take turns. Of
// tables that somebody holds for half a minute it tells by an error that is
// [Held]; it may be called again, and goes on where it was.
func (s *Store) Migrate(ctx context.Context) ([]Migration, error) {
	unlock, err := s.lockMigrations()
	if err != nil {
		return nil, err
	}
	defer unlock()
	var steps []Migration
	for try := 1; ; try++ {
		taken, err := s.migrate(ctx)
		steps = append(steps, taken...)
		if err == nil || !Held(err) || try == schemaTries {
			return steps, err
		}
		select {
		case <-time.After(schemaPause):
		case <-ctx.Done():
			return steps, err
		}
	}
}

// migrate tries once, and returns the steps that were taken even if not all
// were.
func (s *Store) migrate(ctx context.Context) ([]Migration, error) {
	provider, err := s.migrations()
	if err != nil {
		return nil, err
	}
	results, err := provider.Up(ctx)
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		results = partial.Applied
	}
	var steps []Migration
	for _, r := range results {
		steps = append(steps, Migration{r.Source.Version, r.Source.Path, true})
	}
	if err != nil {
		return steps, fmt.Errorf("migrate: %w", err)
	}
	if s.postgres {
		if _, err := s.write.ExecContext(ctx, compareBytes); err != nil {
			return steps, fmt.Errorf("migrate: have text compared by its bytes: %w", err)
		}
	}
	return steps, nil
}

// Held reports whether err says that somebody held what was to be locked for
// too long, or waited for us as we did for them (SQLSTATE 55P03 and 40P01). The
// same may succeed later.
func Held(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == "55P03" || pg.Code == "40P01")
}

// A hasty waits for no lock for long while it holds that of the migrations.
type hasty struct{ lock.SessionLocker }

func (l hasty) SessionLock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `SET lock_timeout = '`+schemaWaits+`'`); err != nil {
		return fmt.Errorf("wait for no lock for long: %w", err)
	}
	return l.SessionLocker.SessionLock(ctx, conn)
}

func (l hasty) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, `RESET lock_timeout`)
	return errors.Join(err, l.SessionLocker.SessionUnlock(ctx, conn))
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
		PERFORM set_config('lock_timeout', '` + schemaWaits + `', true);
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
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(turnEvery, turnTries))
		if err != nil {
			return nil, fmt.Errorf("prepare the migrations' lock: %w", err)
		}
		dialect, options = goose.DialectPostgres, append(options, goose.WithSessionLocker(hasty{locker}))
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
