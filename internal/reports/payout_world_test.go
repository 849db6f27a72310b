package reports_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/world"
)

// TestPayoutsOfWorlds plays random histories and compares every payout, line
// for line, with the book that the world kept of itself.
func TestPayoutsOfWorlds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			tapes := make([]world.Tape, 40)
			for i := range tapes {
				tapes[i] = world.Seeded(seed<<16+uint64(i)+1, 200)
			}
			w := world.Many(tapes, world.Seeded(seed, 200), world.Options{Name: "w", Murky: true})
			got := map[string]world.Payout{}
			service := told(t, w)
			for id := range w.AfterFetches.Payouts {
				payout, lines, err := service.Payout(t.Context(), id)
				ok(t, err)
				got[id] = payoutOf(payout, lines)
				if state := payout.State; payout.Automatic && state != reports.PayoutComplete || !payout.Automatic && state != reports.PayoutManual {
					t.Errorf("payout %s is %s", id, state)
				}
			}
			for _, line := range w.AfterFetches.Diff(world.Book{Payouts: got}) {
				t.Error(line)
			}
		})
	}
}

func payoutOf(p reports.Payout, lines []reports.PayoutLine) world.Payout {
	out := world.Payout{
		Status: p.Status, Currency: p.Currency, Amount: p.Amount, Automatic: p.Automatic, Lines: map[string]world.Line{},
	}
	for _, line := range lines {
		out.Lines[line.ID] = world.Line{Kind: line.Kind, Donation: line.Donation, Net: line.Net}
	}
	return out
}

// told returns reports over a ledger that was told everything of a world: its
// events, and what a sweep of Stripe's lists answers at its end.
func told(t *testing.T, w *world.World) *reports.Service {
	t.Helper()
	s, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	ok(t, err)
	t.Cleanup(func() { s.Close() })
	_, err = s.Migrate(t.Context())
	ok(t, err)
	now := func() time.Time { return time.Unix(world.End, 0) }
	book := ledger.New(ledger.Options{Store: s, Now: now, Timezone: time.UTC, Grace: world.Grace})
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- book.Run(ctx) }()
	defer func() { cancel(); <-stopped }()
	var calls sync.WaitGroup
	for _, body := range world.Bodies(w.Events) {
		calls.Go(func() {
			if err := book.Deliver(ctx, body); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	for _, page := range w.Sweep() {
		ok(t, book.Apply(ctx, answersOf(page)...))
	}
	return reports.New(reports.Options{Store: s, Timezone: time.UTC, Now: now})
}

// answersOf is a page as a sweep applies it. Only the list that a balance
// transaction is in says which payout it belongs to.
func answersOf(page world.Answer) []ledger.Answer {
	at := time.Unix(page.AsOf, 0)
	var answers []ledger.Answer
	fact := func(kind objects.Kind, id string, r objects.Register) {
		answers = append(answers, ledger.Answer{Object: objects.Fact(objects.NewRef(kind, id), r), At: at})
	}
	payout := strings.HasPrefix(page.Of, "po_")
	for i, object := range page.Objects {
		answers = append(answers, ledger.Answer{Object: object, At: at})
		if payout {
			fact(objects.KindTransaction, page.IDs[i], &objects.Transaction{Payout: page.Of})
		}
	}
	if payout {
		fact(objects.KindPayout, page.Of, &objects.Payout{Listed: page.AsOf})
	}
	return answers
}
