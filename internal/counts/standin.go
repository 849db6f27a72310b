package counts

import (
	"context"
	"time"
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
		c.cache.report(ctx, err)
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
	case h.ok && int64(len(rows)) >= h.scopes:
		// All that the head speaks of was found, so what is not there is 0.
		shown.whole = true
		c.state.seen = max(c.state.seen, h.revision)
		shown.asOf = later(shown.asOf, h.asOf)
	case shown.asOf.IsZero() && !oldest.IsZero():
		shown.asOf = oldest.Add(h.clock)
	}
	c.show(&shown, changed)
	return shown.whole, nil
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
	shown.asOf = later(shown.asOf, h.asOf)
	c.show(&shown, false)
	return true
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
