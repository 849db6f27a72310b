package web

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
)

// dial returns a connection to s, served as the product is.
func dial(t *testing.T, s http.Handler) net.Conn {
	t.Helper()
	ln := listener(t)
	go func() { _ = Serve(t.Context(), ln, s, time.Second, slog.New(slog.DiscardHandler)) }()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn
}

// bounded returns a server whose handlers refuse or read bodies as ours do.
func bounded() http.Handler {
	h := everything()
	h.Webhook = func(*gin.Context) error { return fault.New(fault.TooLarge, "Too large.") } // by its length alone
	h.Checkout = func(c *gin.Context) error {
		_, err := c.GetRawData()
		return err
	}
	s, _ := server(h)
	return s
}

// A client that reads only when all is sent learns that it was too much.
func TestTooLargeIsHeard(t *testing.T) {
	t.Parallel()
	const size = 20 << 20
	s := bounded()
	for _, path := range []string{"/webhooks/stripe", "/v1/checkouts"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, s)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", path, size)
			if _, err := conn.Write(bytes.Repeat([]byte("x"), size)); err != nil {
				t.Fatalf("the connection ended before the body was sent: %v", err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || answer.StatusCode != http.StatusRequestEntityTooLarge {
				t.Fatalf("%v, %v; want 413", answer, err)
			}
		})
	}
}

// Who announces much and sends little is answered at once, and not waited for.
func TestTooLargeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	conn := dial(t, bounded())
	fmt.Fprintf(conn, "POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", 30<<20, bytes.Repeat([]byte("x"), 1<<20))
	start := time.Now()
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil || answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatalf("%v, %v; want 413", answer, err)
	}
	_, _ = in.WriteTo(new(bytes.Buffer)) // until the server ends it
	if took := time.Since(start); took > readTimeout-drainTime {
		t.Errorf("the connection was held for %v", took)
	}
}
