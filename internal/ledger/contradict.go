package ledger

import (
	"context"

	"github.com/united24media/support/internal/store"
)

// Contradictions returns how often something was recorded of an object, since
// the start, that can't be true beside what is known of it: of an event once,
// however often it comes or is applied, and of an answer of the API each time.
func (l *Ledger) Contradictions() uint64 { return l.contradictions.Load() }

// dropTold drops the contradictions of events that are in the registers
// already: they were told when those came first.
func dropTold(ctx context.Context, tx *store.Tx, batch []*request) error {
	var ids []string
	for _, r := range batch {
		if r.event != nil && len(r.denied) > 0 {
			ids = append(ids, r.event.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	known, err := tx.EventsByID(ctx, ids)
	if err != nil {
		return err
	}
	told := map[string]bool{}
	for _, e := range known {
		told[e.ID] = e.State != store.Parked
	}
	for _, r := range batch {
		if r.event == nil || len(r.denied) == 0 {
			continue
		}
		if told[r.event.ID] {
			r.denied = nil
		}
		told[r.event.ID] = true
	}
	return nil
}

// tellContradictions tells what a batch that is committed contradicts.
func (l *Ledger) tellContradictions(batch []*request) {
	if l.held != nil { // all of it was told when it came
		return
	}
	for _, r := range batch {
		for _, ref := range r.denied {
			l.contradictions.Add(1)
			l.Log.Error("Stripe contradicts itself; the greater is kept", "ref", string(ref))
		}
	}
}
