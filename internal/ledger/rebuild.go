package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// Limits of reading back what was stored.
const (
	replayBatch = 1000             // events or snapshots in one transaction
	overlap     = 10 * time.Minute // clocks and commits of replicas differ by less
)

// Rebuild makes every derived table again from the stored events, answers and
// facts, beside the live tables, and then puts them in their place. The service
// may run meanwhile, and records throughout but for the moment of the exchange.
// It returns the hash of the derived state before and after, and the counts as
// they are then. Progress is told with the number of things read so far.
func (l *Ledger) Rebuild(ctx context.Context, progress func(done int)) (before, after string, err error) {
	if before, err = l.Hash(ctx, l.Store); err != nil {
		return "", "", err
	}
	scratch, err := l.Store.Scratch(ctx)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, l.Store.DropScratch(context.WithoutCancel(ctx))) }()
	defer closing(&err, scratch)
	again := l.on(scratch, l.Now)
	started := l.Now()
	if err := again.replayAll(ctx, l.Store, time.Time{}, progress); err != nil {
		return "", "", err
	}
	moved, err := l.Store.Adopt(ctx, scratch, func(tx *store.Tx) error {
		return again.replay(ctx, tx, started.Add(-overlap), func(int) {})
	})
	if err != nil {
		return "", "", err
	}
	l.Moved(moved)
	if err := l.Store.PutFact(ctx, FactTimezone, l.Timezone.String()); err != nil {
		return "", "", err
	}
	after, err = l.Hash(ctx, l.Store)
	return before, after, err
}

// FactTimezone names the fact that says in which time zone the sums' days are.
const FactTimezone = "timezone"

func closing(err *error, c io.Closer) { *err = errors.Join(*err, c.Close()) }

// on returns a ledger with the same rules on a scratch database.
func (l *Ledger) on(scratch *store.Store, now func() time.Time) *Ledger {
	o := l.Options
	o.Store, o.Now, o.Moved = scratch, now, nil
	again := New(o)
	again.recompute = true
	return again
}

// replayAll applies everything that was stored in another database since an
// instant; the zero time is the beginning.
func (l *Ledger) replayAll(ctx context.Context, from *store.Store, since time.Time, progress func(int)) error {
	return from.Look(ctx, func(tx *store.Tx) error { return l.replay(ctx, tx, since, progress) })
}

func (l *Ledger) replay(ctx context.Context, from *store.Tx, since time.Time, progress func(int)) error {
	done := 0
	for id := ""; ; {
		events, err := from.EventsAfter(ctx, since, id, replayBatch)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		if err := l.replayEvents(events); err != nil {
			return err
		}
		id, done = events[len(events)-1].ID, done+len(events)
		progress(done)
	}
	for id := ""; ; {
		snapshots, err := from.SnapshotsAfter(ctx, since, id, replayBatch)
		if err != nil || len(snapshots) == 0 {
			return err
		}
		if err := l.replaySnapshots(snapshots); err != nil {
			return err
		}
		id, done = snapshots[len(snapshots)-1].ID, done+len(snapshots)
		progress(done)
	}
}

func (l *Ledger) replayEvents(events []store.Event) error {
	r := &request{facts: make([]fact, len(events))}
	err := parallel(len(events), func(i int) error {
		body, err := Unpack(events[i].Body)
		if err != nil {
			return fmt.Errorf("event %s: %w", events[i].ID, err)
		}
		r.facts[i].said = l.read(body).said
		return nil
	})
	if err != nil {
		return err
	}
	return l.record([]*request{r})
}

func (l *Ledger) replaySnapshots(snapshots []store.Snapshot) error {
	r := &request{facts: make([]fact, len(snapshots))}
	err := parallel(len(snapshots), func(i int) error {
		body, err := Unpack(snapshots[i].Body)
		if err != nil {
			return fmt.Errorf("snapshot %s: %w", snapshots[i].ID, err)
		}
		r.facts[i].said, err = objects.Decode(body, objects.Source{At: snapshots[i].AsOf.Unix()})
		return err
	})
	if err != nil {
		return err
	}
	return l.record([]*request{r})
}

// Replay applies stored events again, whatever their state, and returns how
// many there were of the given ids.
func (l *Ledger) Replay(ctx context.Context, ids ...string) (int, error) {
	var events []store.Event
	err := l.Store.Look(ctx, func(tx *store.Tx) (err error) {
		events, err = tx.EventsByID(ctx, ids)
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(events), l.replayStored(events)
}

// ReplayParked applies every parked event again and returns how many there
// were and how many are parked still.
func (l *Ledger) ReplayParked(ctx context.Context) (tried, left int, err error) {
	parked := func() (events []store.Event, err error) {
		err = l.Store.Look(ctx, func(tx *store.Tx) error {
			events, err = tx.ParkedEvents(ctx, maxParked)
			return err
		})
		return events, err
	}
	events, err := parked()
	if err != nil {
		return 0, 0, err
	}
	if err := l.replayStored(events); err != nil {
		return len(events), len(events), err
	}
	still, err := parked()
	return len(events), len(still), err
}

// maxParked is the most parked events that are tried at once.
const maxParked = 10_000

// replayStored applies events one by one: one that fails is parked again.
func (l *Ledger) replayStored(events []store.Event) error {
	for _, e := range events {
		body, err := Unpack(e.Body)
		if err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
		d := l.read(body)
		r := &request{event: d, facts: []fact{{said: d.said}}, again: true}
		err = l.record([]*request{r})
		if blames(err) {
			err = l.park(r, err)
		}
		if err != nil {
			return fmt.Errorf("replay event %s: %w", e.ID, err)
		}
	}
	return nil
}
