package ledger_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/store"
)

// TestPaymentsAreHeard: what becomes of a payment of ours is told with its
// amount and its address, refused ones too; nothing is told of others' and of
// what is no payment.
func TestPaymentsAreHeard(t *testing.T) {
	t.Parallel()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var heard []risk.Payment
	b := &book{store: db, now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	b.Ledger = ledger.New(ledger.Options{
		Store: db, Now: func() time.Time { return b.now }, Timezone: time.UTC,
		Heard: func(p risk.Payment) { mu.Lock(); defer mu.Unlock(); heard = append(heard, p) },
	})
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- b.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	object := func(id, status string, captured int, metadata string) string {
		return fmt.Sprintf(`{"id":%q,"object":"charge","created":1769860800,"amount":1337,"amount_captured":%d,"currency":"eur","status":%q,`+
			`"captured":true,"billing_details":{"email":"reader@news.example"},"metadata":%s}`, id, captured, status, metadata)
	}
	b.deliver(t, "charge.failed", object("ch_1", "failed", 0, marked))
	b.deliver(t, "charge.succeeded", object("ch_2", "succeeded", 1337, marked))
	b.deliver(t, "charge.updated", object("ch_2", "succeeded", 1337, marked))
	b.deliver(t, "charge.failed", object("ch_3", "failed", 0, `{}`))
	mu.Lock()
	defer mu.Unlock()
	paid := risk.Payment{Currency: "eur", Minor: 1337, Email: "reader@news.example"}
	refused := paid
	refused.Refused = true
	if !slices.Equal(heard, []risk.Payment{refused, paid}) {
		t.Errorf("heard %+v", heard)
	}
}
