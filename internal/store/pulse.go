package store

import (
	"context"
	"database/sql/driver"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	pulseIdle = time.Second     // a connection that idled for longer is asked whether it lives
	pulseTime = 2 * time.Second // for the answer
)

// A pulse knows whether the pool's connections still lead somewhere. Where a
// machine is gone, or something on the way forgot its connections, nobody says
// so: each would keep its user until the user's time is up. So a connection that
// idled, or that is older than an answer that did not come, is asked first, for
// a short time; and if it is dead, those as old as it are not used again.
type pulse struct {
	doubted atomic.Int64 // when an answer did not come in time; see age
	died    atomic.Int64 // when a connection turned out to be dead
	fence   *fence       // around several hosts; nil if there is one
}

var began = time.Now()

// age returns the time since the program began, in ns: it does not step with
// the clock.
func age() int64 { return int64(time.Since(began)) }

// The names under which a connection keeps when it was made, and last seen to
// live.
const (
	bornAt  = "born"
	livedAt = "lived"
)

func (p *pulse) doubt() { p.doubted.Store(age()) }

func (p *pulse) begin(_ context.Context, c *pgx.Conn) error {
	data, now := c.PgConn().CustomData(), age()
	data[bornAt], data[livedAt] = now, now
	return nil
}

// check returns [driver.ErrBadConn] for a connection that is not to be used
// again.
func (p *pulse) check(ctx context.Context, c *pgx.Conn) error {
	data, now := c.PgConn().CustomData(), age()
	made, _ := data[bornAt].(int64)
	lived, _ := data[livedAt].(int64)
	if made <= p.died.Load() || p.fence != nil && !p.fence.leads(c.PgConn()) {
		return driver.ErrBadConn
	}
	if lived > p.doubted.Load() && now-lived < int64(pulseIdle) {
		data[livedAt] = now
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, pulseTime)
	defer cancel()
	if c.PgConn().Ping(limited) != nil {
		if ctx.Err() == nil {
			p.died.Store(now)
		}
		return driver.ErrBadConn
	}
	data[livedAt] = now
	return nil
}
