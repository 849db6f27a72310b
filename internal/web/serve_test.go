package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// listener returns a listener on a free port of this machine.
func listener(t *testing.T) net.Listener {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// TestServeEndsWhatIsInFlight cancels the server while a request is being
// answered: the answer must still arrive, and no further request be taken.
func TestServeEndsWhatIsInFlight(t *testing.T) {
	t.Parallel()
	ln := listener(t)
	ctx, cancel := context.WithCancel(t.Context())
	arrived, finish := make(chan bool), make(chan bool)
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(arrived)
			<-finish
			_, _ = io.WriteString(w, "whole")
		}), time.Minute, slog.New(slog.DiscardHandler))
	}()
	answer := make(chan string, 1)
	go func() {
		response, err := http.Get("http://" + ln.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		body, _ := io.ReadAll(response.Body)
		answer <- string(body)
	}()
	<-arrived
	cancel()
	for { // until the listener is closed
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", ln.Addr().String())
		if err != nil {
			break
		}
		conn.Close()
	}
	select {
	case err := <-ended:
		t.Fatalf("the server ended with a request in flight: %v", err)
	default:
	}
	close(finish)
	if got := <-answer; got != "whole" {
		t.Errorf("answer %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
}

func TestServeSaysWhatItLeftUnfinished(t *testing.T) {
	t.Parallel()
	ln := listener(t)
	ctx, cancel := context.WithCancel(t.Context())
	arrived := make(chan bool)
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, ln, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
		}), time.Millisecond, slog.New(slog.DiscardHandler))
	}()
	go func() { _, _ = http.Get("http://" + ln.Addr().String()) }()
	<-arrived
	cancel()
	if err := <-ended; err == nil {
		t.Error("ended as if everything were answered")
	}
}

func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	ln := listener(t)
	go func() {
		_ = Serve(t.Context(), ln, http.NotFoundHandler(), time.Second, slog.New(slog.DiscardHandler))
	}()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 2*maxHeader))
	status, _ := bufio.NewReader(conn).ReadString('\n')
	if !strings.Contains(status, "431") {
		t.Errorf("answered %q to a header of %d bytes", status, 2*maxHeader)
	}
}

func TestAdminListener(t *testing.T) {
	t.Parallel()
	ln := listener(t)
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "support_test_total", Help: "A test."}, func() float64 { return 7 }))
	go func() { _ = ServeAdmin(t.Context(), ln, metrics) }()
	for path, holds := range map[string]string{"/metrics": "support_test_total 7", "/debug/pprof/": "goroutine"} {
		response, err := http.Get("http://" + ln.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		if !strings.Contains(string(body), holds) {
			t.Errorf("%s has no %q", path, holds)
		}
	}
}
