package counts

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// A replica's parts act only when they are told to, so that their order is the
// test's to choose.
type replica struct {
	*Counts
	mirror *mirror
	db     *fakeSource
	cut    bool             // from the database
	shown  map[string]int64 // the newest revision shown of each scope
}

// ScopesSince is the replica's way to the database.
func (r *replica) ScopesSince(ctx context.Context, revision int64) ([]store.ScopeCount, error) {
	if r.cut {
		return nil, errors.New("connection refused")
	}
	return r.db.ScopesSince(ctx, revision)
}

// start makes the replica anew, as a process that knows nothing.
func (r *replica) start(client redis.UniversalClient) {
	r.Counts = New(Options{Source: r, Redis: client, Log: silent()})
	r.mirror = &mirror{Counts: r.Counts, writtenAt: time.Now()}
	r.shown = make(map[string]int64)
}

// world is one database, one Redis and some replicas.
type world struct {
	*rapid.T
	db       *fakeSource
	client   redis.UniversalClient
	replicas []*replica
	commits  []committed
	untold   []untold
	backup   map[string]map[string]string // what Redis held once
}

type committed struct {
	at   time.Time // not before everybody could see it
	rows []store.ScopeCount
}

// untold is what a replica's ledger has yet to tell it.
type untold struct {
	to   *replica
	rows []store.ScopeCount
}

func TestAnyOrderShowsTheTruth(t *testing.T) {
	t.Parallel()
	client := connect(t, testenv.RedisServer(t).URL())
	for range 4 { // times as many histories as rapid tries by itself
		rapid.Check(t, func(t *rapid.T) { anyOrder(t, client) })
	}
}

func anyOrder(t *rapid.T, client redis.UniversalClient) {
	w := &world{T: t, db: newSource(), client: client}
	w.do(client.FlushAll(t.Context()))
	for range 3 {
		r := &replica{db: w.db}
		r.start(client)
		w.replicas = append(w.replicas, r)
	}
	t.Repeat(map[string]func(*rapid.T){
		"commit":  w.commit,
		"tell":    w.tell,
		"refresh": func(t *rapid.T) { w.any(t).refresh(t.Context()) },
		"mirror":  func(t *rapid.T) { w.write(t, w.any(t)) },
		"standIn": func(t *rapid.T) { w.standIn(t, w.any(t)) },
		"cut":     func(t *rapid.T) { r := w.any(t); r.cut = !r.cut },
		"restart": func(t *rapid.T) { w.any(t).start(client) },
		"redis":   w.harm,
		"":        func(t *rapid.T) { w.check(t) },
	})
	w.settle(t)
}

func (w *world) do(cmd redis.Cmder) {
	if err := cmd.Err(); err != nil {
		w.Fatalf("%v: %v", cmd.Args(), err)
	}
}

func (w *world) any(t *rapid.T) *replica {
	return w.replicas[rapid.IntRange(0, len(w.replicas)-1).Draw(t, "replica")]
}

// commit moves some scopes in one transaction, through a replica that will be
// told of it at some time, or never.
func (w *world) commit(t *rapid.T) {
	scopes := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"all", "article:a", "article:b", "campaign:c", "article:d"}), 1, 3, rapid.ID).Draw(t, "scopes")
	var rows []store.ScopeCount
	for _, scope := range scopes {
		rows = append(rows, row(scope, rapid.Int64Range(0, 9).Draw(t, "supporters"), rapid.Int64Range(0, 9).Draw(t, "members")))
	}
	rows = w.db.commit(rows...)
	w.commits = append(w.commits, committed{at: time.Now(), rows: rows})
	if rapid.Bool().Draw(t, "told") {
		w.untold = append(w.untold, untold{w.any(t), rows})
	}
}

// tell tells of any commit that was not told of yet, and perhaps not for the last time.
func (w *world) tell(t *rapid.T) {
	if len(w.untold) == 0 {
		t.Skip("all is told")
	}
	i := rapid.IntRange(0, len(w.untold)-1).Draw(t, "which")
	w.untold[i].to.Moved(w.untold[i].rows)
	if !rapid.Bool().Draw(t, "again") {
		w.untold = slices.Delete(w.untold, i, i+1)
	}
}

func (w *world) write(t *rapid.T, r *replica) {
	if err := r.mirror.write(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// standIn lets the replica believe that the database is silent for long.
func (w *world) standIn(t *rapid.T, r *replica) {
	r.mu.Lock()
	if !r.state.answered.IsZero() {
		r.state.answered = r.state.answered.Add(-silence)
	}
	r.mu.Unlock()
	if _, err := r.standIn(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// harm does to Redis what happens to a Redis.
func (w *world) harm(t *rapid.T) {
	ctx := t.Context()
	keys := w.client.Keys(ctx, prefix+"*").Val()
	slices.Sort(keys)
	switch rapid.SampledFrom([]string{"wipe", "evict", "type", "field", "back up", "restore"}).Draw(t, "harm") {
	case "wipe":
		w.do(w.client.FlushAll(ctx))
	case "back up":
		w.backup = make(map[string]map[string]string)
		for _, key := range keys {
			w.backup[key] = w.client.HGetAll(ctx, key).Val()
		}
	case "restore":
		w.do(w.client.FlushAll(ctx))
		for key, fields := range w.backup {
			if len(fields) > 0 {
				w.do(w.client.HSet(ctx, key, fields))
			}
		}
	case "evict":
		if len(keys) > 0 {
			w.do(w.client.Del(ctx, rapid.SampledFrom(keys).Draw(t, "key")))
		}
	case "type":
		if len(keys) > 0 {
			w.do(w.client.Set(ctx, rapid.SampledFrom(keys).Draw(t, "key"), `"><script>`, 0))
		}
	case "field":
		if len(keys) > 0 {
			key := rapid.SampledFrom(keys).Draw(t, "key")
			if w.client.Type(ctx, key).Val() == "hash" {
				w.do(w.client.HSet(ctx, key, rapid.SampledFrom([]string{"supporters", "members", "revision", "as_of", "scopes"}).Draw(t, "field"),
					rapid.SampledFrom([]string{"", "-1", "x", "1e3", "007", "inf", "nan", "99999999999999999999", "9007199254740993"}).Draw(t, "value")))
			}
		}
	}
}

// check holds every replica to what it shows.
func (w *world) check(t *rapid.T) {
	for i, r := range w.replicas {
		s := r.Snapshot()
		s.each(func(e *entry) {
			shown := store.ScopeCount{Scope: e.scope, Supporters: e.supporters, Members: e.members, Revision: e.revision}
			if !w.db.past[shown] {
				t.Fatalf("replica %d shows %+v, which was never true", i, shown)
			}
			if e.revision < r.shown[e.scope] {
				t.Fatalf("replica %d: %s went back from revision %d to %d", i, e.scope, r.shown[e.scope], e.revision)
			}
			r.shown[e.scope] = e.revision
		})
		if !s.whole {
			if !s.stale || s.Count("nobody gave here").Known {
				t.Fatalf("replica %d knows not all, and doesn't say so", i)
			}
			continue
		}
		for n, c := range w.commits {
			// What was certainly committed before the snapshot's time is in it:
			// else its time is a lie, and what it lacks is no 0.
			if c.at.After(s.asOf) && int64(n+1) > r.state.seen {
				break
			}
			for _, row := range c.rows {
				if e := s.find(row.Scope); e == nil || e.revision < row.Revision {
					t.Fatalf("replica %d, as of %v and revision %d, lacks %+v of %v", i, s.asOf, r.state.seen, row, c.at)
				}
			}
		}
	}
}

// settle ends all faults. Then everybody shows the truth, and so does a
// process that can reach only Redis.
func (w *world) settle(t *rapid.T) {
	for range 4 {
		for _, r := range w.replicas {
			r.mirror.writtenAt = time.Now().Add(-rewriteEvery)
			r.cut = false
			if !r.refresh(t.Context()) {
				t.Fatal("the database answers, and nobody heard")
			}
			w.write(t, r)
			w.check(t)
		}
	}
	cold := &replica{db: w.db, cut: true}
	cold.start(w.client)
	cold.refresh(t.Context())
	w.standIn(t, cold)
	for i, r := range append(slices.Clone(w.replicas), cold) {
		for scope, want := range w.db.rows {
			got := r.Snapshot().Count(scope)
			if !got.Known || got.Stale || got.Supporters != want.Supporters || got.Members != want.Members {
				t.Fatalf("replica %d ends with %s = %+v, want %+v", i, scope, got, want)
			}
		}
		if got := r.Snapshot().Count("nobody gave here"); !got.Known || got.Supporters != 0 {
			t.Fatalf("replica %d: %+v where nobody gave", i, got)
		}
	}
}
