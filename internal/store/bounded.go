package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Limits of what people and programs ask at length: see [Bounded].
const (
	boundedTime     = 30 * time.Second // of one statement
	maxBoundedConns = 8                // that such questions have on PostgreSQL, beside all others
)

type boundedKey struct{}

// Bounded returns ctx for a question that may be long, as reports are. On
// PostgreSQL what is read under it has a few connections of its own, whose
// statements end after 30 s; on SQLite they are interrupted after as much. What
// ends so is [TookTooLong]. Reading on, page by page, has the time anew with
// each.
func Bounded(ctx context.Context) context.Context {
	return context.WithValue(ctx, boundedKey{}, true)
}

// TookTooLong reports whether err says that a question was ended because it
// took too long.
func TookTooLong(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "57014"
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// A reader is where a store reads outside of the ledger's transactions.
type reader struct {
	pool    *sql.DB
	bounded *sql.DB       // nil but on PostgreSQL
	most    time.Duration // of what is bounded, with SQLite
}

// of returns the pool for ctx.
func (r reader) of(ctx context.Context) *sql.DB {
	if r.bounded != nil && ctx.Value(boundedKey{}) != nil {
		return r.bounded
	}
	return r.pool
}

// within returns ctx, and where it is [Bounded] with a deadline. It is free
// again with ctx at the latest, which is a request's.
func within(ctx context.Context, most time.Duration) context.Context {
	if ctx.Value(boundedKey{}) == nil {
		return ctx
	}
	ends, cancel := context.WithTimeout(ctx, most)
	context.AfterFunc(ends, cancel)
	return ends
}

// QueryContext is [sql.DB.QueryContext].
func (r reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if r.bounded == nil {
		ctx = within(ctx, r.most)
	}
	return r.of(ctx).QueryContext(ctx, query, args...)
}

// QueryRowContext is [sql.DB.QueryRowContext].
func (r reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if r.bounded == nil {
		ctx = within(ctx, r.most)
	}
	return r.of(ctx).QueryRowContext(ctx, query, args...)
}

// milliseconds returns d as PostgreSQL reads a setting.
func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
