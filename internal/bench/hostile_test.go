package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkHostileClients asks at a steady rate in quiet times, beside ten
// thousand connections that only stay open, beside five hundred that send a
// header line by line, and beside those and five hundred that send a body a byte
// a second: the ratio is of what all but one in a hundred of the asks wait for,
// to that of quiet times in the same run. Beside it stands what the program
// takes of a core, since the clients' own work is done on the same two.
func BenchmarkHostileClients(b *testing.B) {
	const idle, slow, rate = 10_000, 500, 1_000
	p := startProgram(b)
	asks := load{kinds: []int{kindAsk}, callers: 16, rate: rate, lasts: *loadTime}
	for b.Loop() {
		p.drive(b, load{kinds: []int{kindAsk}, callers: 16, lasts: time.Second})
		quiet := p.driveCounted(b, asks, "quiet")
		b.ReportMetric(quiet.p99(kindAsk), "ms-quiet")
		b.ReportMetric(p.memory(b), "MiB-quiet")
		for _, beside := range []struct {
			name string
			open func(ctx context.Context, group *sync.WaitGroup)
		}{
			{"idle", func(ctx context.Context, group *sync.WaitGroup) { p.idle(ctx, b, idle, group) }},
			{"loris", func(ctx context.Context, group *sync.WaitGroup) { p.slowHeaders(ctx, slow, group) }},
			{"slow", func(ctx context.Context, group *sync.WaitGroup) {
				p.slowHeaders(ctx, slow, group)
				p.slowBodies(ctx, slow, group)
			}},
		} {
			ctx, end := context.WithCancel(b.Context())
			var group sync.WaitGroup
			beside.open(ctx, &group)
			r := p.driveCounted(b, asks, beside.name)
			b.ReportMetric(r.p99(kindAsk)/quiet.p99(kindAsk), "ratio-"+beside.name)
			b.ReportMetric(p.memory(b), "MiB-"+beside.name)
			b.Logf("beside %s ones: %v; quiet: %v", beside.name, r, quiet)
			if r.failed[kindAsk] > 0 {
				b.Errorf("%d asks were not answered beside %s ones", r.failed[kindAsk], beside.name)
			}
			end()
			group.Wait()
		}
		b.ReportMetric(0, "ns/op")
	}
}

// idle opens connections that are used once and stay open until ctx ends.
func (p *program) idle(ctx context.Context, b *testing.B, many int, group *sync.WaitGroup) {
	b.Helper()
	all := make([]client, many)
	for i := range all {
		all[i].to = p.address
		if all[i].send(p.request(kindCount, i)) == 0 {
			b.Fatalf("connection %d of %d is not taken", i+1, many)
		}
	}
	group.Go(func() {
		<-ctx.Done()
		for i := range all {
			all[i].close()
		}
	})
}

func (p *program) slowHeaders(ctx context.Context, many int, group *sync.WaitGroup) {
	p.dribble(ctx, many, group, "GET /v1/ask HTTP/1.1\r\nHost: x\r\n", func(n int) string { return fmt.Sprintf("X-%d: 1\r\n", n) })
}

func (p *program) slowBodies(ctx context.Context, many int, group *sync.WaitGroup) {
	p.dribble(ctx, many, group, "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", func(int) string { return " " })
}

// dribble keeps connections that send a little each second, and opens them
// again when they are cut off. They come one after the other within a second, as
// a tool opens them: all in the same instant, they would be a flood once a
// second and not slow clients.
func (p *program) dribble(ctx context.Context, many int, group *sync.WaitGroup, begin string, next func(n int) string) {
	for i := range many {
		group.Go(func() {
			select {
			case <-time.After(time.Duration(i) * time.Second / time.Duration(many)):
			case <-ctx.Done():
			}
			for ctx.Err() == nil {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
				if err != nil {
					continue
				}
				_, err = io.WriteString(conn, begin)
				for n := 0; err == nil && ctx.Err() == nil; n++ {
					select {
					case <-time.After(time.Second):
					case <-ctx.Done():
					}
					_, err = io.WriteString(conn, next(n))
				}
				conn.Close()
			}
		})
	}
}

// driveCounted drives, and reports how many cores the program took meanwhile,
// and how many this process, in which all clients are.
func (p *program) driveCounted(b *testing.B, l load, name string) result {
	b.Helper()
	theirs, ours, start := p.metric(b, "process_cpu_seconds_total"), ownCPU(b), time.Now()
	r := p.drive(b, l)
	took := time.Since(start).Seconds()
	b.ReportMetric((p.metric(b, "process_cpu_seconds_total")-theirs)/took, "cores-"+name)
	b.ReportMetric((ownCPU(b)-ours)/took, "cores-of-clients-"+name)
	return r
}

// ownCPU returns how many seconds of a core this process has taken.
func ownCPU(b *testing.B) float64 {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}
