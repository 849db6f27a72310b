package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/store"
)

// decided is what staff decided and published, in memory, and the counts that
// goals are measured with.
type decided struct {
	policies  *policy.Live
	campaigns *campaign.Live
	counts    *counts.Counts
}

func newDecided(db *store.Store, count *counts.Counts, log *slog.Logger) decided {
	return decided{
		policies:  policy.NewLive(db.Published, log),
		campaigns: campaign.NewLive(db.Campaigns, time.Now, log),
		counts:    count,
	}
}

// parts returns what keeps it up to date.
func (d decided) parts() []func(context.Context) error {
	return []func(context.Context) error{
		func(ctx context.Context) error { d.policies.Run(ctx); return nil },
		func(ctx context.Context) error { d.campaigns.Run(ctx); return nil },
	}
}

// supporters returns how many people support a scope; known is false where
// nobody knows.
func (d decided) supporters(scope string) (n int64, known bool) {
	c := d.counts.Snapshot().Count(scope)
	return c.Supporters, c.Known
}
