// Package store holds every line of SQL. One text serves PostgreSQL and
// SQLite: the dialect shows only where a database is opened, migrated and
// locked.
//
// Instants are microseconds since 1970 UTC in the database and time.Time in
// Go; see [Micros] and [Time].
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/united24media/support/internal/outward"
)

// A Store is the database. It is safe for concurrent use.
type Store struct {
	write    *sql.DB
	read     reader  // from write on PostgreSQL; from a read-only pool on SQLite
	ledger   *sql.DB // of the ledger's transactions: a pool of their own on PostgreSQL, so that no crowd of readers is before them
	postgres bool
	file     string // SQLite's file, "" on PostgreSQL
	address  string // PostgreSQL's
	fence    *fence // around its hosts; nil if there is one
	fresh    *fresh // of a scratch database, where nobody else writes; else nil
	folder   string // to be removed on Close; "" if none
	seldom   seldom // what the audit log is told now and then
}

// Limits of the connection pools.
const (
	maxPostgresConns = 16
	maxLedgerConns   = 2 // beside those: the committer's, and one for who erases or rebuilds
	maxSQLiteReaders = 4
	busyTimeout      = 5 * time.Second // how long SQLite waits for another process's write
)

// Open connects to the database at address: `sqlite:PATH`, or `postgres://…`
// with several hosts for failover. It makes SQLite's folder. It does not wait
// for PostgreSQL to answer: see [Store.Ping].
func Open(address string) (*Store, error) {
	switch {
	case strings.HasPrefix(address, "sqlite:"):
		return openSQLite(strings.TrimPrefix(address, "sqlite:"))
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		return openPostgres(address)
	}
	return nil, errors.New("DATABASE_URL: want sqlite:PATH or postgres://…")
}

func openSQLite(path string) (*Store, error) {
	if path == "" {
		return nil, errors.New("DATABASE_URL: sqlite: needs a path, such as sqlite:data/support.db")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make SQLite's folder: %w", err)
	}
	// FULL, since an answer to Stripe promises that the gift outlives a power cut.
	pragmas := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
		"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(on)", "temp_store(memory)",
	}}
	pragmas.Set("_txlock", "immediate")
	name := "file:" + (&url.URL{Path: path}).EscapedPath()
	write, err := sql.Open("sqlite", name+"?"+pragmas.Encode())
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	write.SetMaxOpenConns(1) // SQLite has one writer; waiting here is fair, its busy loop is not
	pragmas.Add("_pragma", "query_only(on)")
	pragmas.Set("_txlock", "deferred")
	read, err := sql.Open("sqlite", name+"?"+pragmas.Encode())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite for reading: %w", err), write.Close())
	}
	read.SetMaxOpenConns(maxSQLiteReaders)
	return &Store{write: write, read: reader{pool: read, most: boundedTime}, ledger: write, file: path}, nil
}

func openPostgres(address string) (*Store, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, errors.New("DATABASE_URL: not a PostgreSQL address that can be read") // err may hold the password
	}
	cfg.StatementCacheCapacity = 256
	safely(cfg)
	life := pulse{fence: newFence(cfg)}
	if life.fence != nil {
		cfg.ValidateConnect = life.fence.validate
	}
	cfg.DialFunc = marking(cfg.DialFunc, &life)
	cfg.OnNotice = noteWarning
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 5 * time.Second
	}
	for name, value := range map[string]string{
		"application_name":                    "support",
		"idle_in_transaction_session_timeout": "30s", // a stopped replica must not keep the ledger's lock
		"lock_timeout":                        "10s",
	} {
		if cfg.RuntimeParams[name] == "" {
			cfg.RuntimeParams[name] = value
		}
	}
	pool := func(cfg *pgx.ConnConfig, most int) *sql.DB {
		db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(life.begin), stdlib.OptionResetSession(life.check),
			stdlib.OptionShouldPing(func(context.Context, stdlib.ShouldPingParams) bool { return false }))
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(most)
		db.SetConnMaxIdleTime(5 * time.Minute)
		return db
	}
	db := pool(cfg, maxPostgresConns)
	bounded := cfg.Copy()
	if bounded.RuntimeParams["statement_timeout"] == "" {
		bounded.RuntimeParams["statement_timeout"] = milliseconds(boundedTime)
	}
	read := reader{pool: db, bounded: pool(bounded, maxBoundedConns)}
	return &Store{write: db, read: read, ledger: pool(cfg, maxLedgerConns), postgres: true, address: address, fence: life.fence}, nil
}

// safely has all of cfg's connections that use TLS use no old one.
func safely(cfg *pgx.ConnConfig) {
	least := outward.TLS().MinVersion
	if cfg.TLSConfig != nil {
		cfg.TLSConfig.MinVersion = least
	}
	for _, other := range cfg.Fallbacks {
		if other.TLSConfig != nil {
			other.TLSConfig.MinVersion = least
		}
	}
}

// Close closes the database.
func (s *Store) Close() error {
	if s.fresh != nil && s.fresh.copies != nil {
		close(s.fresh.copies)
		s.fresh.left.Wait()
	}
	err := s.write.Close()
	if s.read.pool != s.write {
		err = errors.Join(err, s.read.pool.Close())
	}
	if s.read.bounded != nil {
		err = errors.Join(err, s.read.bounded.Close())
	}
	if s.ledger != s.write {
		err = errors.Join(err, s.ledger.Close())
	}
	if s.folder != "" {
		err = errors.Join(err, os.RemoveAll(s.folder))
	}
	return err
}

// Postgres reports whether several processes may serve from this database.
func (s *Store) Postgres() bool { return s.postgres }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	if err := s.read.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("ping the database: %w", err)
	}
	return nil
}

// inTx runs f in a transaction, which it commits if f returns nil and rolls
// back otherwise.
func (s *Store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after Commit
	if err := f(tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Micros returns t as the database keeps it; the zero time is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Seconds returns t as Stripe writes it, in seconds since 1970; the zero time
// is 0.
func Seconds(t time.Time) int64 { return Micros(t) / microsPerSecond }

// Time returns the instant of a database value; 0 is the zero time.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// BadData reports whether err says that a value can't be stored whatever the
// state of the database: SQLSTATE classes 22 and 23, SQLite's constraint,
// mismatch, range and size errors. Such an error comes again on every try.
func BadData(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23")
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff {
		case 18, 19, 20, 25: // TOOBIG, CONSTRAINT, MISMATCH, RANGE
			return true
		}
	}
	return false
}

// uniqueViolation reports whether err says that a unique key is taken.
func uniqueViolation(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "23505"
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code() == 1555 || lite.Code() == 2067 // PRIMARYKEY, UNIQUE
	}
	return false
}
