package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/united24media/support/internal/sandbox"
)

// A point is a place in the program at which a build of the tests' own ends
// itself as a power cut would: just before a piece of its text.
type point struct {
	name string
	file string // below the project's folder
	text string // which is there once
	dies string // put before it; HERE is the point's name
}

// points are all there are. One build has them all; the environment says at
// which it dies, and a file, which it removes, that it has not yet.
var points = []point{
	{
		"between an event's insert and its commit", "internal/ledger/record.go",
		"\t\treturn err\n\t})\n\tif err != nil {\n\t\treturn fmt.Errorf(\"record: %w\", err)",
		"\t\tif err == nil && batch[0].event != nil {\n\t\t\tstore.Die(HERE, func() { tx.Send(ctx) })\n\t\t}\n",
	},
	{
		"between an event's commit and what follows it", "internal/ledger/record.go",
		"\tif len(moved) > 0 {\n\t\tl.Moved(moved)",
		"\tif batch[0].event != nil {\n\t\tstore.Die(HERE)\n\t}\n",
	},
	{
		"between an event's commit and its answer", "webhooks/stripe.go",
		"\ts.stored.Inc()\n", "\tdie(HERE)\n",
	},
	{
		"in the middle of a rebuild's exchange", "internal/store/scratch.go",
		"\t\tif err := t.query(ctx, statement, nil, nil); err != nil {",
		"\t\tif statement == statements[len(statements)/2] {\n\t\t\tDie(HERE)\n\t\t}\n",
	},
	{
		"between a rebuild's exchange and its end", "internal/ledger/rebuild.go",
		"\tl.Moved(moved)\n", "\tstore.Die(HERE)\n",
	},
	{
		"between two migrations", "internal/store/migrate.go",
		"\tresults, err := provider.Up(ctx)\n",
		"\tif Dying(HERE) {\n\t\tfor range 5 {\n\t\t\t_, _ = provider.UpByOne(ctx)\n\t\t}\n\t\tDie(HERE)\n\t}\n",
	},
	{
		"between a sweep's repair and its note", "internal/reconcile/sweep.go",
		"\t\tfor i := range found {\n\t\t\tfound[i].Repaired",
		"\t\tif len(found) > 0 {\n\t\t\tstore.Die(HERE)\n\t\t}\n",
	},
	{
		"in the middle of an erasure", "internal/ledger/erase.go",
		"\t\treturn tx.Audit(ctx, entry)\n", "\t\tstore.Die(HERE, func() { tx.Send(ctx) })\n",
	},
	{
		"between an erasure and its end at Stripe", "cmd/support/erase.go",
		"\t\tp.tellErased(done)\n", "\t\tstore.Die(HERE)\n",
	},
	{
		"between taking a mail and sending it", "internal/mail/mail.go",
		"\treturn open.send(ctx, s.server, message)\n", "\tstore.Die(HERE)\n",
	},
	{
		"between sending a mail and noting it", "internal/mail/mail.go",
		"\tafter := context.WithoutCancel(ctx) // the outbox hears", "\tif err == nil {\n\t\tstore.Die(HERE)\n\t}\n",
	},
}

// dying is what the build has beside.
const dying = `package store

import (
	"context"
	"os"
	"syscall"
)

// Dying reports whether the process is to die at a point.
func Dying(point string) bool {
	_, err := os.Stat(os.Getenv("DIE_ONCE"))
	return os.Getenv("DIE_AT") == point && err == nil
}

// Die ends the process at a point, if it is to, after some last deeds. Of
// several processes one does.
func Die(point string, last ...func()) {
	if os.Getenv("DIE_AT") != point || os.Remove(os.Getenv("DIE_ONCE")) != nil {
		return
	}
	for _, deed := range last {
		deed()
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// Send sends what waits.
func (t *Tx) Send(ctx context.Context) { _ = t.flush(ctx) }
`

// mortal returns the build that dies.
func mortal(t *testing.T) string {
	t.Helper()
	return mortalFiles(t).once(t, "mortal")
}

func mortalFiles(t *testing.T) replaced {
	t.Helper()
	r := replaced{
		projectFile(t, "internal/store/dying.go"): dying,
		projectFile(t, "webhooks/dying.go"):       "package webhooks\n\nimport \"github.com/united24media/support/internal/store\"\n\nfunc die(point string) { store.Die(point) }\n",
	}
	for _, p := range points {
		r.edit(t, p.file, p.text, strings.ReplaceAll(p.dies, "HERE", strconv.Quote(p.name))+p.text)
	}
	return r
}

// death returns the settings that let one process die at a point.
func (r *trial) death(point string) []string {
	r.t.Helper()
	once := filepath.Join(r.t.TempDir(), "once")
	r.must(os.WriteFile(once, nil, 0o600))
	return []string{"DIE_AT=" + point, "DIE_ONCE=" + once}
}

// dies replaces one replica after the other by one that dies at a point, and
// then starts it again.
func dies(point string, times int) func(*trial) {
	return func(r *trial) {
		r.t.Helper()
		build := mortal(r.t)
		for n := range times {
			i := n % len(r.replicas)
			r.after(5)
			r.replicas[i].kill()
			r.replicas[i] = launchBuild(r.t, build, r.folder, append(r.settingsOf(i), r.death(point)...)...)
			r.awaitDeath(r.replicas[i])
			r.restart(i, binary)
		}
	}
}

func (r *trial) awaitDeath(p *program) {
	r.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(2 * patience):
		r.t.Fatal("the program does not die")
	}
	if p.exit != -1 {
		r.t.Fatalf("the program ended with %d, and was to die:\n%s", p.exit, p.stderr)
	}
}

// dieIn runs a command that dies at a point, and then again one that does not;
// it returns what that printed, and its exit code.
func (r *trial) dieIn(point string, command ...string) (printed string, code int) {
	r.t.Helper()
	r.meanwhile(func() { printed, code = r.dieThenRun(point, command...) })
	return printed, code
}

func (r *trial) dieThenRun(point string, command ...string) (printed string, code int) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), mortal(r.t), command...)
	cmd.Dir, cmd.Env = r.folder, environment(append(r.death(point), r.settings...))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		r.t.Fatalf("support %s was to die: %v\n%s", strings.Join(command, " "), err, &out)
	}
	if drifts, code := r.run("verify"); code != 0 {
		r.t.Errorf("verify after support %s died: %s", strings.Join(command, " "), drifts)
	}
	return r.run(command...)
}

// pointFaults are the program's deaths at each of the points.
var pointFaults = built(
	fault{name: "killed between an event's insert and its commit", inject: dies("between an event's insert and its commit", 2)},
	fault{name: "killed between an event's commit and what follows it", inject: dies("between an event's commit and what follows it", 2)},
	fault{name: "killed between an event's commit and its answer", inject: dies("between an event's commit and its answer", 2)},
	fault{name: "killed in the middle of a rebuild's exchange", inject: rebuildDies("in the middle of a rebuild's exchange")},
	fault{name: "killed between a rebuild's exchange and its end", inject: rebuildDies("between a rebuild's exchange and its end")},
	fault{
		name: "killed between two migrations, at the first start",
		on:   func(r *trial) { r.first = append(r.death("between two migrations"), "") },
		// It is over before anything is given; all that follows is to be as ever.
		inject: func(*trial) {},
	},
	fault{name: "killed in the middle of a migration", on: func(r *trial) { r.next = r.buildWithSlowMigration() }, inject: (*trial).dieMigrating},
	fault{
		name:   "killed between a sweep's repair and its note",
		inject: (*trial).sweepDies,
		felt:   answered(1),
		heal:   stripeIs(sandbox.Chaos{}),
	},
	fault{name: "killed in the middle of an erasure", inject: eraseDies("in the middle of an erasure", 0)},
	fault{name: "killed between an erasure and its end at Stripe", inject: eraseDies("between an erasure and its end at Stripe", 1)},
	fault{name: "killed between taking a mail and sending it", on: withMailServer, inject: mailDies("between taking a mail and sending it"), holds: (*trial).compareMails},
	fault{name: "killed between sending a mail and noting it", on: withMailServer, inject: mailDies("between sending a mail and noting it"), holds: (*trial).compareMails},
)

// built has the build that dies made before anything begins.
func built(faults ...fault) []fault {
	for i, f := range faults {
		faults[i].on = func(r *trial) {
			mortal(r.t)
			if f.on != nil {
				f.on(r)
			}
		}
	}
	return faults
}

// rebuildDies has a rebuild die while readers give, and another succeed.
func rebuildDies(point string) func(*trial) {
	return func(r *trial) {
		r.t.Helper()
		if printed, code := r.dieIn(point, "rebuild"); code != 0 {
			r.t.Errorf("support rebuild, after one that died: exit %d\n%s", code, printed)
		}
	}
}

// sweepDies has a reconciliation die at the first of its repairs.
func (r *trial) sweepDies() {
	r.t.Helper()
	r.must(r.box.SetChaos(sandbox.Chaos{Vanish: 50}))
	r.after(warm)
	if printed, code := r.dieIn("between a sweep's repair and its note", "reconcile"); code > 1 {
		r.t.Errorf("support reconcile, after one that died: exit %d\n%s", code, printed)
	}
}

// eraseDies has the erasure of somebody die, and repeats it: the gift is
// nobody's then, and counts as before. again is the exit code of the repeat.
func eraseDies(point string, again int) func(*trial) {
	const leaver = "leaver@example.org"
	return func(r *trial) {
		r.t.Helper()
		r.must(r.giveAs(r.t.Context(), leaver))
		eventually(r.t, "the gift of who will be erased is recorded", func() bool {
			return r.query("SELECT count(*) FROM donations WHERE email = '"+leaver+"' AND settlement_currency <> ''") == 1
		})
		r.erased[leaver] = true
		if printed, code := r.dieIn(point, "erase", leaver); code != again {
			r.t.Errorf("support erase, after one that died: exit %d, want %d\n%s", code, again, printed)
		}
		if n := r.query("SELECT count(*) FROM donations WHERE email = '" + leaver + "'"); n != 0 {
			r.t.Errorf("%d gifts still have the address of who was erased", n)
		}
	}
}

// buildWithSlowMigration returns a release whose migration takes a while in its
// middle.
func (r *trial) buildWithSlowMigration() string {
	r.t.Helper()
	return replaced{projectFile(r.t, "migrations/99999_next.sql"): `-- +goose Up
ALTER TABLE events ADD COLUMN next_note TEXT NOT NULL DEFAULT '';
SELECT pg_sleep(3);
ALTER TABLE events ADD COLUMN next_more TEXT NOT NULL DEFAULT '';
`}.build(r.t)
}

// dieMigrating takes the power of a new release in the middle of its migration,
// and starts it again.
func (r *trial) dieMigrating() {
	r.t.Helper()
	if code := r.replicas[0].end(r.t); code != 0 {
		r.t.Errorf("SIGTERM: exit %d; want 0", code)
	}
	r.replicas[0] = launchBuild(r.t, r.next, r.folder, r.settingsOf(0)...)
	eventually(r.t, "the migration is in its middle", func() bool {
		return r.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") > 0
	})
	r.replicas[0].kill()
	r.restart(0, r.next)
	if n := r.query("SELECT count(*) FROM information_schema.columns WHERE table_name = 'events' AND column_name LIKE 'next%'"); n != 2 {
		r.t.Errorf("%d of the migration's 2 columns are there", n)
	}
}
