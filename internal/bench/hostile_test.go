package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// BenchmarkHostileClients asks at a steady rate in quiet times, beside ten
// thousand connections that only stay open, and beside five hundred each that
// send a header and a body a byte a second: the ratio is of what all but one in
// a hundred of the asks wait for, to that of quiet times in the same run.
func BenchmarkHostileClients(b *testing.B) {
	const idle, slow, rate = 10_000, 500, 1_000
	p := startProgram(b)
	asks := load{kinds: []int{kindAsk}, callers: 16, rate: rate, lasts: *loadTime}
	for b.Loop() {
		p.drive(b, load{kinds: []int{kindAsk}, callers: 16, lasts: time.Second})
		quiet := p.drive(b, asks)
		b.ReportMetric(quiet.p99(kindAsk), "ms-quiet")
		b.ReportMetric(p.memory(b), "MiB-quiet")
		for _, beside := range []struct {
			name string
			open func(ctx context.Context, group *sync.WaitGroup)
		}{
			{"idle", func(ctx context.Context, group *sync.WaitGroup) { p.idle(ctx, b, idle, group) }},
			{"slow", func(ctx context.Context, group *sync.WaitGroup) {
				p.dribble(ctx, slow, group, "GET /v1/ask HTTP/1.1\r\nHost: x\r\n", func(n int) string { return fmt.Sprintf("X-%d: 1\r\n", n) })
				p.dribble(ctx, slow, group, "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", func(int) string { return " " })
			}},
		} {
			ctx, end := context.WithCancel(b.Context())
			var group sync.WaitGroup
			beside.open(ctx, &group)
			r := p.drive(b, asks)
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

// dribble keeps connections that send a little each second, and opens them
// again when they are cut off.
func (p *program) dribble(ctx context.Context, many int, group *sync.WaitGroup, begin string, next func(n int) string) {
	for range many {
		group.Go(func() {
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
