package ledger

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// Limits of an import.
const (
	importBatch = 2000            // facts held in memory at once
	importTime  = 5 * time.Minute // for one transaction; below overlap, by which a rebuild finds what was committed late
)

// Import records facts, all of them or none, however many there are: in one
// transaction, some at a time. Those that say nothing new are passed over; news
// is how many did. An error among the facts ends it, and nothing is recorded.
// Deliveries wait for their turn meanwhile.
func (l *Ledger) Import(ctx context.Context, facts iter.Seq2[Answer, error]) (news int, err error) {
	ctx, cancel := context.WithTimeout(ctx, importTime)
	defer cancel()
	moved := map[string]store.ScopeCount{}
	err = l.Store.Ledger(ctx, func(tx *store.Tx) error {
		return inBatches(facts, func(batch []fact) error {
			fresh, err := l.newOf(ctx, tx, batch)
			if err != nil || len(fresh) == 0 {
				return err
			}
			news += len(fresh)
			counts, err := l.apply(ctx, tx, []*request{{facts: fresh}})
			for _, c := range counts {
				moved[c.Scope] = c
			}
			return err
		})
	})
	if err != nil {
		return 0, fmt.Errorf("import: %w", err)
	}
	if len(moved) > 0 {
		l.Moved(slices.Collect(maps.Values(moved)))
	}
	return news, nil
}

// inBatches reads answers and hands them on, importBatch at a time.
func inBatches(answers iter.Seq2[Answer, error], f func([]fact) error) error {
	var batch []fact
	for a, err := range answers {
		if err != nil {
			return err
		}
		said, err := objects.Decode(a.Object, objects.Source{At: a.At.Unix()})
		if err != nil {
			return err
		}
		if batch = append(batch, fact{said, snapshotOf(said, a)}); len(batch) == importBatch {
			if err := f(batch); err != nil {
				return err
			}
			batch = nil
		}
	}
	return f(batch)
}

// newOf returns those of several facts that say more than is known.
func (l *Ledger) newOf(ctx context.Context, tx *store.Tx, facts []fact) ([]fact, error) {
	g := graph{Graph: objects.NewGraph(), tx: tx, stored: map[objects.Ref]string{}}
	if _, err := g.join(ctx, []*request{{facts: facts}}); err != nil {
		return nil, err
	}
	var fresh []fact
	for _, i := range about(facts, g.fresh()) {
		fresh = append(fresh, facts[i])
	}
	return fresh, nil
}
