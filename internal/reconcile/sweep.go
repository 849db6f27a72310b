package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// Limits of sweeps.
const (
	// Window is how far back a sweep reads Stripe's lists: its three days of
	// retries, and one more.
	Window = 96 * time.Hour

	eventsKept  = 30 * 24 * time.Hour    // how long Stripe lists events
	resumeUntil = 24 * time.Hour         // after which a sweep that was cut off begins anew
	turnEvery   = 500 * time.Millisecond // how often a sweep that waits asks for its turn
	busyPause   = 200 * time.Millisecond // before the ledger is asked again that had too much to do
)

// A Sweep says what to compare with Stripe.
type Sweep struct {
	Since  time.Duration // how far back lists are read, by their objects' creation
	Full   bool          // also every stored object that is unfinished, and every event that Stripe still lists
	Dry    bool          // change nothing
	Settle time.Duration // leave out what is younger, since its delivery may still be under way

	Waiting  func()                 // told once if another sweep is under way; may be nil
	Found    func(store.Difference) // told of each difference; may be nil
	Progress func(Progress)         // told after each page; may be nil
}

// A Progress is how far a sweep has come.
type Progress struct {
	Step, Steps int
	Name        string // of the step
	Report
}

// A Report is what a sweep came to.
type Report struct {
	Through     time.Time `json:"through"`     // what Stripe had created until then was compared
	Finished    time.Time `json:"finished"`    // by our clock
	Objects     int       `json:"objects"`     // that Stripe showed
	Differences int       `json:"differences"` // found, and repaired unless dry
	Events      int       `json:"events"`      // that Stripe lists and that had never arrived
	Undelivered int       `json:"undelivered"` // that Stripe lists as not delivered, to whomever
}

// ErrTaken says that another sweep is under way.
var ErrTaken = errors.New("another sweep is under way")

// The facts that sweeps leave in the database.
const (
	FactFull     = "reconciled.full"     // the Report of the last full sweep, as JSON
	FactRecent   = "reconciled.recent"   // the Report of the last sweep of any kind
	factPosition = "reconciled.position" // where a sweep is, or was cut off; its kind follows
)

// SweepNow sweeps as soon as no other sweep is under way. One that was cut off
// is taken up where it was. It returns what it came to so far, also with an
// error, which says that Stripe or the database can't be asked.
func (s *Service) SweepNow(ctx context.Context, w Sweep) (Report, error) {
	for told := false; ; told = true {
		report, err := s.sweepAlone(ctx, w)
		if !errors.Is(err, ErrTaken) {
			return report, err
		}
		if w.Waiting != nil && !told {
			w.Waiting()
		}
		if !wait(ctx, turnEvery) {
			return report, ctx.Err()
		}
	}
}

// sweepAlone sweeps, or returns [ErrTaken].
func (s *Service) sweepAlone(ctx context.Context, w Sweep) (Report, error) {
	release, ok, err := s.Store.TrySweep(ctx)
	if err != nil {
		return Report{}, err
	}
	if !ok {
		return Report{}, ErrTaken
	}
	defer release()
	r := &run{Service: s, Sweep: w, told: map[objects.Ref]bool{}}
	if err := r.begin(ctx); err != nil {
		return r.Report, err
	}
	steps := r.steps()
	for r.Step < len(steps) {
		r.name, r.all = steps[r.Step].name, len(steps)
		if err := steps[r.Step].sweep(ctx, r, r.After); err != nil {
			return r.Report, fmt.Errorf("sweep %s: %w", r.name, err)
		}
		r.Step++
		if err := r.moveTo(ctx, ""); err != nil {
			return r.Report, err
		}
	}
	return r.Report, r.end(ctx)
}

// A run is one sweep under way.
type run struct {
	*Service
	Sweep
	position
	name  string               // of the step
	all   int                  // steps there are
	told  map[objects.Ref]bool // what a dry sweep has told of
	again bool                 // it was cut off
}

// A position is how far a sweep has come. It is kept, so that a like sweep goes
// on where it was cut off.
type position struct {
	Began time.Time `json:"began"`
	Step  int       `json:"step"`
	After string    `json:"after"` // the last object of the step that is done with
	Report
}

func (r *run) begin(ctx context.Context) error {
	if !r.Dry {
		text, err := r.Store.Fact(ctx, r.factPosition())
		if err != nil {
			return err
		}
		var cut position
		if text != "" && json.Unmarshal([]byte(text), &cut) == nil && r.Now().Sub(cut.Began) < resumeUntil {
			r.position, r.again = cut, true
			// The last page's may not be in the position.
			if r.Differences, err = r.Store.CountDifferences(ctx, cut.Began); err != nil {
				return err
			}
			r.Log.InfoContext(ctx, "sweep taken up where it was cut off", "step", cut.Step, "after", cut.After)
			return nil
		}
	}
	now := r.Now()
	r.position = position{Began: now, Report: Report{Through: now.Add(-r.Settle)}}
	return nil
}

// moveTo notes that everything up to an object of the step is done with.
func (r *run) moveTo(ctx context.Context, after string) error {
	r.After = after
	if !r.Dry {
		if err := r.putFact(ctx, r.factPosition(), r.position); err != nil {
			return err
		}
	}
	if r.Sweep.Progress != nil {
		r.Sweep.Progress(Progress{r.Step, r.all, r.name, r.Report})
	}
	return nil
}

func (r *run) end(ctx context.Context) error {
	r.Finished = r.Now()
	if r.Dry {
		return nil
	}
	if r.again { // what it was about to repair then may be noted as differing, and be counted twice
		var err error
		if r.Differences, err = r.Store.NoteRepaired(ctx, r.Began); err != nil {
			return err
		}
	}
	if r.Full {
		if err := r.putFact(ctx, FactFull, r.Report); err != nil {
			return err
		}
	}
	if err := r.putFact(ctx, FactRecent, r.Report); err != nil {
		return err
	}
	return r.Store.PutFact(ctx, r.factPosition(), "")
}

func (r *run) factPosition() string {
	return fmt.Sprintf("%s: since %s, full %t", factPosition, r.Since, r.Full)
}

func (s *Service) putFact(ctx context.Context, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write fact %s: %w", name, err)
	}
	return s.Store.PutFact(ctx, name, string(text))
}

// compare finds what answers of Stripe's would change, tells and keeps it, and
// applies them unless the sweep is dry.
func (r *run) compare(ctx context.Context, answers []ledger.Answer) error {
	if len(answers) == 0 {
		return nil
	}
	outcome, err := r.Ledger.Would(ctx, answers...)
	if err != nil {
		return err
	}
	found, err := r.differences(ctx, outcome.Changes, answers[0].At)
	if err != nil {
		return err
	}
	if len(outcome.Changes) == 0 { // what says nothing new need not be kept again
		news := make([]ledger.Answer, len(outcome.News))
		for i, n := range outcome.News {
			news[i] = answers[n]
		}
		answers = news
	}
	return r.settle(ctx, found, func() error {
		if len(answers) == 0 {
			return nil
		}
		return r.Ledger.Apply(ctx, answers...)
	})
}

// settle repairs differences, unless the sweep is dry, and keeps and tells them.
// They are kept before they are repaired: a sweep that is cut off in between
// finds them no more.
func (r *run) settle(ctx context.Context, found []store.Difference, repair func() error) error {
	if !r.Dry {
		if err := r.Store.PutDifferences(ctx, found); err != nil {
			return err
		}
		err := repair()
		for errors.Is(err, ledger.ErrBusy) && wait(ctx, busyPause) {
			err = repair()
		}
		if err != nil {
			return err
		}
		for i := range found {
			found[i].Repaired = true
		}
		if err := r.Store.PutDifferences(ctx, found); err != nil {
			return err
		}
	}
	r.Differences += len(found)
	for _, d := range found {
		r.Log.WarnContext(ctx, "a difference from Stripe", "ref", d.Ref, "cause", d.Cause, "detail", d.Detail, "repaired", d.Repaired)
		if r.Found != nil {
			r.Found(d)
		}
	}
	return nil
}
