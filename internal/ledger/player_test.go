package ledger

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/world"
)

// A player delivers one world to one ledger.
type player struct {
	rapid.TB
	*Ledger
	w    *world.World
	rand *rand.Rand
	size int // requests in one batch

	movements bool // of memberships are promised: every event came, of a calm world
}

// inOrder delivers every event once, as it was sent, and then what follow-up
// fetches bring.
func (p *player) inOrder() {
	p.deliver(p.deliveries(world.Bodies(p.w.Events)))
	p.compare("after the events", p.w.AfterEvents)
	p.deliver(p.answers(p.w.FollowUps()))
	p.compare("after the answers", p.w.AfterFetches)
}

// anyOrder delivers every event in any order, some twice, among answers that
// lag behind the end of subscriptions.
func (p *player) anyOrder() {
	p.shuffled(append(p.deliveries(world.Shuffled(p.w.Events, p.rand)), p.answers(p.w.Lagging())...))
	p.compare("after the events", p.w.AfterEvents)
	p.shuffled(p.answers(p.w.FollowUps()))
	p.compare("after the answers", p.w.AfterFetches)
}

// mixed lets Stripe's answers arrive before the events that they outdate.
func (p *player) mixed() {
	p.shuffled(append(p.deliveries(world.Shuffled(p.w.Events, p.rand)), p.answers(p.w.Sweep())...))
	p.compare("at the end", p.w.AfterFetches)
}

// lossy loses a third of the events, and sweeps Stripe's lists once.
func (p *player) lossy() {
	p.shuffled(p.deliveries(world.Bodies(p.w.Lose(1./3, p.rand))))
	p.deliver(p.answers(p.w.Sweep()))
	p.compare("after the sweep", p.w.AfterFetches)
}

// outdated adds answers given while the world still went on.
func (p *player) outdated() {
	all := append(p.deliveries(world.Bodies(p.w.Events)), p.answers(p.w.Sweep())...)
	for range 2 {
		all = append(all, p.answers(p.w.Glimpse(world.Begin+p.rand.Int64N(world.End-world.Begin)))...)
	}
	p.shuffled(all)
	p.compare("at the end", p.w.AfterFetches)
}

func (p *player) shuffled(all []call) {
	p.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	p.deliver(all)
}

// A call says one thing to the ledger.
type call func(context.Context) error

func (p *player) deliveries(bodies [][]byte) []call {
	var all []call
	to := p.Ledger
	for _, body := range bodies {
		all = append(all, func(ctx context.Context) error { return to.Deliver(ctx, body) })
	}
	return all
}

// answers are applied page by page. That a list was whole, and which payout a
// transaction belongs to, are facts beside the objects.
func (p *player) answers(pages []world.Answer) []call {
	var all []call
	to := p.Ledger
	for _, page := range pages {
		var answers []Answer
		add := func(object []byte) { answers = append(answers, Answer{object, time.Unix(page.AsOf, 0)}) }
		for i, object := range page.Objects {
			add(object)
			if page.Of != "" && page.Type == "balance_transaction" {
				add(objects.Fact(objects.NewRef(objects.KindTransaction, page.IDs[i]), &objects.Transaction{Payout: page.Of}))
			}
		}
		if page.Of != "" && page.Type == "refund" {
			add(objects.Fact(objects.NewRef(objects.KindCharge, page.Of), &objects.Charge{RefundsListed: page.AsOf}))
		}
		all = append(all, func(ctx context.Context) error { return to.Apply(ctx, answers...) })
	}
	return all
}

// deliver makes calls in their order and commits them in batches. It stands in
// for [Ledger.Run], whose batches depend on the clock.
func (p *player) deliver(all []call) {
	out := make(chan error, p.size)
	for calls := range slices.Chunk(all, p.size) {
		for i, call := range calls {
			go func() { out <- call(context.Background()) }()
			for len(p.queue) <= i && len(out) == 0 {
				runtime.Gosched()
			}
		}
		if n := len(p.queue); n > 0 {
			p.commit(p.gather(<-p.queue))
		}
		for range calls {
			if err := <-out; err != nil {
				p.Fatalf("deliver: %v", err)
			}
		}
	}
}

// atOnce makes all calls, a number of them at any time, and waits for them.
func (p *player) atOnce(all []call, callers int) {
	var wait sync.WaitGroup
	next := make(chan call)
	for range callers {
		wait.Go(func() {
			for call := range next {
				if err := call(context.Background()); err != nil {
					p.Errorf("deliver: %v", err)
				}
			}
		})
	}
	for _, call := range all {
		next <- call
	}
	close(next)
	wait.Wait()
}

// again makes everything anew from what was stored: nothing may drift, and the
// book must still hold.
func (p *player) again() {
	drifts, err := p.Verify(context.Background())
	if err != nil || len(drifts) > 0 {
		p.Fatalf("verify: %v, %v", drifts, err)
	}
	before, after, err := p.Rebuild(context.Background(), func(int) {})
	if err != nil || before != after {
		p.Fatalf("rebuild: from %s to %s, %v", before, after, err)
	}
	p.compare("after a rebuild", p.w.AfterFetches)
}
