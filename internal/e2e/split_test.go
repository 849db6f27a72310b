package e2e

import (
	"syscall"
	"time"
)

// splitFaults have two PostgreSQL that take writes: the one that was the
// primary, and the standby that took its place.
var splitFaults = []fault{
	{
		// Replicas that start anew find the old one first.
		name: "the old primary comes back, first among the hosts, and takes writes",
		on:   withStandby(false),
		inject: func(r *trial) {
			r.takeOver()
			r.postgres.Start(r.t)
			r.after(5)
			for i := range r.replicas {
				r.replicas[i].kill()
				r.restart(i, binary)
			}
			r.after(2 * warm)
		},
		heal:   func(r *trial) { r.postgres.Stop(r.t, syscall.SIGKILL) },
		within: 30 * time.Second,
	},
	{
		name:   "split in two: one replica reaches the old primary alone, the other the new one",
		on:     withStandby(false),
		inject: (*trial).split,
		heal: func(r *trial) {
			r.postgres.Stop(r.t, syscall.SIGKILL)
			r.own = nil
			r.replicas[0].kill()
			r.restart(0, binary)
		},
		loses:  true,
		within: 30 * time.Second,
	},
}

// takeOver has the standby take the place of a primary that ends.
func (r *trial) takeOver() {
	r.t.Helper()
	eventually(r.t, "the standby has everything", func() bool {
		return r.query("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn() - 10000") == 1
	})
	r.postgres.Stop(r.t, syscall.SIGKILL)
	r.standby.Promote(r.t)
	r.after(warm)
}

// split lets the first replica know no PostgreSQL but the old one.
func (r *trial) split() {
	r.t.Helper()
	r.takeOver()
	r.postgres.Start(r.t)
	r.own = map[int][]string{0: {"DATABASE_URL=postgres://postgres@" + r.toDatabase.Addr() + "/" + databaseName + "?sslmode=disable&connect_timeout=2"}}
	r.replicas[0].kill()
	r.restart(0, binary)
	r.after(2 * warm)
}
