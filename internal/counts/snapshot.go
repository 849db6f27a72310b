package counts

import (
	"hash/maphash"
	"time"

	"github.com/united24media/support/internal/store"
)

// A Count is what is known of one scope.
type Count struct {
	Supporters int64     // people with a live donation there
	Members    int64     // people with a live membership won there
	Known      bool      // false: nobody knows, show nothing; never read the zeros as a count
	AsOf       time.Time // the last moment at which this was certainly the newest; zero if never
	Stale      bool      // nothing confirmed it lately; always true while not Known
}

// A Snapshot is every count at one moment. It never changes, so it may be
// read by any number of goroutines and kept for as long as one likes.
type Snapshot struct {
	version uint64
	asOf    time.Time
	stale   bool
	whole   bool // holds every scope that is not empty
	scopes  int
	seed    maphash.Seed
	leaves  *[leafCount]leaf
}

// leafCount is into how many parts the scopes are split by their hash. A
// change copies the parts it touches and the table of parts, so that 100,000
// scopes cost 25 copied entries a change.
const leafCount = 4096

type leaf []entry

type entry struct {
	hash       uint64
	scope      string
	supporters int64
	members    int64
	revision   int64
}

// Count returns what s knows of scope. A scope that a whole snapshot doesn't
// hold has no supporters.
func (s *Snapshot) Count(scope string) Count {
	if e := s.find(scope); e != nil {
		return Count{Supporters: e.supporters, Members: e.members, Known: true, AsOf: s.asOf, Stale: s.stale}
	}
	if s.whole {
		return Count{Known: true, AsOf: s.asOf, Stale: s.stale}
	}
	return Count{Stale: true}
}

// Drift returns how many of the counts that the database has are others here,
// of those that this snapshot should know: rows are [store.Store.ScopesSince] 0.
func (c *Counts) Drift(rows []store.ScopeCount) int {
	snapshot, known, off := c.Snapshot(), c.Stats().Revision, 0
	for _, row := range rows {
		count := snapshot.Count(row.Scope)
		if row.Revision <= known && (count.Supporters != row.Supporters || count.Members != row.Members) {
			off++
		}
	}
	return off
}

// Version changes whenever a count changes, becomes known or becomes stale,
// and not when the same counts are confirmed again. It is this process's own.
func (s *Snapshot) Version() uint64 { return s.version }

// AsOf is when the counts were last certainly the newest; zero if never.
func (s *Snapshot) AsOf() time.Time { return s.asOf }

// Stale reports whether nothing confirmed the counts for more than [StaleAfter].
func (s *Snapshot) Stale() bool { return s.stale }

func (s *Snapshot) find(scope string) *entry {
	hash := maphash.String(s.seed, scope)
	l := s.leaves[hash%leafCount]
	for i := range l {
		if l[i].hash == hash && l[i].scope == scope {
			return &l[i]
		}
	}
	return nil
}

// empty returns a snapshot that knows nothing.
func empty() *Snapshot {
	return &Snapshot{version: 1, stale: true, seed: maphash.MakeSeed(), leaves: new([leafCount]leaf)}
}

// with returns s with those rows that are newer than what s holds, and
// reports whether there were any. It leaves s as it is.
func (s *Snapshot) with(rows []store.ScopeCount) (*Snapshot, bool) {
	var next *Snapshot
	var own [leafCount]bool // leaves that are next's own already
	for _, row := range rows {
		hash := maphash.String(s.seed, row.Scope)
		at := hash % leafCount
		from := s.leaves
		if next != nil {
			from = next.leaves
		}
		i := from[at].index(hash, row.Scope)
		if i >= 0 && from[at][i].revision >= row.Revision {
			continue
		}
		if next == nil {
			next = s.clone()
		}
		if !own[at] {
			own[at] = true
			next.leaves[at] = append(make(leaf, 0, len(from[at])+1), from[at]...)
		}
		if i < 0 {
			next.scopes++
			next.leaves[at] = append(next.leaves[at], entry{hash: hash, scope: row.Scope})
			i = len(next.leaves[at]) - 1
		}
		e := &next.leaves[at][i]
		e.supporters, e.members, e.revision = row.Supporters, row.Members, row.Revision
	}
	if next == nil {
		return s, false
	}
	return next, true
}

func (l leaf) index(hash uint64, scope string) int {
	for i := range l {
		if l[i].hash == hash && l[i].scope == scope {
			return i
		}
	}
	return -1
}

// each calls f with every scope that s holds.
func (s *Snapshot) each(f func(e *entry)) {
	for _, l := range s.leaves {
		for i := range l {
			f(&l[i])
		}
	}
}

// replaced returns a whole snapshot of rows in the place of s. A scope of s
// that rows lack counts nobody any more.
func (s *Snapshot) replaced(rows []store.ScopeCount) *Snapshot {
	fresh := *s
	fresh.leaves, fresh.scopes, fresh.whole = new([leafCount]leaf), 0, true
	next, _ := fresh.with(rows)
	var gone []store.ScopeCount
	s.each(func(e *entry) {
		if next.find(e.scope) == nil {
			gone = append(gone, store.ScopeCount{Scope: e.scope, Revision: newest(rows)})
		}
	})
	next, _ = next.with(gone)
	return next
}

// newest returns the highest revision of rows, 0 for none.
func newest(rows []store.ScopeCount) int64 {
	var revision int64
	for _, row := range rows {
		revision = max(revision, row.Revision)
	}
	return revision
}

// clone returns a copy whose table of leaves is its own, the leaves shared.
func (s *Snapshot) clone() *Snapshot {
	next, leaves := *s, *s.leaves
	next.leaves = &leaves
	return &next
}
