// Package ledger is the one way in. Whatever is said about gifts (a webhook's
// event, an answer of Stripe's API, an import) is stored, joined into the
// registers and projected to donations, memberships, sums and counts, in one
// transaction. There is no other way to write any of them.
package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/risk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/trace"
)

// Options are what a ledger works with. All but Log and Moved are required.
type Options struct {
	Store    *store.Store
	Now      func() time.Time
	Timezone *time.Location // days in sums
	Grace    time.Duration  // how long a past-due membership counts
	Livemode bool           // whether the Stripe key is a live one; events of the other mode are not booked
	Log      *slog.Logger
	Moved    func([]store.ScopeCount) // told of public counts after the commit that moved them; must not block
	Heard    func(risk.Payment)       // told of each payment of ours that succeeded or failed, after its commit; must not block
	Measured func(Commit)             // told of each transaction that was tried; must not block
}

// A Commit is one transaction of the ledger.
type Commit struct {
	Requests int             // recorded together, 1 or more
	Took     time.Duration   // from its begin to its commit, or to its failure
	Lags     []time.Duration // of its deliveries, from when Stripe made the event
	Err      error           // nil if it was committed
}

// A Ledger records. It is safe for concurrent use once [Ledger.Run] runs.
type Ledger struct {
	Options
	queue chan *request
	done  chan struct{} // closed when Run has returned
	held  *held         // on a scratch database; else nil
	chunk int           // how much a rebuild applies at once

	contradictions atomic.Uint64
}

// Limits of the committer.
const (
	maxBatch    = 64               // requests in one transaction
	maxQueue    = 1024             // requests that wait; more are refused
	commitTime  = 15 * time.Second // for one transaction
	graceEvery  = 2 * time.Second  // how often memberships are checked for the end of their grace
	graceLag    = 30 * time.Second // how late the end of a grace may be noticed, at worst
	graceAtOnce = 100              // memberships
)

// ErrBusy says that more waits to be recorded than can be in a short time.
var ErrBusy = errors.New("the ledger has too much to record at the moment")

// ErrStopped says that the ledger records no more, since the program ends.
var ErrStopped = errors.New("the ledger has stopped")

// New returns a ledger. It records nothing before [Ledger.Run] is called.
func New(o Options) *Ledger {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Heard == nil {
		o.Heard = func(risk.Payment) {}
	}
	if o.Measured == nil {
		o.Measured = func(Commit) {}
	}
	if o.Moved == nil {
		o.Moved = func([]store.ScopeCount) {}
	}
	return &Ledger{Options: o, queue: make(chan *request, maxQueue), done: make(chan struct{}), chunk: replayBatch}
}

// A request is what one caller wants recorded. It is recorded whole or not at
// all.
type request struct {
	ctx    context.Context
	event  *delivered // nil unless a delivery
	facts  []fact
	roots  []objects.Ref // to project again though nothing changed
	again  bool          // replayed: counts no delivery, but sets the event's state
	denied []objects.Ref // of which it says what can't be true beside what is known
	out    chan error
}

// A fact is something said about objects, with what is stored of it.
type fact struct {
	said     []objects.Said
	snapshot store.Snapshot // its id is "" for what an event said
}

// An Answer is one object in an answer of Stripe's API, or a fact of our own
// ([objects.Fact]).
type Answer struct {
	Object []byte
	At     time.Time // by Stripe's clock: the answer's Date header
}

// Deliver records one signed webhook body. nil means that it is stored
// durably: recorded, repeated, foreign, ignored or parked. Any error means that
// it may not be, so that Stripe must try again.
func (l *Ledger) Deliver(ctx context.Context, body []byte) error {
	d := l.read(body)
	d.hold(body)
	err := l.submit(ctx, &request{event: d, facts: []fact{{said: d.said}}})
	if err == nil && d.State == store.Applied {
		l.tellPayment(d) // here, and not where all wait for the next commit
	}
	return err
}

// Apply records answers of Stripe's API, all of them or none. An answer that
// can't be understood is an error, and of a kind that is not kept is passed
// over.
func (l *Ledger) Apply(ctx context.Context, answers ...Answer) error {
	r := &request{}
	for _, a := range answers {
		said, err := objects.Decode(a.Object, objects.Source{At: a.At.Unix()})
		if errors.Is(err, objects.ErrKind) {
			continue
		}
		if err != nil {
			return fmt.Errorf("apply an answer of Stripe's API: %w", err)
		}
		r.facts = append(r.facts, fact{said, snapshotOf(said, a)})
	}
	if len(r.facts) == 0 {
		return nil
	}
	return l.submit(ctx, r)
}

// submit queues a request and waits for its commit.
func (l *Ledger) submit(ctx context.Context, r *request) (err error) {
	ctx, end := trace.Step(ctx, "ledger: record")
	defer func() { end(err) }()
	r.ctx, r.out = ctx, make(chan error, 1)
	select {
	case <-l.done:
		return ErrStopped
	default:
	}
	select {
	case l.queue <- r:
	default:
		return ErrBusy
	}
	select {
	case err := <-r.out:
		return err
	case <-ctx.Done():
		return fmt.Errorf("waiting to be recorded: %w", ctx.Err())
	case <-l.done:
		select {
		case err := <-r.out:
			return err
		default:
			return ErrStopped
		}
	}
}

// Run records what is queued until ctx ends, and then what somebody still waits
// for. Deliveries that arrive together are committed together.
func (l *Ledger) Run(ctx context.Context) error {
	defer close(l.done)
	grace := time.NewTicker(graceEvery)
	defer grace.Stop()
	for {
		select {
		case r := <-l.queue:
			l.commit(l.gather(r))
		case <-grace.C:
			l.endGrace(ctx)
		case <-ctx.Done():
			for {
				select {
				case r := <-l.queue:
					if r.ctx.Err() == nil { // else Stripe was told to send it again
						l.commit(l.gather(r))
					}
				default:
					return nil
				}
			}
		}
	}
}

// gather returns first with what else is queued, up to a batch.
func (l *Ledger) gather(first *request) []*request {
	batch := append(make([]*request, 0, maxBatch), first)
	for len(batch) < maxBatch {
		select {
		case r := <-l.queue:
			batch = append(batch, r)
		default:
			return batch
		}
	}
	return batch
}

// commit records a batch in one transaction and answers its callers. If that
// fails for something in it, each request is tried alone, so that a bad one
// can't hold up the others.
func (l *Ledger) commit(batch []*request) {
	err := l.measured(batch)
	if len(batch) > 1 && blames(err) {
		for _, r := range batch {
			l.commit([]*request{r})
		}
		return
	}
	if len(batch) == 1 && blames(err) && batch[0].event != nil {
		err = l.park(batch[0], err)
	}
	for _, r := range batch {
		r.out <- err
	}
}

// tellPayment tells of a payment, if that is what the event was about.
func (l *Ledger) tellPayment(e *delivered) {
	refused := e.Type == "charge.failed"
	if !refused && e.Type != "charge.succeeded" {
		return
	}
	for _, s := range e.said {
		if charge, ok := s.Register.(*objects.Charge); ok && string(s.Ref) == e.Ref {
			l.Heard(risk.Payment{Refused: refused, Currency: charge.Currency, Minor: charge.Asked, Email: charge.Payer.Value.Email})
		}
	}
}

// measured records a batch and tells what that took.
func (l *Ledger) measured(batch []*request) error {
	start := time.Now()
	err := l.record(batch)
	c := Commit{Requests: len(batch), Took: time.Since(start), Err: err}
	for _, r := range batch {
		if r.event != nil && !r.again && !r.event.Created.IsZero() && err == nil {
			c.Lags = append(c.Lags, l.Now().Sub(r.event.Created))
		}
	}
	l.Measured(c)
	return err
}

// blames reports whether an error comes from what was to be recorded, so that
// it would come again on every try.
func blames(err error) bool {
	var p *projectionError
	return errors.As(err, &p) || store.BadData(err)
}

// park stores an event that can't be applied, for staff to see.
func (l *Ledger) park(r *request, reason error) error {
	l.Log.Error("event parked", "event", r.event.ID, "type", r.event.Type, "err", reason)
	parked := *r
	d := *r.event
	d.State, d.Error = store.Parked, reason.Error()
	if body, err := Unpack(d.Body); err == nil { // it says nothing now, but may tell of somebody who was erased
		d.mentions = objects.Mentions(body)
	}
	parked.event, parked.facts = &d, nil
	return l.record([]*request{&parked})
}

// endGrace projects memberships again whose grace is over.
func (l *Ledger) endGrace(ctx context.Context) {
	over, err := l.Store.GraceOver(ctx, l.Now(), graceAtOnce)
	if err == nil && len(over) > 0 {
		r := &request{}
		for _, id := range over {
			r.roots = append(r.roots, objects.NewRef(objects.KindSubscription, id))
		}
		err = l.record([]*request{r})
	}
	if err != nil && ctx.Err() == nil {
		l.Log.Warn("memberships past their grace not checked", "err", err)
	}
}
