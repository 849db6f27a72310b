package counts

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const mirrorEvery = time.Second // scopes that move often are written to Redis so often at most

// A mirror writes to Redis. It is the one goroutine's that runs mirrorLoop.
type mirror struct {
	*Counts
	writtenAt time.Time // when everything was last written
	known     int64     // all of this revision was in Redis once: an older head is a loss

	// Redis spoke of a revision that the database had not told us of. If the
	// database, asked afterwards, doesn't know it either, Redis is wrong.
	claimed   int64
	claimedAt time.Time
}

// A task is what a mirror has to write.
type task struct {
	snapshot *Snapshot
	cursor   int64
	answered time.Time
	asOf     int64               // answered, in ms by Redis's clock
	unsent   map[string]struct{} // scopes
	all      bool                // every scope, whatever Redis holds
	over     bool                // and even over newer revisions
}

// mirrorLoop keeps Redis's copy up.
func (c *Counts) mirrorLoop(ctx context.Context) {
	m := &mirror{Counts: c, writtenAt: c.now()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.toMirror:
		}
		c.copy.report(ctx, m.write(ctx))
		if !pause(ctx, mirrorEvery) {
			return
		}
	}
}

// write tells Redis what it doesn't know: the scopes that moved, or all after
// something was lost there; then the head. It writes only what the database
// has confirmed lately, and leaves the rest for later.
func (m *mirror) write(ctx context.Context) error {
	h, err := m.head(ctx)
	if err != nil {
		return err
	}
	t, ok := m.task(h)
	if !ok {
		return nil
	}
	newer := int64(-1)
	if !t.all {
		newer = h.revision // what others have written already
	}
	if h.ok {
		m.claim(h.revision, t)
	}
	claimed, err := m.writeScopes(ctx, t, newer)
	if err == nil {
		m.claim(claimed, t)
		err = m.writeHead(ctx, t)
	}
	if err != nil {
		m.giveBack(t)
		return err
	}
	if t.all {
		m.writtenAt = m.now()
	}
	return nil
}

// task takes what there is to write, and reports false if that can't be said
// because the database doesn't answer.
func (m *mirror) task(h head) (task, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.state.doubt || m.now().Sub(m.state.answered) > StaleAfter {
		return task{}, false
	}
	t := task{
		snapshot: m.current.Load(), cursor: m.state.cursor,
		answered: m.state.answered, asOf: h.remote(m.state.answered),
		unsent: m.state.unsent, over: m.state.overwrite,
		all: !h.ok || h.revision < m.known || m.state.rewrite || m.now().Sub(m.writtenAt) >= rewriteEvery,
	}
	m.state.unsent = make(map[string]struct{})
	m.state.rewrite, m.state.overwrite = false, false
	return t, true
}

// trusted returns the revision up to which t knows better than Redis.
func (t task) trusted() int64 {
	if t.over {
		return countLimit
	}
	return t.cursor
}

// giveBack notes what could not be written.
func (m *mirror) giveBack(t task) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for scope := range t.unsent {
		m.state.unsent[scope] = struct{}{}
	}
	m.state.rewrite = m.state.rewrite || t.all
	m.state.overwrite = m.state.overwrite || t.over
}

// claim looks at a revision that Redis knows: whether the database does.
func (m *mirror) claim(revision int64, t task) {
	if m.claimed <= t.cursor || t.over {
		m.claimed = 0
	}
	switch {
	case revision <= t.cursor || t.over:
	case m.claimed == 0:
		m.claimed, m.claimedAt = revision, m.now()
		wish(m.toRefresh)
	case t.answered.After(m.claimedAt):
		m.log.Warn("counts: Redis holds revisions that the database does not know, and is written anew",
			"redis", m.claimed, "database", t.cursor)
		m.claimed = 0
		m.mu.Lock()
		m.state.rewrite, m.state.overwrite = true, true
		m.mu.Unlock()
		wish(m.toMirror)
	}
}

// writeScopes writes the scopes of t that are newer than a revision, and
// returns the newest revision for which Redis refused one.
func (m *mirror) writeScopes(ctx context.Context, t task, newer int64) (int64, error) {
	var due []*entry
	take := func(e *entry) {
		if e.revision > newer {
			due = append(due, e)
		}
	}
	if t.all {
		t.snapshot.each(take)
	} else {
		for scope := range t.unsent {
			if e := t.snapshot.find(scope); e != nil {
				take(e)
			}
		}
	}
	var refused int64
	for len(due) > 0 {
		n := min(len(due), batchSize)
		held, err := m.writeBatch(ctx, t, due[:n])
		if err != nil {
			return 0, fmt.Errorf("write scopes: %w", err)
		}
		refused, due = max(refused, held), due[n:]
	}
	return refused, nil
}

func (m *mirror) writeBatch(ctx context.Context, t task, batch []*entry) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	pipe := m.redis.Pipeline()
	answers := make([]*redis.Cmd, len(batch))
	for i, e := range batch {
		answers[i] = pipe.Eval(ctx, scopeScript, []string{scopePrefix + e.scope},
			e.supporters, e.members, e.revision, t.asOf, keyLife.Milliseconds(), max(e.revision, t.trusted()))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return 0, err
	}
	var refused int64
	for _, answer := range answers {
		held, err := answer.Int64()
		if err != nil {
			return 0, err
		}
		refused = max(refused, held)
	}
	return refused, nil
}

// writeHead says that all of t is in Redis.
func (m *mirror) writeHead(ctx context.Context, t task) error {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	all := 0
	if t.all {
		all = 1
	}
	held, err := m.redis.Eval(ctx, headScript, []string{headKey}, t.snapshot.scopes, t.cursor,
		t.asOf, keyLife.Milliseconds(), t.trusted(), all).Int64()
	if err != nil {
		return fmt.Errorf("write the head: %w", err)
	}
	switch {
	case held < 0: // emptied while we wrote: the next turn finds no head, and writes all
		wish(m.toMirror)
	case held > 0: // another process was quicker
		m.known = held
	default:
		m.known = t.cursor
	}
	return nil
}
