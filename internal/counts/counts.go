// Package counts answers how many supporters and members a scope has, from
// memory, and keeps that memory true: process, then Redis, then database.
//
// The database is the truth. Each process holds a [Snapshot] of all scopes and
// asks the database what moved whenever another process rings Redis's bell,
// and every few seconds anyway. Redis keeps the same numbers for a time when
// the database is gone. No request ever waits for either of them.
//
// Every move has a revision, one sequence for all scopes in the order of the
// database's commits, so that a late or repeated answer is never taken for a
// newer one.
package counts

import (
	"context"
	"crypto/rand"
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
	Redis  redis.UniversalClient // nil: no Redis
	Now    func() time.Time      // time.Now if nil
	Log    *slog.Logger          // slog.Default() if nil
}

// Counts is a process's view of the counts. It is safe for concurrent use.
type Counts struct {
	source  Source
	redis   redis.UniversalClient
	now     func() time.Time
	log     *slog.Logger
	id      string // tells our own bells from others'
	current atomic.Pointer[Snapshot]

	// Each holds one wish at most: who is wished for looks at everything there is to do.
	toRefresh, toRing, toMirror chan struct{}

	database, bell, copy health
	bells, asked         atomic.Uint64

	mu    sync.Mutex // held, briefly, while current is replaced and for what follows
	state state
}

// state is what the parts of Counts tell one another.
type state struct {
	cursor    int64              // the newest revision of the database's answers
	seen      int64              // current holds all of this revision; more than cursor when Redis stood in
	answered  time.Time          // when the database was last asked a question that it answered
	wholeAt   time.Time          // the same of the last question for everything
	doubt     bool               // everything must be asked for anew
	loading   bool               // everything is being asked for
	meanwhile []store.ScopeCount // what moved here while it is

	ring      int64               // the newest revision that others have not been told of; 0 for none
	unsent    map[string]struct{} // scopes that Redis has not been told of
	rewrite   bool                // Redis must be told of every scope
	overwrite bool                // and believe us where it knows newer revisions
}

// New returns counts that know nothing until [Counts.Run] has asked.
func New(o Options) *Counts {
	c := &Counts{
		source: o.Source, redis: o.Redis, now: o.Now, log: o.Log, id: rand.Text(),
		toRefresh: make(chan struct{}, 1), toRing: make(chan struct{}, 1), toMirror: make(chan struct{}, 1),
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.Default()
	}
	c.database = health{log: c.log, who: "the database"}
	// A Redis may carry messages and refuse writes, so that one of these fails alone.
	c.bell = health{log: c.log, who: "the bell in Redis"}
	c.copy = health{log: c.log, who: "the copy in Redis"}
	c.state.unsent = make(map[string]struct{})
	c.current.Store(empty())
	return c
}

// Snapshot returns the counts as they are known now. It never waits and never
// returns nil.
func (c *Counts) Snapshot() *Snapshot { return c.current.Load() }

// Moved tells of counts that a transaction of this process has just committed.
// They are shown before Moved returns, and other processes hear of them soon.
// It waits for nothing outside of this process and can't fail. Calls may come
// in another order than the commits.
func (c *Counts) Moved(rows []store.ScopeCount) {
	if len(rows) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.loading {
		c.state.meanwhile = append(c.state.meanwhile, rows...)
	}
	c.show(c.current.Load().with(rows))
	if c.redis != nil {
		c.state.ring = max(c.state.ring, newest(rows))
		for _, row := range rows {
			c.state.unsent[row.Scope] = struct{}{}
		}
		wish(c.toRing)
		wish(c.toMirror)
	}
}

// Run keeps the counts true until ctx is done, and returns nil then. It is
// called once.
func (c *Counts) Run(ctx context.Context) error {
	var parts sync.WaitGroup
	parts.Go(func() { c.refreshLoop(ctx) })
	parts.Go(func() { c.ageLoop(ctx) })
	if c.redis != nil {
		parts.Go(func() { c.ringLoop(ctx) })
		parts.Go(func() { c.listenLoop(ctx) })
		parts.Go(func() { c.mirrorLoop(ctx) })
		parts.Go(func() { c.standInLoop(ctx) })
	}
	parts.Wait()
	return nil
}

// show replaces the current snapshot with next, which differs from it in a
// count if changed, and says so if it became stale or is no longer. The caller
// holds mu.
func (c *Counts) show(next *Snapshot, changed bool) {
	was := c.current.Load()
	stale := !next.whole || c.now().Sub(next.asOf) > StaleAfter
	if next == was && stale == was.stale {
		return
	}
	shown := *next
	shown.stale = stale
	if changed || stale != was.stale || next.whole != was.whole {
		shown.version = was.version + 1
	}
	c.current.Store(&shown)
}

// A Stats is what can be measured of a [Counts] since its start.
type Stats struct {
	Scopes         int       // scopes in the snapshot
	Revision       int64     // the newest that the database told of
	AsOf           time.Time // as [Snapshot.AsOf]
	Stale          bool      // as [Snapshot.Stale]
	Queries        uint64    // questions to the database
	DatabaseErrors uint64    // of which failed
	RedisErrors    uint64    // calls to Redis that failed
	Bells          uint64    // bells of other processes heard
}

// Stats returns the figures of this moment.
func (c *Counts) Stats() Stats {
	c.mu.Lock()
	cursor := c.state.cursor
	c.mu.Unlock()
	s := c.Snapshot()
	return Stats{
		Scopes: s.scopes, Revision: cursor, AsOf: s.asOf, Stale: s.stale,
		Queries: c.asked.Load(), DatabaseErrors: c.database.errors.Load(),
		RedisErrors: c.bell.errors.Load() + c.copy.errors.Load(), Bells: c.bells.Load(),
	}
}

// health logs that something fails, and works again, once each.
type health struct {
	log    *slog.Logger
	who    string
	failed atomic.Bool
	errors atomic.Uint64
}

func (h *health) report(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil: // we are stopping
	case err != nil:
		h.errors.Add(1)
		if !h.failed.Swap(true) {
			h.log.WarnContext(ctx, "counts: "+h.who+" fails", "err", err)
		}
	case h.failed.Swap(false):
		h.log.InfoContext(ctx, "counts: "+h.who+" works again")
	}
}

// wish asks the loop behind ch to look, if it is not asked already.
func wish(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// pause waits for d and reports whether ctx is still not done.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
