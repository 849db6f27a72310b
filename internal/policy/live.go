package policy

import (
	"context"
	"errors"
	"log/slog"
	"sort"
	"sync/atomic"
	"time"

	"github.com/united24media/support/internal/offer"
)

// Kinds of documents that hold what staff decided about asks.
const (
	KindSwitch = "switch" // Off, Closed, or anything else for on
	KindAsks   = "asks"   // a [Policy] as JSON; "" for none
)

// What the document of [KindSwitch] says.
const (
	Off    = "off"    // no ask shows
	Closed = "closed" // no ask shows, and no gift is taken
	On     = "on"
)

// Every is how often the switch and the policy are read again. With what caches
// may keep of an ask it is how soon readers see a change.
const Every = 2 * time.Second

// A Live keeps the switch and the policy in force in memory. It is safe for
// concurrent use.
type Live struct {
	published func(ctx context.Context, kind string) (string, error)
	log       *slog.Logger
	now       atomic.Pointer[State]
}

// A State is what is in force at a moment.
type State struct {
	Version uint64 // another one whenever anything else differs
	Off     bool   // all asks are off
	Closed  bool   // no gift is taken
	Policy
	text    string // of Policy
	moments []int64
}

// NewLive returns what is read through published: the newest document of a
// kind, or "". Until [Live.Run] has read it, asks are on and show everywhere.
func NewLive(published func(ctx context.Context, kind string) (string, error), log *slog.Logger) *Live {
	p := &Live{published: published, log: log}
	p.now.Store(&State{})
	return p
}

// Fixed returns what never changes: p with asks on, for a preview.
func Fixed(p Policy) *Live {
	l := &Live{}
	l.now.Store(&State{Policy: p, moments: p.moments()})
	return l
}

// Run reads the switch and the policy again and again until ctx is done. While
// they can't be read the last ones stay.
func (p *Live) Run(ctx context.Context) {
	ticker := time.NewTicker(Every)
	defer ticker.Stop()
	failed := false
	for {
		err := p.Refresh(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			p.log.WarnContext(ctx, "the policy of the asks could not be read; the last one stays", "err", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Refresh reads the switch and the policy now. A policy that can't be applied
// is left, the switch is not.
func (p *Live) Refresh(ctx context.Context) error {
	asks, err := p.published(ctx, KindSwitch)
	text, policyErr := p.published(ctx, KindAsks)
	if err := errors.Join(err, policyErr); err != nil {
		return err
	}
	last := p.now.Load()
	next := *last
	next.Off, next.Closed = asks == Off || asks == Closed, asks == Closed
	if text != last.text {
		next.Policy, next.text = Policy{}, text
		if text != "" {
			if next.Policy, err = Parse([]byte(text)); err != nil {
				next.Policy, next.text = last.Policy, last.text
			}
		}
		next.moments = next.Policy.moments()
	}
	if next.Off != last.Off || next.Closed != last.Closed || next.text != last.text {
		next.Version++
		p.now.Store(&next)
	}
	return err
}

// State returns what is in force.
func (p *Live) State() *State { return p.now.Load() }

// Closed reports whether no gift is taken.
func (p *Live) Closed() bool { return p.now.Load().Closed }

// Amounts returns what is suggested in place of what ships.
func (p *Live) Amounts() offer.Suggestions { return p.now.Load().Policy.Amounts }

// Passed returns how many of the policy's moments lie before now, which
// changes whenever what is shown may.
func (p *State) Passed(now int64) int {
	if len(p.moments) == 0 {
		return 0
	}
	return sort.Search(len(p.moments), func(i int) bool { return p.moments[i] > now })
}
