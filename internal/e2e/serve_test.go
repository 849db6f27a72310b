package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/united24media/support/internal/testenv"
)

const (
	secret = "a-secret-of-the-tests-0123456789abcdef"
	mib    = 1 << 20 // bytes

	startsWithin = time.Second // to the first answer, on SQLite, on a machine that is not busy
	idleWithin   = 32 * mib    // of its own
)

// TestStartIdleEnd is the life of a small site: it starts at once, needs
// little, and ends cleanly.
func TestStartIdleEnd(t *testing.T) { // not beside others: it measures
	folder := t.TempDir()
	began := time.Now()
	p := start(t, folder)
	if status, _ := get(t, p.url+"/v1/supporters"); status != http.StatusOK {
		t.Errorf("first answer: %d", status)
	}
	first := time.Since(began)
	began = time.Now()
	p.kill()
	p = start(t, folder)
	if status, _ := get(t, p.url+"/v1/supporters"); status != http.StatusOK {
		t.Errorf("first answer: %d", status)
	}
	again := time.Since(began)
	time.Sleep(time.Second) // idle is after what a start has to do
	idle, files := memory(t, p.cmd.Process.Pid)
	t.Logf("first answer after %v on a new database, %v on one that is there; idle memory %d MiB, and %d MiB of the program's file", first, again, idle/mib, files/mib)
	// Other packages' tests share the machine, so the time is held to its aim
	// only when it is far off.
	if most := 5 * startsWithin; first > most || again > most {
		t.Errorf("first answer after %v and %v; want under %v", first, again, startsWithin)
	}
	if idle > idleWithin {
		t.Errorf("idle memory %d MiB; want under %d", idle/mib, idleWithin/mib)
	}
	if code := p.end(t); code != 0 {
		t.Errorf("SIGTERM: exit %d; want 0", code)
	}
}

// TestReplicasMigrateOnce starts eight at the same moment on one empty
// PostgreSQL.
func TestReplicasMigrateOnce(t *testing.T) {
	t.Parallel()
	const replicas = 8
	database := testenv.Postgres(t)
	programs := make([]*program, replicas)
	for i := range programs {
		programs[i] = launch(t, t.TempDir(), "DATABASE_URL="+database, "SUPPORT_SECRET="+secret)
	}
	for _, p := range programs {
		p.wait(t)
		eventually(t, "ready", func() bool { status, _ := get(t, p.url+"/readyz"); return status == http.StatusOK })
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var applied, different int
	err = conn.QueryRow(t.Context(), "SELECT count(*), count(DISTINCT version_id) FROM goose_db_version").Scan(&applied, &different)
	if err != nil || applied != different || applied < 2 {
		t.Errorf("%d migrations were applied, of them %d different (%v)", applied, different, err)
	}
	var ending sync.WaitGroup
	codes := make([]int, replicas)
	for i, p := range programs {
		ending.Go(func() { codes[i] = p.end(t) })
	}
	ending.Wait()
	if !slices.Equal(codes, make([]int, replicas)) {
		t.Errorf("SIGTERM: exits %v; want all 0", codes)
	}
	for i, p := range programs {
		if log := p.stderr.String(); strings.Contains(log, `"level":"ERROR"`) {
			t.Errorf("replica %d: %s", i, fmt.Sprint(tail(log, 2000)))
		}
	}
}

// TestSchemaOverABadLink starts the program while every connection to its
// database breaks after some bytes: it is no reason to end.
func TestSchemaOverABadLink(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	link := testenv.NewLink(t, address.Host)
	address.Host = link.Addr()
	link.Break(2500) // enough to ask whether the database is there, and too little for the schema
	p := launch(t, t.TempDir(), "DATABASE_URL="+address.String(), "SUPPORT_SECRET="+secret)
	eventually(t, "the program tries again", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the program ended with %d:\n%s", p.exit, p.stderr)
		default:
		}
		return strings.Contains(p.stderr.String(), "trying again")
	})
	link.Heal()
	p.wait(t)
}
