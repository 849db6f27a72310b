package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// sweepLock is the key of the advisory lock that whoever sweeps holds: "sweep"
// in ASCII.
const sweepLock = 0x7377656570

// TrySweep takes the one place from which Stripe's lists are swept, on all
// replicas. ok is false while somebody else has it. It is given back by
// release, and when the process ends, however it ends.
func (s *Store) TrySweep(ctx context.Context) (release func(), ok bool, err error) {
	if !s.postgres {
		release, err = lockFile(s.file+".sweep", unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, false, nil
		}
		return release, err == nil, err
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("take the sweep's place: %w", err)
	}
	err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1)`, int64(sweepLock)).Scan(&ok)
	if err != nil || !ok {
		conn.Close() //nolint:errcheck // nothing was done with it
		if err != nil {
			err = fmt.Errorf("take the sweep's place: %w", err)
		}
		return nil, false, err
	}
	return func() {
		// A connection that fails here is closed, which gives the lock back too.
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(sweepLock))
		conn.Close() //nolint:errcheck // as above
	}, true, nil
}

// An EventsAbout is what was delivered about one object.
type EventsAbout struct {
	Count  int64
	Newest time.Time // by Stripe's clock
}

// EventsAbout returns what was delivered about each of several objects; those
// without any are left out.
func (t *Tx) EventsAbout(ctx context.Context, refs []string) (map[string]EventsAbout, error) {
	about := map[string]EventsAbout{}
	err := t.query(ctx, `SELECT ref, COUNT(*), MAX(created_at) FROM events WHERE `+t.any("ref", 1)+` GROUP BY ref`,
		[]any{t.list(refs)}, func(r row) error {
			var ref string
			var e EventsAbout
			var newest int64
			err := r.Scan(&ref, &e.Count, &newest)
			e.Newest = Time(newest)
			about[ref] = e
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read events by object: %w", err)
	}
	return about, nil
}

// KnownEvents returns which of the events with these ids are stored.
func (t *Tx) KnownEvents(ctx context.Context, ids []string) (map[string]bool, error) {
	known := map[string]bool{}
	err := t.query(ctx, `SELECT id FROM events WHERE `+t.any("id", 1), []any{t.list(ids)}, func(r row) error {
		var id string
		err := r.Scan(&id)
		known[id] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read ids of events: %w", err)
	}
	return known, nil
}
