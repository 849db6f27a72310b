package counts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/store"
)

// What Redis holds, all under one prefix with the version of the definition of
// what counts, so that releases that count differently don't mix:
//
//	support:counts:v1:scope:SCOPE  supporters, members, revision, as_of
//	support:counts:v1:head         revision, scopes, as_of
//
// The head says: all of this revision is here, that many scopes, and the
// database had nothing newer at as_of (milliseconds, by Redis's clock, so that
// machines' clocks don't matter). It is written after what it speaks of.
// Nothing of it is about a person.
const (
	definition  = "v1"
	prefix      = "support:counts:" + definition + ":"
	scopePrefix = prefix + "scope:"
	headKey     = prefix + "head"
)

const (
	redisTimeout = 2 * time.Second    // for one call or one batch of them
	loadTimeout  = 10 * time.Second   // to read everything
	batchSize    = 250                // scopes written or read in one round trip
	keyLife      = 7 * 24 * time.Hour // keys of a definition that nobody uses go away
	rewriteEvery = time.Hour          // everything is written anew, should a key have gone
	longestScope = 512                // bytes
	countLimit   = 1 << 53            // Lua counts exactly below it: what is not below it is not from us
)

// heldScript begins what writes: held is the revision of the first key, nil
// where there is none that [count] would read. It is the same rule, so that
// nothing is both unreadable and never replaced.
const heldScript = `
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local text = redis.call('HGET', KEYS[1], 'revision') or ''
local held = tonumber(text)
if not (text == '0' or string.match(text, '^[1-9]%d*$')) or held >= 9007199254740992 then held = nil end`

// scopeScript writes one scope unless Redis holds a revision newer than the
// writer knows of, which it returns then. One that is newer than the scope's
// own, but not than what the writer knows, never was.
//
// KEYS: the scope's. ARGV: supporters, members, revision, as_of, life of the
// key in ms, the newest revision that the writer knows of.
const scopeScript = heldScript + `
if held and held > tonumber(ARGV[6]) then return held end
redis.call('HSET', KEYS[1], 'supporters', ARGV[1], 'members', ARGV[2], 'revision', ARGV[3], 'as_of', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 0`

// headScript writes the head unless Redis holds one newer than the writer
// knows of, which it returns then. Where everything
// was not written just now, it returns -1 and writes nothing if there is no
// head: then somebody has emptied Redis, and much is missing.
//
// KEYS: the head's. ARGV: scopes, revision, as_of, life of the key in ms, the
// newest revision that the writer knows of, whether everything was written.
const headScript = heldScript + `
if not held and ARGV[6] ~= '1' then return -1 end
if held and held > tonumber(ARGV[5]) then return held end
redis.call('HSET', KEYS[1], 'scopes', ARGV[1], 'revision', ARGV[2], 'as_of', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0`

// readScript returns Redis's clock in ms and the head's fields.
const readScript = `
local t = redis.call('TIME')
local now = string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' then return {now, '', '', ''} end
local h = redis.call('HMGET', KEYS[1], 'scopes', 'revision', 'as_of')
return {now, h[1] or '', h[2] or '', h[3] or ''}`

// A head is what Redis says of all that it holds.
type head struct {
	ok       bool // false: there is none, or none that can be read
	scopes   int64
	revision int64
	asOf     int64 // ms by Redis's clock

	// What must be added to Redis's clock for ours lies between these, as its
	// clock was read after we asked and before we were answered.
	low, high time.Duration
}

// local returns a moment of Redis's clock by ours, rather too early than too late.
func (h head) local(ms int64) time.Time { return time.UnixMilli(ms).Add(h.low) }

// remote returns a moment of our clock by Redis's, rather too early than too late.
func (h head) remote(t time.Time) int64 { return max(0, t.Add(-h.high).UnixMilli()) }

// head reads the head.
func (c *Counts) head(ctx context.Context) (head, error) {
	ctx, cancel := context.WithTimeout(ctx, redisTimeout)
	defer cancel()
	asked := c.now()
	fields, err := c.redis.Eval(ctx, readScript, []string{headKey}).StringSlice()
	if err != nil {
		return head{}, fmt.Errorf("read the head: %w", err)
	}
	if len(fields) != 4 {
		return head{}, errors.New("read the head: not an answer of ours")
	}
	now, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return head{}, fmt.Errorf("read Redis's clock: %w", err)
	}
	h := head{low: asked.Sub(time.UnixMilli(now + 1)), high: c.now().Sub(time.UnixMilli(now))}
	scopes, ok1 := count(fields[1])
	revision, ok2 := count(fields[2])
	asOf, ok3 := count(fields[3])
	if ok1 && ok2 && ok3 && asOf <= now {
		h.ok, h.scopes, h.revision, h.asOf = true, scopes, revision, asOf
	}
	return h, nil
}

// scopes reads every scope that Redis holds, and the oldest moment at which
// one of them was written, in ms by Redis's clock. What can't be read is left out.
func (c *Counts) scopes(ctx context.Context) (found []store.ScopeCount, oldest int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	held := make(map[string]struct{})
	oldest = math.MaxInt64
	err = c.keys(ctx, func(keys []string) error {
		rows, asOf, err := c.read(ctx, keys)
		if err != nil {
			return err
		}
		oldest = min(oldest, asOf)
		for _, row := range rows { // SCAN may give a key twice
			if _, twice := held[row.Scope]; !twice {
				held[row.Scope] = struct{}{}
				found = append(found, row)
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read the scopes: %w", err)
	}
	return found, oldest, nil
}

// keys calls f with the keys of all scopes, batch by batch, on every master of
// a cluster, one after the other.
func (c *Counts) keys(ctx context.Context, f func(keys []string) error) error {
	scan := func(ctx context.Context, node redis.Cmdable) error {
		var cursor uint64
		for {
			keys, next, err := node.Scan(ctx, cursor, scopePrefix+"*", batchSize).Result()
			if err != nil {
				return err
			}
			if len(keys) > 0 {
				if err := f(keys); err != nil {
					return err
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	cluster, ok := c.redis.(*redis.ClusterClient)
	if !ok {
		return scan(ctx, c.redis)
	}
	// ForEachMaster runs at once on all of them; f is called by one at a time.
	var turn sync.Mutex
	return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		turn.Lock()
		defer turn.Unlock()
		return scan(ctx, node)
	})
}

// read reads the scopes of keys, and the oldest moment of theirs.
func (c *Counts) read(ctx context.Context, keys []string) (rows []store.ScopeCount, oldest int64, err error) {
	pipe := c.redis.Pipeline()
	answers := make([]*redis.SliceCmd, len(keys))
	for i, key := range keys {
		answers[i] = pipe.HMGet(ctx, key, "supporters", "members", "revision", "as_of")
	}
	if _, err := pipe.Exec(ctx); err != nil && !wrongType(err) {
		return nil, 0, err
	}
	oldest = math.MaxInt64
	for i, key := range keys {
		row, asOf, ok := parse(strings.TrimPrefix(key, scopePrefix), answers[i].Val())
		if !ok {
			continue
		}
		rows, oldest = append(rows, row), min(oldest, asOf)
	}
	return rows, oldest, nil
}

// wrongType reports whether a key holds something that is not a hash.
func wrongType(err error) bool { return strings.HasPrefix(err.Error(), "WRONGTYPE") }

// parse reads the fields of one scope and refuses what we can't have written.
func parse(scope string, fields []any) (row store.ScopeCount, asOf int64, ok bool) {
	if len(fields) != 4 || scope == "" || len(scope) > longestScope {
		return row, asOf, false
	}
	var n [4]int64
	for i, field := range fields {
		text, isText := field.(string)
		if !isText {
			return row, asOf, false
		}
		if n[i], ok = count(text); !ok {
			return row, asOf, false
		}
	}
	row = store.ScopeCount{Scope: scope, Supporters: n[0], Members: n[1], Revision: n[2]}
	return row, n[3], true
}

// count reads a number of ours: decimal digits alone, below [countLimit].
func count(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n >= countLimit || strconv.FormatInt(n, 10) != text {
		return 0, false
	}
	return n, true
}
