// Package privacy tells somebody what is known of them, and removes it: of one
// who asks for it, and of all when its time is over.
package privacy

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// How long what is kept, beside what the mails and the sign-in rows keep
// themselves. docs/privacy.md says the same.
const (
	KeepCheckouts = 89 * 24 * time.Hour // attempts that were not paid; Stripe closes them after a day
	KeepDiscreet  = 30 * 24 * time.Hour // people who chose to be kept out of sight, after their last gift

	purgeEvery = time.Hour
	purgeAt    = 1000 // rows looked at with one statement
	deleteAt   = 100  // customers
)

// factPurged says up to when old attempts were looked through.
const factPurged = "checkouts_purged"

// Options are what a service works with. All are required.
type Options struct {
	Store  *store.Store
	Ledger *ledger.Ledger
	Stripe *stripeapi.Client
	Secret []byte // of the hash by which the audit log names an address
	Now    func() time.Time
	Log    *slog.Logger
}

// A Service tells people what is known of them, and removes it. It is safe for
// concurrent use.
type Service struct {
	Options
	erased chan struct{} // somebody was, so that there may be customers to delete
}

// New returns a service.
func New(o Options) *Service { return &Service{o, make(chan struct{}, 1)} }

// DeleteCustomers deletes at Stripe the customers of people who were erased and
// have no membership that runs. What fails is tried again the next time; the
// errors are joined.
func (s *Service) DeleteCustomers(ctx context.Context) (deleted int, err error) {
	var failed []error
	for after := ""; ; {
		customers, err := s.Store.ErasedCustomers(ctx, after, deleteAt)
		if err != nil {
			return deleted, err
		}
		for _, customer := range customers {
			at, reason := s.Now(), ""
			if err := s.Stripe.DeleteCustomer(ctx, customer); err != nil {
				failed = append(failed, err)
				at, reason = time.Time{}, err.Error()
			} else {
				deleted++
			}
			if err := s.Store.CustomerDeleted(ctx, customer, at, reason); err != nil {
				return deleted, err
			}
			after = customer
		}
		if len(customers) < deleteAt {
			return deleted, errors.Join(failed...)
		}
	}
}

// Run removes what is over once an hour, and when somebody was erased, until
// ctx ends. Replicas may do so at once: what one has removed is gone for the
// other.
func (s *Service) Run(ctx context.Context) error {
	next := time.NewTicker(purgeEvery)
	defer next.Stop()
	for {
		if err := s.Purge(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "privacy: what is over is not all removed", "err", err)
		}
		if err := s.EraseDiscreet(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "privacy: somebody who is to be kept out of sight is still known", "err", err)
		}
		if _, err := s.DeleteCustomers(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "privacy: customers of erased people are still at Stripe", "err", err)
		}
		select {
		case <-next.C:
		case <-s.erased:
		case <-ctx.Done():
			return nil
		}
	}
}

// Purge removes attempts to give that were not paid and are older than
// [KeepCheckouts], and what staff searched for longer ago than
// [store.SearchLife].
func (s *Service) Purge(ctx context.Context) error {
	if err := s.Store.DropSearches(ctx, s.Now().Add(-store.SearchLife)); err != nil {
		return err
	}
	said, err := s.Store.Fact(ctx, factPurged)
	if err != nil {
		return err
	}
	micros, _ := strconv.ParseInt(said, 10, 64) // "" is the beginning
	from, to := store.Time(micros), s.Now().Add(-KeepCheckouts)
	for from.Before(to) {
		until, _, err := s.Store.DropCheckouts(ctx, from, to, purgeAt)
		if err != nil {
			return err
		}
		if err := s.Store.PutFact(ctx, factPurged, strconv.FormatInt(store.Micros(until), 10)); err != nil {
			return err
		}
		from = until
	}
	return nil
}
