package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

const (
	readers          = 4
	balancerPatience = 5 * time.Second // with a replica that does not answer
	mostBehind       = 20              // things that happened and were not delivered
	warm             = 25              // deliveries answered before a fault, and again after it
	readPause        = 5 * time.Millisecond
	databaseName     = "support"
)

// A trial is two replicas at work, and what happens to them in one fault.
type trial struct {
	*chaos
	postgres *testenv.Cluster
	redis    *testenv.Server
	standby  *testenv.Cluster  // nil but for a failover
	disk     *testenv.Disk     // nil but for a full one
	lite     bool              // SQLite, without a disk of its own
	clocks   []string          // by replica: the file that says how far off its clock is; nil: they are right
	release  func()            // ends what holds SQLite
	cluster  string            // the address of a Redis Cluster in Redis's place, else ""
	nodes    []*testenv.Server // its nodes
	build    string            // of the program; "" is the usual one
	next     string            // another build of the program
	extra    []string          // further settings
	first    []string          // further settings of a replica that is started before all others, and dies; nil: none
	mails    *mailServer       // nil: mails are kept
	deaths   int               // so many mails may come twice

	toDatabase, toStandby, toRedis, toStripe *testenv.Link

	skew    atomic.Int64 // of Stripe's clock, in ns
	allowed atomic.Int64 // how many things may happen at Stripe; 0: any number

	noting sync.Mutex
	tally  tally
	acked  map[string]bool // events that were answered with 200
	toldOf int             // how much had happened when the last of them was
	latest []time.Time     // by replica: when the last delivery began that it answered with 200
}

// A tally is what was seen since a moment.
type tally struct {
	deliveries, acked, refused, broken int
	reads, failed, unreached, zeros    int
	last                               time.Time // a delivery was answered with 200
	gap                                time.Duration
	slowest                            time.Duration // read
}

// figures are what one fault came to.
type figures struct {
	runs, deliveries, reads, lost, doubled, restored int
	gap, recovery                                    time.Duration
}

func newTrial(t *testing.T, f fault, seed uint64) *trial {
	t.Helper()
	r := &trial{acked: map[string]bool{}, chaos: &chaos{
		t: t, folder: t.TempDir(), luck: rand.New(rand.NewPCG(seed, 1)), foreign: map[string]bool{}, done: map[string]int{},
		erased: map[string]bool{}, replicas: make([]*program, replicas), pause: 150 * time.Millisecond,
	}}
	r.enough = r.behind
	if f.on != nil {
		f.on(r)
	}
	api := strings.TrimPrefix(r.playStripe(seed, r), "http://")
	host, path, _ := strings.Cut(api, "/")
	r.toStripe = testenv.NewLink(t, host)
	address := "sqlite:" + r.folder + "/support.db"
	if r.disk == nil && !r.lite || r.postgres != nil {
		address = r.startPostgres()
	}
	cache := r.cluster
	if cache == "" {
		r.redis = testenv.RedisServer(t)
		r.toRedis = testenv.NewLink(t, r.redis.Addr())
		cache = "redis://" + r.toRedis.Addr()
	}
	r.serveFrom("http://"+r.toStripe.Addr()+"/"+path, address, cache)
	r.settings = append(r.settings, r.extra...)
	if r.first != nil {
		p := launchBuild(t, mortal(t), r.folder, append(r.settingsOf(0), r.first...)...)
		r.awaitDeath(p)
	}
	r.latest = make([]time.Time, len(r.replicas))
	for i := range r.replicas {
		r.replicas[i] = launchBuild(t, cmp.Or(r.build, binary), r.folder, r.settingsOf(i)...)
	}
	for _, p := range r.replicas {
		p.wait(t)
	}
	return r
}

// startPostgres returns the address of a database that the replicas reach by
// links: of a primary and its standby, if there is one.
func (r *trial) startPostgres() string {
	r.t.Helper()
	if r.postgres == nil {
		r.postgres = testenv.PostgresServer(r.t)
	}
	r.postgres.Exec(r.t, "CREATE DATABASE "+databaseName)
	r.toDatabase = testenv.NewLink(r.t, r.postgres.Addr())
	hosts := r.toDatabase.Addr()
	if r.standby != nil {
		r.toStandby = testenv.NewLink(r.t, r.standby.Addr())
		hosts += "," + r.toStandby.Addr()
	}
	return "postgres://postgres@" + hosts + "/" + databaseName + "?sslmode=disable&connect_timeout=2"
}

// run plays one fault and holds what it left to the book.
func (f fault) run(t *testing.T, seed uint64) figures {
	t.Logf("seed %d", seed)
	r := newTrial(t, f, seed)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	delivering, silent := context.WithCancel(t.Context())
	defer silent()
	var playing, running sync.WaitGroup
	running.Go(func() { _ = r.box.Run(delivering) }) // it ends with its context
	r.must(r.giveAs(ctx, "first@example.org"))
	r.kept = r.any(ctx, rand.New(rand.NewPCG(seed, 2)), "/v1/charges")
	for i := range players {
		playing.Go(func() { r.play(ctx, rand.New(rand.NewPCG(seed, uint64(10+i)))) })
	}
	for i := range readers {
		playing.Go(func() { r.read(ctx, rand.New(rand.NewPCG(seed, uint64(20+i)))) })
	}
	eventually(t, "deliveries are answered before the fault", func() bool { return r.seen().acked >= warm && r.allAnsweredSince(time.Time{}) })
	for _, p := range r.replicas {
		eventually(t, "each replica counts somebody", func() bool {
			status, text := r.ask(ctx, p.url[len("http://"):]+"/v1/supporters")
			return status == http.StatusOK && saysSomebody(text)
		})
	}

	r.mark()
	f.inject(r)
	if f.felt == nil {
		f.felt = answered(2 * warm)
	}
	eventually(t, "the fault is felt", func() bool { return f.felt(r) })
	if f.heal != nil {
		f.heal(r)
	}
	healed := time.Now()
	eventually(t, "all replicas answer deliveries again", func() bool { return r.allAnsweredSince(healed) })
	recovery := time.Since(healed)
	before := r.seen().acked
	eventually(t, "deliveries are answered after the fault", func() bool { return r.seen().acked >= before+warm })
	stop()
	playing.Wait()
	seen := r.seen()
	t.Logf("%+v, recovery %v", seen, recovery)
	if seen.failed > 0 || seen.unreached > 0 || seen.zeros > 0 {
		t.Errorf("of %d reads %d were answered with 5xx, %d reached nobody, and %d said that nobody gave", seen.reads, seen.failed, seen.unreached, seen.zeros)
	}
	if f.within > 0 && recovery > f.within {
		t.Errorf("it took %v to recover; want %v", recovery, f.within)
	}
	silent()
	running.Wait()
	return r.settle(f, figures{1, seen.deliveries, seen.reads, 0, 0, 0, seen.gap, recovery})
}

// settle lets everything arrive that is under way, and compares.
func (r *trial) settle(f fault, sum figures) figures {
	t := r.t
	t.Helper()
	r.must(r.box.SetChaos(sandbox.Chaos{}))
	r.must(r.box.Advance(2 * time.Minute)) // what is booked late is booked
	r.deliverRest()
	sum.lost = len(r.missing())
	if drifts := command(t, r.folder, r.settings, "verify"); drifts != "" {
		t.Errorf("verify before the reconciliation: %s", drifts)
	}
	r.awaitFollowUps()
	sum.restored = r.reconcile()
	if sum.lost > 0 && !f.loses {
		t.Errorf("%d deliveries were answered with 200 and are not stored", sum.lost)
	}
	a := r.account()
	gifts, members, supporters := r.book(a)
	sum.doubled = r.compareBook(a, gifts, members, supporters)
	if f.holds != nil {
		f.holds(r)
	}
	if drifts := command(t, r.folder, r.settings, "verify"); drifts != "" {
		t.Errorf("verify: %s", drifts)
	}
	for _, p := range r.replicas {
		if code := p.end(t); code != 0 {
			t.Errorf("SIGTERM: exit %d; want 0", code)
		}
	}
	t.Logf("%d gifts, %d members; %+v", len(gifts), len(members), sum)
	return sum
}

// awaitFollowUps waits until nothing is to be asked of Stripe any more, also
// what a replica had taken that was killed.
func (r *trial) awaitFollowUps() {
	r.t.Helper()
	db, err := store.Open(r.database())
	r.must(err)
	defer db.Close()
	eventually(r.t, "what follows from events is asked of Stripe", func() bool {
		_, waiting, err := db.OldestFetch(r.t.Context())
		r.must(err)
		return waiting == 0
	})
}

// missing returns the events that were answered with 200 and are not stored.
func (r *trial) missing() []string {
	r.t.Helper()
	db, err := store.Open(r.database())
	r.must(err)
	defer db.Close()
	var ids []string
	for id := range r.acked {
		ids = append(ids, id)
	}
	r.must(db.Look(r.t.Context(), func(tx *store.Tx) error {
		events, err := tx.EventsByID(r.t.Context(), ids)
		for _, e := range events {
			delete(r.acked, e.ID)
		}
		return err
	}))
	var missing []string
	for id := range r.acked {
		missing = append(missing, id)
	}
	return missing
}

// mark begins a new tally.
func (r *trial) mark() {
	r.noting.Lock()
	defer r.noting.Unlock()
	r.tally = tally{last: time.Now()}
}

func (r *trial) seen() tally {
	r.noting.Lock()
	defer r.noting.Unlock()
	return r.tally
}

// behind reports whether much happened at Stripe since a delivery was answered
// with 200: what piles up in a fault is delivered after it. No more than allowed
// happens while a command runs.
func (r *trial) behind() bool {
	acts := r.acts()
	if allowed := r.allowed.Load(); allowed > 0 && acts > int(allowed) {
		return true
	}
	r.noting.Lock()
	defer r.noting.Unlock()
	return acts > r.toldOf+mostBehind
}

// meanwhile runs a command's deed, while which so many things happen at Stripe
// and no more: however long it takes on a busy machine, it ends.
func (r *trial) meanwhile(deed func()) {
	r.allowed.Store(int64(r.acts() + 2*mostBehind))
	defer r.allowed.Store(0)
	deed()
}

// acts returns how many things happened at Stripe.
func (r *trial) acts() (n int) {
	r.chaos.mu.Lock()
	defer r.chaos.mu.Unlock()
	for _, times := range r.done {
		n += times
	}
	return n
}

// allAnsweredSince reports whether each replica has answered a delivery with
// 200 that began after a moment.
func (r *trial) allAnsweredSince(moment time.Time) bool {
	r.noting.Lock()
	defer r.noting.Unlock()
	for _, at := range r.latest {
		if !at.After(moment) {
			return false
		}
	}
	return true
}

// RoundTrip carries a delivery to one of the replicas, as a balancer does that
// has not noticed which of them is down, and notes how it went.
func (r *trial) RoundTrip(delivery *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(delivery.Body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(delivery.Context(), balancerPatience)
	defer cancel()
	i, began := r.anyReplica(), time.Now()
	delivery = delivery.Clone(ctx)
	delivery.Body = io.NopCloser(bytes.NewReader(body))
	delivery.URL.Host, delivery.Host = r.addrs[i], r.addrs[i]
	if skew := r.skew.Load(); skew != 0 {
		delivery.Header.Set("Stripe-Signature", sandbox.Sign(body, webhookSecret, began.Add(time.Duration(skew))))
	}
	answer, err := http.DefaultTransport.RoundTrip(delivery)
	if err == nil {
		var text []byte
		text, err = io.ReadAll(answer.Body)
		answer.Body.Close()
		answer.Body = io.NopCloser(bytes.NewReader(text))
	}
	acts := r.acts()
	r.noting.Lock()
	defer r.noting.Unlock()
	r.tally.deliveries++
	switch {
	case err != nil:
		r.tally.broken++
		return nil, err
	case answer.StatusCode != http.StatusOK:
		r.tally.refused++
		return answer, nil
	}
	var event struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, err
	}
	now := time.Now()
	r.toldOf = acts
	r.tally.acked++
	r.tally.gap = max(r.tally.gap, now.Sub(r.tally.last))
	r.tally.last, r.acked[event.ID] = now, true
	if began.After(r.latest[i]) {
		r.latest[i] = began
	}
	return answer, nil
}

// read asks for what articles show until ctx ends, of whichever replica there
// is.
func (r *trial) read(ctx context.Context, random *rand.Rand) {
	for ; ctx.Err() == nil; time.Sleep(readPause) {
		path := "/v1/supporters"
		if random.IntN(2) == 0 {
			path = "/v1/ask?article=troops&placement=mid"
		}
		began, first := time.Now(), random.IntN(len(r.addrs))
		status, text := r.ask(ctx, r.addrs[first]+path)
		if status == 0 {
			status, text = r.ask(ctx, r.addrs[(first+1)%len(r.addrs)]+path)
		}
		if ctx.Err() != nil {
			return
		}
		r.noting.Lock()
		r.tally.reads++
		r.tally.slowest = max(r.tally.slowest, time.Since(began))
		switch {
		case status == 0:
			r.tally.unreached++
		case status >= http.StatusInternalServerError:
			r.tally.failed++
		case strings.HasPrefix(text, `{"scope":"all","supporters":0,`):
			r.tally.zeros++
		}
		r.noting.Unlock()
	}
}

// saysSomebody reports whether an answer about all supporters counts any.
func saysSomebody(text string) bool {
	rest, ok := strings.CutPrefix(text, `{"scope":"all","supporters":`)
	return ok && !strings.HasPrefix(rest, "0") && !strings.HasPrefix(rest, "null")
}

// ask returns the status 0 where nobody answered.
func (r *trial) ask(ctx context.Context, address string) (status int, text string) {
	ctx, cancel := context.WithTimeout(ctx, balancerPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address, nil)
	if err != nil {
		return 0, ""
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, ""
	}
	return answer.StatusCode, string(all)
}
