package counts

import (
	"context"
	"time"
)

// Times of the counts' life.
const (
	// StaleAfter is how long counts that nothing confirms are still shown as current.
	StaleAfter = 15 * time.Second

	refreshEvery = 5 * time.Second // how often the database is asked when nothing rings
	queryTimeout = 3 * time.Second // for one answer of the database
)

// follow asks the database again and again.
func (c *Counts) follow(ctx context.Context) error {
	every := time.NewTicker(refreshEvery)
	defer every.Stop()
	for {
		c.refresh(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// refresh asks the database once.
func (c *Counts) refresh(ctx context.Context) {
	started := c.now()
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	rows, err := c.source.ScopesSince(ctx, 0)
	if err != nil {
		c.log.Warn("counts: the database does not answer", "err", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next, _ := c.current.Load().with(rows)
	next = next.clone()
	next.version++
	next.whole, next.stale, next.asOf = true, false, started
	c.current.Store(next)
}
