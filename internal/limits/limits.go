// Package limits says how often somebody may do something: so many at once,
// then so many in an hour, for each network and in all.
//
// The count is kept in Redis, so that replicas share it. Where Redis is slow
// or gone, each process goes on with a smaller limit of its own: an outage
// must not open the door.
package limits

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/goredisstore.v9"
)

// A Rule is one limit: Burst at once, and after that PerHour, spread evenly.
// Both are 1 or more.
type Rule struct {
	Name    string
	Burst   int
	PerHour int
}

// Names of the rules that ship.
const (
	Checkout    = "checkout"     // opening a checkout, for each network
	CheckoutAll = "checkout-all" // opening checkouts, in all
	Unsigned    = "unsigned"     // opening a checkout without a form of ours, for each network
	Ticket      = "ticket"       // opening a checkout from one form
	Proved      = "proved"       // opening a checkout by a proof of work, for each network
	Patient     = "patient"      // opening a checkout by patience while we are attacked, in all
	Odd         = "odd"          // opening a checkout of an amount most of whose payments were refused, for each amount
	Signal      = "signal"       // signals of the ask, for each network
	SignIn      = "sign-in"      // attempts to get into the staff pages, for each network
	SignInWho   = "sign-in-who"  // sign-in mails, for each address
	Account     = "account"      // asking for a link to a supporter's pages and typing its code, for each network
	AccountWho  = "account-who"  // links to a supporter's pages, for each address
	AccountAll  = "account-all"  // links to supporters' pages, in all
	AccountAct  = "account-act"  // changes that Stripe is asked to make, for each supporter
	AccountData = "account-data" // looking everything up that is known of somebody, for each supporter
)

// Production returns the rules where money moves. They let a school or a
// carrier's customers, who share one address, give at the same time.
func Production() []Rule {
	return []Rule{
		{Name: Checkout, Burst: 60, PerHour: 1_200},
		{Name: CheckoutAll, Burst: 1_200, PerHour: 36_000},
		{Name: Unsigned, Burst: 60, PerHour: 600},
		{Name: Ticket, Burst: 5, PerHour: 5},
		{Name: Proved, Burst: 12, PerHour: 60},
		{Name: Patient, Burst: 20, PerHour: 1_200},
		{Name: Odd, Burst: 5, PerHour: 12},
		{Name: Signal, Burst: 300, PerHour: 7_200},
		{Name: SignIn, Burst: 20, PerHour: 60},
		{Name: SignInWho, Burst: 3, PerHour: 6},
		{Name: Account, Burst: 30, PerHour: 240},
		{Name: AccountWho, Burst: 4, PerHour: 8},
		{Name: AccountAll, Burst: 600, PerHour: 6_000},
		{Name: AccountAct, Burst: 30, PerHour: 120},
		{Name: AccountData, Burst: 12, PerHour: 60},
	}
}

// Sandbox returns the rules where no money can move, wide enough for test
// suites and load tests that come from one machine.
func Sandbox() []Rule {
	return []Rule{
		{Name: Checkout, Burst: 600, PerHour: 36_000},
		{Name: CheckoutAll, Burst: 12_000, PerHour: 360_000},
		{Name: Unsigned, Burst: 600, PerHour: 36_000},
		{Name: Ticket, Burst: 5, PerHour: 5},
		{Name: Proved, Burst: 12, PerHour: 60},
		{Name: Patient, Burst: 20, PerHour: 1_200},
		{Name: Odd, Burst: 5, PerHour: 12},
		{Name: Signal, Burst: 300, PerHour: 7_200},
		{Name: SignIn, Burst: 20, PerHour: 60},
		{Name: SignInWho, Burst: 3, PerHour: 6},
		{Name: Account, Burst: 30, PerHour: 240},
		{Name: AccountWho, Burst: 4, PerHour: 8},
		{Name: AccountAll, Burst: 600, PerHour: 6_000},
		{Name: AccountAct, Burst: 30, PerHour: 120},
		{Name: AccountData, Burst: 12, PerHour: 60},
	}
}

const (
	redisPrefix  = "support:limits:v1:"
	redisTimeout = 50 * time.Millisecond // see limiters.wait
	redisPause   = 5 * time.Second       // how long Redis is left alone after it failed
	clockSkew    = 5 * time.Second       // between the nodes of a cluster
	saltLife     = 24 * time.Hour        // how long a network keeps the same key
	aloneShare   = 4                     // a process without Redis allows one in so many
	memoryKeys   = 50_000                // remembered in this process, for each rule and kind, at least
	unknownWait  = time.Minute           // the wait for a rule that doesn't exist
)

// Options is what [New] needs; the zero Options limit within this process.
type Options struct {
	Redis  redis.UniversalClient // nil: limits are counted in this process alone
	Secret []byte                // hides networks in Redis; replicas share it; random if empty
	Rules  []Rule                // [Production] if nil
	Now    func() time.Time      // time.Now if nil
	Log    *slog.Logger          // slog.Default() if nil
}

// Limits counts and decides. It is safe for concurrent use.
type Limits struct {
	rules   map[string]*limiters
	secret  []byte
	now     func() time.Time
	log     *slog.Logger
	breaker *breaker
}

// limiters are one rule as it is kept in the three places.
type limiters struct {
	interval time.Duration                 // between two that are spread evenly
	lasts    time.Duration                 // how long what was counted matters
	wait     time.Duration                 // what a caller waits for Redis at most
	shared   *throttled.GCRARateLimiterCtx // in Redis; nil without it
	own      *throttled.GCRARateLimiterCtx // in this process
	alone    *throttled.GCRARateLimiterCtx // in this process, smaller, while Redis fails
}

// New returns limits by the rules of o. It returns an error for a rule that
// allows nothing or has another's name.
func New(o Options) (*Limits, error) {
	l := &Limits{
		rules: make(map[string]*limiters), secret: o.Secret, now: o.Now, log: o.Log,
		breaker: new(breaker),
	}
	if l.now == nil {
		l.now = time.Now
	}
	if l.log == nil {
		l.log = slog.Default()
	}
	if len(l.secret) == 0 {
		l.secret = make([]byte, sha256.Size)
		rand.Read(l.secret) //nolint:errcheck // never fails
	}
	if o.Rules == nil {
		o.Rules = Production()
	}
	for _, r := range o.Rules {
		if _, taken := l.rules[r.Name]; taken || r.Burst < 1 || r.PerHour < 1 {
			return nil, fmt.Errorf("limit %q: want a name of its own, and a burst and an hourly rate of 1 or more", r.Name)
		}
		of, err := l.build(r, o.Redis)
		if err != nil {
			return nil, fmt.Errorf("limit %q: %w", r.Name, err)
		}
		l.rules[r.Name] = of
	}
	return l, nil
}

func (l *Limits) build(r Rule, client redis.UniversalClient) (*limiters, error) {
	of := &limiters{interval: time.Hour / time.Duration(r.PerHour), wait: redisTimeout}
	of.lasts = of.interval*time.Duration(r.Burst) + clockSkew
	var errs [3]error
	if client != nil {
		store, err := goredisstore.NewCtx(client, redisPrefix)
		errs[0] = err
		if err == nil {
			of.shared, errs[0] = throttled.NewGCRARateLimiterCtx(sliding{shared{store, client}}, quota(r.Burst, r.PerHour))
		}
	}
	of.own, errs[1] = throttled.NewGCRARateLimiterCtx(sliding{newMemory(memoryKeys, l.now)}, quota(r.Burst, r.PerHour))
	of.alone, errs[2] = throttled.NewGCRARateLimiterCtx(sliding{newMemory(memoryKeys, l.now)},
		quota(max(1, r.Burst/aloneShare), max(1, r.PerHour/aloneShare)))
	return of, errors.Join(errs[:]...)
}

func quota(burst, perHour int) throttled.RateQuota {
	return throttled.RateQuota{MaxRate: throttled.PerHour(perHour), MaxBurst: burst - 1}
}

// Allow counts one more under the rule called name for key, which is a
// [Network], or "" for a limit in all, and reports whether it is within the
// limit. If not, it wasn't counted, and retryAfter (more than 0) is when the
// next one would be.
//
// It waits for Redis 50 ms at most. The key leaves this process only as a
// keyed hash that changes daily, at midnight UTC, with what is still counted
// carried over. A name without a rule allows nothing.
func (l *Limits) Allow(ctx context.Context, name, key string) (ok bool, retryAfter time.Duration) {
	of := l.rules[name]
	if of == nil {
		l.log.ErrorContext(ctx, "limits: no such rule", "name", name)
		return false, unknownWait
	}
	key = l.keys(of, name, key)
	// What one process alone has seen too much of needs no question to Redis,
	// which keeps a flood away from it.
	if ok, retryAfter = of.ask(ctx, of.own, key); !ok || of.shared == nil {
		return ok, retryAfter
	}
	if l.breaker.closed(l.now()) {
		limited, retryAfter, err := of.askRedis(ctx, key)
		if err == nil {
			if l.breaker.succeeded() {
				l.log.InfoContext(ctx, "limits: Redis answers again, replicas share their limits")
			}
			return !limited, retryAfter
		}
		if l.breaker.failed(l.now()) {
			l.log.WarnContext(ctx, "limits: Redis does not answer, this process limits alone", "err", err)
		}
	}
	return of.ask(ctx, of.alone, key)
}

// ask asks a limiter in memory. Its only error is that too many others changed
// the same key at the same moment, which is itself too much.
func (of *limiters) ask(ctx context.Context, in *throttled.GCRARateLimiterCtx, key string) (bool, time.Duration) {
	limited, result, err := in.RateLimitCtx(ctx, key, 1)
	if limited || err != nil {
		return false, max(result.RetryAfter, time.Millisecond)
	}
	return true, 0
}

// askRedis asks the limiter that replicas share. It goes on when the caller
// does not, so that one who hangs up can't make Redis look broken.
func (of *limiters) askRedis(ctx context.Context, key string) (limited bool, retryAfter time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), of.wait)
	defer cancel()
	limited, result, err := of.shared.RateLimitCtx(ctx, key, 1)
	switch {
	case err != nil:
		return false, 0, err
	case !limited:
		return false, 0, nil
	case result.RetryAfter > of.interval+clockSkew:
		// The algorithm never waits longer than one interval: this value is
		// not one that it wrote.
		return false, 0, fmt.Errorf("a stored limit asks to wait %v", result.RetryAfter)
	}
	return true, max(result.RetryAfter, time.Millisecond), nil
}

// keys returns today's key and, as long as what was counted yesterday matters,
// yesterday's: see [sliding].
func (l *Limits) keys(of *limiters, name, key string) string {
	now := l.now()
	today, before := dayOf(now), dayOf(now.Add(-of.lasts))
	if today == before {
		return l.hide(today, name, key)
	}
	return l.hide(today, name, key) + keySeparator + l.hide(before, name, key)
}

func dayOf(t time.Time) int64 { return t.Unix() / int64(saltLife/time.Second) }

// hide returns a key that tells nothing about the network to who can read
// Redis, and nothing lasting to who also has an earlier day's.
func (l *Limits) hide(day int64, name, key string) string {
	salt := hmac.New(sha256.New, l.secret)
	fmt.Fprintf(salt, "limits %d", day)
	mac := hmac.New(sha256.New, salt.Sum(nil))
	fmt.Fprintf(mac, "%s\x00%s", name, key)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}
