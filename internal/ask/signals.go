package ask

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/redis/go-redis/v9"

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

// isView reports whether v can be a page view's: 8 to 64 letters, digits, _ or -.
func isView(v string) bool {
	if len(v) < 8 || len(v) > 64 {
		return false
	}
	for i := range len(v) {
		c := v[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// strictly refuses what a signal does not have.
var strictly = json.RejectUnknownMembers(true)

// bodies keeps room to read signals into.
var bodies = sync.Pool{New: func() any { return new([maxSignal + 1]byte) }}

// SignalsOptions is what [NewSignals] needs.
type SignalsOptions struct {
	Add      func(context.Context, []store.Signal) error
	Redis    redis.UniversalClient // where replicas tell each other of page views; nil for one alone
	Signer   *attribution.Signer
	Timezone *time.Location   // of the days that are counted
	Now      func() time.Time // time.Now if nil
	Log      *slog.Logger
}

// Signals counts what happens to asks, in memory, and adds it to the database
// every few seconds. What they hold of a reader is a random number of one page
// view, in memory and for minutes in Redis. It is safe for concurrent use.
type Signals struct {
	SignalsOptions
	claims claims
	tell   func(context.Context, []uint64) ([]int, error) // see viewsInRedis; nil without Redis

	mu         sync.Mutex
	fresh      map[store.Signal][]uint64 // views that other replicas may have counted; by a signal without its times
	waiting    int                       // views in fresh
	pending    map[store.Signal]int64    // ready for the database
	dropped    int64
	young, old map[uint64]struct{} // views, each with its placement and kind
}

// NewSignals returns a counter that knows nothing yet: see [Signals.Run].
func NewSignals(o SignalsOptions) *Signals {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Signals{
		SignalsOptions: o, claims: claims{signer: o.Signer},
		fresh: map[store.Signal][]uint64{}, pending: map[store.Signal]int64{}, young: map[uint64]struct{}{},
	}
	if o.Redis != nil {
		s.tell = viewsInRedis{o.Redis, o.Now}.tell
	}
	return s
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
	buffer := bodies.Get().(*[maxSignal + 1]byte)
	defer bodies.Put(buffer)
	n, err := io.ReadFull(c.Request.Body, buffer[:])
	switch {
	case err == nil:
		return fault.New(fault.TooLarge, "A signal has at most %d bytes.", maxSignal)
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Wrap(fault.Invalid, err, "The signal could not be read.")
	}
	var g signal
	if err := json.Unmarshal(buffer[:n], &g, strictly); err != nil {
		return fault.New(fault.Invalid, "A signal is one JSON object with kind, view and token.")
	}
	now := s.Now()
	claim, err := s.claims.verify(g.Token, now)
	switch {
	case !slices.Contains(kinds, g.Kind):
		return fault.Field("kind", "A signal is seen, clicked or closed.")
	case !isView(g.View):
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
	view := viewHash(g.View, g.Kind, what.Placement, what.Article)
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
	// In a flood not every view is told to the other replicas.
	if _, there := s.fresh[what]; s.tell == nil || s.waiting >= maxViews || !there && len(s.fresh) >= maxPending {
		s.add(what, 1)
		return
	}
	s.fresh[what] = append(s.fresh[what], view)
	s.waiting++
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
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	s.settle(ctx)
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
	if err := s.Add(ctx, batch); err != nil {
		s.Log.WarnContext(ctx, "signals could not be stored; they are kept for the next time", "err", err)
		s.mu.Lock()
		defer s.mu.Unlock()
		for what, times := range taken {
			s.add(what, times)
		}
	}
}

// settle asks the other replicas, through Redis, which of the fresh views they
// counted, and makes the rest pending. With Redis gone all are.
func (s *Signals) settle(ctx context.Context) {
	s.mu.Lock()
	fresh := s.fresh
	s.fresh, s.waiting = map[store.Signal][]uint64{}, 0
	s.mu.Unlock()
	var order []store.Signal
	var views []uint64
	for what, some := range fresh {
		for range some {
			order = append(order, what)
		}
		views = append(views, some...)
	}
	counted := map[store.Signal]int64{}
	for len(views) > 0 {
		n := min(len(views), viewsAtOnce)
		mine, err := s.tell(ctx, views[:n])
		if err != nil {
			s.Log.WarnContext(ctx, "page views could not be told to other replicas; a replay there may count again", "err", err)
			n, mine = len(views), nil
			for i := range n {
				mine = append(mine, i)
			}
		}
		for _, i := range mine {
			counted[order[i]]++
		}
		order, views = order[n:], views[n:]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for what, times := range counted {
		s.add(what, times)
	}
}
