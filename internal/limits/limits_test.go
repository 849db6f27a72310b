package limits

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A clock is moved by hand.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.nanos.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.nanos.Load()) }
func (c *clock) move(d time.Duration) { c.nanos.Add(int64(d)) }

func silent() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// burst counts how many checkouts in a row one network gets, up to most.
func burst(t *testing.T, rules []Rule, most int) int {
	t.Helper()
	l := build(t, Options{Now: newClock().now, Rules: rules})
	for n := range most {
		if ok, _ := l.Allow(context.Background(), Checkout, "203.0.113.0/24"); !ok {
			return n
		}
	}
	return most
}

func TestShippedRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rules []Rule
		want  int
	}{"production": {Production(), 60}, "sandbox": {Sandbox(), 600}} {
		if got := burst(t, tt.rules, 1000); got != tt.want {
			t.Errorf("%s: %d checkouts at once from a network, want %d", name, got, tt.want)
		}
	}
}

// small is a rule that tests can exhaust: 8 at once, then one in 30 s; a
// process without Redis gives 2 at once, then one in 2 min.
var small = Rule{Name: "small", Burst: 8, PerHour: 120}

func build(t *testing.T, o Options) *Limits {
	t.Helper()
	o.Log = silent()
	if o.Rules == nil {
		o.Rules = []Rule{small}
	}
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	waits(l, time.Minute) // a busy machine must not make Redis look broken
	return l
}

// waits sets how long a caller waits for Redis.
func waits(l *Limits, most time.Duration) {
	for _, of := range l.rules {
		of.wait = most
	}
}

// allowed counts how many of n tries get through.
func allowed(l *Limits, n int, key string) int {
	through := 0
	for range n {
		if ok, _ := l.Allow(context.Background(), small.Name, key); ok {
			through++
		}
	}
	return through
}

func TestAllowInProcess(t *testing.T) {
	t.Parallel()
	at := newClock()
	l := build(t, Options{Now: at.now})
	if got := allowed(l, 50, "203.0.113.0/24"); got != small.Burst {
		t.Errorf("%d of 50 at once, want %d", got, small.Burst)
	}
	ok, wait := l.Allow(context.Background(), small.Name, "203.0.113.0/24")
	if ok || wait != 30*time.Second {
		t.Errorf("Allow = %v, %v; want no, and again in 30 s", ok, wait)
	}
	if got := allowed(l, 50, "198.51.100.0/24"); got != small.Burst {
		t.Errorf("another network got %d, want %d", got, small.Burst)
	}
	at.move(wait - time.Millisecond)
	if got := allowed(l, 1, "203.0.113.0/24"); got != 0 {
		t.Error("allowed before retryAfter")
	}
	at.move(time.Millisecond)
	if got := allowed(l, 5, "203.0.113.0/24"); got != 1 {
		t.Errorf("%d after retryAfter, want 1", got)
	}
	at.move(time.Hour)
	if got := allowed(l, 50, "203.0.113.0/24"); got != small.Burst {
		t.Errorf("%d after an hour, want the burst of %d again", got, small.Burst)
	}
}

func TestAllowAtOnce(t *testing.T) {
	t.Parallel()
	at := newClock()
	l := build(t, Options{Now: at.now})
	var through atomic.Int64
	var callers sync.WaitGroup
	for range 32 {
		callers.Go(func() { through.Add(int64(allowed(l, 10, "n"))) })
	}
	callers.Wait()
	if got := through.Load(); got < 1 || got > int64(small.Burst) {
		t.Errorf("%d of 320 callers at one moment, want at most %d", got, small.Burst)
	}
}

func TestAllowUnknownRule(t *testing.T) {
	t.Parallel()
	ok, wait := build(t, Options{}).Allow(context.Background(), "nobody wrote this", "n")
	if ok || wait <= 0 {
		t.Errorf("Allow = %v, %v; want no", ok, wait)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string][]Rule{
		"no burst":    {{Name: "a", PerHour: 1}},
		"no rate":     {{Name: "a", Burst: 1}},
		"twice":       {small, small},
		"minus burst": {{Name: "a", Burst: -1, PerHour: 1}},
	} {
		if _, err := New(Options{Rules: rules}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{Checkout, CheckoutAll, Signal} {
		if ok, _ := l.Allow(context.Background(), name, "n"); !ok {
			t.Errorf("%s: the first is refused", name)
		}
	}
}

func TestHide(t *testing.T) {
	t.Parallel()
	at := newClock()
	l := build(t, Options{Now: at.now, Secret: []byte("one")})
	other := build(t, Options{Now: at.now, Secret: []byte("one")})
	today := l.hide(dayOf(at.now()), "small", "203.0.113.0/24")
	if today != other.hide(dayOf(at.now()), "small", "203.0.113.0/24") {
		t.Error("replicas with one secret must agree")
	}
	if today == l.hide(dayOf(at.now()), "checkout", "203.0.113.0/24") {
		t.Error("two rules must not share a count")
	}
	if today == build(t, Options{Now: at.now, Secret: []byte("two")}).hide(dayOf(at.now()), "small", "203.0.113.0/24") {
		t.Error("the secret hides nothing")
	}
	alone, another := build(t, Options{Now: at.now}), build(t, Options{Now: at.now})
	if alone.hide(dayOf(at.now()), "small", "n") == another.hide(dayOf(at.now()), "small", "n") {
		t.Error("without a secret each process must have its own")
	}
	at.move(saltLife)
	if today == l.hide(dayOf(at.now()), "small", "203.0.113.0/24") {
		t.Error("a network kept its key for more than a day")
	}
}

// nextDay is a midnight at which keys change.
var nextDay = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// TestLimitsSlideOverMidnight: who used a limit up at 23:59 has at 00:01 what two
// minutes give, and who never stops gets no burst more, however long they go on.
func TestLimitsSlideOverMidnight(t *testing.T) {
	t.Parallel()
	at := newClock()
	at.nanos.Store(nextDay.Add(-time.Minute).UnixNano())
	l := build(t, Options{Now: at.now})
	const who = "203.0.113.0/24"
	if got := allowed(l, 50, who); got != small.Burst {
		t.Fatalf("%d at 23:59, want the burst of %d", got, small.Burst)
	}
	at.move(2 * time.Minute)
	if got := allowed(l, 50, who); got != 4 {
		t.Errorf("%d at 00:01, want the 4 of two minutes", got)
	}
	if got := allowed(l, 50, "198.51.100.0/24"); got != small.Burst {
		t.Errorf("%d of somebody new at 00:01, want %d", got, small.Burst)
	}
	for range 20 {
		at.move(30 * time.Second)
		if got := allowed(l, 50, who); got != 1 {
			t.Errorf("%d at %s, want the 1 of half a minute", got, at.now().UTC().Format(time.TimeOnly))
		}
	}
	at.move(10 * time.Minute)
	if got := allowed(l, 50, who); got != small.Burst {
		t.Errorf("%d after ten minutes of rest, want the burst of %d", got, small.Burst)
	}
}

func TestMemoryForgetsTheOldest(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := newMemory(10, time.Now)
	for i := range 1000 {
		if set, err := m.SetIfNotExistsWithTTL(ctx, fmt.Sprint(i), int64(i), 0); !set || err != nil {
			t.Fatalf("%d: %v, %v", i, set, err)
		}
		if i >= 10 { // the one before last is in use all the time
			was, _, _ := m.GetWithTime(ctx, "busy")
			if i > 10 && was != int64(i-1) {
				t.Fatalf("busy = %d at %d", was, i)
			}
			if was == -1 {
				m.SetIfNotExistsWithTTL(ctx, "busy", int64(i), 0)
			} else if ok, _ := m.CompareAndSwapWithTTL(ctx, "busy", was, int64(i), 0); !ok {
				t.Fatalf("busy was not swapped at %d", i)
			}
		}
	}
	if held := len(m.recent) + len(m.older); held > 21 {
		t.Errorf("%d keys are held, want 20 or so", held)
	}
	if ok, _ := m.CompareAndSwapWithTTL(ctx, "busy", 1, 2, 0); ok {
		t.Error("swapped what had another value")
	}
	if ok, _ := m.CompareAndSwapWithTTL(ctx, "never", 1, 2, 0); ok {
		t.Error("swapped what was never there")
	}
	if set, _ := m.SetIfNotExistsWithTTL(ctx, "busy", 7, 0); set {
		t.Error("set what was there")
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	at := newClock()
	b := new(breaker)
	if !b.closed(at.now()) || b.succeeded() {
		t.Fatal("a new breaker must let everybody ask")
	}
	if !b.failed(at.now()) || b.failed(at.now()) {
		t.Error("only the first failure is news")
	}
	at.move(redisPause - 1)
	if b.closed(at.now()) {
		t.Error("asked during the pause")
	}
	at.move(1)
	if !b.closed(at.now()) || b.closed(at.now()) {
		t.Error("after the pause exactly one tries")
	}
	if !b.succeeded() || !b.closed(at.now()) {
		t.Error("after a success everybody asks")
	}
}
