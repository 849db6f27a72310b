package ask

import (
	"bufio"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

// sink is a response writer that keeps one header map, as a connection that
// is used again does, so that only the handler's own allocations are seen.
type sink struct {
	header http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header { return s.header }

func (s *sink) WriteHeader(status int) { s.status = status }

func (s *sink) Write(body []byte) (int, error) {
	s.bytes += len(body)
	return len(body), nil
}

// bare is what everything is compared with: a handler of net/http that writes
// the same bytes as answer, its headers among them.
func bare(answer *httptest.ResponseRecorder) http.HandlerFunc {
	headers, body := answer.Header(), answer.Body.Bytes()
	return func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), headers)
		w.WriteHeader(http.StatusOK)
		w.Write(body) //nolint:errcheck // a benchmark
	}
}

// routed is the handler as it is served, in an engine with its route.
func routed(path string, handler func(*gin.Context) error) http.Handler {
	engine := gin.New()
	engine.GET(path, func(c *gin.Context) {
		if err := handler(c); err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
		}
	})
	return engine
}

func benchmark(b *testing.B, handler http.Handler, address string, headers ...string) {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := &sink{header: http.Header{}}
	handler.ServeHTTP(w, r)
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(w, r)
	}
}

func BenchmarkAsk(b *testing.B) {
	s := newBench(b, counted("all", 1234, 56, 1), counted("article:troops", 12, 3, 2))
	s.now = time.Now // its cost is part of a request
	const address = "/v1/ask?article=troops&lang=en"
	handler := routed("/v1/ask", s.Ask)
	answer := get(b, s.Ask, address)
	b.Run("bare", func(b *testing.B) { benchmark(b, bare(answer), address) })
	b.Run("plain", func(b *testing.B) { benchmark(b, handler, address) })
	b.Run("gzip", func(b *testing.B) { benchmark(b, handler, address, "Accept-Encoding", "gzip, deflate, br") })
	b.Run("304", func(b *testing.B) { benchmark(b, handler, address, "If-None-Match", answer.Header().Get("ETag")) })
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.buildAsk("article=troops&lang=en", nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSupporters(b *testing.B) {
	s := newBench(b, counted("all", 1234, 56, 1), counted("article:troops", 12, 3, 2))
	const address = "/v1/supporters?article=troops"
	answer := get(b, s.Supporters, address)
	b.Run("bare", func(b *testing.B) { benchmark(b, bare(answer), address) })
	b.Run("plain", func(b *testing.B) { benchmark(b, routed("/v1/supporters", s.Supporters), address) })
}

// BenchmarkRatio compares what the service and a bare handler answer a second
// over loopback, in shuffled pairs, and reports the median of their ratios. It
// takes half a minute whatever -benchtime says.
func BenchmarkRatio(b *testing.B) {
	s := newBench(b, counted("all", 1234, 56, 1), counted("article:troops", 12, 3, 2))
	s.now = time.Now
	for name, tt := range map[string]struct {
		address string
		handler func(*gin.Context) error
	}{
		"ask":        {"/v1/ask?article=troops&lang=en", s.Ask},
		"supporters": {"/v1/supporters?article=troops", s.Supporters},
	} {
		b.Run(name, func(b *testing.B) {
			path, _, _ := strings.Cut(tt.address, "?")
			ours := httptest.NewServer(routed(path, tt.handler))
			defer ours.Close()
			floor := httptest.NewServer(bare(get(b, tt.handler, tt.address)))
			defer floor.Close()
			ratios := make([]float64, pairs)
			for i := range ratios {
				first, second := ours, floor
				swap := rand.IntN(2) == 1
				if swap {
					first, second = floor, ours
				}
				x, y := load(b, first, tt.address), load(b, second, tt.address)
				if swap {
					x, y = y, x
				}
				ratios[i] = x / y
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[pairs/2], "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// How BenchmarkRatio loads a server.
const (
	pairs       = 15
	connections = 16
	window      = 400 * time.Millisecond
)

// load returns how many answers a second a server gives. The callers speak
// HTTP by hand: a client that costs more than the server would hide it.
func load(b *testing.B, server *httptest.Server, address string) float64 {
	var answers atomic.Int64
	var wg sync.WaitGroup
	started := time.Now()
	until := started.Add(window)
	for range connections {
		wg.Go(func() {
			n, err := call(server.Listener.Addr().String(), address, until)
			if err != nil {
				b.Error(err)
			}
			answers.Add(n)
		})
	}
	wg.Wait()
	return float64(answers.Load()) / time.Since(started).Seconds()
}

func call(host, address string, until time.Time) (n int64, err error) {
	c, err := net.Dial("tcp", host)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	request := []byte("GET " + address + " HTTP/1.1\r\nHost: support\r\n\r\n")
	r := bufio.NewReaderSize(c, 32<<10)
	size := 0 // of an answer: all are the same but for the date
	for time.Now().Before(until) {
		if _, err := c.Write(request); err != nil {
			return n, err
		}
		if size == 0 {
			if size, err = measure(r); err != nil {
				return n, err
			}
		} else if _, err := r.Discard(size); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// measure reads one answer and returns how many bytes it was.
func measure(r *bufio.Reader) (int, error) {
	head := 0
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		head += len(line)
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, err
			}
		}
		if line == "\r\n" {
			n, err := io.CopyN(io.Discard, r, int64(length))
			return head + int(n), err
		}
	}
}
