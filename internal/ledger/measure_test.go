package ledger_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/united24media/support/internal/ledger"
)

// TestTransactionsAreMeasured: each transaction tells what it held, and how
// late Stripe's deliveries in it are.
func TestTransactionsAreMeasured(t *testing.T) {
	t.Parallel()
	b := newBook(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db"))
	var told []ledger.Commit
	b.Measured = func(c ledger.Commit) { told = append(told, c) }
	body := eventBody("evt_1", "charge.succeeded", b.now.Unix(), charge("ch_1", "pi_1", marked, 1000, 0))
	b.now = b.now.Add(7 * time.Second)
	if err := b.Deliver(t.Context(), []byte(body)); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Requests != 1 || told[0].Err != nil || told[0].Took <= 0 || !slices.Equal(told[0].Lags, []time.Duration{7 * time.Second}) {
		t.Errorf("told %+v", told)
	}
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Deliver(t.Context(), []byte(body)); err == nil || len(told) != 2 || told[1].Err == nil || len(told[1].Lags) != 0 {
		t.Errorf("what could not be stored: %v, told %+v", err, told)
	}
}
