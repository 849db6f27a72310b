package ask

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/attribution"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/redisdb"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// A ledgerOf counts what was flushed.
type ledgerOf struct {
	mu    sync.Mutex
	times map[string]int64
	err   error
}

func (l *ledgerOf) add(_ context.Context, batch []store.Signal) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	for _, g := range batch {
		l.times[fmt.Sprintf("%d %s %s %s", g.Day, g.Article, g.Placement, g.Kind)] += g.Times
	}
	return nil
}

func newSignals(t testing.TB) (*Signals, *ledgerOf) {
	t.Helper()
	l := &ledgerOf{times: map[string]int64{}}
	return newReplica(t, l, nil), l
}

// newReplica returns one of several that count together.
func newReplica(t testing.TB, l *ledgerOf, client redis.UniversalClient) *Signals {
	t.Helper()
	kyiv, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	return NewSignals(SignalsOptions{
		Add: l.add, Redis: client, Signer: attribution.NewSigner([][]byte{[]byte("a secret of thirty-two characters")}), Timezone: kyiv,
		Now: func() time.Time { return time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC) }, Log: slog.New(slog.DiscardHandler),
	})
}

func (s *Signals) token(article, placement string) string {
	return s.Signer.Sign(attribution.Claim{Article: article, Placement: placement, Hour: attribution.Hour(s.Now())})
}

// send posts one signal.
func send(s *Signals, body string) error {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(http.MethodPost, "/v1/signals", strings.NewReader(body))
	return s.Record(c)
}

func body(kind, view, token string) string {
	return fmt.Sprintf(`{"kind":%q,"view":%q,"token":%q}`, kind, view, token)
}

func TestSignalsAreCountedOnceAPageView(t *testing.T) {
	t.Parallel()
	s, l := newSignals(t)
	for _, b := range []string{
		body("seen", "view-0001", s.token("a", "mid")), body("seen", "view-0001", s.token("a", "mid")), // a replay
		body("seen", "view-0002", s.token("a", "mid")), body("clicked", "view-0001", s.token("a", "mid")), body("seen", "view-0001", s.token("a", "end")),
	} {
		if err := send(s, b); err != nil {
			t.Fatal(err)
		}
	}
	s.flush(t.Context())
	s.flush(t.Context())
	want := map[string]int64{"20261124 a mid seen": 2, "20261124 a mid clicked": 1, "20261124 a end seen": 1}
	if fmt.Sprint(l.times) != fmt.Sprint(want) {
		t.Errorf("counted %v, want %v", l.times, want)
	}
}

func TestSignalsRefuse(t *testing.T) {
	t.Parallel()
	s, _ := newSignals(t)
	token := s.token("a", "mid")
	old := s.Signer.Sign(attribution.Claim{Article: "a", Placement: "mid", Hour: attribution.Hour(s.Now()) - 24*31})
	for name, tt := range map[string]struct {
		body, field string
		kind        fault.Kind
	}{
		"no JSON":          {"seen", "", fault.Invalid},
		"an unknown field": {`{"kind":"seen","view":"view-0001","token":"` + token + `","email":"x"}`, "", fault.Invalid},
		"another kind":     {body("sold", "view-0001", token), "kind", fault.Invalid},
		"a short view":     {body("seen", "v", token), "view", fault.Invalid},
		"no token":         {body("seen", "view-0001", ""), "token", fault.Invalid},
		"a forged token":   {body("seen", "view-0001", token[:len(token)-2]+"AA"), "token", fault.Invalid},
		"an old token":     {body("seen", "view-0001", old), "token", fault.Invalid},
		"too long":         {strings.Repeat(" ", maxSignal+1), "", fault.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused, ok := errors.AsType[*fault.Error](send(s, tt.body))
			if !ok || refused.Kind != tt.kind || refused.Field != tt.field {
				t.Errorf("got %v, want %s about %q", refused, tt.kind, tt.field)
			}
		})
	}
}

func TestSignalsOutliveTheDatabase(t *testing.T) {
	t.Parallel()
	s, l := newSignals(t)
	l.err = errors.New("the database is away")
	if err := send(s, body("seen", "view-0001", s.token("a", "mid"))); err != nil {
		t.Fatal(err)
	}
	s.flush(t.Context())
	if err := send(s, body("seen", "view-0002", s.token("a", "mid"))); err != nil {
		t.Fatal(err)
	}
	l.err = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx) // a service that ends stores what it has
	if l.times["20261124 a mid seen"] != 2 {
		t.Errorf("counted %v, want 2", l.times)
	}
}

func TestSignalsAreBounded(t *testing.T) {
	t.Parallel()
	s, l := newSignals(t)
	for i := range 2*maxPending + 2*maxViews {
		s.count(signal{Kind: "seen", View: fmt.Sprint("view", i)}, store.Signal{Article: fmt.Sprint(i % (2 * maxPending)), Kind: "seen"})
	}
	if len(s.pending) > maxPending || len(s.young)+len(s.old) > 2*maxViews || s.dropped == 0 {
		t.Errorf("%d counts and %d views are held, %d dropped", len(s.pending), len(s.young)+len(s.old), s.dropped)
	}
	s.flush(t.Context())
	if len(l.times) != maxPending {
		t.Errorf("%d counts were stored, want %d", len(l.times), maxPending)
	}
}

// TestReplicasCountAPageViewOnce sends one page view to two replicas, and goes on
// while Redis is gone.
func TestReplicasCountAPageViewOnce(t *testing.T) {
	t.Parallel()
	client, err := redisdb.Open(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	l := &ledgerOf{times: map[string]int64{}}
	var replicas [2]*Signals
	for i := range replicas {
		replicas[i] = newReplica(t, l, client)
	}
	token := replicas[0].token("a", "mid")
	one := strings.Repeat("x", 8)
	for round := range 2 {
		for i, s := range replicas {
			for _, view := range []string{one, fmt.Sprintf("view-%d-%d", round, i)} {
				if err := send(s, body("seen", view, token)); err != nil {
					t.Fatal(err)
				}
			}
			s.flush(t.Context())
		}
	}
	if got := l.times["20261124 a mid seen"]; got != 5 {
		t.Errorf("counted %d, want 5: one view that came to both, and four others", got)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	for i, s := range replicas {
		if err := send(s, body("seen", fmt.Sprint("view-late-", i), token)); err != nil {
			t.Fatal(err)
		}
		s.flush(t.Context())
	}
	if got := l.times["20261124 a mid seen"]; got != 7 {
		t.Errorf("without Redis %d are counted, want 7", got)
	}
}

func TestViewsInRedisAreBounded(t *testing.T) {
	t.Parallel()
	client, err := redisdb.Open(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	now := time.Date(2026, 11, 23, 22, 30, 0, 0, time.UTC)
	v := viewsInRedis{client, func() time.Time { return now }}
	tell := func(views ...uint64) string {
		t.Helper()
		mine, err := v.tell(t.Context(), views)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(mine)
	}
	for i, step := range []struct {
		later time.Duration
		want  string
	}{{0, "[0 1]"}, {0, "[]"}, {viewsWindow, "[]"}, {viewsWindow, "[0 1]"}} {
		now = now.Add(step.later)
		if got := tell(7, 9); got != step.want {
			t.Errorf("step %d: %s are new, want %s", i, got, step.want)
		}
	}
	for _, key := range client.Keys(t.Context(), "support:{views}:*").Val() {
		if ttl := client.TTL(t.Context(), key).Val(); ttl <= 0 || ttl > 2*viewsWindow {
			t.Errorf("%s is kept for %s", key, ttl)
		}
	}
}

func TestClaimsAreVerifiedAgainEachHour(t *testing.T) {
	t.Parallel()
	s, _ := newSignals(t)
	now := s.Now()
	token := s.token("a", "mid")
	for range 2 {
		if c, err := s.claims.verify(token, now); err != nil || c.Article != "a" {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	if _, err := s.claims.verify(token, now.Add(attribution.Lifetime+2*time.Hour)); !errors.Is(err, attribution.ErrExpired) {
		t.Errorf("an old token that was known passes: %v", err)
	}
}

// BenchmarkSignals is one beacon in process: the aim is 20,000 a second.
func BenchmarkSignals(b *testing.B) {
	s, _ := newSignals(b)
	token := s.token("uk-defense-secretary-troops", "mid")
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequest(http.MethodPost, "/v1/signals", nil)
	i := 0
	b.ReportAllocs()
	defer reportCPU(b)()
	for b.Loop() {
		i++
		c.Request.Body = io.NopCloser(strings.NewReader(`{"kind":"seen","view":"view-` + strconv.Itoa(i) + `-12345678","token":"` + token + `"}`))
		if err := s.Record(c); err != nil {
			b.Fatal(err)
		}
	}
}

// reportCPU reports the processor time of an operation, which holds on a machine
// that others use too. What it returns is called at the end.
func reportCPU(b *testing.B) func() {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	before := used()
	return func() { b.ReportMetric(float64(used()-before)/float64(b.N), "cpu-ns/op") }
}

// BenchmarkSignalsOverHTTP is one beacon over loopback, with its flushes, where
// the load is made on the same machine: so it is made as cheaply as can be. Each
// connection sends many beacons at once, whose bytes were made before, and counts
// the answers without reading them closer.
func BenchmarkSignalsOverHTTP(b *testing.B) {
	const connections, together = 32, 64
	s, _ := newSignals(b)
	token := s.token("uk-defense-secretary-troops", "mid")
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.POST("/v1/signals", func(c *gin.Context) {
		if err := s.Record(c); err != nil {
			c.String(http.StatusBadRequest, err.Error())
		}
	})
	server := httptest.NewServer(engine)
	defer server.Close()
	address := server.Listener.Addr().String()
	var left, views atomic.Int64
	left.Store(int64(b.N))
	defer reportCPU(b)()
	b.ResetTimer()
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			if err := beacons(address, token, together, &left, &views); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	s.flush(b.Context())
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "beacons/s")
}

// beacons sends beacons over one connection, some together, until none are left.
func beacons(address, token string, together int, left, views *atomic.Int64) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	const digits, zero = 12, "000000000000"
	body := `{"kind":"seen","view":"view-` + zero + `","token":"` + token + `"}`
	one := "POST /v1/signals HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
	at := strings.Index(one, zero)
	all := []byte(strings.Repeat(one, together))
	answers := bufio.NewReaderSize(conn, 64<<10)
	for {
		n := min(int64(together), left.Add(-int64(together))+int64(together))
		if n <= 0 {
			return nil
		}
		last := views.Add(n)
		for i := range n { // each its own view
			place := int64(len(one))*i + int64(at)
			for d, rest := digits-1, last-i; d >= 0; d, rest = d-1, rest/10 {
				all[place+int64(d)] = byte('0' + rest%10)
			}
		}
		if _, err := conn.Write(all[:n*int64(len(one))]); err != nil {
			return err
		}
		for range n {
			status, err := answers.ReadSlice('\n')
			if err != nil || !bytes.HasPrefix(status, []byte("HTTP/1.1 204 ")) {
				return fmt.Errorf("answered %q, %w", status, err)
			}
			for len(status) > 2 { // to the empty line
				if status, err = answers.ReadSlice('\n'); err != nil {
					return err
				}
			}
		}
	}
}
