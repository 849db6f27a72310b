package store

import (
	"context"
	"fmt"
	"time"
)

// States of a stored event.
const (
	Applied = "applied" // it is in the registers
	Foreign = "foreign" // so it is, but nothing of ours hangs on it
	Ignored = "ignored" // nothing of it is kept beside its bytes
	Parked  = "parked"  // it could not be understood; staff see it
)

// An Event is a delivery as it is stored.
type Event struct {
	ID         string
	Type       string
	Ref        string // the object it is about
	APIVersion string
	Livemode   bool
	Created    time.Time
	Received   time.Time
	State      string
	Error      string // why it is parked or ignored
	Body       []byte // compressed
}

var eventRows = bulk{
	"events",
	[]column{
		{"id", "TEXT"}, {"type", "TEXT"}, {"ref", "TEXT"}, {"api_version", "TEXT"}, {"livemode", "BOOLEAN"},
		{"created_at", "BIGINT"}, {"received_at", "BIGINT"}, {"deliveries", "BIGINT"}, {"state", "TEXT"}, {"error", "TEXT"},
		{"body", "BYTEA"},
	},
	// A repeat must write too: only a write makes its answer wait for the
	// standby, as the first delivery's did.
	`ON CONFLICT (id) DO UPDATE SET deliveries = events.deliveries + excluded.deliveries`,
}

// PutEvents stores events; of one that is there already it counts the
// deliveries. times says how often each came in this batch.
func (t *Tx) PutEvents(ctx context.Context, events []Event, times []int64) error {
	r := eventRows.rows(len(events))
	for i, e := range events {
		r.add(e.ID, e.Type, e.Ref, e.APIVersion, e.Livemode, Micros(e.Created), Micros(e.Received), times[i],
			e.State, e.Error, e.Body)
	}
	return t.write(ctx, r, nil)
}

// Judge sets the state of a stored event that was applied again.
func (t *Tx) Judge(ctx context.Context, id, state, reason string) error {
	return t.later(ctx, `UPDATE events SET state = $2, error = $3 WHERE id = $1`, []any{id, state, reason}, nil)
}

const eventColumns = `id, type, ref, api_version, livemode, created_at, received_at, state, error, body`

// EventsByID returns stored events.
func (t *Tx) EventsByID(ctx context.Context, ids []string) ([]Event, error) {
	return t.events(ctx, t.any("id", 1), t.list(ids))
}

// EventsAfter returns up to limit events that are in the registers, received
// since an instant, in the order of their ids, from the one after an id.
func (t *Tx) EventsAfter(ctx context.Context, since time.Time, id string, limit int) ([]Event, error) {
	if since.IsZero() {
		if err := t.inOrder(ctx); err != nil {
			return nil, err
		}
		return t.events(ctx, `id > $1 AND state IN ('applied', 'foreign') ORDER BY id LIMIT $2`, id, limit)
	}
	return t.events(ctx, `received_at >= $1 AND id > $2 AND state IN ('applied', 'foreign') ORDER BY id LIMIT $3`,
		Micros(since), id, limit)
}

// ParkedEvents returns up to limit parked events, oldest first.
func (t *Tx) ParkedEvents(ctx context.Context, limit int) ([]Event, error) {
	return t.events(ctx, `state = 'parked' ORDER BY received_at, id LIMIT $1`, limit)
}

func (t *Tx) events(ctx context.Context, where string, args ...any) ([]Event, error) {
	var found []Event
	err := t.query(ctx, `SELECT `+eventColumns+` FROM events WHERE `+where, args, func(r row) error {
		var e Event
		var created, received int64
		err := r.Scan(&e.ID, &e.Type, &e.Ref, &e.APIVersion, &e.Livemode, &created, &received, &e.State, &e.Error, &e.Body)
		e.Created, e.Received = Time(created), Time(received)
		found = append(found, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return found, nil
}

// A Snapshot is an object in an answer of Stripe's API, or a fact of our own.
type Snapshot struct {
	ID       string // a hash of the rest
	Ref      string
	AsOf     time.Time // by Stripe's clock
	Received time.Time // by ours, the first time
	Body     []byte    // compressed
}

var snapshotRows = bulk{
	"snapshots",
	[]column{{"id", "TEXT"}, {"ref", "TEXT"}, {"as_of", "BIGINT"}, {"received_at", "BIGINT"}, {"body", "BYTEA"}},
	`ON CONFLICT (id) DO NOTHING`,
}

// PutSnapshots stores snapshots; one that is there already stays.
func (t *Tx) PutSnapshots(ctx context.Context, snapshots []Snapshot) error {
	r := snapshotRows.rows(len(snapshots))
	for _, s := range snapshots {
		r.add(s.ID, s.Ref, Micros(s.AsOf), Micros(s.Received), s.Body)
	}
	return t.write(ctx, r, nil)
}

// SnapshotsAfter returns up to limit snapshots received since an instant, in
// the order of their ids, from the one after an id.
func (t *Tx) SnapshotsAfter(ctx context.Context, since time.Time, id string, limit int) ([]Snapshot, error) {
	var found []Snapshot
	err := t.query(ctx, `
		SELECT id, ref, as_of, received_at, body FROM snapshots WHERE received_at >= $1 AND id > $2 ORDER BY id LIMIT $3`,
		[]any{Micros(since), id, limit}, func(r row) error {
			var s Snapshot
			var asOf, received int64
			err := r.Scan(&s.ID, &s.Ref, &asOf, &received, &s.Body)
			s.AsOf, s.Received = Time(asOf), Time(received)
			found = append(found, s)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	return found, nil
}
