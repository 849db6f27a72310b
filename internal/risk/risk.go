// Package risk keeps thieves from trying stolen cards on our checkout, and lets
// readers give meanwhile.
//
// In calm times a form is let through that we issued a second ago or earlier,
// and a program without one of our tickets within small limits. When far more
// is tried than usual, or most payments fail, of all or of those that have an
// odd amount or a mail domain in common, the guard arms itself: then a browser
// has to prove some work, which its script does while the form is filled in,
// and a reader without scripts has to be patient. It disarms itself when it has
// been calm for a while. Nothing it keeps says who anybody is.
package risk

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/limits"
)

// A Limiter says how often one may do something; see [limits.Limits].
type Limiter interface {
	Allow(ctx context.Context, name, key string) (ok bool, retryAfter time.Duration)
}

// Marks are the numbers from which on the guard arms itself.
type Marks struct {
	Surge    int64 // tries in a minute, at the least, and [surgeTimes] what is usual
	Unsigned int64 // tries in a minute without a ticket
	Failed   int64 // refused payments in 10 minutes, if they are [failedShare] percent of all
	Alike    int64 // refused payments in an hour that have something in common, if they are [alikeShare] percent of all such
	Zeros    int   // zero bits of the proof: 17 are a second of a phone
}

// Production returns the marks where money moves.
func Production() Marks { return Marks{Surge: 90, Unsigned: 60, Failed: 15, Alike: 12, Zeros: 17} }

// Sandbox returns marks out of the way of load tests.
func Sandbox() Marks {
	return Marks{Surge: 20_000, Unsigned: 20_000, Failed: 10_000, Alike: 10_000, Zeros: 17}
}

// How an attack is known, and that it is over.
const (
	surgeTimes  = 8
	failedShare = 60               // percent
	failedSpan  = 10 * minute      // grains
	calmTime    = 10 * time.Minute // without a sign of it, until the guard disarms
	stillTried  = 50               // refusals in that time: it is not over
	moreZeros   = 2                // at the most, while payments go on failing
	failedStep  = 20               // failures in 10 minutes for one bit more
	shareEvery  = time.Second
	freshShared = 5 * time.Second
)

// Options are what a [Guard] needs. All but Redis, Changed, Suggested and
// Challenge are required.
type Options struct {
	Secrets [][]byte // sign tickets, newest first
	Limiter Limiter
	Marks   Marks
	Redis   redis.UniversalClient // nil: this process alone
	Now     func() time.Time
	Log     *slog.Logger
	Changed func(Attack) // told when an attack begins and ends; must not block

	// Suggested reports whether readers are asked for an amount (currency in
	// upper case, minor units); nil: for none.
	Suggested func(currency string, minor int64) bool

	// Challenge is asked for beside the proof of work while we are attacked;
	// nil asks for the proof alone.
	Challenge *Challenge
}

// An Attack is what the guard knows of one.
type Attack struct {
	On    bool
	Why   string    // what gave it away, in words for staff
	Since time.Time // when it began
	Until time.Time // when the guard disarmed; zero while it is on
	Sums  Sums      // of the last 10 minutes
}

// A Guard judges attempts. It is safe for concurrent use.
type Guard struct {
	Options
	mu       sync.Mutex
	own, all ring // what this process saw, and what all did
	unshared Sums
	sharedAt time.Time
	attack   Attack
	signAt   time.Time // when there was last a sign of an attack

	alike, allAlike window // how payments ended by what they have in common, as above
	unsharedAlike   map[string]tally
	suspects        map[string]suspect // by key of what they have in common
}

// New returns a guard.
func New(o Options) *Guard {
	if o.Changed == nil {
		o.Changed = func(Attack) {}
	}
	return &Guard{Options: o, unsharedAlike: map[string]tally{}, suspects: map[string]suspect{}}
}

// Run shares what is tried with other replicas, and disarms when it is calm,
// until ctx ends.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(shareEvery)
	defer tick.Stop()
	grains, failing := int64(kept), false
	for {
		if g.Redis != nil {
			ctx, cancel := context.WithTimeout(ctx, waits)
			err := g.share(ctx, grains)
			cancel()
			if err == nil {
				grains = 3
			}
			if err != nil && !failing && ctx.Err() == nil {
				g.Log.WarnContext(ctx, "risk: Redis does not answer, this process judges alone", "err", err)
			}
			failing = err != nil
		}
		g.watch()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Resume arms the guard for an attack that was on when the program ended, so
// that a restart opens no door. It disarms as after any other sign.
func (g *Guard) Resume(why string, since time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.attack.On {
		g.attack, g.signAt = Attack{On: true, Why: why, Since: since}, g.Now()
	}
}

// A Try is one attempt to open a checkout.
type Try struct {
	Network  string // from [limits.Network]
	Ticket   string // of the form; "" or anything else for a program
	Work     string // the proof; "" for none
	Response string // to the [Challenge]; "" for none

	Currency string // ISO 4217, in any case
	Minor    int64  // minor units
}

// A Verdict says what becomes of a try.
type Verdict struct {
	Pass   bool
	Zeros  int           // the proof that is asked for; 0 where none helps
	Wait   time.Duration // until trying again may help
	Amount bool          // it is for its amount that it does not pass: another one would
}

// Judge counts a try and says what becomes of it. It waits for Redis 50 ms at
// most, and for a challenge's service 3 s.
func (g *Guard) Judge(ctx context.Context, t Try) Verdict {
	age, signed := g.age(t.Ticket)
	seen := Sums{Tries: 1}
	if !signed {
		seen.Unsigned = 1
	}
	g.count(seen)
	attack := g.watch()
	v := g.judge(ctx, t, age, signed, attack)
	if v.Pass {
		v = g.allowAmount(ctx, t)
	}
	if attack.On && !v.Pass {
		g.count(Sums{Refused: 1})
	}
	return v
}

func (g *Guard) judge(ctx context.Context, t Try, age time.Duration, signed bool, attack Attack) Verdict {
	allow := func(rule, key string) Verdict {
		ok, wait := g.Limiter.Allow(ctx, rule, key)
		return Verdict{Pass: ok, Wait: wait}
	}
	switch {
	case !attack.On && signed && age >= leastDwell:
		return allow(limits.Ticket, t.Ticket)
	case !attack.On:
		return allow(limits.Unsigned, t.Network)
	case signed && g.Challenge != nil && t.Response != "":
		if v := allow(limits.Ticket, t.Ticket); !v.Pass {
			return v // before the service is asked, which nobody may flood through us
		}
		passed, known := g.Challenge.Passed(ctx, t.Response)
		if passed || !known && Proved(t.Ticket, t.Work, g.zeros(attack)) {
			return allow(limits.Proved, t.Network)
		}
	case signed && !g.Challenge.answers() && Proved(t.Ticket, t.Work, g.zeros(attack)):
		if v := allow(limits.Ticket, t.Ticket); !v.Pass {
			return v
		}
		return allow(limits.Proved, t.Network)
	case signed && age >= patientTime:
		if v := allow(limits.Ticket, t.Ticket); !v.Pass {
			return v
		}
		v := allow(limits.Patient, "")
		v.Zeros = g.zeros(attack)
		return v
	}
	return Verdict{Zeros: g.zeros(attack), Wait: max(patientTime-age, time.Second)}
}

// Zeros returns the proof that a form has to bring now; 0 in calm times.
func (g *Guard) Zeros() int {
	if attack := g.watch(); attack.On {
		return g.zeros(attack)
	}
	return 0
}

func (g *Guard) zeros(attack Attack) int {
	return g.Marks.Zeros + int(min(moreZeros, attack.Sums.Failed/failedStep))
}

// Attack returns what is known now.
func (g *Guard) Attack() Attack { return g.watch() }

func (g *Guard) count(s Sums) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.own.in(grainOf(g.Now())).add(s)
	g.unshared.add(s)
}

// watch arms and disarms by what was seen until now, and returns the state.
func (g *Guard) watch() Attack {
	g.mu.Lock()
	now := g.Now()
	why := g.suspect(now)
	was := g.attack.On
	switch {
	case why != "":
		g.signAt = now
		if !was {
			g.attack = Attack{On: true, Why: why, Since: now}
		}
	case was && now.Sub(g.signAt) >= calmTime && g.seen(now, int64(calmTime/grain)).Refused < stillTried:
		g.attack.On, g.attack.Until = false, now
	}
	g.attack.Sums = g.seen(now, failedSpan)
	told := g.attack
	g.mu.Unlock()
	if told.On != was {
		g.Log.Warn("risk: an attack on the checkout", "on", told.On, "why", told.Why)
		g.Changed(told)
	}
	return told
}

// suspect says what looks like an attack; "" if nothing does.
func (g *Guard) suspect(now time.Time) string {
	last := g.seen(now, minute)
	hour := g.seen(now, kept)
	usual := (hour.Tries - last.Tries) / (kept/minute - 1)
	switch span := g.seen(now, failedSpan); {
	case last.Tries >= max(g.Marks.Surge, surgeTimes*usual):
		return fmt.Sprintf("%d attempts to give in a minute, where %d are usual", last.Tries, usual)
	case last.Unsigned >= g.Marks.Unsigned:
		return fmt.Sprintf("%d attempts in a minute that came from no page of ours", last.Unsigned)
	case span.Failed >= g.Marks.Failed && span.Failed*100 >= failedShare*(span.Failed+span.Paid):
		return fmt.Sprintf("%d of %d payments were refused in 10 minutes", span.Failed, span.Failed+span.Paid)
	}
	return g.alikeSign()
}

// seen returns what was seen in the last grains: by all replicas, where that is
// known and fresh, with what this one has not shared yet.
func (g *Guard) seen(now time.Time, grains int64) Sums {
	at := grainOf(now)
	if !g.fresh() {
		return g.own.since(at-grains+1, at)
	}
	total := g.all.since(at-grains+1, at)
	total.add(g.unshared)
	return total
}

// fresh reports whether it is known what all replicas saw.
func (g *Guard) fresh() bool { return g.Redis != nil && g.Now().Sub(g.sharedAt) <= freshShared }
