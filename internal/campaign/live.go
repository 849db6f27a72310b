package campaign

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/united24media/support/internal/store"
)

// every is how often campaigns are read again: what staff publish is seen as
// soon as their policy is.
const every = 2 * time.Second

// Live keeps the campaigns that run now in memory, so that no reader waits for
// the database. It is safe for concurrent use.
type Live struct {
	list  func(context.Context) ([]store.Campaign, error)
	log   *slog.Logger
	clock func() time.Time
	now   atomic.Pointer[running]
}

type running struct {
	bySlug  map[string]*Campaign
	rows    map[string]store.Campaign // that bySlug was made of
	version uint64
}

// NewLive returns what is read through list, nothing at first: see [Live.Run].
// now is the clock.
func NewLive(list func(context.Context) ([]store.Campaign, error), now func() time.Time, log *slog.Logger) *Live {
	g := &Live{list: list, clock: now, log: log}
	g.now.Store(&running{})
	return g
}

// Fixed returns campaigns that never change: c alone, for a preview.
func Fixed(c *Campaign) *Live {
	g := &Live{}
	g.now.Store(&running{bySlug: map[string]*Campaign{c.Slug: c}})
	return g
}

// Run reads the campaigns at once and then again and again until ctx is done.
// While they can't be read the last ones stay.
func (g *Live) Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	failed := false
	for {
		err := g.Refresh(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			g.log.WarnContext(ctx, "campaigns could not be read; the last ones stay", "err", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Refresh reads the campaigns now.
func (g *Live) Refresh(ctx context.Context) error {
	list, err := g.list(ctx)
	if err != nil {
		return err
	}
	last := g.now.Load()
	next := running{bySlug: map[string]*Campaign{}, rows: map[string]store.Campaign{}}
	var failed []error
	for _, row := range list {
		if known := last.bySlug[row.Slug]; known != nil && last.rows[row.Slug] == row && known.Runs(g.clock()) {
			next.bySlug[row.Slug], next.rows[row.Slug] = known, row
			continue
		}
		c, err := Of(row)
		if err != nil {
			failed = append(failed, fmt.Errorf("campaign %s: %w", row.Slug, err))
			continue
		}
		if c.Runs(g.clock()) {
			next.bySlug[c.Slug], next.rows[c.Slug] = &c, row
		}
	}
	if !maps.Equal(next.rows, last.rows) {
		next.version = last.version + 1
		g.now.Store(&next)
	}
	return errors.Join(failed...)
}

// Running returns the campaign of a slug if it runs now, else nil. Who changes
// what it returns changes it for all.
func (g *Live) Running(slug string) *Campaign { return g.now.Load().bySlug[slug] }

// Version is another one whenever any campaign that runs is.
func (g *Live) Version() uint64 { return g.now.Load().version }
