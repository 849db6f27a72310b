package e2e

import (
	"context"
	"database/sql"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/testenv"
)

// refused says that so many deliveries got no 200 since the fault, or that far
// too many did.
func refused(n int) func(*trial) bool {
	return func(r *trial) bool { seen := r.seen(); return seen.refused+seen.broken >= n || seen.acked >= 20*warm }
}

// answered says that so many did.
func answered(n int) func(*trial) bool {
	return func(r *trial) bool { return r.seen().acked >= n }
}

func stripeIs(c sandbox.Chaos) func(*trial) {
	return func(r *trial) { r.must(r.box.SetChaos(c)) }
}

// after waits until so many further deliveries are answered.
func (r *trial) after(deliveries int) {
	r.t.Helper()
	enough := r.seen().acked + deliveries
	eventually(r.t, "further deliveries are answered", func() bool { return r.seen().acked >= enough })
}

// restart starts a build of the program where a replica was, and waits for it.
func (r *trial) restart(i int, build string) {
	r.t.Helper()
	r.replicas[i] = launchBuild(r.t, build, r.folder, r.settingsOf(i)...)
	r.replicas[i].wait(r.t)
}

// replace ends a replica as a service manager does, and starts a build in its
// place.
func (r *trial) replace(i int, build string) {
	r.t.Helper()
	r.after(10)
	if code := r.replicas[i].end(r.t); code != 0 {
		r.t.Errorf("SIGTERM under load: exit %d; want 0", code)
	}
	r.restart(i, build)
}

// endWhileHanging ends a replica whose database does not answer: before a
// service manager loses its patience.
func (r *trial) endWhileHanging() {
	r.t.Helper()
	r.postgres.Halt(r.t)
	eventually(r.t, "the fault is felt", func() bool { return refused(10)(r) })
	began := time.Now()
	if code := r.replicas[0].end(r.t); code != 0 {
		r.t.Errorf("SIGTERM: exit %d; want 0", code)
	}
	if took := time.Since(began); took > managerPatience {
		r.t.Errorf("the program took %v to end; want %v", took, managerPatience)
	}
}

// buildWithMigration returns the next release: it adds a column to a table that
// is written all the time.
func (r *trial) buildWithMigration() string {
	r.t.Helper()
	return replaced{projectFile(r.t, "migrations/99999_next.sql"): "-- +goose Up\nALTER TABLE events ADD COLUMN next_note TEXT NOT NULL DEFAULT '';\n"}.build(r.t)
}

// coldStart starts both replicas while neither database nor Redis is there.
func (r *trial) coldStart() {
	r.t.Helper()
	r.redis.Stop(r.t)
	r.postgres.Stop(r.t, syscall.SIGINT)
	for i := range r.replicas {
		r.replicas[i].kill()
		r.replicas[i] = launch(r.t, r.folder, r.settingsOf(i)...)
		// The other is up meanwhile, or readers would reach nobody.
		eventually(r.t, "a replica answers readers", func() bool {
			status, _ := r.ask(r.t.Context(), r.addrs[i]+"/v1/supporters")
			return status != 0
		})
	}
}

// withStandby gives PostgreSQL a standby for which commits wait, or do not.
func withStandby(synchronous bool) func(*trial) {
	return func(r *trial) {
		r.postgres = testenv.PostgresServer(r.t)
		r.standby = r.postgres.Standby(r.t)
		if synchronous {
			r.postgres.Exec(r.t, "ALTER SYSTEM SET synchronous_standby_names = '*'")
			r.postgres.Exec(r.t, "SELECT pg_reload_conf()")
			eventually(r.t, "commits wait for the standby", func() bool {
				return r.queryIn("postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1
			})
		}
	}
}

// failOver loses the primary, if it is there still, and promotes the standby,
// which was away.
func (r *trial) failOver() {
	r.t.Helper()
	r.postgres.Stop(r.t, syscall.SIGKILL)
	r.standby.Start(r.t)
	r.standby.Promote(r.t)
}

// cancelWaitingCommit does what somebody does who finds hanging queries.
func (r *trial) cancelWaitingCommit() {
	r.t.Helper()
	eventually(r.t, "a commit waits for the standby, and is canceled", func() bool {
		return r.query(`SELECT count(*) FROM (SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep') canceled`) > 0
	})
}

// query asks the primary for a number, of what the program keeps.
func (r *trial) query(question string) (n int) {
	r.t.Helper()
	return r.queryIn(databaseName, question)
}

func (r *trial) queryIn(database, question string) (n int) {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.postgres.Address(database))
	r.must(err)
	defer conn.Close(r.t.Context())
	r.must(conn.QueryRow(r.t.Context(), question).Scan(&n))
	return n
}

// change changes what the program keeps.
func (r *trial) change(statement string) {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.postgres.Address(databaseName))
	r.must(err)
	defer conn.Close(r.t.Context())
	_, err = conn.Exec(r.t.Context(), statement)
	r.must(err)
}

// poisonRedis puts text of another kind in the place of all that Redis holds.
func (r *trial) poisonRedis() {
	r.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: r.redis.Addr()})
	defer client.Close()
	keys, err := client.Keys(r.t.Context(), "*").Result()
	r.must(err)
	if len(keys) == 0 {
		r.t.Fatal("Redis holds nothing")
	}
	for _, key := range keys {
		r.must(client.Set(r.t.Context(), key, `"><script>alert(1)</script>`, 0).Err())
	}
}

// holdSQLite writes to the database and does not end.
func (r *trial) holdSQLite() {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+r.folder+"/support.db?_txlock=immediate&_pragma=busy_timeout(60000)")
	r.must(err)
	tx, err := db.BeginTx(context.WithoutCancel(r.t.Context()), nil)
	r.must(err)
	r.release = func() { r.must(tx.Rollback()); r.must(db.Close()) }
}

// reconcileTwice runs two reconciliations beside each other.
func (r *trial) reconcileTwice() {
	r.t.Helper()
	r.must(r.box.SetChaos(sandbox.Chaos{Lose: 15, Vanish: 20}))
	r.after(warm)
	r.meanwhile(func() {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				cmd := exec.CommandContext(r.t.Context(), binary, "reconcile")
				cmd.Dir, cmd.Env = r.folder, environment(r.settings)
				if printed, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 {
					r.t.Errorf("support reconcile, beside another: %v\n%s", err, printed)
				}
			})
		}
		both.Wait()
	})
}
