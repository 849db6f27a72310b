package limits

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/redisdb"
	"github.com/united24media/support/internal/testenv"
)

var secret = []byte("a secret that replicas share")

func connect(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	client, err := redisdb.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// warm makes a connection to each server, so that the first call isn't the one
// that dials.
func warm(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	err := client.Ping(t.Context()).Err()
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err = cluster.ForEachShard(t.Context(), func(ctx context.Context, c *redis.Client) error { return c.Ping(ctx).Err() })
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestReplicasShareALimit(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(testing.TB) string{
		"one server": testenv.Redis,
		"cluster":    testenv.RedisCluster,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := url(t)
			at := newClock() // stands still: a slow machine must not earn another try
			var replicas []*Limits
			for range 2 {
				client := connect(t, url)
				warm(t, client)
				replicas = append(replicas, build(t, Options{Redis: client, Secret: secret, Now: at.now}))
			}
			through := 0
			for range small.Burst {
				for _, l := range replicas {
					through += allowed(l, 1, "203.0.113.0/24")
				}
			}
			if through != small.Burst {
				t.Errorf("%d got through two replicas, want %d", through, small.Burst)
			}
			ok, wait := replicas[1].Allow(t.Context(), small.Name, "203.0.113.0/24")
			if ok || wait <= 0 || wait > 30*time.Second {
				t.Errorf("Allow = %v, %v; want no, and again within 30 s", ok, wait)
			}
			for i, l := range replicas {
				if l.breaker.until.Load() != 0 {
					t.Errorf("replica %d thinks that Redis fails", i)
				}
			}
		})
	}
}

// TestReplicasSlideOverMidnight: what replicas counted before midnight counts
// after it, on the one that counted and on the other.
func TestReplicasSlideOverMidnight(t *testing.T) {
	t.Parallel()
	url := testenv.Redis(t)
	at := newClock()
	at.nanos.Store(nextDay.Add(-time.Second).UnixNano())
	var replicas []*Limits
	for range 2 {
		client := connect(t, url)
		warm(t, client)
		replicas = append(replicas, build(t, Options{Redis: client, Secret: secret, Now: at.now}))
	}
	through := func(l *Limits) (n int) { // of 50, however slow Redis is
		of := l.rules[small.Name]
		for range 50 {
			limited, _, err := of.shared.RateLimitCtx(t.Context(), l.keys(of, small.Name, "n"), 1)
			if err != nil {
				t.Fatal(err)
			}
			if !limited {
				n++
			}
		}
		return n
	}
	// Redis has a clock of its own, by which a slow machine earns some: half of
	// the burst in two minutes.
	if got := through(replicas[0]); got < small.Burst || got >= 2*small.Burst {
		t.Fatalf("%d before midnight, want the burst of %d", got, small.Burst)
	}
	at.move(2 * time.Second)
	for i, l := range []*Limits{replicas[1], replicas[0]} {
		if got := through(l); got >= small.Burst/2 {
			t.Errorf("%d just after midnight, on replica %d", got, 1-i)
		}
	}
}

func TestRedisHoldsNoAddress(t *testing.T) {
	t.Parallel()
	client := connect(t, testenv.Redis(t))
	warm(t, client)
	l := build(t, Options{Redis: client, Secret: secret})
	allowed(l, 3, "203.0.113.0/24")
	keys := client.Keys(t.Context(), "*").Val()
	if len(keys) != 1 || !strings.HasPrefix(keys[0], redisPrefix) || strings.Contains(keys[0], "203") {
		t.Fatalf("keys = %q, want one hash", keys)
	}
	if life := client.TTL(t.Context(), keys[0]).Val(); life <= 0 || life > time.Hour {
		t.Errorf("the key lives for %v", life)
	}
}

// Where Redis fails, a smaller limit holds, and a caller waits 50 ms at most,
// once in a while.
func TestRedisFaults(t *testing.T) {
	t.Parallel()
	faults := map[string]struct {
		begin, end func(*testing.T, *testenv.Server, redis.UniversalClient)
	}{
		"stopped": {
			func(t *testing.T, s *testenv.Server, _ redis.UniversalClient) { s.Stop(t) },
			func(t *testing.T, s *testenv.Server, _ redis.UniversalClient) { s.Start(t) },
		},
		"read-only": {
			func(t *testing.T, s *testenv.Server, _ redis.UniversalClient) { s.SetReadOnly(t, true) },
			func(t *testing.T, s *testenv.Server, _ redis.UniversalClient) { s.SetReadOnly(t, false) },
		},
		"hangs": {
			func(t *testing.T, _ *testenv.Server, c redis.UniversalClient) {
				if err := c.ClientPause(t.Context(), time.Second).Err(); err != nil {
					t.Fatal(err)
				}
			},
			func(*testing.T, *testenv.Server, redis.UniversalClient) {},
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.RedisServer(t)
			client := connect(t, server.URL())
			warm(t, client)
			at := newClock()
			l := build(t, Options{Redis: client, Secret: secret, Now: at.now})
			waits(l, redisTimeout)

			fault.begin(t, server, client)
			started := time.Now()
			through := allowed(l, 100, "203.0.113.0/24")
			if want := small.Burst / aloneShare; through != want {
				t.Errorf("%d of 100 got through, want %d", through, want)
			}
			if took := time.Since(started); took > 5*redisTimeout {
				t.Errorf("100 callers waited %v in all, want %v or a little more", took, redisTimeout)
			}
			if through := allowed(l, 100, "198.51.100.0/24"); through != small.Burst/aloneShare {
				t.Errorf("%d of 100 of another network, want %d", through, small.Burst/aloneShare)
			}
			if l.breaker.until.Load() == 0 {
				t.Error("the failure went unnoticed")
			}

			fault.end(t, server, client)
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for until := time.Now().Add(20 * time.Second); l.breaker.until.Load() != 0; <-tick.C {
				if time.Now().After(until) {
					t.Fatal("Redis is well again, and nobody noticed")
				}
				at.move(redisPause)
				l.Allow(t.Context(), small.Name, "192.0.2.0/24")
			}
		})
	}
}

// A network that accepts connections and says nothing.
func TestRedisThatNeverAnswers(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client := connect(t, "redis://"+listener.Addr().String())
	var asked calls
	client.AddHook(&asked)
	at := newClock() // stands still: the pause never ends
	l := build(t, Options{Redis: client, Now: at.now})
	patient, cancel := context.WithTimeout(t.Context(), time.Minute) // a thousand times what is waited for Redis
	defer cancel()
	if ok, _ := l.Allow(patient, small.Name, "n"); !ok || patient.Err() != nil {
		t.Errorf("the first is allowed: %v (%v)", ok, patient.Err())
	}
	before := asked.n.Load()
	if before == 0 {
		t.Error("Redis was not asked")
	}
	allowed(l, 100, "another")
	if more := asked.n.Load() - before; more > 0 {
		t.Errorf("it was asked %d times more, though it is known to fail", more)
	}
	at.move(redisPause)
	allowed(l, 100, "somebody else")
	if asked.n.Load() == before {
		t.Error("it was not asked again after a pause")
	}
}

// calls counts what is asked of Redis.
type calls struct{ n atomic.Int64 }

func (c *calls) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *calls) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmd)
	}
}

func (c *calls) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmds)
	}
}

func TestPoisonedLimit(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"not a number":      `"><script>`,
		"a far away time":   "9000000000000000000",
		"minus a lot":       "-9000000000000000000",
		"the word for none": "-1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, testenv.Redis(t))
			warm(t, client)
			at := newClock()
			l := build(t, Options{Redis: client, Secret: secret, Now: at.now})
			client.Set(t.Context(), redisPrefix+l.hide(dayOf(at.now()), small.Name, "n"), value, 0)
			through := allowed(l, 50, "n")
			if through < 1 || through > small.Burst {
				t.Errorf("%d of 50 got through, want some, and at most %d", through, small.Burst)
			}
		})
	}
}

// Who hangs up must not make Redis look broken.
func TestCallerWhoHangsUp(t *testing.T) {
	t.Parallel()
	client := connect(t, testenv.Redis(t))
	warm(t, client)
	l := build(t, Options{Redis: client, Secret: secret})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ok, _ := l.Allow(ctx, small.Name, "n"); !ok {
		t.Error("refused")
	}
	if l.breaker.until.Load() != 0 {
		t.Error("Redis is thought to fail")
	}
}

// lossy loses one command: Redis never hears of it.
type lossy string

func (lossy) DialHook(next redis.DialHook) redis.DialHook { return next }

func (lossy) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (l lossy) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		if c.Name() == string(l) {
			c.SetErr(context.DeadlineExceeded)
			return context.DeadlineExceeded
		}
		return next(ctx, c)
	}
}

// TestNoKeyStays: whatever is lost on the way, a key in Redis has an end: it is
// a hash of somebody's network.
func TestNoKeyStays(t *testing.T) {
	t.Parallel()
	url := testenv.Redis(t)
	client, plain := connect(t, url), connect(t, url)
	warm(t, client)
	client.AddHook(lossy("expire"))
	allowed(build(t, Options{Redis: client, Secret: secret}), 1, "203.0.113.0/24")
	keys, err := plain.Keys(t.Context(), redisPrefix+"*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	for _, key := range keys {
		if left, err := plain.TTL(t.Context(), key).Result(); err != nil || left <= 0 {
			t.Errorf("%s is kept for %s, %v", key, left, err)
		}
	}
}
