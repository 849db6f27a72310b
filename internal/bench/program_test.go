package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/united24media/support/internal/testenv"
)

// A program is the service as it is shipped, in a process of its own, with
// PostgreSQL and Redis beside and the sandbox in Stripe's place.
type program struct {
	address, admin string // host:port
	pid            int
	token          string // of an ask, for signals
}

// startProgram builds and starts the service. It ends with the benchmark.
func startProgram(tb testing.TB) *program {
	tb.Helper()
	folder := tb.TempDir()
	binary := filepath.Join(folder, "support")
	if out, err := exec.CommandContext(tb.Context(), "go", "build", "-o", binary, "../../cmd/support").CombinedOutput(); err != nil {
		tb.Fatalf("build the program: %v\n%s", err, out)
	}
	p := &program{address: freeAddr(tb), admin: freeAddr(tb)}
	cmd := exec.Command(binary)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(),
		"SUPPORT_ADDR="+p.address, "SUPPORT_ADMIN_ADDR="+p.admin, "DATABASE_URL="+testenv.Postgres(tb), "REDIS_URL="+testenv.Redis(tb),
		"SUPPORT_SECRET="+strings.Repeat("s", 64), "STRIPE_WEBHOOK_SECRET="+secret, "SUPPORT_TRUSTED_PROXIES=127.0.0.1/32")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &log
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	p.pid = cmd.Process.Pid
	tb.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			tb.Errorf("the program ended with %v", err)
		}
		if tb.Failed() {
			text := log.String()
			tb.Logf("its log ends with\n%s", text[max(0, len(text)-3000):])
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if status, _ := p.get("http://" + p.address + "/readyz"); status == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			tb.Fatalf("the program does not come up:\n%s", log.String())
		}
	}
	_, body := p.get("http://" + p.address + "/v1/ask?article=frontline-report-1&placement=mid&lang=en")
	var ask struct{ Token string }
	if err := json.Unmarshal([]byte(body), &ask); err != nil || ask.Token == "" {
		tb.Fatalf("the ask has no token: %s", body)
	}
	p.token = ask.Token
	return p
}

func freeAddr(tb testing.TB) string {
	tb.Helper()
	ln, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (p *program) get(address string) (status int, body string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err.Error()
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body) // what is missing shows in what is read
	return answer.StatusCode, string(text)
}

// metric reads one number of /metrics that has no labels.
func (p *program) metric(tb testing.TB, name string) float64 {
	tb.Helper()
	_, text := p.get("http://" + p.admin + "/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				tb.Fatal(err)
			}
			return n
		}
	}
	tb.Fatalf("there is no metric %s", name)
	return 0
}

// heap returns what lives after a collection, in MiB.
func (p *program) heap(tb testing.TB) float64 {
	tb.Helper()
	p.get("http://" + p.admin + "/debug/pprof/heap?gc=1")
	return p.metric(tb, "go_memstats_heap_alloc_bytes") / (1 << 20)
}

// memory returns what the process has in memory, in MiB.
func (p *program) memory(tb testing.TB) float64 {
	tb.Helper()
	return p.metric(tb, "process_resident_memory_bytes") / (1 << 20)
}

// The kinds of requests of a busy news day.
const (
	kindAsk = iota
	kindCount
	kindSignal
	kindCheckout
	kindWebhook
	kinds
)

var kindNames = [kinds]string{"ask", "count", "signal", "checkout", "webhook"}

// busyDay is how many of each kind come for ten thousand asks.
var busyDay = [kinds]int{10_000, 100, 2_000, 3, 3}

// request returns the n-th request of a kind, ready to be sent. The readers
// behind them are of two thousand networks.
func (p *program) request(kind, n int) []byte {
	from := fmt.Sprintf("Host: support.example\r\nX-Forwarded-For: 198.18.%d.%d\r\n", n%2000/8, n%2000%8*32+1)
	post := func(path, form, body string) []byte {
		return fmt.Appendf(nil, "POST %s HTTP/1.1\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", path, from, form, len(body), body)
	}
	switch kind {
	case kindAsk:
		return fmt.Appendf(nil, "GET /v1/ask?article=frontline-report-%d&placement=mid&lang=en HTTP/1.1\r\n%sAccept-Encoding: gzip\r\n\r\n", n%articles, from)
	case kindCount:
		return fmt.Appendf(nil, "GET /v1/supporters?article=frontline-report-%d HTTP/1.1\r\n%s\r\n", n%articles, from)
	case kindSignal:
		return post("/v1/signals", "text/plain", fmt.Sprintf(`{"kind":"seen","view":"view%012d","token":%q}`, n, p.token))
	case kindCheckout:
		return post("/v1/checkouts", "application/json", `{"amount_minor":2500,"currency":"EUR","interval":"once","article":"frontline-report-1","placement":"mid"}`)
	}
	return request(event(chargeEvent, n))
}

// A client is one connection to the program, opened again when it was closed.
type client struct {
	to      string
	conn    net.Conn
	answers *bufio.Reader
}

// send returns the status of an answer; 0 where there was none.
func (c *client) send(request []byte) int {
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.to)
		if err != nil {
			return 0
		}
		c.conn, c.answers = conn, bufio.NewReader(conn)
	}
	_ = c.conn.SetDeadline(time.Now().Add(30 * time.Second)) // an open connection takes it
	status, err := 0, error(nil)
	if _, err = c.conn.Write(request); err == nil {
		var answer *http.Response
		if answer, err = http.ReadResponse(c.answers, nil); err == nil {
			status = answer.StatusCode
			_, err = io.Copy(io.Discard, answer.Body)
		}
	}
	if err != nil {
		c.close()
		return 0
	}
	return status
}

func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}
