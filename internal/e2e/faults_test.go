package e2e

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/testenv"
)

// managerPatience is what docs/deploy gives the program to end.
const managerPatience = 40 * time.Second

// A fault is one thing that goes wrong while readers read and give.
type fault struct {
	name   string
	on     func(*trial)      // what the replicas work with, if not the usual
	inject func(*trial)      // makes it
	felt   func(*trial) bool // says when it lasted long enough; nil: after some answered deliveries
	heal   func(*trial)      // ends it; nil if it ends by itself
	loses  bool              // deliveries that were answered with 200 may be lost, and Stripe is asked for them
	within time.Duration     // it must be over so soon after it was healed; 0 is [patience]
	short  bool              // it is among those that are always run
}

// faults are what `make chaos` does to the service, one at a time.
var faults = []fault{
	{
		name: "a replica killed, eight times", // and started again
		inject: func(r *trial) {
			for n := range 8 {
				r.after(10)
				r.replicas[n%replicas].kill()
				r.restart(n%replicas, binary)
			}
		},
	},
	{
		name: "SIGTERM under load, replica by replica",
		inject: func(r *trial) {
			for n := range 4 {
				r.replace(n%replicas, binary)
			}
		},
	},
	{
		name: "rolling restart to a build with one more migration, and back",
		on:   func(r *trial) { r.next = r.buildWithMigration() },
		inject: func(r *trial) {
			for _, build := range []string{r.next, binary} {
				for i := range r.replicas {
					r.replace(i, build)
				}
			}
		},
	},
	{
		name:   "PostgreSQL restarted, fast",
		inject: func(r *trial) { r.postgres.Stop(r.t, syscall.SIGINT) },
		felt:   refused(10),
		heal:   func(r *trial) { r.postgres.Start(r.t) },
		within: 15 * time.Second,
	},
	{
		name:   "PostgreSQL restarted, immediate",
		inject: func(r *trial) { r.postgres.Stop(r.t, syscall.SIGQUIT) },
		felt:   refused(10),
		heal:   func(r *trial) { r.postgres.Start(r.t) },
		within: 15 * time.Second,
		short:  true,
	},
	{
		name:   "PostgreSQL's power cut",
		inject: func(r *trial) { r.postgres.Stop(r.t, syscall.SIGKILL) },
		felt:   refused(10),
		heal:   func(r *trial) { r.postgres.Start(r.t) },
		within: 15 * time.Second,
	},
	{
		name:   "PostgreSQL hangs",
		inject: func(r *trial) { r.postgres.Halt(r.t) },
		felt:   refused(10),
		heal:   func(r *trial) { r.postgres.Resume(r.t) },
		within: 15 * time.Second,
	},
	{
		name:   "SIGTERM while PostgreSQL hangs",
		inject: (*trial).endWhileHanging,
		heal: func(r *trial) {
			r.postgres.Resume(r.t)
			r.restart(0, binary)
		},
		felt:   refused(10),
		within: 15 * time.Second,
	},
	{
		name:   "both replicas started while PostgreSQL and Redis are gone",
		inject: (*trial).coldStart,
		felt:   func(r *trial) bool { return refused(10)(r) && r.seen().reads > 200 },
		heal: func(r *trial) {
			r.redis.Start(r.t)
			r.postgres.Start(r.t)
			for _, p := range r.replicas {
				p.wait(r.t)
			}
		},
	},
	{
		name:   "failover to a synchronous standby",
		on:     withStandby(true),
		inject: func(r *trial) { r.postgres.Stop(r.t, syscall.SIGKILL) },
		felt:   refused(10),
		heal:   func(r *trial) { r.standby.Promote(r.t) },
		within: 15 * time.Second,
	},
	{
		name:   "the primary's machine vanishes, and its synchronous standby takes over",
		on:     withStandby(true),
		inject: func(r *trial) { r.toDatabase.Swallow() },
		felt:   refused(10),
		heal:   func(r *trial) { r.standby.Promote(r.t) },
		within: 25 * time.Second,
	},
	{
		name:   "the synchronous standby lost, then the primary: commits that waited are delivered again",
		on:     withStandby(true),
		inject: func(r *trial) { r.standby.Stop(r.t, syscall.SIGKILL) },
		felt:   refused(40), // deliveries come again, and must be refused again
		heal:   (*trial).failOver,
		within: 15 * time.Second,
	},
	{
		name: "somebody cancels commits that wait for the lost standby, then the primary is lost",
		on:   withStandby(true),
		inject: func(r *trial) {
			r.standby.Stop(r.t, syscall.SIGKILL)
			for range 5 {
				r.cancelWaitingCommit()
			}
		},
		felt:   refused(10),
		heal:   (*trial).failOver,
		within: 15 * time.Second,
	},
	{
		name: "failover to an asynchronous standby that lost commits",
		on:   withStandby(false),
		inject: func(r *trial) {
			r.standby.Stop(r.t, syscall.SIGKILL)
			r.after(2 * warm)
			r.postgres.Stop(r.t, syscall.SIGKILL)
		},
		felt:   refused(5),
		heal:   (*trial).failOver,
		loses:  true,
		within: 15 * time.Second,
	},
	{
		name:   "no way to PostgreSQL",
		inject: func(r *trial) { r.toDatabase.Cut() },
		felt:   refused(10),
		heal:   func(r *trial) { r.toDatabase.Heal() },
		within: 10 * time.Second,
	},
	{
		name:   "what is sent to PostgreSQL vanishes",
		inject: func(r *trial) { r.toDatabase.Swallow() },
		felt:   refused(10),
		heal:   func(r *trial) { r.toDatabase.Heal() },
		within: 25 * time.Second,
	},
	{
		name:   "connections to PostgreSQL break in the middle, also of a commit",
		inject: func(r *trial) { r.toDatabase.Break(6000) },
		felt:   func(r *trial) bool { return refused(10)(r) && answered(2*warm)(r) },
		heal:   func(r *trial) { r.toDatabase.Heal() },
		within: 10 * time.Second,
	},
	{
		name:   "PostgreSQL is 100 ms away",
		inject: func(r *trial) { r.toDatabase.Slow(100 * time.Millisecond) },
		heal:   func(r *trial) { r.toDatabase.Heal() },
		within: 10 * time.Second,
	},
	{
		name:   "Redis gone",
		inject: func(r *trial) { r.redis.Stop(r.t) },
		heal:   func(r *trial) { r.redis.Start(r.t) },
		within: 5 * time.Second,
		short:  true,
	},
	{
		name:   "what is sent to Redis vanishes",
		inject: func(r *trial) { r.toRedis.Swallow() },
		heal:   func(r *trial) { r.toRedis.Heal() },
		within: 5 * time.Second,
	},
	{
		name:   "Redis is 300 ms away",
		inject: func(r *trial) { r.toRedis.Slow(300 * time.Millisecond) },
		heal:   func(r *trial) { r.toRedis.Heal() },
		within: 5 * time.Second,
	},
	{
		name: "Redis wiped, five times",
		inject: func(r *trial) {
			for range 5 {
				r.redis.Do(r.t, "FLUSHALL")
				r.after(10)
			}
		},
		within: 5 * time.Second,
	},
	{
		name:   "Redis read-only",
		inject: func(r *trial) { r.redis.SetReadOnly(r.t, true) },
		heal:   func(r *trial) { r.redis.SetReadOnly(r.t, false) },
		within: 5 * time.Second,
	},
	{
		name:   "Redis out of memory",
		inject: func(r *trial) { r.redis.Do(r.t, "CONFIG", "SET", "maxmemory", "1") },
		heal:   func(r *trial) { r.redis.Do(r.t, "CONFIG", "SET", "maxmemory", "0") },
		within: 5 * time.Second,
	},
	{
		name:   "a node of a Redis Cluster lost",
		on:     func(r *trial) { r.cluster, r.nodes = testenv.RedisNodes(r.t) },
		inject: func(r *trial) { r.nodes[0].Stop(r.t) },
		within: 5 * time.Second,
	},
	{
		name:   "Stripe's API takes 4 s",
		inject: stripeIs(sandbox.Chaos{APISlow: 4 * time.Second}),
		heal:   stripeIs(sandbox.Chaos{}),
	},
	{
		name:   "Stripe's API says 429 to nine of ten calls",
		inject: stripeIs(sandbox.Chaos{Limit: 90}),
		heal:   stripeIs(sandbox.Chaos{}),
	},
	{
		name:   "Stripe's API says 500 to nine of ten calls",
		inject: stripeIs(sandbox.Chaos{Refuse: 90}),
		heal:   stripeIs(sandbox.Chaos{}),
	},
	{
		name:   "no way to Stripe's API",
		inject: func(r *trial) { r.toStripe.Cut() },
		heal:   func(r *trial) { r.toStripe.Heal() },
	},
	{
		name:   "Stripe delivers late, doubled, out of order, and under two ids",
		inject: stripeIs(sandbox.Chaos{Late: 2 * time.Second, Double: 30, Twice: 20, Extra: true, Unbooked: true}),
		felt:   answered(5 * warm),
		heal:   stripeIs(sandbox.Chaos{}),
	},
	{
		name:   "one delivery in three never arrives",
		inject: stripeIs(sandbox.Chaos{Lose: 15, Vanish: 20}),
		felt:   answered(3 * warm),
		heal:   stripeIs(sandbox.Chaos{}),
	},
	{
		name: "PostgreSQL's disk is full",
		on: func(r *trial) {
			r.disk = testenv.NewDisk(r.t, 160)
			r.postgres = testenv.PostgresOn(r.t, r.disk.Folder)
		},
		inject: func(r *trial) { r.disk.Fill() },
		felt:   refused(10),
		heal: func(r *trial) {
			r.disk.Free()
			r.postgres.Revive(r.t) // as a service manager does, where it ended for want of space
		},
		within: 20 * time.Second,
	},
	{
		name: "SQLite's disk is full",
		on: func(r *trial) {
			r.disk = testenv.NewDisk(r.t, 64)
			r.folder, r.replicas = r.disk.Folder, r.replicas[:1]
		},
		inject: func(r *trial) { r.disk.Fill() },
		felt:   refused(10),
		heal:   func(r *trial) { r.disk.Free() },
		within: 10 * time.Second,
	},
	{
		name:   "our clock steps ten minutes ahead of Stripe's",
		inject: func(r *trial) { r.skew.Store(int64(-10 * time.Minute)) },
		felt:   refused(20),
		heal:   func(r *trial) { r.skew.Store(0) },
		within: 5 * time.Second,
	},
	{
		name:   "our clock steps ten minutes behind Stripe's",
		inject: func(r *trial) { r.skew.Store(int64(10 * time.Minute)) },
		felt:   refused(20),
		heal:   func(r *trial) { r.skew.Store(0) },
		within: 5 * time.Second,
	},
}

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
	at, err := filepath.Abs("../../migrations/99999_next.sql")
	r.must(err)
	return buildWith(r.t, at, "-- +goose Up\nALTER TABLE events ADD COLUMN next_note TEXT NOT NULL DEFAULT '';\n")
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
				return r.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1
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

// query asks the primary for a number.
func (r *trial) query(question string) (n int) {
	r.t.Helper()
	conn, err := pgx.Connect(r.t.Context(), r.postgres.Address("postgres"))
	r.must(err)
	defer conn.Close(r.t.Context())
	r.must(conn.QueryRow(r.t.Context(), question).Scan(&n))
	return n
}

// TestFaults does each fault to two replicas at work.
func TestFaults(t *testing.T) {
	for i, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			if !*allFaults && !f.short {
				t.Skip("make chaos runs it")
			}
			var sum figures
			for range *faultRuns {
				one := f.run(t, uint64(time.Now().UnixNano()))
				sum.add(one)
			}
			if !t.Failed() {
				noted[i] = sum
			}
		})
	}
	if *figuresFile != "" {
		writeFigures(t)
	}
}
