package web

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A line is one connection to a test's server.
type line struct {
	net.Conn
	answers *bufio.Reader
}

func openLine(t *testing.T, server *httptest.Server) *line {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &line{conn, bufio.NewReader(conn)}
}

// ask sends a request and reports whether it is answered.
func (l *line) ask(t *testing.T, path string) bool {
	t.Helper()
	if _, err := io.WriteString(l, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return false
	}
	answer, err := http.ReadResponse(l.answers, nil)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK
}

// over reports whether the server has closed a connection; it waits until it
// has, and is not asked of one that should stay.
func (l *line) over() bool {
	_, err := l.answers.ReadByte()
	return err == io.EOF
}

// TestSilentConnectionsMakeRoom: far more connections than there is room for,
// which say nothing, keep nobody out, and cut no answer off.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	t.Parallel()
	const most = 8
	begun, finish := make(chan bool), make(chan bool)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			begun <- true
			<-finish
		}
		_, _ = io.WriteString(w, "fine")
	}))
	crowd := newCrowd(most)
	server.Config.ConnState = crowd.state
	server.Start()
	t.Cleanup(server.Close)

	slow := openLine(t, server)
	answered := make(chan bool, 1)
	go func() { answered <- slow.ask(t, "/slow") }()
	<-begun
	kept := openLine(t, server) // was answered once and stays open
	if !kept.ask(t, "/") {
		t.Fatal("a first request is not answered")
	}
	var silent []*line
	for range 5 * most {
		silent = append(silent, openLine(t, server))
		if reader := openLine(t, server); !reader.ask(t, "/") {
			t.Fatal("a reader is kept out")
		}
	}
	if !kept.over() || !silent[0].over() {
		t.Error("the longest silent do not make room")
	}
	close(finish)
	if !<-answered {
		t.Error("an answer was cut off")
	}
	crowd.mu.Lock()
	defer crowd.mu.Unlock()
	if crowd.open > most+1 || crowd.silent.Len() != len(crowd.at) || crowd.silent.Len() > most {
		t.Errorf("%d open, %d silent", crowd.open, crowd.silent.Len())
	}
}
