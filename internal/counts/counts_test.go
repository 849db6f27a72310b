package counts

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/united24media/support/internal/store"
)

func TestColdStartWithoutDatabaseKnowsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		source.down = true
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		time.Sleep(time.Hour)
		if got := c.Snapshot().Count("all"); got != (Count{Stale: true}) {
			t.Errorf("count = %+v, want unknown and stale", got)
		}
	})
}

func TestSnapshotShowsDatabase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		source.commit(row("all", 3, 1), row("article:a", 2, 0))
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		synctest.Wait()
		s := c.Snapshot()
		for scope, want := range map[string]Count{
			"all":       {Supporters: 3, Members: 1, Known: true, AsOf: s.AsOf()},
			"article:a": {Supporters: 2, Known: true, AsOf: s.AsOf()},
			"article:b": {Known: true, AsOf: s.AsOf()}, // nobody gave there, and we know it
		} {
			if got := s.Count(scope); got != want {
				t.Errorf("%s = %+v, want %+v", scope, got, want)
			}
		}
		if asked := source.queries(); asked != 1 {
			t.Errorf("%d questions to the database, want 1", asked)
		}
	})
}

func TestEmptyDatabaseIsZeroNotUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{Source: newSource(), Log: silent()})
		start(t, c)
		synctest.Wait()
		if got := c.Snapshot().Count("all"); !got.Known || got.Stale || got.Supporters != 0 {
			t.Errorf("count = %+v, want a known 0", got)
		}
	})
}

func TestMovedIsShownAtOnce(t *testing.T) {
	t.Parallel()
	source := newSource()
	c := New(Options{Source: source, Log: silent()})
	before := c.Snapshot()
	c.Moved(source.commit(row("all", 1, 0)))
	if got := c.Snapshot().Count("all"); !got.Known || got.Supporters != 1 {
		t.Errorf("count = %+v, want 1", got)
	}
	if got := c.Snapshot().Count("article:a"); got.Known {
		t.Errorf("article:a = %+v, want unknown: nobody asked for it yet", got)
	}
	if before.Count("all").Known {
		t.Error("a snapshot changed after it was taken")
	}
}

func TestMovedOutOfOrderKeepsTheNewest(t *testing.T) {
	t.Parallel()
	source := newSource()
	c := New(Options{Source: source, Log: silent()})
	first := source.commit(row("all", 1, 0), row("article:a", 1, 0))
	second := source.commit(row("all", 2, 0))
	c.Moved(second)
	c.Moved(first)
	if got := c.Snapshot().Count("all").Supporters; got != 2 {
		t.Errorf("all = %d, want 2", got)
	}
	if got := c.Snapshot().Count("article:a").Supporters; got != 1 {
		t.Errorf("article:a = %d, want 1", got)
	}
}

// A row moved here must not hide one that another replica moved before it.
func TestMovedDoesNotSkipOthersRevisions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		synctest.Wait()
		source.commit(row("article:theirs", 1, 0))
		c.Moved(source.commit(row("article:ours", 1, 0)))
		time.Sleep(refreshEvery)
		synctest.Wait()
		if got := c.Snapshot().Count("article:theirs").Supporters; got != 1 {
			t.Errorf("article:theirs = %d, want 1", got)
		}
	})
}

// What moves while everything is being read must outlive the reading.
func TestMovedDuringWholeLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		source.commit(row("all", 1, 0))
		source.answered = make(chan struct{})
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		synctest.Wait() // the answer holds 1, and is on its way
		c.Moved(source.commit(row("all", 2, 0)))
		close(source.answered)
		synctest.Wait()
		if got := c.Snapshot().Count("all"); got.Supporters != 2 {
			t.Errorf("all = %+v, want 2", got)
		}
	})
}

func TestStaleAfterDatabaseIsGone(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*fakeSource){
		"refuses": func(f *fakeSource) { f.down = true },
		"hangs":   func(f *fakeSource) { f.hang = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				source := newSource()
				source.commit(row("all", 7, 0))
				c := New(Options{Source: source, Log: silent()})
				start(t, c)
				synctest.Wait()
				fresh := c.Snapshot()
				source.set(fail)

				time.Sleep(StaleAfter)
				synctest.Wait()
				if c.Snapshot().Stale() {
					t.Error("stale too early")
				}
				time.Sleep(refreshEvery + 2*ageEvery)
				synctest.Wait()
				got := c.Snapshot().Count("all")
				if !got.Known || got.Supporters != 7 || !got.Stale {
					t.Errorf("all = %+v, want a stale 7", got)
				}
				if c.Snapshot().Version() == fresh.Version() {
					t.Error("becoming stale must change the version")
				}

				source.set(func(f *fakeSource) { f.down, f.hang = false, false })
				source.commit(row("all", 8, 0))
				time.Sleep(wholeTimeout + refreshEvery)
				synctest.Wait()
				if got := c.Snapshot().Count("all"); got.Supporters != 8 || got.Stale {
					t.Errorf("all = %+v, want a fresh 8", got)
				}
			})
		})
	}
}

func TestVersionStaysWhileNothingMoves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		source.commit(row("all", 7, 0))
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		synctest.Wait()
		before := c.Snapshot()
		time.Sleep(time.Minute)
		synctest.Wait()
		after := c.Snapshot()
		if after.Version() != before.Version() {
			t.Errorf("version %d became %d though nothing moved", before.Version(), after.Version())
		}
		if !after.AsOf().After(before.AsOf()) {
			t.Error("as of did not move on with the database's answers")
		}
		c.Moved(source.commit(row("all", 8, 0)))
		if c.Snapshot().Version() == after.Version() {
			t.Error("a new count must change the version")
		}
	})
}

func TestDatabaseIsAskedAtABoundedRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		synctest.Wait()
		for i := range 1000 { // ten seconds of a bell every 10 ms
			c.hear(fmt.Sprintf("other %d", i+1))
			time.Sleep(10 * time.Millisecond)
		}
		if asked := source.queries(); asked < 20 || asked > 42 {
			t.Errorf("%d questions in 10 s of bells, want about 40", asked)
		}
	})
}

func TestBellsThatSayNothingNew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		source.commit(row("all", 1, 0))
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		synctest.Wait()
		before := source.queries()
		for _, bell := range []string{"", "other", "other x", "other 1", c.id + " 99", "other -5", "other 99999999999999999999", `"><script> 1`} {
			c.hear(bell)
		}
		time.Sleep(refreshEvery / 2)
		synctest.Wait()
		if asked := source.queries() - before; asked != 0 {
			t.Errorf("%d questions, want none", asked)
		}
	})
}

// A database restored from a backup, or one that took over before it had
// everything, counts lower revisions again.
func TestDatabaseGoesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		for n := range int64(5) {
			source.commit(row("all", n+1, 0), row("article:lost", n+1, 0))
		}
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		synctest.Wait()
		source.set(func(f *fakeSource) {
			f.rows, f.revision = map[string]store.ScopeCount{}, 0
		})
		source.commit(row("all", 2, 0))
		time.Sleep(wholeEvery + refreshEvery)
		synctest.Wait()
		if got := c.Snapshot().Count("all").Supporters; got != 2 {
			t.Errorf("all = %d, want the database's 2", got)
		}
		if got := c.Snapshot().Count("article:lost"); !got.Known || got.Supporters != 0 {
			t.Errorf("article:lost = %+v, want 0", got)
		}
		source.commit(row("all", 3, 0)) // its revision 2 is below the old one's 5
		time.Sleep(refreshEvery)
		synctest.Wait()
		if got := c.Snapshot().Count("all").Supporters; got != 3 {
			t.Errorf("all = %d, want 3: the new revisions must be followed", got)
		}
	})
}

func TestManyScopes(t *testing.T) {
	t.Parallel()
	const scopes = 20_000
	rows := make([]store.ScopeCount, scopes)
	for i := range rows {
		rows[i] = store.ScopeCount{Scope: fmt.Sprintf("article:%d", i), Supporters: int64(i), Revision: 1}
	}
	s := empty().replaced(rows)
	moved, changed := s.with([]store.ScopeCount{{Scope: "article:7", Supporters: 70, Revision: 2}, {Scope: "article:new", Supporters: 1, Revision: 2}})
	if !changed || moved.scopes != scopes+1 || s.scopes != scopes {
		t.Fatalf("changed %v, scopes %d and %d", changed, s.scopes, moved.scopes)
	}
	for i := range rows {
		want := int64(i)
		if got := s.Count(rows[i].Scope).Supporters; got != want {
			t.Fatalf("%s = %d, want %d", rows[i].Scope, got, want)
		}
		if i == 7 {
			want = 70
		}
		if got := moved.Count(rows[i].Scope).Supporters; got != want {
			t.Fatalf("%s moved = %d, want %d", rows[i].Scope, got, want)
		}
	}
	if _, changed := moved.with(rows); changed {
		t.Error("older rows changed a snapshot")
	}
	var held int
	moved.each(func(*entry) { held++ })
	if held != moved.scopes {
		t.Errorf("each gave %d, want %d", held, moved.scopes)
	}
}

func BenchmarkCount(b *testing.B) {
	c := loaded(100_000)
	scopes := []string{"all", "article:uk-defense-secretary-troops-500", "article:none", "campaign:spring"}
	b.ReportAllocs()
	b.ResetTimer()
	i := 0
	for b.Loop() {
		c.Snapshot().Count(scopes[i&3])
		i++
	}
}

func BenchmarkMoved(b *testing.B) {
	c := loaded(100_000)
	revision := int64(1)
	b.ReportAllocs()
	for b.Loop() { // what a batch of 64 gifts to 64 articles moves
		revision++
		rows := make([]store.ScopeCount, 65)
		rows[64] = store.ScopeCount{Scope: "all", Supporters: revision, Revision: revision}
		for i := range 64 {
			rows[i] = store.ScopeCount{Scope: fmt.Sprintf("article:uk-defense-secretary-troops-%d", i*997), Revision: revision}
		}
		c.Moved(rows)
	}
}

func BenchmarkWholeLoad(b *testing.B) {
	rows := many(100_000)
	s := empty().replaced(rows)
	b.ReportAllocs()
	for b.Loop() {
		s.replaced(rows)
	}
}

func loaded(scopes int) *Counts {
	c := New(Options{Source: newSource(), Log: silent()})
	c.replace(many(scopes), time.Now())
	return c
}

func many(scopes int) []store.ScopeCount {
	rows := make([]store.ScopeCount, scopes)
	for i := range rows {
		rows[i] = store.ScopeCount{Scope: fmt.Sprintf("article:uk-defense-secretary-troops-%d", i), Supporters: 1, Revision: 1}
	}
	return slices.Insert(rows, 0, store.ScopeCount{Scope: "all", Supporters: 9, Revision: 1})
}

func TestDrift(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := newSource()
		source.commit(row("all", 3, 1), row("article:a", 2, 0))
		c := New(Options{Source: source, Log: silent()})
		start(t, c)
		synctest.Wait()
		rows, err := source.ScopesSince(t.Context(), 0)
		if err != nil || c.Drift(rows) != 0 {
			t.Errorf("%d drift of what was just read, %v", c.Drift(rows), err)
		}
		rows[0].Supporters++ // the database has another number, though it told of no change
		if got := c.Drift(rows); got != 1 {
			t.Errorf("%d drift, want 1", got)
		}
		rows[0].Revision += 1000 // a change that is still on its way
		if got := c.Drift(rows); got != 0 {
			t.Errorf("%d drift of what could not be known yet", got)
		}
	})
}
