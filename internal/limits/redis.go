package limits

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/throttled/throttled/v2/store/goredisstore.v9"
)

// A shared is the library's store in Redis, but for one thing: it sets a new
// key and, with another command, its end. Where the second is lost, as when a
// caller waits no longer, the key would stay for ever, and with it a hash of
// somebody's network. Here both are one command.
type shared struct {
	*goredisstore.GoRedisStore
	client redis.UniversalClient
}

// SetIfNotExistsWithTTL sets key unless it is there, and reports whether it did.
func (s shared) SetIfNotExistsWithTTL(ctx context.Context, key string, value int64, ttl time.Duration) (bool, error) {
	return s.client.SetNX(ctx, redisPrefix+key, value, max(ttl, time.Second)).Result()
}
