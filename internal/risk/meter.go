package risk

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// Sums are what happened in some time.
type Sums struct {
	Tries    int64 // to open a checkout
	Unsigned int64 // of those, without a ticket of ours
	Refused  int64 // of those, not let through while we were attacked
	Paid     int64 // gifts of ours
	Failed   int64 // payments of ours that the bank refused
}

func (s *Sums) add(o Sums) {
	s.Tries += o.Tries
	s.Unsigned += o.Unsigned
	s.Refused += o.Refused
	s.Paid += o.Paid
	s.Failed += o.Failed
}

// fields are the sums' names where replicas share them.
func (s *Sums) fields() map[string]*int64 {
	return map[string]*int64{"t": &s.Tries, "u": &s.Unsigned, "r": &s.Refused, "p": &s.Paid, "f": &s.Failed}
}

// The meter's grain: what is remembered, and how finely.
const (
	grain   = 10 * time.Second
	kept    = 360 // grains: an hour
	minute  = int64(time.Minute / grain)
	shared  = "support:risk:v1:"
	waits   = 200 * time.Millisecond // for Redis
	expires = 2 * time.Hour
)

func grainOf(t time.Time) int64 { return t.UnixNano() / int64(grain) }

// A ring holds the last hour, grain by grain.
type ring [kept]struct {
	at   int64 // which grain it is
	sums Sums
}

// in returns the sums of a grain, emptied if they were of an earlier one.
func (r *ring) in(at int64) *Sums {
	slot := &r[at%kept]
	if slot.at != at {
		slot.at, slot.sums = at, Sums{}
	}
	return &slot.sums
}

// since returns the sums of the grains from one to another, both included.
func (r *ring) since(from, to int64) (total Sums) {
	for at := max(from, to-kept+1); at <= to; at++ {
		if r[at%kept].at == at {
			total.add(r[at%kept].sums)
		}
	}
	return total
}

// share adds what this process saw since the last time to what all replicas
// saw, and reads the newest grains of it. Nothing in Redis says who anybody is.
func (g *Guard) share(ctx context.Context, grains int64) error {
	g.mu.Lock()
	mine, alike := g.unshared, g.unsharedAlike
	g.unshared, g.unsharedAlike = Sums{}, map[string]tally{}
	g.mu.Unlock()
	now := grainOf(g.Now())
	pipe := g.Redis.Pipeline()
	for name, n := range mine.fields() {
		if *n != 0 {
			pipe.HIncrBy(ctx, key(now), name, *n)
		}
	}
	if mine != (Sums{}) {
		pipe.Expire(ctx, key(now), expires)
	}
	answers := map[int64]*redis.MapStringStringCmd{}
	for at := now - grains + 1; at <= now; at++ {
		answers[at] = pipe.HGetAll(ctx, key(at))
	}
	slots := int64(alikeNew)
	if grains == kept {
		slots = alikeSlots
	}
	learn := g.tellAlike(ctx, pipe, alike, slots)
	if _, err := pipe.Exec(ctx); err != nil {
		g.mu.Lock()
		g.unshared.add(mine) // at worst it is counted twice
		for key, t := range alike {
			put(g.unsharedAlike, key, t)
		}
		g.mu.Unlock()
		return fmt.Errorf("share what was tried: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for at, answer := range answers {
		sums := g.all.in(at)
		for name, n := range sums.fields() {
			*n, _ = strconv.ParseInt(answer.Val()[name], 10, 64) // what is not there is 0
		}
	}
	g.sharedAt = g.Now()
	learn()
	return nil
}

func key(at int64) string { return shared + strconv.FormatInt(at, 10) }
