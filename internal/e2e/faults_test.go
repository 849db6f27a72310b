package e2e

import (
	"cmp"
	"syscall"
	"testing"
	"time"

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
	holds  func(*trial)      // what else must be so in the end; may be nil
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
		name:   "one replica gone, and started again",
		inject: func(r *trial) { r.replicas[0].kill() },
		heal:   func(r *trial) { r.restart(0, binary) },
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
		within: 30 * time.Second,
	},
	{
		name:   "PostgreSQL restarted, immediate",
		inject: func(r *trial) { r.postgres.Stop(r.t, syscall.SIGQUIT) },
		felt:   refused(10),
		heal:   func(r *trial) { r.postgres.Start(r.t) },
		within: 30 * time.Second,
		short:  true,
	},
	{
		name:   "PostgreSQL's power cut",
		inject: func(r *trial) { r.postgres.Stop(r.t, syscall.SIGKILL) },
		felt:   refused(10),
		heal:   func(r *trial) { r.postgres.Start(r.t) },
		within: 30 * time.Second,
	},
	{
		name:   "PostgreSQL hangs",
		inject: func(r *trial) { r.postgres.Halt(r.t) },
		felt:   refused(10),
		heal:   func(r *trial) { r.postgres.Resume(r.t) },
		within: 30 * time.Second,
	},
	{
		name:   "SIGTERM while PostgreSQL hangs",
		inject: (*trial).endWhileHanging,
		heal: func(r *trial) {
			r.postgres.Resume(r.t)
			r.restart(0, binary)
		},
		felt:   refused(10),
		within: 30 * time.Second,
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
		within: 30 * time.Second,
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
		within: 30 * time.Second,
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
		within: 30 * time.Second,
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
		within: 30 * time.Second,
	},
	{
		name:   "no way to PostgreSQL",
		inject: func(r *trial) { r.toDatabase.Cut() },
		felt:   refused(10),
		heal:   func(r *trial) { r.toDatabase.Heal() },
		within: 20 * time.Second,
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
		within: 20 * time.Second,
	},
	{
		name:   "PostgreSQL is 100 ms away",
		inject: func(r *trial) { r.toDatabase.Slow(100 * time.Millisecond) },
		heal:   func(r *trial) { r.toDatabase.Heal() },
		within: 20 * time.Second,
	},
	{
		name:   "Redis gone",
		inject: func(r *trial) { r.redis.Stop(r.t) },
		heal:   func(r *trial) { r.redis.Start(r.t) },
		within: 15 * time.Second,
		short:  true,
	},
	{
		name:   "what is sent to Redis vanishes",
		inject: func(r *trial) { r.toRedis.Swallow() },
		heal:   func(r *trial) { r.toRedis.Heal() },
		within: 15 * time.Second,
	},
	{
		name:   "Redis is 300 ms away",
		inject: func(r *trial) { r.toRedis.Slow(300 * time.Millisecond) },
		heal:   func(r *trial) { r.toRedis.Heal() },
		within: 15 * time.Second,
	},
	{
		name: "Redis wiped, five times",
		inject: func(r *trial) {
			for range 5 {
				r.redis.Do(r.t, "FLUSHALL")
				r.after(10)
			}
		},
		within: 15 * time.Second,
	},
	{
		name:   "Redis read-only",
		inject: func(r *trial) { r.redis.SetReadOnly(r.t, true) },
		heal:   func(r *trial) { r.redis.SetReadOnly(r.t, false) },
		within: 15 * time.Second,
	},
	{
		name:   "Redis out of memory",
		inject: func(r *trial) { r.redis.Do(r.t, "CONFIG", "SET", "maxmemory", "1") },
		heal:   func(r *trial) { r.redis.Do(r.t, "CONFIG", "SET", "maxmemory", "0") },
		within: 15 * time.Second,
	},
	{
		name:   "Redis lacks the replicas without which it takes no writes",
		inject: func(r *trial) { r.redis.Do(r.t, "CONFIG", "SET", "min-replicas-to-write", "1") },
		heal:   func(r *trial) { r.redis.Do(r.t, "CONFIG", "SET", "min-replicas-to-write", "0") },
		within: 15 * time.Second,
	},
	{
		name:   "Redis answers nothing for 5 s",
		inject: func(r *trial) { r.redis.Do(r.t, "CLIENT", "PAUSE", "5000", "ALL") },
	},
	{
		name:   "Redis holds nonsense under each of its keys",
		inject: (*trial).poisonRedis,
	},
	{
		name:   "a node of a Redis Cluster lost",
		on:     func(r *trial) { r.cluster, r.nodes = testenv.RedisNodes(r.t) },
		inject: func(r *trial) { r.nodes[0].Stop(r.t) },
		within: 15 * time.Second,
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
		name:   "another process holds SQLite for itself",
		on:     func(r *trial) { r.lite, r.replicas = true, r.replicas[:1] },
		inject: (*trial).holdSQLite,
		felt:   refused(10),
		heal:   func(r *trial) { r.release() },
		within: 20 * time.Second,
	},
	{
		name:   "two reconciliations at once, while deliveries arrive and are lost",
		inject: (*trial).reconcileTwice,
		heal:   stripeIs(sandbox.Chaos{}),
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
		within: 20 * time.Second,
	},
	{
		name:   "our clock steps ten minutes ahead of Stripe's",
		inject: func(r *trial) { r.skew.Store(int64(-10 * time.Minute)) },
		felt:   refused(20),
		heal:   func(r *trial) { r.skew.Store(0) },
		within: 15 * time.Second,
	},
	{
		name:   "our clock steps ten minutes behind Stripe's",
		inject: func(r *trial) { r.skew.Store(int64(10 * time.Minute)) },
		felt:   refused(20),
		heal:   func(r *trial) { r.skew.Store(0) },
		within: 15 * time.Second,
	},
}

// TestFaults does each fault to two replicas at work.
func TestFaults(t *testing.T) {
	seed := cmp.Or(*mixSeed, uint64(time.Now().UnixNano()))
	if *mixCount > 0 {
		t.Logf("-faults.seed=%d chooses the further mixes", seed)
	}
	for _, f := range append(tabled(), mixes(seed, *mixCount)...) {
		t.Run(f.name, func(t *testing.T) {
			if !*allFaults && !f.short {
				t.Skip("make chaos runs it")
			}
			var sum figures
			for range *faultRuns {
				sum.add(f.run(t, uint64(time.Now().UnixNano())))
			}
			if !t.Failed() {
				noted[f.name] = sum
			}
		})
	}
	if *figuresFile != "" {
		writeFigures(t)
	}
}
