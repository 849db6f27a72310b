package reconcile_test

import (
	"testing"
	"time"

	"github.com/united24media/support/internal/reconcile"
)

// A sweep holds one page and has asked for the next, whether its objects are
// new or known, and asks nothing twice: so its memory does not depend on how
// many there are, and the rate of calls alone says how long it takes.
// BenchmarkSweep measures both.
func TestASweepAsksOnePageAheadAndNothingTwice(t *testing.T) {
	t.Parallel()
	const pages = 10
	stripe := &chargesOnly{count: 100*pages - 1, now: time.Now().Add(-time.Hour), pages: make(chan int, 10*pages)}
	_, level := sweeper(t, "sqlite:"+t.TempDir()+"/support.db", stripe)
	for _, differences := range []int{stripe.count, 0} {
		stripe.calls.Store(0)
		done, asked := 0, 0
		report, err := level.SweepNow(t.Context(), reconcile.Sweep{Since: 96 * time.Hour, Progress: func(p reconcile.Progress) {
			if p.Name != "charges" || done == pages { // at its end a step tells once more
				return
			}
			for done++; asked < min(done+1, pages); {
				select {
				case asked = <-stripe.pages:
				case <-time.After(time.Minute):
					t.Fatalf("the page after page %d is not asked for while that is compared", done)
				}
			}
			if asked > done+1 || len(stripe.pages) > 0 {
				t.Errorf("page %d was asked for, and %d more, while page %d was compared", asked, len(stripe.pages), done)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if asked != pages || done != pages || report.Objects != stripe.count || report.Differences != differences {
			t.Errorf("%d pages asked for and %d compared, %+v; want %d and %d differences", asked, done, report, pages, differences)
		}
		const empty = 8 // subscriptions, sessions, intents, invoices, refunds, disputes, payouts, events
		if n := stripe.calls.Load(); n != pages+empty {
			t.Errorf("%d calls, want %d of charges and one of each of %d other lists", n, pages, empty)
		}
		if n := stripe.max.Load(); n != 1 {
			t.Errorf("%d calls at once, want one", n)
		}
	}
}
