package reconcile

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// Limits of the worker.
const (
	fetchEvery  = time.Second      // how often it looks for wishes
	fetchAtOnce = 4                // wishes
	fetchLease  = 30 * time.Second // after which another process takes over what one that was killed had taken
	holdEvery   = 10 * time.Second // how often one that lives takes it anew
	firstDelay  = 2 * time.Second  // before a failed wish is tried again; doubled each time
	longDelay   = time.Hour        // no wait is longer, but for what Stripe does not have:
	missedTries = 3                // so often it is asked for
	missedDelay = 7 * 24 * time.Hour
	maxReason   = 300  // bytes of a failure that are kept
	hourAtOnce  = 1000 // charges of an hour that are looked for together
	hourSingly  = 20   // charges that are fetched one by one, where lists said nothing
)

// Run answers wishes until ctx ends. Any number of replicas may run it: each
// takes wishes that the others have not.
func (s *Service) Run(ctx context.Context) error {
	busy := make(chan struct{}, fetchAtOnce)
	wake := make(chan struct{}, 1)
	var running sync.WaitGroup
	defer running.Wait()
	tick := time.NewTicker(fetchEvery)
	defer tick.Stop()
	for {
		free := cap(busy) - len(busy)
		taken, err := s.take(ctx, free)
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "follow-up: the queue can't be read", "err", err)
		}
		for _, f := range taken {
			busy <- struct{}{}
			running.Go(func() {
				s.follow(ctx, f)
				<-busy
				select {
				case wake <- struct{}{}: // there may be more
				default:
				}
			})
		}
		select {
		case <-tick.C:
		case <-wake:
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Service) take(ctx context.Context, limit int) ([]store.Fetch, error) {
	if limit == 0 {
		return nil, nil
	}
	return s.Store.TakeFetches(ctx, s.Now(), fetchLease, limit)
}

// follow answers one wish, or puts it off, and reports which.
func (s *Service) follow(ctx context.Context, f store.Fetch) (answered bool) {
	held, let := context.WithCancel(ctx)
	var holding sync.WaitGroup
	holding.Go(func() { s.hold(held, f) })
	err := s.answer(ctx, f)
	let()
	holding.Wait()
	answered = err == nil
	after := context.WithoutCancel(ctx) // the queue hears of it even when the program ends
	switch {
	case err == nil:
		err = s.Store.FetchDone(after, f)
	case ctx.Err() != nil:
		err = s.Store.FetchFailed(after, f, s.Now(), "the program ended")
	default:
		delay := delayAfter(f.Attempts, err)
		s.Log.WarnContext(ctx, "follow-up: put off", "ref", f.Ref, "attempt", f.Attempts, "delay", delay, "err", err)
		reason := err.Error()
		err = s.Store.FetchFailed(after, f, s.Now().Add(delay), reason[:min(len(reason), maxReason)])
	}
	if err != nil {
		s.Log.WarnContext(ctx, "follow-up: the queue can't be written", "ref", f.Ref, "err", err)
	}
	return answered
}

// hold keeps a wish from others until ctx ends.
func (s *Service) hold(ctx context.Context, f store.Fetch) {
	tick := time.NewTicker(holdEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.Store.HoldFetch(ctx, f, s.Now().Add(fetchLease)); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "follow-up: the queue can't be written", "ref", f.Ref, "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// delayAfter returns how long a wish waits after it failed for the nth time,
// half of it at random.
func delayAfter(attempts int64, err error) time.Duration {
	delay := longDelay
	if doublings := max(attempts-1, 0); doublings < 12 {
		delay = min(firstDelay<<doublings, longDelay)
	}
	if stripeapi.IsKind(err, stripeapi.Missing) && attempts >= missedTries {
		delay = missedDelay // staff see why; nothing will come of asking
	}
	return delay/2 + rand.N(delay/2)
}

// answer asks Stripe what a wish names and applies what it says.
func (s *Service) answer(ctx context.Context, f store.Fetch) error {
	what, id, _ := strings.Cut(f.Ref, "/")
	switch what {
	case objects.ListRefunds:
		return s.listRefunds(ctx, id)
	case objects.ListDisputes:
		return s.applyList(ctx, stripeapi.PathDisputes, url.Values{"charge": {id}})
	case objects.ListTransactions:
		return s.listHour(ctx, id, f.Attempts)
	case objects.ListPayout:
		return s.listPayout(ctx, id)
	}
	kind := objects.Kind(what)
	if objects.Empty(kind) == nil || kind == objects.KindOffline || kind == objects.KindAdopted || kind == objects.KindCorrection {
		return nil // nothing is kept of it, or nothing is at Stripe
	}
	return s.fetch(ctx, kind, id)
}

func (s *Service) fetch(ctx context.Context, kind objects.Kind, id string) error {
	answer, err := s.Stripe.Fetch(ctx, kind, id)
	if err != nil {
		return err
	}
	return s.Ledger.Apply(ctx, ledger.Answer(answer))
}

// applyList applies a list page by page.
func (s *Service) applyList(ctx context.Context, path string, params url.Values) error {
	for page, err := range s.Stripe.List(ctx, path, params) {
		if err != nil {
			return err
		}
		if err := s.Ledger.Apply(ctx, answersOf(page)...); err != nil {
			return err
		}
	}
	return nil
}

// listRefunds applies all refunds of a charge at once, with the fact that
// there were no others when the list began.
func (s *Service) listRefunds(ctx context.Context, charge string) error {
	params := stripeapi.Expand(url.Values{"charge": {charge}}, "data.balance_transaction")
	var answers []ledger.Answer
	var began time.Time
	for page, err := range s.Stripe.List(ctx, stripeapi.PathRefunds, params) {
		if err != nil {
			return err
		}
		if began.IsZero() {
			began = page.At
		}
		answers = append(answers, answersOf(page)...)
	}
	whole := fact(objects.KindCharge, charge, &objects.Charge{RefundsListed: began.Unix()}, began)
	return s.Ledger.Apply(ctx, append(answers, whole)...)
}

// listPayout applies the transactions of a payout page by page, and then that
// there are no others.
func (s *Service) listPayout(ctx context.Context, payout string) error {
	var began time.Time
	for page, err := range s.Stripe.List(ctx, stripeapi.PathTransactions, url.Values{"payout": {payout}}) {
		if err != nil {
			return err
		}
		if began.IsZero() {
			began = page.At
		}
		if err := s.Ledger.Apply(ctx, linesOf(page, payout)...); err != nil {
			return err
		}
	}
	return s.Ledger.Apply(ctx, fact(objects.KindPayout, payout, &objects.Payout{Listed: began.Unix()}, began))
}

// How much earlier and later than its charge a balance transaction may be.
const (
	beforeCharge = time.Minute
	afterCharge  = 10 * time.Minute
)

// listHour finds the balance transactions of the charges of an hour: by list,
// and what lists do not show one by one. It fails while some are not there.
func (s *Service) listHour(ctx context.Context, hour string, attempts int64) error {
	seconds, err := strconv.ParseInt(hour, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is no hour: %w", hour, err)
	}
	from := time.Unix(seconds, 0)
	to := from.Add(objects.TransactionsWindow)
	open, err := s.Store.Unsettled(ctx, from, to, hourAtOnce)
	if err != nil || len(open) == 0 {
		return err
	}
	err = s.applyList(ctx, stripeapi.PathTransactions, url.Values{
		"created[gte]": {unix(open[0].Created.Add(-beforeCharge))},
		"created[lte]": {unix(open[len(open)-1].Created.Add(afterCharge))},
	})
	if err != nil {
		return err
	}
	if open, err = s.Store.Unsettled(ctx, from, to, hourSingly); err != nil || len(open) == 0 {
		return err
	}
	if attempts > 1 {
		for _, charge := range open {
			// A charge that Stripe does not have must not keep the others waiting.
			if err := s.fetch(ctx, objects.KindCharge, charge.Charge); err != nil && !stripeapi.IsKind(err, stripeapi.Missing) {
				return err
			}
		}
		if open, err = s.Store.Unsettled(ctx, from, to, 1); err != nil || len(open) == 0 {
			return err
		}
	}
	return errors.New("some charges of the hour have no balance transaction yet, " + open[0].Charge + " among them")
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
