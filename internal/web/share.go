package web

import (
	"context"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/united24media/support/internal/fault"
)

// A share is how many requests of one kind are answered at once, so that a
// flood of them leaves the machine and the database to the others. One more
// waits for a moment, in the order of arrival as far as Go keeps it, and is
// then told when to come back.
type share struct {
	name    string
	slots   chan struct{}
	wait    time.Duration
	refused prometheus.Counter
}

// Shares of the kinds. What is answered from memory needs none, and Stripe's
// deliveries have the ledger's own queue.
const (
	maxGiving  = 256 // checkouts and forms, most of which wait for Stripe
	maxPages   = 64  // pages for readers and supporters
	maxReports = 8   // reports and lists for programs, some of which are long
	maxStaff   = 32  // staff pages

	pageWait   = 2 * time.Second
	reportWait = 5 * time.Second
	retryBusy  = 3 // seconds
)

// shares are those of a server.
type shares struct{ giving, pages, reports, staff *share }

func newShares(r prometheus.Registerer) shares {
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "support_http_busy_total", Help: "Requests that were told to come back later, since too many of their kind were under way.",
	}, []string{"share"})
	if r != nil {
		r.MustRegister(refused)
	}
	of := func(name string, most int, wait time.Duration) *share {
		return &share{name, make(chan struct{}, most), wait, refused.WithLabelValues(name)}
	}
	return shares{
		giving: of("giving", maxGiving, pageWait), pages: of("pages", maxPages, pageWait),
		reports: of("reports", maxReports, reportWait), staff: of("staff", maxStaff, reportWait),
	}
}

// errBusy says that too many of a kind are under way: no fault of ours, and
// nothing for the log of a flood.
var errBusy = errors.New("too many at once")

// enter waits for a place, and returns how to give it back, or a
// [fault.Unavailable] where none comes free. A nil share has a place for all.
func (s *share) enter(ctx context.Context) (leave func(), err error) {
	if s == nil {
		return func() {}, nil
	}
	leave = func() { <-s.slots }
	select {
	case s.slots <- struct{}{}:
		return leave, nil
	default:
	}
	wait := time.NewTimer(s.wait)
	defer wait.Stop()
	select {
	case s.slots <- struct{}{}:
		return leave, nil
	case <-wait.C:
	case <-ctx.Done(): // whoever asked is gone
	}
	s.refused.Inc()
	busy := fault.Wrap(fault.Unavailable, errBusy, "Too many are here at this moment. Please try again in a few seconds.")
	busy.RetryAfter = retryBusy
	return nil, busy
}
