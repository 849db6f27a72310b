package ledger

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/world"
)

// mails returns what the outbox holds, by kind.
func (p *player) mails() map[string][]string {
	found := map[string][]string{}
	all, err := p.Store.MailBefore(context.Background(), "", time.Time{}, "", 100_000)
	if err != nil {
		p.Fatal(err)
	}
	for _, m := range all {
		found[m.Kind] = append(found[m.Kind], m.Subject)
	}
	for _, subjects := range found {
		slices.Sort(subjects)
	}
	return found
}

// thanked compares the receipts of the outbox with the donations: one for each
// that is new enough and has an address.
func (p *player) thanked(when string) {
	p.Helper()
	want := map[string]bool{}
	err := p.Store.Look(context.Background(), func(tx *store.Tx) error {
		all, err := tx.DonationsAfter(context.Background(), "", 100_000)
		for _, d := range all {
			if d.Email != "" && d.Source == "stripe" && time.Unix(d.Created, 0).After(p.Now().Add(-notice.MaxAge)) {
				want[d.Key] = true
			}
		}
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	got := p.mails()[notice.Receipt]
	for _, key := range got {
		if !want[key] {
			if d, err := p.Store.DonationByKey(context.Background(), key); err == nil && d.Email == "" {
				continue // its customer was removed since
			}
			p.Errorf("%s: a receipt for %s, which is none of the donations", when, key)
		}
	}
	for key := range want {
		if _, found := slices.BinarySearch(got, key); !found {
			p.Errorf("%s: no receipt for %s", when, key)
		}
	}
}

// TestMails plays worlds in order, and again in any order with every event
// twice, among Stripe's answers: the receipts are the same, one a donation,
// and a rebuild sends none.
func TestMails(t *testing.T) {
	t.Parallel()
	templates := newTemplates(t)
	checks := 0
	rapid.Check(t, func(r *rapid.T) {
		if checks++; checks > 8 {
			return
		}
		w := world.Many(drawTapes(r), drawTape(r, "payouts"), world.Options{Name: "w"})
		play := func(deliver func(p *player)) map[string][]string {
			p := &player{
				TB: r, w: w, rand: rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "order"), 1)),
				size: rapid.IntRange(1, maxBatch).Draw(r, "batch"), Ledger: templates.open(r),
			}
			defer p.Store.Close()
			p.Now = func() time.Time { return time.Unix(world.Begin, 0) } // all that happens is new
			deliver(p)
			p.thanked("at the end")
			before := p.mails()
			if _, _, err := p.Rebuild(context.Background(), func(int) {}); err != nil {
				r.Fatal(err)
			}
			if after := p.mails(); !maps.EqualFunc(before, after, slices.Equal) {
				r.Errorf("a rebuild queues mails: from %v to %v", before, after)
			}
			return before
		}
		ordered := play(func(p *player) {
			p.deliver(p.deliveries(world.Bodies(w.Events)))
			p.deliver(p.answers(w.FollowUps()))
		})
		shuffled := play(func(p *player) {
			twice := append(p.deliveries(world.Bodies(w.Events)), p.deliveries(world.Bodies(w.Events))...)
			p.shuffled(append(twice, p.answers(w.Sweep())...))
		})
		for _, kind := range []string{notice.Receipt} {
			if !slices.Equal(ordered[kind], shuffled[kind]) {
				r.Errorf("%s: %v in order, %v in any order", kind, ordered[kind], shuffled[kind])
			}
		}
	})
}
