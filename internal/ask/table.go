package ask

import (
	"hash/maphash"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/united24media/support/internal/campaign"
)

// Limits of the tables of answers.
const (
	askBytes    = 96 << 20 // of asks: some 30,000; the rest of 100,000 articles is made again when asked for
	countBytes  = 16 << 20 // of counts, and as many of pictures
	tableShards = 64
	maxQuery    = 2048 // bytes of an address's query; a longer one is refused
)

// A table keeps ready answers by the query they answer. Its memory is bounded:
// when the younger half of a shard is full the older half is dropped whole, so
// what is asked often stays and nothing needs a list of uses.
type table struct {
	now   func() stamp
	build builder
	known []string // parameters that answers depend on
	seed  maphash.Seed
	limit int // bytes of answers in one half of a shard

	shards [tableShards]shard
}

// A builder makes the answer to a query. last is the answer it had, or nil:
// it is returned again if nothing that it was made from has changed.
type builder func(query string, last *made) (*made, error)

type shard struct {
	mu         sync.RWMutex
	young, old map[string]*entry
	bytes      int // of young
}

// An entry is one query's answer, replaced as a whole when it is out of date.
type entry struct {
	current  atomic.Pointer[made]
	building sync.Mutex
}

// made is an answer, when it was made, and from what.
type made struct {
	*ready
	stamp stamp
	from  inputs
}

// A stamp changes whenever any answer of a table may have changed.
type stamp struct {
	counts uint64
	goals  uint64
	asOf   int64 // seconds since 1970, where answers show it
	hour   int64 // since 1970, where answers hold a token: it says when it was issued
	policy uint64
	passed int // how many of the policy's moments
}

// inputs are what an answer to one query depends on, beside the query.
type inputs struct {
	hour                   int64
	policy                 uint64
	passed                 int
	all, article, campaign figures
	goal                   *campaign.Campaign // another pointer whenever it is another
}

type figures struct {
	supporters, members int64
	known, stale        bool
}

// newTable returns an empty table that holds about so many bytes of answers, to
// queries with the known parameters.
func newTable(bytes int, known []string, now func() stamp, build builder) *table {
	t := &table{now: now, build: build, known: known, seed: maphash.MakeSeed(), limit: bytes / 2 / tableShards}
	for i := range t.shards {
		t.shards[i].young = map[string]*entry{}
	}
	return t
}

// answer writes the answer to r's query, made now only if it has to be. An
// error is of the query; nothing is written then. An answer is kept under the
// known parameters alone, so that others can't fill the table.
func (t *table) answer(w http.ResponseWriter, r *http.Request) error {
	query, now := r.URL.RawQuery, t.now()
	e := t.find(query)
	if e == nil {
		if plain := only(query, t.known); plain != query {
			query = plain
			e = t.find(query)
		}
	}
	if e != nil {
		m := e.current.Load()
		if m.stamp != now {
			var err error
			if m, err = t.renew(e, query, now); err != nil {
				return err
			}
		}
		m.write(w, r)
		return nil
	}
	m, err := t.build(query, nil)
	if err != nil {
		return err
	}
	m.stamp = now
	t.keep(query, m)
	m.write(w, r)
	return nil
}

// renew brings e up to date. Of callers at the same moment one does it and
// the others wait for that.
func (t *table) renew(e *entry, query string, now stamp) (*made, error) {
	e.building.Lock()
	defer e.building.Unlock()
	last := e.current.Load()
	if last.stamp == now {
		return last, nil
	}
	m, err := t.build(query, last)
	if err != nil {
		return nil, err
	}
	m.stamp = now
	e.current.Store(m)
	return m, nil
}

// find returns the entry of a query, or nil.
func (t *table) find(query string) *entry {
	s := t.shard(query)
	s.mu.RLock()
	e, old := s.young[query], s.old != nil
	s.mu.RUnlock()
	if e != nil || !old {
		return e
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e = s.old[query]; e != nil {
		delete(s.old, query)
		s.add(query, e, t.limit)
	}
	return e
}

// keep stores the first answer to a query, unless another caller was faster.
func (t *table) keep(query string, m *made) {
	s := t.shard(query)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.young[query] == nil {
		e := &entry{}
		e.current.Store(m)
		s.add(query, e, t.limit)
	}
}

func (t *table) shard(query string) *shard {
	return &t.shards[maphash.String(t.seed, query)%tableShards]
}

// add puts e among the young, whose bytes stay at about limit.
func (s *shard) add(query string, e *entry, limit int) {
	if s.bytes > limit {
		s.old, s.young, s.bytes = s.young, map[string]*entry{}, 0
	}
	s.young[query] = e
	s.bytes += len(query) + e.current.Load().size()
}
