package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

const (
	// redisDatabases is how many databases a shared server has; each call of
	// [Redis] takes one for good.
	redisDatabases = 4096
	// nextDatabase is the key in database 0 that counts those taken, so that
	// test processes on one server never share one.
	nextDatabase = "support:tests:taken"
)

// Redis returns the address (`redis://127.0.0.1:port/n`) of an empty database
// that no other test uses. Redis has one room for published messages whatever
// the database: a test that must not hear others' takes [RedisServer].
func Redis(t testing.TB) string {
	t.Helper()
	server := os.Getenv("SUPPORT_TEST_REDIS")
	if server == "" {
		private, err := privateRedis()
		if err != nil {
			t.Fatal(err)
		}
		server = private.URL()
	}
	options, err := redis.ParseURL(server)
	if err != nil {
		t.Fatalf("SUPPORT_TEST_REDIS: %v", err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	n, err := client.Incr(t.Context(), nextDatabase).Result()
	if err != nil {
		t.Fatalf("the tests' Redis: %v", err)
	}
	if n >= redisDatabases {
		t.Fatalf("the tests' Redis has %d databases and all are taken", redisDatabases)
	}
	return fmt.Sprintf("redis://%s/%d", options.Addr, n)
}

// privateRedis starts this process's own server, once. It ends with the
// process.
var privateRedis = sync.OnceValues(func() (*Server, error) {
	return newServer(freePort, "--databases", strconv.Itoa(redisDatabases))
})

// A Server is a Redis of one test's own, which may be stopped and started.
// Its port stays the same. It keeps nothing over a stop.
type Server struct {
	program, home string
	port          int
	settings      []string
	running       *leashed // nil while stopped
}

// RedisServer returns a running, empty server that ends with the test.
func RedisServer(t testing.TB) *Server {
	t.Helper()
	s, err := newServer(freePort)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// newServer starts a server with further settings on a port that choose
// returns.
func newServer(choose func() (int, error), settings ...string) (*Server, error) {
	path, err := Program("redis-server")
	if err != nil {
		return nil, err
	}
	var failures error
	for range startTries {
		s := &Server{program: path, settings: settings}
		if s.port, err = choose(); err != nil {
			return nil, err
		}
		if s.home, err = newHome("redis"); err != nil {
			return nil, err
		}
		if err = s.start(); err == nil {
			return s, nil
		}
		failures = errors.Join(failures, err, os.RemoveAll(s.home))
	}
	return nil, fmt.Errorf("a Redis for the tests: %w", failures)
}

// Addr returns host:port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL returns the address as REDIS_URL takes it.
func (s *Server) URL() string { return "redis://" + s.Addr() }

// Stop ends the server, as a crash would, and returns when its port is
// closed. Stopping a stopped server does nothing.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

// Start starts a stopped server, empty, and returns when it answers. Starting
// a running server does nothing.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if s.running != nil {
		return
	}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
}

// SetReadOnly makes the server refuse writes with READONLY, as the replica
// left by a failover does, or accept them again. What it holds is kept: the
// master it is told to follow does not exist.
func (s *Server) SetReadOnly(t testing.TB, on bool) {
	t.Helper()
	host, port := "NO", "ONE"
	if on {
		host, port = "127.0.0.1", "1" // nothing listens on port 1
	}
	client := s.client()
	defer client.Close()
	if err := client.ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatalf("replicaof %s %s: %v", host, port, err)
	}
}

// Do runs one command on the server.
func (s *Server) Do(t testing.TB, command ...any) {
	t.Helper()
	client := s.client()
	defer client.Close()
	if err := client.Do(t.Context(), command...).Err(); err != nil {
		t.Fatalf("%v: %v", command, err)
	}
}

func (s *Server) start() error {
	// The folder is removed by the keeper when this process is gone, and a
	// restart makes it anew.
	if err := os.MkdirAll(s.home, 0o700); err != nil {
		return err
	}
	if err := own(s.home); err != nil {
		return err
	}
	command := append([]string{
		s.program, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
	}, s.settings...)
	running, err := launch{command: command, signal: "KILL", home: s.home, remove: true}.start()
	if err != nil {
		return err
	}
	client := s.client()
	defer client.Close()
	err = running.ready(func(ctx context.Context) error {
		// Dialled by hand first: the client logs every refusal.
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
		if err != nil {
			return err
		}
		return errors.Join(conn.Close(), client.Ping(ctx).Err())
	})
	if err != nil {
		return err
	}
	s.running = running
	return nil
}

func (s *Server) stop() error {
	if s.running == nil {
		return nil
	}
	err := s.running.stop()
	s.running = nil
	return err
}

func (s *Server) remove() error { return errors.Join(s.stop(), os.RemoveAll(s.home)) }

// client returns a client that does not try again by itself.
func (s *Server) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, DialerRetries: 1})
}
