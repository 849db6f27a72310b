package e2e

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/testenv"
)

// TestRestore is the drill of docs/operating.md: a backup, more gifts, the
// database lost. What came after the backup is brought back from Stripe, to the
// cent.
func TestRestore(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := newChaos(t, seed)
	serving := func() {
		for i := range c.replicas {
			c.replicas[i] = launch(t, c.folder, c.settingsOf(i)...)
		}
		for _, p := range c.replicas {
			p.wait(t)
		}
	}
	serving()
	random := rand.New(rand.NewPCG(seed, 1))
	c.playOut(random, 60)
	before, _, _ := c.book(c.account())

	dump := filepath.Join(c.folder, "support.dump")
	pg(t, "pg_dump", "--format=custom", "--file="+dump, c.database())
	c.playOut(random, 60)
	for _, p := range c.replicas {
		p.kill()
	}
	c.settings[slices.Index(c.settings, "DATABASE_URL="+c.database())] = "DATABASE_URL=" + testenv.Postgres(t)
	pg(t, "pg_restore", "--no-owner", "--exit-on-error", "--dbname="+c.database(), dump)

	command(t, c.folder, c.settings, "migrate")
	if drifts := command(t, c.folder, c.settings, "verify"); drifts != "" {
		t.Errorf("verify after the restore: %s", drifts)
	}
	serving() // beside the reconciliation
	found := c.reconcile()
	gifts, members, supporters := c.book(c.account())
	t.Logf("%d gifts at the backup, %d in the end, %d members, %d supporters; %d lines of differences", len(before), len(gifts), len(members), supporters, found)
	if len(before) < 10 || len(gifts) < len(before)+10 || len(members) == 0 || found == 0 {
		t.Error("too little happened to prove anything")
	}
	compareExports(c, "donations", gifts, func(g gift) string { return g.ID })
	compareExports(c, "memberships", members, func(m member) string { return m.ID })
	if drifts := command(t, c.folder, c.settings, "verify"); drifts != "" {
		t.Errorf("verify in the end: %s", drifts)
	}
	for _, p := range c.replicas {
		if code := p.end(t); code != 0 {
			t.Errorf("SIGTERM: exit %d; want 0", code)
		}
	}
}

// playOut lets things happen at Stripe, and delivers all that is said of them.
func (c *chaos) playOut(random *rand.Rand, times int) {
	c.t.Helper()
	for range times {
		if name, err := c.act(c.t.Context(), random); err == nil {
			c.done[name]++
		}
	}
	c.must(c.box.Advance(2 * time.Minute)) // what is delayed happens, and fees are known
	c.deliverRest()
}

// database returns the address of the replicas' database.
func (c *chaos) database() string {
	for _, setting := range c.settings {
		if address, ok := strings.CutPrefix(setting, "DATABASE_URL="); ok {
			return address
		}
	}
	return ""
}

// pg runs one of PostgreSQL's own programs.
func pg(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = os.Environ()
	if printed, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, printed)
	}
}
