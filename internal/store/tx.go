package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// A Tx is a transaction of the ledger. Replicas take turns at it.
//
// On PostgreSQL its statements are sent in as few round trips as their results
// allow: one that answers nothing waits for the next that does, or for the
// commit. An error may so be told by a later call than the one that caused it;
// nothing is committed either way.
type Tx struct {
	lite  *sql.Conn     // SQLite
	most  time.Duration // of a statement that is [Bounded], with SQLite
	pg    *pgx.Conn     // PostgreSQL
	batch pgx.Batch     // what waits to be sent

	fresh *fresh  // of a scratch database; else nil
	taken []taken // that are to be copied there
	sent  bool    // whether anything was sent, and be it BEGIN
}

// row is one row of a result.
type row interface{ Scan(dest ...any) error }

// ledgerLock is the key of the advisory lock that every writing transaction of
// the ledger holds: "support" in ASCII.
const ledgerLock = 0x737570706f7274

// Ledger runs f in a transaction that excludes every other one of the ledger,
// on all replicas. What f read before it is still true when it commits.
func (s *Store) Ledger(ctx context.Context, f func(*Tx) error) error {
	return s.transact(ctx, s.ledger, s.begin(), func(t *Tx) error {
		if s.fresh == nil {
			t.turn()
		}
		return f(t)
	})
}

// Look runs f in a transaction that only reads, on one state of the database.
func (s *Store) Look(ctx context.Context, f func(*Tx) error) error {
	begin := `BEGIN`
	if s.postgres {
		begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`
	}
	if s.fresh != nil {
		if err := s.fresh.settle(); err != nil {
			return err
		}
	}
	return s.transact(ctx, s.read.of(ctx), begin, f)
}

func (s *Store) begin() string {
	if s.postgres {
		return `BEGIN`
	}
	return `BEGIN IMMEDIATE`
}

// transact runs f between begin and a commit, or a rollback if it fails.
func (s *Store) transact(ctx context.Context, pool *sql.DB, begin string, f func(*Tx) error) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	return s.transactOn(ctx, conn, begin, f)
}

func (s *Store) transactOn(ctx context.Context, conn *sql.Conn, begin string, f func(*Tx) error) error {
	if !s.postgres {
		return (&Tx{lite: conn, most: s.read.most, fresh: s.fresh}).run(ctx, begin, f)
	}
	var failed error
	err := conn.Raw(func(raw any) error {
		pg := raw.(*stdlib.Conn).Conn()
		if failed = (&Tx{pg: pg, fresh: s.fresh}).run(ctx, begin, f); pg.IsClosed() {
			return driver.ErrBadConn // not for the pool any more
		}
		return nil
	})
	if failed != nil || errors.Is(err, driver.ErrBadConn) {
		return failed
	}
	return err
}

func (t *Tx) run(ctx context.Context, begin string, f func(*Tx) error) (err error) {
	later := context.WithoutCancel(ctx)
	if err := t.later(ctx, begin, nil, nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	ended := false
	defer func() { // also when f panics
		if !ended {
			t.batch, t.taken = pgx.Batch{}, nil
			err = errors.Join(err, t.query(later, `ROLLBACK`, nil, nil))
		}
	}()
	if err := f(t); err != nil {
		return err
	}
	t.handOver()
	if ended = t.fresh != nil && !t.sent && t.batch.Len() == 1; ended { // BEGIN, which nothing follows
		return nil
	}
	if err := t.query(ctx, `COMMIT`, nil, nil); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	ended = true
	return t.unwarned()
}

// unwarned returns an error if PostgreSQL warned of something in the
// transaction. A commit that waits for a standby and is canceled (by a person,
// or by a statement_timeout) ends with no more than a warning: it is done here,
// and lost if the standby takes over.
func (t *Tx) unwarned() error {
	if t.pg == nil {
		return nil
	}
	warning, ok := t.pg.PgConn().CustomData()[warned].(string)
	if !ok {
		return nil
	}
	delete(t.pg.PgConn().CustomData(), warned)
	return fmt.Errorf("commit: PostgreSQL warns: %s", warning)
}

// warned is under which a connection keeps its last warning.
const warned = "warned"

// noteWarning keeps a warning for [Tx.unwarned].
func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.Severity == "WARNING" || n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warned] = n.Message
	}
}

// turn waits for the ledger's turn, which ends with the transaction. SQLite
// has one writer anyway.
func (t *Tx) turn() {
	if t.pg == nil {
		return
	}
	t.batch.Queue(`SELECT pg_advisory_xact_lock($1), `+byIndexes, int64(ledgerLock)).
		Query(func(rows pgx.Rows) error {
			rows.Close()
			return rows.Err()
		})
}

// byIndexes has PostgreSQL use the indexes. A plan made while the tables were
// empty scans them, and is kept for as long as the connection. Where there is no
// index, a scan that is off looks costly enough to be compiled, which takes
// 100 ms.
const byIndexes = `set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`

// ByIndexes has the transaction find rows as the ledger's do, by indexes.
func (t *Tx) ByIndexes(ctx context.Context) error {
	if t.pg == nil {
		return nil
	}
	return t.later(ctx, `SELECT `+byIndexes, nil, func(row) error { return nil })
}

// alone keeps PostgreSQL from starting workers or a compiler for a query that
// is over before they are ready, because it expects more rows than there are.
func (t *Tx) alone(ctx context.Context) error {
	if t.pg == nil {
		return nil
	}
	return t.later(ctx, `SELECT set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)`, nil,
		func(row) error { return nil })
}

// inOrder keeps PostgreSQL from reading the rest of a table and sorting it, for
// the next rows in an order that an index has: it thinks that it may of one that
// it has not looked at since it was filled.
func (t *Tx) inOrder(ctx context.Context) error {
	if t.pg == nil {
		return nil
	}
	return t.later(ctx, `SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)`, nil,
		func(row) error { return nil })
}

// later runs a statement no later than the next [Tx.flush]. scan, if there is
// one, is called for each row of its result.
func (t *Tx) later(ctx context.Context, query string, args []any, scan func(row) error) error {
	switch {
	case t.pg == nil && scan == nil:
		_, err := t.lite.ExecContext(ctx, query, args...)
		return err
	case t.pg == nil:
		return scanAll(t.lite.QueryContext(within(ctx, t.most), query, args...))(func(r *sql.Rows) error { return scan(r) })
	case scan == nil:
		t.batch.Queue(query, args...).Exec(func(pgconn.CommandTag) error { return nil })
	default:
		t.batch.Queue(query, args...).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				if err := scan(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	}
	return nil
}

// flush sends what waits and reads the results.
func (t *Tx) flush(ctx context.Context) error {
	if t.batch.Len() == 0 {
		return nil
	}
	if t.fresh != nil { // its statements may be about rows that are being copied
		t.handOver()
		if err := t.fresh.settle(); err != nil {
			return err
		}
	}
	batch := t.batch
	t.batch, t.sent = pgx.Batch{}, true
	return t.pg.SendBatch(ctx, &batch).Close()
}

// query runs a statement, after those that wait, and reads its result.
func (t *Tx) query(ctx context.Context, query string, args []any, scan func(row) error) error {
	if err := t.later(ctx, query, args, scan); err != nil {
		return err
	}
	return t.flush(ctx)
}
