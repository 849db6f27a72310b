package mail

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/world"
)

// TestOneMailOfEachKind has two replicas on one database hear of the same gifts
// and memberships, each event at least twice and in any order at both of them at
// once, while both send what is due to one mail server: of each kind there is
// one mail about each thing, and one receipt for each gift.
func TestOneMailOfEachKind(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	db, to, c := openStore(t, address), startServer(t, false, false), &clock{now: time.Unix(world.Begin, 0).Add(time.Hour)}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 5))
	tapes := make([]world.Tape, 15)
	for i := range tapes {
		tapes[i] = world.Seeded(random.Uint64(), 200)
	}
	w := world.Many(tapes, world.Seeded(random.Uint64(), 200), world.Options{Name: "w"})
	ctx, end := context.WithCancel(context.Background())
	var running, delivering sync.WaitGroup
	defer running.Wait()
	defer end()
	for range 2 {
		own := openStore(t, address)
		book := ledger.New(ledger.Options{
			Store: own, Now: func() time.Time { return time.Unix(world.Begin, 0) }, // all that happens is new
			Timezone: time.UTC, Grace: world.Grace, Log: slog.New(slog.DiscardHandler),
		})
		running.Go(func() { _ = book.Run(ctx) })
		for range 2 {
			bodies := world.Shuffled(w.Events, random)
			delivering.Go(func() {
				for _, body := range bodies {
					if err := book.Deliver(ctx, body); err != nil {
						t.Error(err)
					}
				}
			})
		}
		post := start(t, own, to, c, new(bytes.Buffer))
		running.Go(func() {
			for ctx.Err() == nil {
				if post.Send(ctx) == 0 {
					time.Sleep(time.Millisecond) // the outbox is looked at again and again, as in Run
				}
			}
		})
	}
	delivering.Wait()
	eventually := time.After(time.Minute)
	for open := int64(1); open > 0; {
		select {
		case <-eventually:
			t.Fatalf("%d mails still wait", open)
		case <-time.After(10 * time.Millisecond):
		}
		known, err := db.OpenMail(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		open = known.Queued
	}

	received := map[string]int{}
	for _, m := range to.mails() {
		received[m.header.Get("Message-Id")]++
	}
	all, err := db.MailBefore(t.Context(), "", time.Time{}, "", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	kinds, receipts, sent := map[string]int{}, map[string]int{}, 0
	for _, m := range all {
		times := received["<"+m.ID+"@u24.example>"]
		if want := m.State == store.MailSent; times > 1 || (times == 1) != want {
			t.Errorf("%s about %s is %s and was received %d times", m.Kind, m.Subject, m.State, times)
		}
		if sent += times; times > 0 {
			kinds[m.Kind]++
		}
		if m.Kind == notice.Receipt {
			receipts[m.Subject]++
		}
	}
	if sent != len(to.mails()) || sent == 0 {
		t.Errorf("%d mails were received, %d of them in the outbox", len(to.mails()), sent)
	}
	t.Logf("received: %v", kinds)
	err = db.Look(t.Context(), func(tx *store.Tx) error {
		gifts, err := tx.DonationsAfter(t.Context(), "", 100_000)
		for _, d := range gifts {
			if d.Email != "" && d.Source == "stripe" && receipts[d.Key] != 1 {
				t.Errorf("%d receipts for %s", receipts[d.Key], d.Key)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
