package reconcile

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// A step is one part of a sweep. It goes on after an object, "" at first.
type step struct {
	name  string
	sweep func(ctx context.Context, r *run, after string) error
}

// steps returns the parts of a sweep in their order. What an object leads to
// is asked for inside it, so that each page can be judged by itself: whether a
// charge is ours may be known to its invoice alone.
func (r *run) steps() []step {
	steps := []step{
		{"what is known to be open", followUp},
		list("subscriptions", stripeapi.PathSubscriptions, url.Values{"status": {"all"}}, "data.customer"),
		list("checkout sessions", stripeapi.PathSessions, nil),
		list("payment intents", stripeapi.PathIntents, nil),
		list("invoices", stripeapi.PathInvoices, nil),
		list("charges", stripeapi.PathCharges, nil, "data.balance_transaction", "data.invoice", "data.customer"),
		list("refunds", stripeapi.PathRefunds, nil, "data.balance_transaction", "data.charge.invoice"),
		list("disputes", stripeapi.PathDisputes, nil, "data.charge.invoice"),
		{"payouts", sweepPayouts},
	}
	if r.Full {
		steps = append(steps, step{"unfinished objects", sweepUnfinished})
	}
	return append(steps, step{"events", sweepEvents}, step{"what that left open", followUp})
}

// soon is how much earlier than due a sweep takes wishes: they wait only for
// what Stripe's answers may lag behind its events.
const soon = 5 * time.Second

// followTimes is how often one wish keeps a sweep going.
const followTimes = 3

// followUp answers what the ledger wishes to know, as the worker does that may
// not run beside a command. What fails is left to the worker.
func followUp(ctx context.Context, r *run, _ string) error {
	if r.Dry {
		return nil
	}
	times := map[string]int{} // a wish may come back, but not for ever
	for {
		taken, err := r.Store.TakeFetches(ctx, r.Now().Add(soon), fetchLease, fetchAtOnce)
		if err != nil {
			return err
		}
		answered := false
		for _, f := range taken {
			times[f.Ref]++
			if r.follow(ctx, f) && times[f.Ref] <= followTimes {
				answered = true
			}
		}
		if !answered {
			return ctx.Err()
		}
		if err := r.moveTo(ctx, ""); err != nil {
			return err
		}
	}
}

// list sweeps one of Stripe's lists over the sweep's window.
func list(name, path string, params url.Values, expand ...string) step {
	return step{name, func(ctx context.Context, r *run, after string) error {
		for page, err := range r.Stripe.List(ctx, path, stripeapi.Expand(r.window(params, r.Since, after), expand...)) {
			if err != nil {
				return err
			}
			if err := r.compare(ctx, answersOf(page)); err != nil {
				return err
			}
			if err := r.turn(ctx, page); err != nil {
				return err
			}
		}
		return nil
	}}
}

// window adds to filters of a list that objects were created in the last part
// of time, and the place to go on from.
func (r *run) window(filters url.Values, since time.Duration, after string) url.Values {
	params := url.Values{"created[gte]": {unix(r.Through.Add(-since))}}
	if r.Settle > 0 {
		params.Set("created[lte]", unix(r.Through))
	}
	for name, values := range filters {
		params[name] = values
	}
	if after != "" {
		params.Set("starting_after", after)
	}
	return params
}

// turn notes that a page is done with.
func (r *run) turn(ctx context.Context, page stripeapi.Page) error {
	r.Objects += len(page.Objects)
	return r.moveTo(ctx, page.Last())
}

// sweepPayouts sweeps payouts, and of each that can be itemised its lines.
func sweepPayouts(ctx context.Context, r *run, after string) error {
	for page, err := range r.Stripe.List(ctx, stripeapi.PathPayouts, r.window(nil, r.Since, after)) {
		if err != nil {
			return err
		}
		if err := r.compare(ctx, answersOf(page)); err != nil {
			return err
		}
		for i, object := range page.Objects {
			if !itemised(object, page.At) {
				continue
			}
			if err := r.comparePayout(ctx, page.IDs[i]); err != nil {
				return err
			}
		}
		if err := r.turn(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// itemised reports whether Stripe tells what a payout consists of.
func itemised(object []byte, at time.Time) bool {
	said, err := objects.Decode(object, objects.Source{At: at.Unix()})
	if err != nil || len(said) == 0 {
		return false
	}
	p, ok := said[len(said)-1].Register.(*objects.Payout)
	return ok && p.Automatic && p.State.Value.Reconciliation == "completed"
}

func (r *run) comparePayout(ctx context.Context, payout string) error {
	var began time.Time
	for page, err := range r.Stripe.List(ctx, stripeapi.PathTransactions, url.Values{"payout": {payout}}) {
		if err != nil {
			return err
		}
		if began.IsZero() {
			began = page.At
		}
		r.Objects += len(page.Objects)
		if err := r.compare(ctx, linesOf(page, payout)); err != nil {
			return err
		}
	}
	return r.noteListed(ctx, payout, began)
}

// noteListed keeps that all lines of a payout are known, the first time they
// are. It is no difference from Stripe, so comparing would pass it over.
func (r *run) noteListed(ctx context.Context, payout string, at time.Time) error {
	ref := objects.NewRef(objects.KindPayout, payout)
	states, err := r.Store.Registers(ctx, []string{string(ref)})
	if err != nil {
		return err
	}
	if state, ok := states[string(ref)]; ok {
		register, err := objects.DecodeRegister(ref.Kind(), state)
		if err != nil {
			return err
		}
		if register.(*objects.Payout).Listed != 0 {
			return nil
		}
	}
	return r.settle(ctx, nil, func() error {
		return r.Ledger.Apply(ctx, fact(objects.KindPayout, payout, &objects.Payout{Listed: at.Unix()}, at))
	})
}

// Limits of the step of unfinished objects.
const (
	unfinishedRead   = 500 // registers read together
	unfinishedAtOnce = 20  // objects compared together
	fetchesAtOnce    = 6   // calls
)

// sweepUnfinished fetches every stored object that may have changed though
// nobody said so.
func sweepUnfinished(ctx context.Context, r *run, after string) error {
	var waiting []objects.Ref
	for {
		registers, err := r.Store.UnfinishedAfter(ctx, after, unfinishedRead)
		if err != nil {
			return err
		}
		for _, stored := range registers {
			ref := objects.Ref(stored.Ref)
			register, err := objects.DecodeRegister(ref.Kind(), stored.State)
			if err != nil {
				return err
			}
			after = stored.Ref
			if !unfinished(register, r.Now()) {
				continue
			}
			if waiting = append(waiting, ref); len(waiting) == unfinishedAtOnce {
				if err := r.compareFetched(ctx, waiting); err != nil {
					return err
				}
				waiting = nil
				if err := r.moveTo(ctx, after); err != nil {
					return err
				}
			}
		}
		if len(registers) < unfinishedRead {
			return r.compareFetched(ctx, waiting)
		}
	}
}

// How long objects change after they seem to be done with.
const (
	refundsFail = 35 * 24 * time.Hour // after they succeeded
	payoutsFail = 14 * 24 * time.Hour // after they were paid
)

// unfinished reports whether an object may still change by itself.
func unfinished(register objects.Register, now time.Time) bool {
	younger := func(created int64, than time.Duration) bool { return now.Sub(time.Unix(created, 0)) < than }
	switch o := register.(type) {
	case *objects.Subscription:
		return o.Created != 0 && !o.State.Final
	case *objects.Dispute:
		switch o.State.Value.Status {
		case "won", "lost", "warning_closed":
			return false
		}
		return true
	case *objects.Refund:
		return o.Status == "pending" || o.Status == "requires_action" || o.Status == "succeeded" && younger(o.Created, refundsFail)
	case *objects.Invoice:
		return o.Status == "draft" || o.Status == "open"
	case *objects.Intent:
		return o.Created != 0 && o.Status != "succeeded" && o.Status != "canceled"
	case *objects.Session:
		return o.Status == "open" || o.Status == "complete" && o.PaymentStatus == "unpaid" && !o.Failed
	case *objects.Charge:
		return o.Status == "pending"
	case *objects.Payout:
		return o.Status == "pending" || o.Status == "in_transit" || o.Status == "paid" && younger(o.Created, payoutsFail)
	}
	return false
}

// compareFetched fetches objects and compares them. One that Stripe does not
// have any more is passed over.
func (r *run) compareFetched(ctx context.Context, refs []objects.Ref) error {
	answers := make([]ledger.Answer, len(refs))
	calls, callCtx := errgroup.WithContext(ctx)
	calls.SetLimit(fetchesAtOnce)
	for i, ref := range refs {
		calls.Go(func() error {
			answer, err := r.Stripe.Fetch(callCtx, ref.Kind(), ref.ID())
			if stripeapi.IsKind(err, stripeapi.Missing) {
				return nil
			}
			answers[i] = ledger.Answer(answer)
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return err
	}
	var there []ledger.Answer
	var missing []string
	for i, a := range answers {
		if a.Object == nil {
			missing = append(missing, string(refs[i]))
			continue
		}
		there = append(there, a)
	}
	if len(missing) > 0 {
		r.Log.WarnContext(ctx, "stored, and not at Stripe", "objects", len(missing), "first", missing[0])
	}
	r.Objects += len(there)
	return r.compare(ctx, there)
}

// sweepEvents looks for events that never arrived: among those that Stripe
// could not deliver, and in a full sweep among all, since a database may lose
// what it had. The objects were compared before; what remains is what they can
// no longer tell.
func sweepEvents(ctx context.Context, r *run, after string) error {
	params := r.window(nil, eventsKept, after)
	if !r.Full {
		params.Set("delivery_success", "false")
	}
	for page, err := range r.Stripe.List(ctx, stripeapi.PathEvents, params) {
		if err != nil {
			return err
		}
		var known map[string]bool
		err := r.Store.Look(ctx, func(tx *store.Tx) (err error) {
			if err := tx.ByIndexes(ctx); err != nil {
				return err
			}
			known, err = tx.KnownEvents(ctx, page.IDs)
			return err
		})
		if err != nil {
			return err
		}
		for i, event := range page.Objects {
			if undelivered(event) {
				r.Undelivered++
			}
			if known[page.IDs[i]] || !handled(event) {
				continue
			}
			if err := r.compareEvent(ctx, event, page.At); err != nil {
				return err
			}
		}
		if err := r.turn(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// handled reports whether an event is of a type that would be delivered to us.
func handled(event []byte) bool {
	e, err := objects.DecodeEvent(event)
	return err == nil && stripeapi.Handled(e.Type)
}

// undelivered reports whether an endpoint still waits for an event.
func undelivered(event []byte) bool {
	var e struct {
		Pending int64 `json:"pending_webhooks"`
	}
	return json.Unmarshal(event, &e) == nil && e.Pending > 0
}

func (r *run) compareEvent(ctx context.Context, event []byte, at time.Time) error {
	outcome, err := r.Ledger.WouldDeliver(ctx, event)
	if err != nil {
		return err
	}
	found, err := r.differences(ctx, outcome.Changes, at)
	if err != nil {
		return err
	}
	r.Events++
	return r.settle(ctx, found, func() error { return r.Ledger.Deliver(ctx, event) })
}
