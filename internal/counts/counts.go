// Package counts answers how many supporters and members a scope has, from
// memory, and keeps that memory true: process, then Redis, then database.
//
// The database is the truth. Each process holds a [Snapshot] of all scopes and
// asks the database what moved when Redis rings the bell, and every
// [refreshEvery] anyway. Redis keeps the same numbers for a time when the
// database is gone. No request ever waits for either of them.
package counts

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/store"
)

// A Source is the database's table of counts: [store.Store] outside of tests.
type Source interface {
	// ScopesSince returns the scopes that moved after a revision in the order
	// of their revisions; 0 asks for all. Everything of one revision becomes
	// visible at once, and after everything of a lower one.
	ScopesSince(ctx context.Context, revision int64) ([]store.ScopeCount, error)
}

// Options is what [New] needs. Source alone must be given.
type Options struct {
	Source Source
	Redis  redis.UniversalClient // nil: one process, or none that shares a Redis
	Now    func() time.Time      // time.Now if nil
	Log    *slog.Logger          // slog.Default() if nil
}

// Counts is a process's view of the counts. It is safe for concurrent use.
type Counts struct {
	source  Source
	redis   redis.UniversalClient
	now     func() time.Time
	log     *slog.Logger
	current atomic.Pointer[Snapshot]

	mu sync.Mutex // held while current is replaced, and for what follows
}

// New returns counts that know nothing until [Counts.Run] has asked.
func New(o Options) *Counts {
	c := &Counts{source: o.Source, redis: o.Redis, now: o.Now, log: o.Log}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	c.current.Store(empty())
	return c
}

// Snapshot returns the counts as they are known now. It never waits and never
// returns nil.
func (c *Counts) Snapshot() *Snapshot { return c.current.Load() }

// Moved tells of counts that a transaction of this process has just committed,
// all with the revision that it raised. They are shown before Moved returns,
// and other processes hear of them soon. It neither waits for anything nor
// fails. Rows of transactions may arrive in any order.
func (c *Counts) Moved(rows []store.ScopeCount) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if next, changed := c.current.Load().with(rows); changed {
		next.version++
		c.current.Store(next)
	}
}

// Run keeps the counts true until ctx is done, and returns nil then.
func (c *Counts) Run(ctx context.Context) error {
	return c.follow(ctx)
}
