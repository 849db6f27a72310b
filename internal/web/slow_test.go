package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Pipes are a listener whose connections are in memory, so that a test's clock
// can turn faster than the wall's.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowClientsAreCutOff: who sends a header or a body a little at a time, or
// nothing, keeps a connection for a known time and no longer.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		begin, next string
		after       time.Duration
	}{
		"a header":  {"GET / HTTP/1.1\r\nHost: x\r\n", "X: 1\r\n", headerTimeout},
		"a body":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "x", readTimeout},
		"nothing":   {"", "", headerTimeout},
		"no more":   {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", idleTimeout},
		"no reason": {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", readTimeout},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				ln, ended := make(pipes), make(chan error, 1)
				go func() {
					ended <- Serve(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if _, err := io.Copy(io.Discard, r.Body); err != nil {
							w.WriteHeader(http.StatusRequestTimeout)
						}
					}), time.Second, slog.New(slog.DiscardHandler))
				}()
				conn, theirs := net.Pipe()
				ln <- theirs
				began, over := time.Now(), make(chan time.Duration, 1)
				go func() { // reads what is answered, until the server hangs up
					_, _ = io.Copy(io.Discard, conn)
					over <- time.Since(began)
				}()
				_, err := io.WriteString(conn, tt.begin)
				for err == nil && tt.next != "" {
					time.Sleep(time.Second)
					_, err = io.WriteString(conn, tt.next)
				}
				if took := <-over; took < tt.after-time.Second || took > tt.after+2*time.Second {
					t.Errorf("it is cut off after %v; want %v", took, tt.after)
				}
				conn.Close()
				cancel()
				close(ln)
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
