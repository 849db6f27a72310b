package testenv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
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
		server = private.Address("postgres")
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

// privatePostgres starts this process's own cluster, once. It ends with the
// process.
var privatePostgres = sync.OnceValues(func() (*Cluster, error) { return newCluster(clusterOptions{private: true}) })
