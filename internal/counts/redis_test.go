package counts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

const (
	heardWithin     = time.Second // of a commit, where Redis is well
	heardWithoutAny = StaleAfter  // where it isn't
)

// running returns the counts of a process that has read the database.
func running(t *testing.T, source Source, url string) *Counts {
	t.Helper()
	c := New(Options{Source: source, Redis: connect(t, url), Log: silent()})
	start(t, c)
	eventually(t, 10*time.Second, "the database is read", func() bool { return c.Snapshot().whole })
	return c
}

// shows reports whether c shows a number of supporters as current.
func shows(c *Counts, scope string, supporters int64) bool {
	got := c.Snapshot().Count(scope)
	return got.Known && !got.Stale && got.Supporters == supporters
}

func TestReplicasHearOfEachOther(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{
		"one server": func(t testing.TB) string { return testenv.RedisServer(t).URL() },
		"cluster":    testenv.RedisCluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := url(t)
			source := newSource()
			ours, theirs := running(t, source, url), running(t, source, url)
			eventually(t, 10*time.Second, "the bell is heard", func() bool {
				ours.Moved(source.commit(row("all", source.revision+1, 0)))
				return theirs.Stats().Bells > 0
			})
			for n := range int64(5) {
				ours.Moved(source.commit(row("all", 100+n, 0), row("article:a", n, 1)))
				if !shows(ours, "all", 100+n) {
					t.Fatal("a process doesn't show its own commit at once")
				}
				took := eventually(t, heardWithin, "the other shows it", func() bool { return shows(theirs, "all", 100+n) })
				t.Logf("heard after %v", took.Round(time.Millisecond))
			}
			theirs.Moved(source.commit(row("campaign:c", 5, 0)))
			eventually(t, heardWithin, "the bell rings both ways", func() bool { return shows(ours, "campaign:c", 5) })
		})
	}
}

// Whatever happens to Redis, a commit is shown here at once, elsewhere within
// the time after which counts are stale, and never wrongly.
func TestRedisFaults(t *testing.T) {
	t.Parallel()
	faults := map[string]struct {
		begin, end func(*testing.T, *testenv.Server, *proxy)
	}{
		"stopped": {
			func(t *testing.T, s *testenv.Server, _ *proxy) { s.Stop(t) },
			func(t *testing.T, s *testenv.Server, _ *proxy) { s.Start(t) },
		},
		"read-only": {
			func(t *testing.T, s *testenv.Server, _ *proxy) { s.SetReadOnly(t, true) },
			func(t *testing.T, s *testenv.Server, _ *proxy) { s.SetReadOnly(t, false) },
		},
		"wiped": {
			func(t *testing.T, s *testenv.Server, _ *proxy) { connect(t, s.URL()).FlushAll(t.Context()) },
			func(*testing.T, *testenv.Server, *proxy) {},
		},
		"slow": {
			func(_ *testing.T, _ *testenv.Server, p *proxy) { p.delay.Store(int64(30 * time.Millisecond)) },
			func(_ *testing.T, _ *testenv.Server, p *proxy) { p.delay.Store(0) },
		},
		"hangs": {
			func(_ *testing.T, _ *testenv.Server, p *proxy) { p.hole.Store(true) },
			func(_ *testing.T, _ *testenv.Server, p *proxy) { p.hole.Store(false); p.reset() },
		},
		"paused": {
			func(t *testing.T, s *testenv.Server, _ *proxy) {
				connect(t, s.URL()).ClientPause(t.Context(), 5*time.Second)
			},
			func(*testing.T, *testenv.Server, *proxy) {}, // it ends by itself
		},
		"full": {
			func(t *testing.T, s *testenv.Server, _ *proxy) {
				connect(t, s.URL()).ConfigSet(t.Context(), "maxmemory", "1")
			},
			func(t *testing.T, s *testenv.Server, _ *proxy) {
				connect(t, s.URL()).ConfigSet(t.Context(), "maxmemory", "0")
			},
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.RedisServer(t)
			way := newProxy(t, server.Addr())
			source := newSource()
			ours, theirs := running(t, source, way.url()), running(t, source, way.url())
			eventually(t, 10*time.Second, "the bell is heard", func() bool {
				ours.Moved(source.commit(row("all", 0, 0)))
				return theirs.Stats().Bells > 0
			})
			ours.Moved(source.commit(row("all", 1, 0)))
			eventually(t, heardWithin, "the other shows it", func() bool { return shows(theirs, "all", 1) })

			fault.begin(t, server, way)
			started := time.Now()
			ours.Moved(source.commit(row("all", 2, 0)))
			if took := time.Since(started); took > 50*time.Millisecond {
				t.Errorf("the ledger waited %v", took)
			}
			if !shows(ours, "all", 2) {
				t.Error("a process doesn't show its own commit at once")
			}
			took := eventually(t, heardWithoutAny, "the other shows it", func() bool {
				if got := theirs.Snapshot().Count("all"); !got.Known || got.Stale || got.Supporters < 1 || got.Supporters > 2 {
					t.Fatalf("all = %+v, which is neither 1 nor 2", got)
				}
				return shows(theirs, "all", 2)
			})
			t.Logf("heard after %v", took.Round(time.Millisecond))

			fault.end(t, server, way)
			n, bells := int64(2), theirs.Stats().Bells
			again := eventually(t, 30*time.Second, "the bell is heard again", func() bool {
				n++
				ours.Moved(source.commit(row("all", n, 0)))
				return theirs.Stats().Bells > bells
			})
			ours.Moved(source.commit(row("all", 1000, 0)))
			soon := eventually(t, heardWithin, "the other shows it at once again", func() bool { return shows(theirs, "all", 1000) })
			reader := connect(t, server.URL())
			held := eventually(t, 10*time.Second, "Redis holds it again", func() bool {
				return reader.HGet(t.Context(), scopePrefix+"all", "supporters").Val() == "1000" &&
					reader.HGet(t.Context(), headKey, "revision").Val() == fmt.Sprint(source.revision)
			})
			t.Logf("afterwards heard after %v, then %v; held after %v", again, soon, held)
		})
	}
}

// A late clock is the system's, moved on by hand.
type lateClock struct{ by atomic.Int64 }

func (c *lateClock) now() time.Time       { return time.Now().Add(time.Duration(c.by.Load())) }
func (c *lateClock) move(d time.Duration) { c.by.Add(int64(d)) }

// A process that lost the database goes on with what another one, which has
// it, tells Redis; and says so when that ends too.
func TestRedisStandsInForDatabase(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{
		"one server": func(t testing.TB) string { return testenv.RedisServer(t).URL() },
		"cluster":    testenv.RedisCluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := url(t)
			source := newSource()
			source.commit(row("all", 3, 0), row("article:a", 2, 0), row("article:b", 1, 0))
			with := running(t, source, url)
			cut := &replica{db: source}
			clock := new(lateClock)
			without := New(Options{Source: cut, Redis: connect(t, url), Now: clock.now, Log: silent()})
			start(t, without)
			eventually(t, 10*time.Second, "the database is read", func() bool { return without.Snapshot().whole })

			source.set(func(*fakeSource) { cut.cut = true })
			clock.move(silence)
			with.Moved(source.commit(row("all", 4, 0), row("campaign:new", 1, 0)))
			eventually(t, 15*time.Second, "Redis tells of a commit", func() bool {
				return shows(without, "all", 4) && shows(without, "campaign:new", 1) && shows(without, "nobody", 0)
			})
			clock.move(StaleAfter)
			eventually(t, 15*time.Second, "Redis confirms that nothing moved", func() bool { return shows(without, "all", 4) })

			cold := New(Options{Source: &replica{cut: true}, Redis: connect(t, url), Log: silent()})
			start(t, cold)
			eventually(t, 15*time.Second, "a new process learns all from Redis", func() bool {
				return shows(cold, "all", 4) && shows(cold, "article:b", 1) && shows(cold, "nobody", 0)
			})

			source.set(func(f *fakeSource) { f.down = true }) // now nobody has the database
			clock.move(2 * StaleAfter)
			eventually(t, 15*time.Second, "it is stale", func() bool {
				got := without.Snapshot().Count("all")
				return got.Known && got.Stale && got.Supporters == 4
			})
		})
	}
}

// What is missing in Redis is unknown to a process that has nothing else, and never 0.
func TestColdStartFromPartOfRedis(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	client := connect(t, server.URL())
	source := newSource()
	source.commit(row("all", 3, 0), row("article:a", 2, 0), row("article:b", 1, 0), row("article:c", 1, 0))
	whole := New(Options{Source: source, Redis: client, Log: silent()})
	whole.refresh(t.Context())
	if err := (&mirror{Counts: whole}).write(t.Context()); err != nil {
		t.Fatal(err)
	}
	client.Del(t.Context(), scopePrefix+"article:a")
	client.Set(t.Context(), scopePrefix+"article:b", `"><script>alert(1)</script>`, 0)
	client.HSet(t.Context(), scopePrefix+"article:c", "supporters", "-1")

	c := New(Options{Source: &replica{cut: true}, Redis: client, Log: silent()})
	c.refresh(t.Context())
	if _, err := c.standIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.Snapshot().Count("all"); !got.Known || !got.Stale || got.Supporters != 3 || got.AsOf.IsZero() {
		t.Errorf("all = %+v, want 3 and stale, with its time", got)
	}
	for _, scope := range []string{"article:a", "article:b", "article:c", "nobody"} {
		if got := c.Snapshot().Count(scope); got != (Count{Stale: true}) {
			t.Errorf("%s = %+v, want unknown", scope, got)
		}
	}
}

// The database was restored from a backup while no process ran: Redis holds
// revisions that don't exist any more.
func TestRedisAheadOfDatabaseIsWrittenAnew(t *testing.T) {
	t.Parallel()
	client := connect(t, testenv.RedisServer(t).URL())
	lost := newSource()
	for n := range int64(50) {
		lost.commit(row("all", n, 0), row("article:a", n, 0))
	}
	before := New(Options{Source: lost, Redis: client, Log: silent()})
	before.refresh(t.Context())
	if err := (&mirror{Counts: before}).write(t.Context()); err != nil {
		t.Fatal(err)
	}
	restored := newSource()
	restored.commit(row("all", 7, 0), row("article:a", 7, 0))
	c := New(Options{Source: restored, Redis: client, Log: silent()})
	m := &mirror{Counts: c, writtenAt: time.Now()}
	for range 3 {
		c.refresh(t.Context())
		if err := m.write(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for key, want := range map[string]map[string]string{
		scopePrefix + "all":       {"supporters": "7", "revision": "1"},
		scopePrefix + "article:a": {"supporters": "7", "revision": "1"},
		headKey:                   {"scopes": "2", "revision": "1"},
	} {
		got := client.HGetAll(t.Context(), key).Val()
		for field, want := range want {
			if got[field] != want {
				t.Errorf("%s %s = %q, want %s", key, field, got[field], want)
			}
		}
	}
}

// What is in Redis is numbers and scopes, under one prefix, and goes away by itself.
func TestWhatRedisHolds(t *testing.T) {
	t.Parallel()
	client := connect(t, testenv.RedisServer(t).URL())
	source := newSource()
	source.commit(row("all", 3, 1), row("article:a", 2, 0))
	c := New(Options{Source: source, Redis: client, Log: silent()})
	c.refresh(t.Context())
	if err := (&mirror{Counts: c}).write(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]string)
	for _, key := range client.Keys(t.Context(), "*").Val() {
		got[key] = slices.Sorted(maps.Keys(client.HGetAll(t.Context(), key).Val()))
		if life := client.TTL(t.Context(), key).Val(); life <= 0 || life > keyLife {
			t.Errorf("%s lives for %v", key, life)
		}
	}
	want := map[string][]string{
		"support:counts:v1:scope:all":       {"as_of", "members", "revision", "supporters"},
		"support:counts:v1:scope:article:a": {"as_of", "members", "revision", "supporters"},
		"support:counts:v1:head":            {"as_of", "revision", "scopes"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Redis holds %v, want %v", got, want)
	}
}

func TestManyScopesThroughRedis(t *testing.T) {
	t.Parallel()
	const scopes = 10_000
	client := connect(t, testenv.RedisServer(t).URL())
	source := newSource()
	rows := make([]store.ScopeCount, scopes)
	for i := range rows {
		rows[i] = row(fmt.Sprintf("article:%d", i), int64(i), 0)
	}
	source.commit(rows...)
	c := New(Options{Source: source, Redis: client, Log: silent()})
	c.refresh(t.Context())
	started := time.Now()
	if err := (&mirror{Counts: c}).write(t.Context()); err != nil {
		t.Fatal(err)
	}
	written := time.Now()
	cold := New(Options{Source: &replica{cut: true}, Redis: client, Log: silent()})
	if whole, err := cold.standIn(t.Context()); !whole || err != nil {
		t.Fatal(whole, err)
	}
	t.Logf("%d scopes written in %v, read in %v", scopes, written.Sub(started), time.Since(written))
	for i := range rows {
		if got := cold.Snapshot().Count(rows[i].Scope); !got.Known || got.Supporters != int64(i) {
			t.Fatalf("%s = %+v", rows[i].Scope, got)
		}
	}
}

// An outage is told once, and its end once, however long it takes.
func TestOutageIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(&text, nil))
	h := health{log: log, who: "the copy in Redis"}
	for _, err := range []error{nil, errors.New("down"), errors.New("down"), nil, nil} {
		h.report(t.Context(), err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	h.report(ended, context.Canceled) // we stop ourselves: no outage
	if got := strings.Count(text.String(), "\n"); got != 2 || h.errors.Load() != 2 {
		t.Errorf("%d lines and %d errors, want 2 and 2:\n%s", got, h.errors.Load(), &text)
	}
}
