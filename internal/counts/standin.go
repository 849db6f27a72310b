package counts

import (
	"context"
	"time"

	"github.com/united24media/support/internal/store"
)

const (
	silence      = 2 * refreshEvery // of the database, after which Redis is asked
	standInEvery = 5 * time.Second  // how often then, once all is known
	standInGap   = time.Second      // and until it is
)

// standInLoop asks Redis while the database doesn't answer. It is a loop of
// its own, since the one that asks the database may be waiting.
func (c *Counts) standInLoop(ctx context.Context) {
	for pause(ctx, standInGap) {
		c.mu.Lock()
		silent := c.silent()
		c.mu.Unlock()
		if !silent {
			continue
		}
		whole, err := c.standIn(ctx)
		c.copy.report(ctx, err)
		if whole && !pause(ctx, standInEvery-standInGap) {
			return
		}
	}
}

// silent reports whether the database has not answered for long. The caller
// holds mu.
func (c *Counts) silent() bool { return c.now().Sub(c.state.answered) > silence }

// standIn takes from Redis what it has, and reports whether all is known.
//
// A process that still reaches the database keeps the head young, and so
// confirms what Redis holds. Without one, numbers stay what they were, and age.
func (c *Counts) standIn(ctx context.Context) (whole bool, err error) {
	whole = c.Snapshot().whole
	h, err := c.head(ctx)
	if err != nil {
		return whole, err
	}
	if whole && (!h.ok || c.holds(h)) {
		return true, nil
	}
	rows, oldest, err := c.scopes(ctx)
	if err != nil {
		return whole, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.silent() {
		return whole, nil // the database knows better
	}
	c.state.doubt = true
	next, changed := c.current.Load().with(rows)
	shown := *next
	switch {
	case h.ok && h.found(rows, c.current.Load()) >= h.scopes:
		// All that the head speaks of was found, so what is not there is 0.
		if !shown.whole { // the time of a part says nothing of the rest
			shown.whole, shown.asOf = true, time.Time{}
		}
		c.state.seen = max(c.state.seen, h.revision)
		shown.asOf = later(shown.asOf, h.local(h.asOf))
	case shown.asOf.IsZero() && len(rows) > 0:
		shown.asOf = h.local(oldest)
	}
	c.show(&shown, changed)
	return shown.whole, nil
}

// found returns how many of the scopes that h speaks of are certainly among
// rows. One that moved since may be new since, unless held knows it from before.
func (h head) found(rows []store.ScopeCount, held *Snapshot) int64 {
	var n int64
	for _, row := range rows {
		if row.Revision <= h.revision {
			n++
		} else if e := held.find(row.Scope); e != nil && e.revision <= h.revision {
			n++
		}
	}
	return n
}

// holds reports whether all that Redis's head speaks of is shown already, which
// the head then confirms.
func (c *Counts) holds(h head) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.revision > c.state.seen {
		return false
	}
	shown := *c.current.Load()
	shown.asOf = later(shown.asOf, h.local(h.asOf))
	c.show(&shown, false)
	return true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
