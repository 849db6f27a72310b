package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
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
	if _, ok := errors.AsType[*lostError](err); ok {
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

// A lostError says that a connection to PostgreSQL ended in the middle. pgx
// passes on what the network says, which could be anybody's.
type lostError struct{ error }

// Unwrap returns what the network said.
func (e *lostError) Unwrap() error { return e.error }

// A marked is a connection to PostgreSQL whose end is told as a [lostError].
// What takes too long is told as it is, and to life.
type marked struct {
	net.Conn
	life *pulse
}

func (c marked) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.life.doubt()
	}
	return n, lost(err)
}

func (c marked) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, lost(err)
}

func lost(err error) error {
	switch {
	case err == nil, errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
		return err
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF // PostgreSQL never ends a connection by itself
	}
	return &lostError{err}
}

// marking returns dial with its connections [marked].
func marking(dial pgconn.DialFunc, life *pulse) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return marked{conn, life}, nil
	}
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
