package testenv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// maxConnections is how many connections a private cluster takes: tests run
// beside each other, each with a pool or several.
const maxConnections = 300

// dropLimit bounds how long a test waits for its database to be dropped.
const dropLimit = 30 * time.Second

// Postgres returns the address (`postgres://…`) of a new, empty database that
// is the test's own and is dropped when the test ends. Its user is a
// superuser. The cluster sorts text as people do (ICU, en-US), as servers in
// use mostly do, so that a query relying on the order of bytes is noticed; a
// private one keeps fsync on unless SUPPORT_TEST_FSYNC is "off".
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv("SUPPORT_TEST_POSTGRES")
	if server == "" {
		private, err := privatePostgres()
		if err != nil {
			t.Fatal(err)
		}
		server = private.address
	}
	address, err := url.Parse(server)
	if err != nil || !strings.HasPrefix(address.Scheme, "postgres") {
		t.Fatal("SUPPORT_TEST_POSTGRES: want postgres://user@host:port/database of a superuser")
	}
	name := "test_" + strings.ToLower(rand.Text())
	if err := administer(t.Context(), server, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context is done by now.
		ctx, cancel := context.WithTimeout(context.Background(), dropLimit)
		defer cancel()
		if err := administer(ctx, server, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	address.Path = "/" + name
	return address.String()
}

// administer runs one statement on the server's own database.
func administer(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("the tests' PostgreSQL: %w", err)
	}
	_, err = conn.Exec(ctx, statement)
	if err != nil {
		err = fmt.Errorf("%s: %w", statement, err)
	}
	return errors.Join(err, conn.Close(ctx))
}

// A cluster is a running PostgreSQL.
type cluster struct {
	*leashed
	address string // of its superuser
}

// privatePostgres starts this process's own cluster, once. It ends with the
// process.
var privatePostgres = sync.OnceValues(func() (cluster, error) {
	var programs [2]string
	for i, name := range []string{"initdb", "postgres"} {
		var err error
		if programs[i], err = postgresProgram(name); err != nil {
			return cluster{}, err
		}
	}
	var failures error
	for range startTries {
		c, err := startPostgres(programs[0], programs[1])
		if err == nil {
			return c, nil
		}
		failures = errors.Join(failures, err)
	}
	return cluster{}, fmt.Errorf("a PostgreSQL for the tests: %w", failures)
})

// startPostgres makes and starts one cluster.
func startPostgres(initdb, server string) (cluster, error) {
	home, err := newHome("postgres")
	if err != nil {
		return cluster{}, err
	}
	data := filepath.Join(home, "data")
	if err := initialize(initdb, home, data); err != nil {
		return cluster{}, errors.Join(err, os.RemoveAll(home))
	}
	port, err := freePort()
	if err != nil {
		return cluster{}, errors.Join(err, os.RemoveAll(home))
	}
	running, err := launch{
		command: []string{server, "-D", data, "-p", strconv.Itoa(port)},
		signal:  "QUIT", // at once: nothing in it is kept
		home:    home, remove: true,
	}.start()
	if err != nil {
		return cluster{}, errors.Join(err, os.RemoveAll(home))
	}
	address := fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)
	return cluster{running, address}, running.ready(func(ctx context.Context) error { return administer(ctx, address, "SELECT 1") })
}

// initialize makes the files of a cluster.
func initialize(initdb, home, data string) error {
	// --no-sync: these files may be lost with the machine, but not with a
	// process.
	cmd := exec.CommandContext(context.Background(), initdb, "-D", data, "--username=postgres", "--auth=trust",
		"--no-sync", "--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US")
	cmd.Dir = home
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: serverUser()}
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, printed)
	}
	settings := fmt.Sprintf("max_connections = %d\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n", maxConnections)
	if os.Getenv("SUPPORT_TEST_FSYNC") == "off" {
		settings += "fsync = off\n"
	}
	return appendTo(filepath.Join(data, "postgresql.conf"), settings)
}

func appendTo(path, text string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
	return errors.Join(err, file.Close())
}
