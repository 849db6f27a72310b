package ask

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// Limits of signals. A flood is counted as far as they reach and then dropped:
// signals steer no money.
const (
	flushEvery   = 5 * time.Second
	flushTimeout = 10 * time.Second
	maxPending   = 5_000   // different counts between two flushes
	maxViews     = 200_000 // page views that are remembered, so that a replay is not counted; twice as many at most
	maxSignal    = 4 << 10 // bytes of a body
)

// kinds are what can happen to an ask.
var kinds = []string{"seen", "clicked", "closed"}

var viewID = regexp.MustCompile(`^[A-Za-z0-9_-]{8,64}$`)

// SignalsOptions is what [NewSignals] needs.
type SignalsOptions struct {
	Add      func(context.Context, []store.Signal) error
	Signer   *attribution.Signer
	Timezone *time.Location   // of the days that are counted
	Now      func() time.Time // time.Now if nil
	Log      *slog.Logger
}

// Signals counts what happens to asks, in memory, and adds it to the database
// every few seconds. What they hold of a reader is a random number of one page
// view, in memory alone. It is safe for concurrent use.
type Signals struct {
	SignalsOptions
	seed maphash.Seed

	mu         sync.Mutex
	pending    map[store.Signal]int64 // by a signal without its times
	dropped    int64
	young, old map[uint64]struct{} // views, each with its placement and kind
}

// NewSignals returns a counter that knows nothing yet: see [Signals.Run].
func NewSignals(o SignalsOptions) *Signals {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Signals{
		SignalsOptions: o, seed: maphash.MakeSeed(),
		pending: map[store.Signal]int64{}, young: map[uint64]struct{}{},
	}
}

// A signal is the body of POST /v1/signals.
type signal struct {
	Kind  string `json:"kind"`  // seen, clicked or closed
	View  string `json:"view"`  // random, of this page view
	Token string `json:"token"` // of the ask it is about
}

// Record handles POST /v1/signals. The token says which ask it is about: what
// we never asked is not counted.
func (s *Signals) Record(c *gin.Context) error {
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, maxSignal+1))
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "The signal could not be read.")
	}
	if len(body) > maxSignal {
		return fault.New(fault.TooLarge, "A signal has at most %d bytes.", maxSignal)
	}
	var g signal
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&g); err != nil {
		return fault.New(fault.Invalid, "A signal is one JSON object with kind, view and token.")
	}
	now := s.Now()
	claim, err := s.Signer.Verify(g.Token, now)
	switch {
	case !slices.Contains(kinds, g.Kind):
		return fault.Field("kind", "A signal is seen, clicked or closed.")
	case !viewID.MatchString(g.View):
		return fault.Field("view", "A view is 8 to 64 letters and digits, made at random for one page view.")
	case errors.Is(err, attribution.ErrExpired):
		return fault.Field("token", "The token is too old; ask again.")
	case err != nil:
		return fault.Field("token", "The token is not one of ours.")
	}
	s.count(g, store.Signal{
		Day: giving.Day(now.Unix(), s.Timezone), Article: claim.Article, Placement: claim.Placement, Variant: claim.Variant, Kind: g.Kind,
	})
	c.Status(http.StatusNoContent)
	return nil
}

// count adds one to what, once a page view.
func (s *Signals) count(g signal, what store.Signal) {
	view := maphash.String(s.seed, g.View+"\x00"+g.Kind+"\x00"+what.Placement+"\x00"+what.Article)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.young[view]
	if _, before := s.old[view]; known || before {
		return
	}
	if len(s.young) >= maxViews {
		s.young, s.old = map[uint64]struct{}{}, s.young
	}
	s.young[view] = struct{}{}
	s.add(what, 1)
}

// add adds to what is pending. The caller holds mu.
func (s *Signals) add(what store.Signal, times int64) {
	if _, there := s.pending[what]; !there && len(s.pending) >= maxPending {
		s.dropped += times
		return
	}
	s.pending[what] += times
}

// Run flushes every few seconds until ctx is done, and then once more.
func (s *Signals) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			s.flush(context.WithoutCancel(ctx))
			return
		case <-ticker.C:
			s.flush(ctx)
		}
	}
}

// flush adds what is pending to the database, and keeps it if that fails.
func (s *Signals) flush(ctx context.Context) {
	s.mu.Lock()
	taken, dropped := s.pending, s.dropped
	s.pending, s.dropped = make(map[store.Signal]int64, len(taken)), 0
	s.mu.Unlock()
	if dropped > 0 {
		s.Log.WarnContext(ctx, "signals were dropped: more different ones came than are kept", "signals", dropped)
	}
	if len(taken) == 0 {
		return
	}
	batch := make([]store.Signal, 0, len(taken))
	for what, times := range taken {
		what.Times = times
		batch = append(batch, what)
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if err := s.Add(ctx, batch); err != nil {
		s.Log.WarnContext(ctx, "signals could not be stored; they are kept for the next time", "err", err)
		s.mu.Lock()
		defer s.mu.Unlock()
		for what, times := range taken {
			s.add(what, times)
		}
	}
}
