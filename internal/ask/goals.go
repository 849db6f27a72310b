package ask

import (
	"context"
	"log/slog"
	"maps"
	"sync/atomic"
	"time"

	"github.com/united24media/support/internal/store"
)

// goalsEvery is how often campaigns are read again. Goals move with
// settlements, which take days; a supporters' goal moves with the counts.
const goalsEvery = 15 * time.Second

// Goals keeps the campaigns in memory, so that an ask never waits for the
// database. It is safe for concurrent use.
type Goals struct {
	list func(context.Context) ([]store.Campaign, error)
	log  *slog.Logger
	now  atomic.Pointer[goals]
}

type goals struct {
	bySlug  map[string]store.Campaign
	version uint64
}

// NewGoals returns goals read through list, none at first: see [Goals.Run].
func NewGoals(list func(context.Context) ([]store.Campaign, error), log *slog.Logger) *Goals {
	g := &Goals{list: list, log: log}
	g.now.Store(&goals{})
	return g
}

// Run reads the campaigns at once and then again and again until ctx is done.
// While they can't be read the last ones stay.
func (g *Goals) Run(ctx context.Context) {
	ticker := time.NewTicker(goalsEvery)
	defer ticker.Stop()
	for {
		if err := g.Refresh(ctx); err != nil && ctx.Err() == nil {
			g.log.WarnContext(ctx, "campaigns could not be read", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Refresh reads the campaigns now.
func (g *Goals) Refresh(ctx context.Context) error {
	list, err := g.list(ctx)
	if err != nil {
		return err
	}
	next := make(map[string]store.Campaign, len(list))
	for _, c := range list {
		next[c.Slug] = c
	}
	if last := g.now.Load(); !maps.Equal(next, last.bySlug) {
		g.now.Store(&goals{next, last.version + 1})
	}
	return nil
}

func (g *Goals) load() *goals { return g.now.Load() }
