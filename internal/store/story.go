package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/giving"
)

// maxStory is how many rows of one kind the story of a gift has at the most.
const maxStory = 1000

// A Delivered is an event as it came.
type Delivered struct {
	ID         string
	Type       string
	Ref        string
	Created    time.Time // by Stripe's clock
	Received   time.Time // by ours, the first time
	Deliveries int64
	State      string
	Error      string // why it is parked or ignored
}

// EventsAbout returns the events about several objects, oldest first.
func (s *Store) EventsAbout(ctx context.Context, refs []string) ([]Delivered, error) {
	var found []Delivered
	err := s.Look(ctx, func(tx *Tx) error {
		return tx.query(ctx, `
			SELECT id, type, ref, created_at, received_at, deliveries, state, error FROM events
			WHERE `+tx.any("ref", 1)+` ORDER BY created_at, received_at, id LIMIT $2`, []any{tx.list(refs), maxStory}, func(r row) error {
			var d Delivered
			var created, received int64
			err := r.Scan(&d.ID, &d.Type, &d.Ref, &created, &received, &d.Deliveries, &d.State, &d.Error)
			d.Created, d.Received = Time(created), Time(received)
			found = append(found, d)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return found, nil
}

// SnapshotsAbout returns what was answered or said about several objects,
// oldest first.
func (s *Store) SnapshotsAbout(ctx context.Context, refs []string) ([]Snapshot, error) {
	var found []Snapshot
	err := s.Look(ctx, func(tx *Tx) error {
		return tx.query(ctx, `
			SELECT id, ref, as_of, received_at, body FROM snapshots
			WHERE `+tx.any("ref", 1)+` ORDER BY as_of, received_at, id LIMIT $2`, []any{tx.list(refs), maxStory}, func(r row) error {
			var s Snapshot
			var asOf, received int64
			err := r.Scan(&s.ID, &s.Ref, &asOf, &received, &s.Body)
			s.AsOf, s.Received = Time(asOf), Time(received)
			found = append(found, s)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read snapshots: %w", err)
	}
	return found, nil
}

// CheckoutByID returns a checkout; ok is false if there is none.
func (s *Store) CheckoutByID(ctx context.Context, id string) (c Checkout, ok bool, err error) {
	return s.checkout(ctx, `SELECT `+checkoutColumns+` FROM checkouts WHERE id = $1`, id)
}

// maxGiven is how many gifts of one supporter are read at the most: more than
// anybody gives.
const maxGiven = 10_000

// ErrTooMany says that a supporter gave more often than can be shown.
var ErrTooMany = errors.New("more gifts than can be read at once")

// GivenBy returns all gifts and memberships of a supporter, newest first.
func (s *Store) GivenBy(ctx context.Context, supporter string) (gifts []*giving.Donation, memberships []*giving.Membership, err error) {
	err = s.Look(ctx, func(tx *Tx) (err error) {
		gifts, err = tx.donations(ctx, `supporter = $1 ORDER BY created_at DESC, key DESC LIMIT $2`, supporter, maxGiven+1)
		if err == nil && len(gifts) > maxGiven {
			return ErrTooMany
		}
		if err == nil {
			memberships, err = tx.memberships(ctx, `supporter = $1 ORDER BY created_at DESC, subscription DESC`, supporter)
		}
		return err
	})
	return gifts, memberships, err
}
