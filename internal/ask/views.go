package ask

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/attribution"
)

// Limits of what Redis remembers of page views: each is known for one window at
// least and two at most, and a window takes so many. What comes after them in
// a flood counts wherever it comes.
const (
	viewsWindow = 5 * time.Minute
	viewsMost   = 500_000
	viewsAtOnce = 1000 // in one call, which takes Redis about a millisecond
)

// viewHash returns what a page view is remembered by: FNV-1a of its parts. Every
// replica makes the same.
func viewHash(parts ...string) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for _, part := range parts {
		for i := range len(part) {
			hash = (hash ^ uint64(part[i])) * 0x100000001b3
		}
		hash *= 0x100000001b3 // as of a zero byte, which is in no part
	}
	return hash
}

// viewsInRedis remembers page views for all replicas.
type viewsInRedis struct {
	redis redis.UniversalClient
	now   func() time.Time
}

// newViews stores views and returns, from 0, which of them nobody had stored.
// Its keys are the sets of this window and of the one before.
var newViews = redis.NewScript(`
local mine, room = {}, redis.call('SCARD', KEYS[1]) < tonumber(ARGV[1])
for i = 3, #ARGV do
	if redis.call('SISMEMBER', KEYS[2], ARGV[i]) == 0 then
		if room then
			if redis.call('SADD', KEYS[1], ARGV[i]) == 1 then mine[#mine + 1] = i - 3 end
		elseif redis.call('SISMEMBER', KEYS[1], ARGV[i]) == 0 then
			mine[#mine + 1] = i - 3
		end
	end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return mine`)

// tell tells the other replicas of page views, and returns which of them are
// new to all.
func (v viewsInRedis) tell(ctx context.Context, views []uint64) ([]int, error) {
	window := v.now().Unix() / int64(viewsWindow/time.Second)
	keys := []string{fmt.Sprintf("support:{views}:%d", window), fmt.Sprintf("support:{views}:%d", window-1)}
	args := []any{viewsMost, int(2 * viewsWindow / time.Second)}
	for _, view := range views {
		args = append(args, strconv.FormatUint(view, 36))
	}
	found, err := newViews.Run(ctx, v.redis, keys, args...).Int64Slice()
	if err != nil {
		return nil, err
	}
	mine := make([]int, len(found))
	for i, at := range found {
		mine[i] = int(at)
	}
	return mine, nil
}

// maxClaims is how many tokens are remembered. All readers of an article get
// the same one within an hour.
const maxClaims = 20_000

// claims remembers what tokens say, so that the busiest are verified once an
// hour. It is safe for concurrent use.
type claims struct {
	signer *attribution.Signer

	mu    sync.RWMutex
	hour  int64
	known map[string]attribution.Claim
}

// verify is [attribution.Signer.Verify].
func (k *claims) verify(token string, now time.Time) (attribution.Claim, error) {
	hour := attribution.Hour(now)
	k.mu.RLock()
	claim, ok := k.known[token]
	ok = ok && k.hour == hour
	k.mu.RUnlock()
	if ok {
		return claim, nil
	}
	claim, err := k.signer.Verify(token, now)
	if err != nil {
		return claim, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hour != hour || len(k.known) >= maxClaims {
		k.hour, k.known = hour, map[string]attribution.Claim{}
	}
	k.known[token] = claim
	return claim, nil
}
