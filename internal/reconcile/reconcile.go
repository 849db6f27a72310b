// Package reconcile asks Stripe what deliveries did not say. A worker answers
// what the ledger wishes to know, as it happens; sweeps compare all that is
// stored with Stripe's own lists. Both write through the ledger alone.
package reconcile

import (
	"context"
	"log/slog"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// Options are what a service works with. All but Log are required.
type Options struct {
	Store    *store.Store
	Ledger   *ledger.Ledger
	Stripe   *stripeapi.Client
	Now      func() time.Time
	Timezone *time.Location // of the nightly sweep
	Log      *slog.Logger
}

// A Service keeps the ledger level with Stripe. It is safe for concurrent use.
type Service struct{ Options }

// New returns a service. It asks nothing before its methods are called.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{o}
}

// answersOf returns a page as the ledger takes it.
func answersOf(page stripeapi.Page) []ledger.Answer {
	answers := make([]ledger.Answer, len(page.Objects))
	for i, object := range page.Objects {
		answers[i] = ledger.Answer{Object: object, At: page.At}
	}
	return answers
}

// linesOf returns a page of a payout's transactions as the ledger takes it:
// only the list says which payout they belong to.
func linesOf(page stripeapi.Page, payout string) []ledger.Answer {
	answers := answersOf(page)
	for _, id := range page.IDs {
		answers = append(answers, fact(objects.KindTransaction, id, &objects.Transaction{Payout: payout}, page.At))
	}
	return answers
}

// fact returns what an answer says beyond the objects in it.
func fact(kind objects.Kind, id string, said objects.Register, at time.Time) ledger.Answer {
	return ledger.Answer{Object: objects.Fact(objects.NewRef(kind, id), said), At: at}
}

// wait returns after d, or at once with false when ctx ends.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
