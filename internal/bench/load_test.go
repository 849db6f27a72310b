package bench

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var loadTime = flag.Duration("load", 10*time.Second, "how long each part of the load benchmarks lasts")

// inTime is how long an answer may take to be of use to a reader.
const inTime = time.Second

// BenchmarkLoad is a busy news day on the program as it is shipped, with
// PostgreSQL and Redis beside and the load from the same machine: what it can
// answer at most, how long each kind waits at half of that beside asks alone at
// the same rate, and what it still answers in time when twice as much comes.
func BenchmarkLoad(b *testing.B) {
	p := startProgram(b)
	day := mix()
	for b.Loop() {
		p.drive(b, load{kinds: day, callers: 64, lasts: 2 * time.Second}) // caches and statements are made
		peak := p.drive(b, load{kinds: day, callers: 64, lasts: *loadTime})
		capacity := peak.goodput()
		alone := p.drive(b, load{kinds: []int{kindAsk}, callers: 64, rate: capacity / 2, lasts: *loadTime})
		mixed := p.drive(b, load{kinds: day, callers: 64, rate: capacity / 2, lasts: *loadTime})
		flooded := p.drive(b, load{kinds: day, callers: 512, rate: 2 * capacity, lasts: *loadTime, leave: true})
		b.ReportMetric(capacity, "requests/s")
		b.ReportMetric(alone.p99(kindAsk), "ms-ask-alone")
		for kind, name := range kindNames {
			b.ReportMetric(mixed.p99(kind), "ms-"+name)
		}
		b.ReportMetric(flooded.goodput()/capacity, "goodput-at-twice")
		b.ReportMetric(p.memory(b), "MiB")
		b.ReportMetric(0, "ns/op")
		for _, r := range []result{peak, alone, mixed, flooded} {
			b.Log(r)
		}
	}
}

// mix returns kinds of requests in the order in which they come: those of
// [busyDay], shuffled.
func mix() []int {
	var day []int
	for kind, times := range busyDay {
		for range times {
			day = append(day, kind)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(day), func(i, j int) { day[i], day[j] = day[j], day[i] })
	return day
}

// A load is requests from several callers.
type load struct {
	kinds   []int // over and over
	callers int
	rate    float64 // a second, in all; 0 is as fast as answers come
	lasts   time.Duration
	leave   bool // who finds no caller within [inTime] goes away, as behind a proxy that has only so many; the rest wait from when they are sent
}

// A result is what came of a load. Times are from when a request was due, so
// that one that waits for its caller counts as waiting.
type result struct {
	lasted time.Duration
	took   [kinds][]time.Duration // of those that were answered well
	failed [kinds]int             // other answers, and none
	left   int
}

// requests numbers all that are ever sent, so that each gift is a new one.
var requests atomic.Int64

func (p *program) drive(tb testing.TB, l load) result {
	tb.Helper()
	var mu sync.Mutex
	var all result
	var next atomic.Int64
	var callers sync.WaitGroup
	start := time.Now()
	for range l.callers {
		callers.Go(func() {
			var mine result
			c := client{to: p.address}
			defer c.close()
			for {
				n := next.Add(1) - 1
				due := time.Now()
				if l.rate > 0 {
					due = start.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
					time.Sleep(time.Until(due))
				}
				if due.Sub(start) >= l.lasts {
					break
				}
				if l.leave && time.Since(due) > inTime {
					mine.left++
					continue
				}
				kind := l.kinds[int(n)%len(l.kinds)]
				if l.leave { // what waits in front of us is not ours to answer
					due = time.Now()
				}
				if status := c.send(p.request(kind, int(requests.Add(1)))); status >= 200 && status < 300 {
					mine.took[kind] = append(mine.took[kind], time.Since(due))
				} else {
					mine.failed[kind]++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.add(mine)
		})
	}
	callers.Wait()
	all.lasted = time.Since(start)
	for kind := range all.took {
		slices.Sort(all.took[kind])
	}
	return all
}

func (r *result) add(o result) {
	for kind := range kinds {
		r.took[kind] = append(r.took[kind], o.took[kind]...)
		r.failed[kind] += o.failed[kind]
	}
	r.left += o.left
}

// p99 returns how many milliseconds all but one in a hundred of a kind took at
// most.
func (r result) p99(kind int) float64 {
	if len(r.took[kind]) == 0 {
		return -1
	}
	return r.took[kind][(len(r.took[kind])-1)*99/100].Seconds() * 1000
}

// goodput returns how many a second were answered well and in time.
func (r result) goodput() float64 {
	good := 0
	for _, took := range r.took {
		within, _ := slices.BinarySearchFunc(took, inTime, cmp.Compare[time.Duration])
		good += within
	}
	return float64(good) / r.lasted.Seconds()
}

func (r result) String() string {
	text := fmt.Sprintf("%.0f/s in time", r.goodput())
	for kind, name := range kindNames {
		if n := len(r.took[kind]); n+r.failed[kind] > 0 {
			text += fmt.Sprintf("; %s: %d, p99 %.1f ms, %d failed", name, n, r.p99(kind), r.failed[kind])
		}
	}
	return text + fmt.Sprintf("; %d went away", r.left)
}
