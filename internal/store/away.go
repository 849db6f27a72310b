package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Away reports whether err says that the database can't be asked at the
// moment: it is not there, ends, takes no more connections, or, with SQLite,
// is held by another process or can't be written. The same may succeed later.
func Away(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(pg.Code, "08") || strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "53")
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff {
		case 5, 10, 13, 14: // BUSY, IOERR, FULL, CANTOPEN
			return true
		}
		return false
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}

// Current reports whether the database has taken every migration that this
// program knows. It writes nothing.
func (s *Store) Current(ctx context.Context) (bool, error) {
	if s.file != "" {
		if _, err := os.Stat(s.file); errors.Is(err, os.ErrNotExist) {
			return false, nil // asking SQLite would make the file
		}
	}
	provider, err := s.migrations()
	if err != nil {
		return false, err
	}
	taken := map[int64]bool{}
	err = scanAll(s.read.QueryContext(ctx, `SELECT version_id FROM goose_db_version WHERE is_applied`))(func(r *sql.Rows) error {
		var version int64
		err := r.Scan(&version)
		taken[version] = true
		return err
	})
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42P01" || err != nil && strings.Contains(err.Error(), "no such table") {
		return false, nil // never migrated
	}
	if err != nil {
		return false, fmt.Errorf("read the schema's version: %w", err)
	}
	for _, source := range provider.ListSources() {
		if !taken[source.Version] {
			return false, nil
		}
	}
	return true, nil
}
