package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// Limits of reading back what was stored.
const (
	replayBatch = 1000             // events or snapshots applied at once, and rows compared at once
	overlap     = 10 * time.Minute // clocks and commits of replicas differ by less
)

// Rebuild makes every derived table again from the stored events, answers and
// facts, beside the live tables, and then puts them in their place. The service
// may run meanwhile, and records throughout but for the moment of the exchange.
// It returns the hash of the derived state at one instant, as it was and as it
// was made anew: they are equal if nothing was wrong, whatever came meanwhile.
// Progress is told with the number of things read so far.
func (l *Ledger) Rebuild(ctx context.Context, progress func(done int)) (before, after string, err error) {
	defer collectLess()()
	scratch, err := l.Store.Scratch(ctx)
	if err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, l.Store.DropScratch(context.WithoutCancel(ctx))) }()
	defer closing(&err, scratch)
	again := l.on(scratch, l.Now)
	started := l.Now()
	var lastMoved time.Time
	err = l.Store.Look(ctx, func(tx *store.Tx) error {
		if lastMoved, err = tx.LastMoved(ctx); err != nil {
			return err
		}
		if before, err = hash(ctx, tx); err != nil {
			return err
		}
		return again.replay(ctx, tx, time.Time{}, progress)
	})
	if err != nil {
		return "", "", err
	}
	if err := scratch.AddUp(ctx); err != nil {
		return "", "", err
	}
	var group errgroup.Group
	group.Go(func() error { return scratch.Finish(ctx) })
	group.Go(func() (err error) { after, err = l.Hash(ctx, scratch); return err })
	if err := group.Wait(); err != nil {
		return "", "", err
	}
	every := store.EveryDay()
	days := every
	if before == after { // then only what came meanwhile can be counted otherwise
		days = store.Days{}
	}
	again.held.days = &days
	moved, err := l.Store.Adopt(ctx, scratch, func(tx *store.Tx) error {
		return again.replay(ctx, tx, started.Add(-overlap), func(int) {})
	}, func(tx *store.Tx) error {
		err := tx.JournalAfter(ctx, lastMoved, every.First, every.Last, func(row store.JournalRow) error {
			days.Add(row.FirstDay, row.LastDay)
			return nil
		})
		if err != nil {
			return err
		}
		return l.journalRebuilt(ctx, tx, days)
	})
	if err != nil {
		return "", "", err
	}
	l.Moved(moved)
	if err := l.Store.PutFact(ctx, FactTimezone, l.Timezone.String()); err != nil {
		return "", "", err
	}
	return before, after, nil
}

// roomy is how much memory a rebuild may fill with garbage before it collects
// it, in bytes. It holds about half of that, however much it reads.
const roomy = 192 << 20

// collectLess has the process collect garbage when it needs roomy memory, not
// whenever that has doubled, until the function it returns is called.
func collectLess() (restore func()) {
	limit := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(limit, roomy))
	percent := debug.SetGCPercent(400)
	return func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }
}

// FactTimezone names the fact that says in which time zone the sums' days are.
const FactTimezone = "timezone"

func closing(err *error, c io.Closer) { *err = errors.Join(*err, c.Close()) }

// on returns a ledger with the same rules on a scratch database.
func (l *Ledger) on(scratch *store.Store, now func() time.Time) *Ledger {
	o := l.Options
	o.Store, o.Now, o.Moved = scratch, now, nil
	again := New(o)
	again.chunk = l.chunk
	again.held = &held{
		cells: giving.Cells{}, movements: map[giving.MovementCell]giving.Moved{}, scopes: map[string]store.ScopeCount{},
	}
	return again
}

// replay applies everything that was stored in another database since an
// instant; the zero time is the beginning. The next chunk is read while the
// last is applied.
func (l *Ledger) replay(ctx context.Context, from *store.Tx, since time.Time, progress func(int)) error {
	chunks := make(chan []fact, 1)
	var group errgroup.Group
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group.Go(func() error {
		defer close(chunks)
		return readStored(ctx, from, since, l.chunk, chunks)
	})
	done := 0
	var failed error
	for facts := range chunks {
		if failed = l.record([]*request{{facts: facts}}); failed != nil {
			cancel()
			break
		}
		done += len(facts)
		progress(done)
	}
	err := group.Wait()
	if failed != nil {
		return failed
	}
	return errors.Join(err, l.flush(ctx))
}

// readStored sends what the stored events and snapshots said, chunk by chunk.
func readStored(ctx context.Context, from *store.Tx, since time.Time, size int, chunks chan<- []fact) error {
	send := func(n int, said func(i int, room *[]byte) ([]objects.Said, error)) error {
		facts := make([]fact, n)
		err := parallel(n, func(i int, room *[]byte) (err error) {
			facts[i].said, err = said(i, room)
			return err
		})
		if err != nil {
			return err
		}
		select {
		case chunks <- facts:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for id := ""; ; {
		events, err := from.EventsAfter(ctx, since, id, size)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			break
		}
		if err := send(len(events), func(i int, room *[]byte) ([]objects.Said, error) { return saidByEvent(events[i], room) }); err != nil {
			return err
		}
		id = events[len(events)-1].ID
	}
	for id := ""; ; {
		snapshots, err := from.SnapshotsAfter(ctx, since, id, size)
		if err != nil || len(snapshots) == 0 {
			return err
		}
		if err := send(len(snapshots), func(i int, room *[]byte) ([]objects.Said, error) { return saidBySnapshot(snapshots[i], room) }); err != nil {
			return err
		}
		id = snapshots[len(snapshots)-1].ID
	}
}

// saidByEvent reads an event. It unpacks it in room, which it makes larger if
// need be; nothing of it is left there.
func saidByEvent(stored store.Event, room *[]byte) ([]objects.Said, error) {
	body, err := unpack(room, stored.Body)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", stored.ID, err)
	}
	said, err := objects.DecodeStored(body, objects.Ref(stored.Ref), objects.Source{At: store.Seconds(stored.Created), Event: stored.Type})
	if err != nil {
		return nil, fmt.Errorf("event %s, which was applied: %w", stored.ID, err)
	}
	return said, nil
}

func saidBySnapshot(stored store.Snapshot, room *[]byte) ([]objects.Said, error) {
	body, err := unpack(room, stored.Body)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", stored.ID, err)
	}
	return objects.Decode(body, objects.Source{At: stored.AsOf.Unix()})
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
