package ask

import (
	"context"
	"errors"
	"log/slog"
	"sort"
	"sync/atomic"
	"time"
)

// Names of the facts that hold what staff decided about asks.
const (
	FactAsks   = "asks"       // AsksOff, or anything else for on
	FactPolicy = "ask_policy" // a [Policy] as JSON; "" for none
)

// AsksOff is the value of [FactAsks] that turns all asks off.
const AsksOff = "off"

// policyEvery is how often the switch and the policy are read again: see
// [livingCache] for how soon readers see it.
const policyEvery = 2 * time.Second

// Policies keeps the switch and the policy in memory. It is safe for
// concurrent use.
type Policies struct {
	fact func(ctx context.Context, name string) (string, error)
	log  *slog.Logger
	now  atomic.Pointer[policies]
}

type policies struct {
	version uint64
	off     bool
	text    string // of Policy
	Policy
	moments []int64
}

// NewPolicies returns policies read through fact. Until [Policies.Run] has
// read them, asks are on and show everywhere.
func NewPolicies(fact func(ctx context.Context, name string) (string, error), log *slog.Logger) *Policies {
	p := &Policies{fact: fact, log: log}
	p.now.Store(&policies{})
	return p
}

// Run reads the switch and the policy again and again until ctx is done. While
// they can't be read the last ones stay.
func (p *Policies) Run(ctx context.Context) {
	ticker := time.NewTicker(policyEvery)
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
func (p *Policies) Refresh(ctx context.Context) error {
	asks, err := p.fact(ctx, FactAsks)
	text, policyErr := p.fact(ctx, FactPolicy)
	if err := errors.Join(err, policyErr); err != nil {
		return err
	}
	last := p.now.Load()
	next := *last
	next.off = asks == AsksOff
	if text != last.text {
		next.Policy, next.text = Policy{}, text
		if text != "" {
			if next.Policy, err = ParsePolicy([]byte(text)); err != nil {
				next.Policy, next.text = last.Policy, last.text
			}
		}
		next.moments = next.Policy.moments()
	}
	if next.off != last.off || next.text != last.text {
		next.version++
		p.now.Store(&next)
	}
	return err
}

func (p *Policies) load() *policies { return p.now.Load() }

// passed returns how many of the policy's moments lie before now, which
// changes whenever what is shown may.
func (p *policies) passed(now int64) int {
	if len(p.moments) == 0 {
		return 0
	}
	return sort.Search(len(p.moments), func(i int) bool { return p.moments[i] > now })
}
