package counts

import (
	"context"
	"time"

	"github.com/united24media/support/internal/store"
)

// Times of the counts' life.
const (
	// StaleAfter is how long counts that nothing confirms are shown as current.
	StaleAfter = 15 * time.Second

	refreshEvery = 5 * time.Second        // the database is asked so often when nothing rings
	refreshGap   = 250 * time.Millisecond // between two questions at least, however much rings
	failedGap    = time.Second            // after one that was not answered
	wholeEvery   = 10 * time.Minute       // everything is asked for anew, should a database have been restored
	queryTimeout = 3 * time.Second        // for what moved
	wholeTimeout = 10 * time.Second       // for everything
	ageEvery     = time.Second            // how often the age of what is shown is looked at
)

// refreshLoop asks the database when a bell rang and when nothing did for long.
func (c *Counts) refreshLoop(ctx context.Context) {
	for {
		gap := refreshGap
		if !c.refresh(ctx) {
			gap = failedGap
		}
		if !pause(ctx, gap) {
			return
		}
		idle := time.NewTimer(refreshEvery - gap)
		select {
		case <-ctx.Done():
			idle.Stop()
			return
		case <-c.toRefresh:
		case <-idle.C:
		}
		idle.Stop()
	}
}

// ageLoop marks what is shown as stale when nothing confirms it for long. The
// loop that asks can't: it may be waiting for an answer.
func (c *Counts) ageLoop(ctx context.Context) {
	for pause(ctx, ageEvery) {
		c.mu.Lock()
		c.show(c.current.Load(), false)
		c.mu.Unlock()
	}
}

// refresh asks the database once for what moved, and reports whether it answered.
func (c *Counts) refresh(ctx context.Context) bool {
	started := c.now()
	c.mu.Lock()
	since, timeout := c.state.cursor, queryTimeout
	if since == 0 || c.state.doubt || started.Sub(c.state.wholeAt) >= wholeEvery {
		since, timeout = 0, wholeTimeout
		c.state.loading = true
	}
	c.mu.Unlock()

	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c.asked.Add(1)
	rows, err := c.source.ScopesSince(limited, since)
	c.database.report(ctx, err)
	switch {
	case err != nil:
		c.mu.Lock()
		// A database that was away may have come back as another one, which
		// lost what its predecessor had not copied to it yet.
		c.state.doubt = true
		c.state.loading, c.state.meanwhile = false, nil
		c.mu.Unlock()
	case since == 0:
		c.replace(rows, started)
	default:
		c.add(rows, started)
	}
	return err == nil
}

// add takes what moved since the last answer of the database.
func (c *Counts) add(rows []store.ScopeCount, asked time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, changed := c.current.Load().with(rows)
	c.confirm(next, changed, rows, asked)
}

// replace takes everything that the database has, in the place of everything
// that was held.
func (c *Counts) replace(rows []store.ScopeCount, asked time.Time) {
	next := c.current.Load().replaced(rows) // outside of the lock, since it takes its time
	c.mu.Lock()
	defer c.mu.Unlock()
	next, _ = next.with(c.state.meanwhile)
	if revision := newest(rows); revision < c.state.cursor {
		c.log.Warn("counts: the database went back, as if restored; its counts are taken as they are",
			"revision", revision, "was", c.state.cursor)
		c.state.rewrite, c.state.overwrite = true, true
		c.state.cursor = revision
	}
	c.state.loading, c.state.meanwhile, c.state.doubt = false, nil, false
	c.state.wholeAt = asked
	c.confirm(next, true, rows, asked)
}

// confirm shows next, which holds all that the database had when it was asked.
// The caller holds mu.
func (c *Counts) confirm(next *Snapshot, changed bool, rows []store.ScopeCount, asked time.Time) {
	if c.redis != nil {
		for _, row := range rows {
			if row.Revision > c.state.cursor {
				c.state.unsent[row.Scope] = struct{}{}
			}
		}
		wish(c.toMirror)
	}
	c.state.cursor = max(c.state.cursor, newest(rows))
	c.state.seen, c.state.answered = c.state.cursor, asked
	shown := *next
	shown.asOf = asked
	c.show(&shown, changed)
}
