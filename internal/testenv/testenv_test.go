package testenv

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

func TestPostgresIsEmptyAndOnesOwn(t *testing.T) {
	t.Parallel()
	first, second := Postgres(t), Postgres(t)
	if first == second {
		t.Fatalf("two tests share %s", first)
	}
	run(t, first, "CREATE TABLE only_here (n BIGINT)")
	run(t, second, "CREATE TABLE only_here (n BIGINT)")
}

func TestPostgresIsDropped(t *testing.T) {
	t.Parallel()
	var address string
	t.Run("its owner", func(t *testing.T) {
		address = Postgres(t)
		run(t, address, "SELECT 1")
	})
	if conn, err := pgx.Connect(t.Context(), address); err == nil {
		conn.Close(t.Context())
		t.Errorf("%s outlived its test", address)
	}
}

// TestPostgresSortsAsPeopleDo keeps the tests' cluster like those in use.
func TestPostgresSortsAsPeopleDo(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var sorted bool
	if err := conn.QueryRow(t.Context(), "SELECT 'a' < 'B'").Scan(&sorted); err != nil || !sorted {
		t.Errorf("'a' < 'B' is %v, %v: the cluster sorts by bytes", sorted, err)
	}
}

func run(t *testing.T, address, statement string) {
	t.Helper()
	if err := administer(t.Context(), address, statement); err != nil {
		t.Fatal(err)
	}
}

func TestRedisIsEmptyAndOnesOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"one", "another"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := connect(t, Redis(t))
			if n, err := client.DBSize(t.Context()).Result(); err != nil || n != 0 {
				t.Fatalf("DBSIZE = %d, %v; want 0", n, err)
			}
			if err := client.Set(t.Context(), "key", name, 0).Err(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func connect(t *testing.T, address string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries, options.DialerRetries = -1, 1
	client := redis.NewClient(options)
	t.Cleanup(func() { client.Close() })
	return client
}

func TestRedisServer(t *testing.T) {
	t.Parallel()
	s := RedisServer(t)
	client := connect(t, s.URL())
	set := func() error { return client.Set(t.Context(), "key", "value", 0).Err() }
	if err := set(); err != nil {
		t.Fatal(err)
	}
	s.SetReadOnly(t, true)
	if err := set(); err == nil || !strings.Contains(err.Error(), "READONLY") {
		t.Errorf("writing while read-only: %v", err)
	}
	if got, err := client.Get(t.Context(), "key").Result(); got != "value" {
		t.Errorf("reading while read-only = %q, %v", got, err)
	}
	s.SetReadOnly(t, false)
	if err := set(); err != nil {
		t.Error(err)
	}
	address := s.Addr()
	s.Stop(t)
	s.Stop(t)
	if set() == nil {
		t.Error("a stopped server answers")
	}
	s.Start(t)
	s.Start(t)
	if n, err := connect(t, "redis://"+address).DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("after a restart DBSIZE = %d, %v; want 0", n, err)
	}
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	addresses := strings.Split(strings.ReplaceAll(RedisCluster(t), "redis://", ""), ",")
	if len(addresses) != clusterMasters {
		t.Fatalf("%d addresses, want %d", len(addresses), clusterMasters)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addresses})
	defer client.Close()
	for i := range 30 { // keys of all three masters
		if err := client.Set(t.Context(), fmt.Sprint("key", i), "value", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStripeObjects(t *testing.T) { // sets the environment
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "charge.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SUPPORT_STRIPE_OBJECTS", folder)
	if got := StripeObjects(t); got != folder {
		t.Errorf("StripeObjects() = %q, want %q", got, folder)
	}
	t.Setenv("SUPPORT_STRIPE_OBJECTS", "")
	skipped := false
	t.Run("not set", func(t *testing.T) {
		t.Cleanup(func() { skipped = t.Skipped() })
		StripeObjects(t)
	})
	if !skipped {
		t.Error("without a folder the test is not skipped")
	}
}

// TestHelper is not a test: it is the process that the one below kills.
func TestHelper(t *testing.T) {
	if os.Getenv("TESTENV_HELPER") == "" {
		t.SkipNow()
	}
	s, err := newServer(freePort)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("HELPER", s.Addr(), s.home)
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed, or whoever started it is gone
}

func TestServersEndWithTheirProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelper$")
	cmd.Env = append(os.Environ(), "TESTENV_HELPER=1")
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var address, home string
	for lines := bufio.NewScanner(output); home == "" && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "HELPER %s %s", &address, &home)
	}
	if _, err := os.Stat(home); err != nil {
		t.Errorf("the server's folder: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	ctx, cancel := context.WithTimeout(t.Context(), stopLimit)
	defer cancel()
	gone := func() bool {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			conn.Close()
		}
		_, statErr := os.Stat(home)
		return err != nil && os.IsNotExist(statErr)
	}
	for !gone() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s and %s are still there", address, home)
		case <-time.After(pollEvery):
		}
	}
}

func TestMissingProgram(t *testing.T) {
	t.Parallel()
	if _, err := Program("no-such-program"); err == nil || !strings.Contains(err.Error(), "no-such-program is not installed") {
		t.Errorf("Program() error is %v", err)
	}
}
