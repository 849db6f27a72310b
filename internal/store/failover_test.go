package store_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// openAt opens a migrated store on a cluster, reached as address says.
func openAt(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// record stores one event.
func record(ctx context.Context, s *store.Store, id string) error {
	return s.Ledger(ctx, func(tx *store.Tx) error {
		return tx.PutEvents(ctx, []store.Event{{ID: id, State: store.Ignored, Body: []byte{1}}}, []int64{1})
	})
}

// TestCommitThatDidNotWait: PostgreSQL answers a commit that waits for a standby
// with success when it is canceled, though the standby has not got it.
func TestCommitThatDidNotWait(t *testing.T) {
	t.Parallel()
	server := testenv.PostgresServer(t)
	s := openAt(t, server.Address("postgres"))
	conn, err := pgx.Connect(t.Context(), server.Address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	server.Exec(t, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
	server.Exec(t, "SELECT pg_reload_conf()")
	for _, id := range []string{"evt_1", "evt_1"} { // the second time it is there already
		recorded := make(chan error, 1)
		go func() { recorded <- record(t.Context(), s, id) }()
		for canceled := 0; canceled == 0 && len(recorded) == 0; {
			err := conn.QueryRow(t.Context(), `SELECT count(*) FROM (SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep') c`).Scan(&canceled)
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := <-recorded; err == nil || !strings.Contains(err.Error(), "synchronous replication") {
			t.Errorf("a commit that did not wait for its standby: %v", err)
		}
	}
}

// TestSeveralHosts: the standby is asked first and takes no writes, and later
// takes over.
func TestSeveralHosts(t *testing.T) {
	t.Parallel()
	primary := testenv.PostgresServer(t)
	standby := primary.Standby(t)
	s := openAt(t, fmt.Sprintf("postgres://postgres@%s,%s/postgres?sslmode=disable", standby.Addr(), primary.Addr()))
	if err := record(t.Context(), s, "evt_1"); err != nil {
		t.Error(err)
	}
	primary.Stop(t, syscall.SIGKILL)
	standby.Promote(t)
	if err := record(t.Context(), s, "evt_2"); err != nil {
		if err = record(t.Context(), s, "evt_2"); err != nil { // the first may meet a connection that was cut
			t.Error(err)
		}
	}
}

// TestSilentConnections: what is sent to the first host vanishes from one moment
// on, as where a machine loses its power. One call may pay for that with its
// time; the pool's other connections must not cost the next ones theirs.
func TestSilentConnections(t *testing.T) {
	t.Parallel()
	server := testenv.PostgresServer(t)
	first, second := testenv.NewLink(t, server.Addr()), testenv.NewLink(t, server.Addr())
	s := openAt(t, fmt.Sprintf("postgres://postgres@%s,%s/postgres?sslmode=disable&connect_timeout=1", first.Addr(), second.Addr()))
	const pool = 10
	ready, done := make(chan bool), make(chan bool)
	ended := make(chan error)
	for range pool {
		go func() {
			ended <- s.Look(t.Context(), func(*store.Tx) error { ready <- true; <-done; return nil })
		}()
	}
	for range pool {
		<-ready
	}
	close(done)
	for range pool {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	first.Swallow()
	attempt := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()
		return s.Look(ctx, func(tx *store.Tx) error {
			_, err := tx.LastMoved(ctx)
			return err
		})
	}
	if attempt() == nil {
		return // it had idled for so long that it was asked first
	}
	if err := attempt(); err != nil {
		t.Errorf("the second call: %v", err)
	}
}

// TestTheOldPrimaryComesBack: of two that take writes, the one that took over is
// used, whether a process saw that happen or starts afterwards; by a rebuild
// too.
func TestTheOldPrimaryComesBack(t *testing.T) {
	t.Parallel()
	primary := testenv.PostgresServer(t)
	standby := primary.Standby(t)
	address := fmt.Sprintf("postgres://postgres@%s,%s/postgres?sslmode=disable", primary.Addr(), standby.Addr())
	before := openAt(t, address)
	if err := record(t.Context(), before, "evt_1"); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), primary.Address("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	for behind := true; behind; {
		if err := conn.QueryRow(t.Context(), `SELECT pg_current_wal_lsn() > replay_lsn FROM pg_stat_replication`).Scan(&behind); err != nil {
			t.Fatal(err)
		}
	}
	primary.Stop(t, syscall.SIGKILL)
	standby.Promote(t)
	for range 3 { // until no connection of the pool is one that was cut
		_ = record(t.Context(), before, "evt_2")
	}
	primary.Start(t)

	after := openAt(t, address)
	for name, s := range map[string]*store.Store{"it saw that": before, "it did not": after} {
		if err := record(t.Context(), s, "evt_"+name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	scratch, err := after.Scratch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Close()
	for server, want := range map[*testenv.Cluster]string{primary: "1 0", standby: "4 1"} {
		conn, err := pgx.Connect(t.Context(), server.Address("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		var events, scratches int
		err = conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM pg_namespace WHERE nspname = $1)`, store.ScratchSchema).
			Scan(&events, &scratches)
		if got := fmt.Sprint(events, scratches); err != nil || got != want {
			t.Errorf("%s has %s events and scratch tables; want %s: %v", server.Addr(), got, want, err)
		}
	}
}
