package counts

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// side is a database, a Redis, and a process that mirrors the one to the
// other when told to.
type side struct {
	*testing.T
	db     *fakeSource
	client redis.UniversalClient
	*mirror
}

func newSide(t *testing.T) *side {
	s := &side{T: t, db: newSource(), client: connect(t, testenv.RedisServer(t).URL())}
	s.mirror = s.process()
	return s
}

// process returns another process on the same database and Redis.
func (s *side) process() *mirror {
	c := New(Options{Source: s.db, Redis: s.client, Log: silent()})
	return &mirror{Counts: c, writtenAt: time.Now()}
}

// mirrors lets m read the database and write to Redis.
func (s *side) mirrors(m *mirror) {
	s.Helper()
	if !m.refresh(s.Context()) {
		s.Fatal("the database doesn't answer")
	}
	if err := m.write(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// learn lets c, whose database is gone, learn from Redis, and returns what it shows.
func (s *side) learn(c *Counts) *Snapshot {
	s.Helper()
	if _, err := c.standIn(s.Context()); err != nil {
		s.Fatal(err)
	}
	return c.Snapshot()
}

func (s *side) cold() *Counts {
	return New(Options{Source: &replica{cut: true}, Redis: s.client, Log: silent()})
}

// holdsAll checks that Redis holds all that the database has.
func (s *side) holdsAll() {
	s.Helper()
	got := s.learn(s.cold())
	for scope, want := range s.db.rows {
		if c := got.Count(scope); !c.Known || c.Stale || c.Supporters != want.Supporters {
			s.Errorf("Redis tells %s = %+v, want %d", scope, c, want.Supporters)
		}
	}
}

func (s *side) set(key, field, value string) {
	s.Helper()
	if err := s.client.HSet(s.Context(), key, field, value).Err(); err != nil {
		s.Fatal(err)
	}
}

func TestOlderProcessDoesNotOverwrite(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.db.commit(row("all", 1, 0))
	late := s.process()
	late.refresh(t.Context())
	h, err := late.head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	task, _ := late.task(h)
	s.db.commit(row("all", 2, 0))
	s.mirrors(s.mirror)

	if held, err := late.writeScopes(t.Context(), task, -1); held != 2 || err != nil {
		t.Errorf("writeScopes = %d, %v; want to hear of revision 2", held, err)
	}
	if err := late.writeHead(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	s.holdsAll()
	if late.known != 2 {
		t.Errorf("it knows of revision %d, want 2: all of that was in Redis", late.known)
	}
}

// Redis was emptied between two writes of one turn.
func TestEmptiedWhileWriting(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.db.commit(row("all", 1, 0), row("article:a", 1, 0))
	s.mirrors(s.mirror)
	s.db.commit(row("all", 2, 0))
	s.refresh(t.Context())
	h, err := s.head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	task, _ := s.task(h)
	s.client.FlushAll(t.Context())
	if _, err := s.writeScopes(t.Context(), task, h.revision); err != nil {
		t.Fatal(err)
	}
	if err := s.writeHead(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if s.client.Exists(t.Context(), headKey).Val() != 0 {
		t.Error("a head was written over scopes that are gone")
	}
	s.mirrors(s.mirror)
	s.holdsAll()
}

// A Redis that failed over, or was restarted from its file, forgot the last writes.
func TestRedisForgetsTheLastWrites(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.db.commit(row("all", 1, 0), row("article:a", 1, 0), row("article:b", 1, 0))
	s.mirrors(s.mirror)
	backup := make(map[string]map[string]string)
	for _, key := range s.client.Keys(t.Context(), prefix+"*").Val() {
		backup[key] = s.client.HGetAll(t.Context(), key).Val()
	}
	s.db.commit(row("article:a", 2, 0))
	s.mirrors(s.mirror)
	s.client.FlushAll(t.Context())
	for key, fields := range backup {
		s.client.HSet(t.Context(), key, fields)
	}
	s.db.commit(row("article:b", 3, 0))
	s.mirrors(s.mirror)
	s.holdsAll()
}

// A new scope must not make up, in number, for one that was evicted.
func TestNewScopeDoesNotHideAnEvictedOne(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.db.commit(row("all", 2, 0), row("article:a", 2, 0))
	s.mirrors(s.mirror)
	s.client.Del(t.Context(), scopePrefix+"article:a")
	s.db.commit(row("article:new", 1, 0))
	s.refresh(t.Context())
	h, err := s.head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	task, _ := s.task(h)
	if _, err := s.writeScopes(t.Context(), task, h.revision); err != nil { // and not yet the head
		t.Fatal(err)
	}
	got := s.learn(s.cold())
	if c := got.Count("article:a"); c.Known {
		t.Errorf("article:a = %+v, want unknown", c)
	}
	if c := got.Count("article:new"); !c.Known || c.Supporters != 1 || !c.Stale {
		t.Errorf("article:new = %+v, want 1, and stale", c)
	}
}

// The time of a part of the counts is not the time of all.
func TestTimeOfAPart(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.db.commit(row("all", 2, 0))
	s.mirrors(s.mirror)
	head := s.client.HGetAll(t.Context(), headKey).Val()
	asOf, err := strconv.ParseInt(head["as_of"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	const before = 5 * time.Second
	head["as_of"] = strconv.FormatInt(asOf-before.Milliseconds(), 10)
	s.client.Del(t.Context(), headKey)
	c := s.cold()
	if part := s.learn(c); part.whole || part.AsOf().IsZero() {
		t.Fatalf("without a head: whole %v, as of %v", part.whole, part.AsOf())
	}
	s.client.HSet(t.Context(), headKey, head)
	if age := time.Since(s.learn(c).AsOf()); age < before {
		t.Errorf("the counts seem to be %v old, want %v or more, as the head says", age, before)
	}
}

// A head from the future would confirm counts until then.
func TestHeadFromTheFuture(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.db.commit(row("all", 2, 0))
	s.mirrors(s.mirror)
	s.set(headKey, "as_of", strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10))
	if got := s.learn(s.cold()); got.whole || !got.Stale() {
		t.Errorf("whole %v, stale %v; want part of the counts, stale", got.whole, got.Stale())
	}
	s.mirrors(s.mirror)
	s.holdsAll()
}

// A database that was away may come back as another one, which lost the end.
func TestDatabaseFailsOverAndLosesTheEnd(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.db.commit(row("all", 1, 0))
	s.db.commit(row("all", 2, 0), row("article:lost", 1, 0))
	s.mirrors(s.mirror)
	s.db.down = true
	s.refresh(t.Context())
	s.db.down, s.db.rows, s.db.revision = false, map[string]store.ScopeCount{"all": {Scope: "all", Supporters: 1, Revision: 1}}, 1
	s.mirrors(s.mirror)
	if got := s.Snapshot().Count("all").Supporters; got != 1 {
		t.Errorf("all = %d, want 1, as the database says", got)
	}
	if got := s.Snapshot().Count("article:lost"); !got.Known || got.Supporters != 0 {
		t.Errorf("article:lost = %+v, want 0", got)
	}
	s.holdsAll()
}

// While the database doesn't answer nothing is written that it has not confirmed.
func TestNothingIsWrittenInDoubt(t *testing.T) {
	t.Parallel()
	s := newSide(t)
	s.db.commit(row("all", 1, 0))
	s.mirrors(s.mirror)
	s.Moved(s.db.commit(row("all", 2, 0)))
	s.db.down = true
	s.refresh(context.WithoutCancel(t.Context()))
	if err := s.write(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{headKey, scopePrefix + "all"} {
		if got := s.client.HGet(t.Context(), key, "revision").Val(); got != "1" {
			t.Errorf("%s is of revision %s, want 1", key, got)
		}
	}
	s.db.down = false
	s.mirrors(s.mirror)
	s.holdsAll()
}
