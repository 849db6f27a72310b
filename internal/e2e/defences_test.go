package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// A defence is a piece of the program without which a fault does harm.
type defence struct {
	name     string
	file     string // below the project's folder
	old, new string // what it is, and what stands there without it
	shown    string // by which fault, or by which test: its folder and name
}

// defences are what docs/reliability.md lists.
var defences = []defence{
	{
		"an answer of 200 waits for the commit", "webhooks/stripe.go",
		"if err := s.ledger.Deliver(ctx, body); err != nil {",
		"go func() { _ = s.ledger.Deliver(context.WithoutCancel(ctx), body) }()\n\tif err := error(nil); err != nil {",
		"a replica killed, eight times",
	},
	{
		"what could not be stored is answered with 503", "webhooks/stripe.go",
		"if err := s.ledger.Deliver(ctx, body); err != nil {",
		"if err := s.ledger.Deliver(ctx, body); err != nil && s.ledger == nil {",
		"PostgreSQL restarted, immediate",
	},
	{
		"a commit that was canceled while it waited for the standby is an error", "internal/store/tx.go",
		"return t.unwarned()", "return nil",
		"somebody cancels commits that wait for the lost standby, then the primary is lost",
	},
	{
		"where one connection is dead, those as old as it are not used", "internal/store/pulse.go",
		"limited, cancel := context.WithTimeout(ctx, pulseTime)", "limited, cancel := context.WithCancel(ctx)",
		"internal/store TestSilentConnections",
	},
	{
		"an event that comes again is written again, and so waits for the standby", "internal/store/event.go",
		"`ON CONFLICT (id) DO UPDATE SET deliveries = events.deliveries + excluded.deliveries`", "`ON CONFLICT (id) DO NOTHING`",
		"internal/store TestCommitThatDidNotWait",
	},
	{
		"replicas take turns at the ledger", "internal/store/tx.go",
		"SELECT pg_advisory_xact_lock($1)", "SELECT $1::BIGINT",
		"internal/ledger TestReplicasTakeTurns",
	},
	{
		"counts follow a database that knows less than before", "internal/counts/refresh.go",
		"next := c.current.Load().replaced(rows)", "next, _ := c.current.Load().with(rows)",
		"internal/counts TestDatabaseGoesBack",
	},
	{
		"requests in flight are answered before the program ends", "internal/web/serve.go",
		"if err := server.Shutdown(ending); err != nil {", "if err := error(nil); err != nil || server.Close() == nil && ending == nil {",
		"internal/web TestServeEndsWhatIsInFlight",
	},
	{
		"what answers requests ends before what they wait for", "cmd/support/serve.go",
		"background, endBackground := context.WithCancel(context.WithoutCancel(ctx))", "background, endBackground := context.WithCancel(ctx)",
		"cmd/support TestStopWaitsForWhatHasBegun",
	},
	{
		"of two that take writes, the one that took over is used", "internal/store/fence.go",
		"return at.timeline < f.newest[at.system]", "return false",
		"the old primary comes back, first among the hosts, and takes writes",
	},
}

// TestDefences removes each defence and wants its absence to be noticed.
func TestDefences(t *testing.T) {
	if !*allFaults {
		t.Skip("make chaos runs it")
	}
	for _, d := range defences {
		t.Run(d.name, func(t *testing.T) {
			cmd, tried := d.without(t)
			printed, err := cmd.CombinedOutput()
			switch {
			case !strings.Contains(string(printed), tried):
				t.Fatalf("it was not tried: %v\n%s", err, printed)
			case err == nil:
				t.Errorf("%q does no harm without it:\n%s", d.shown, printed)
			default:
				t.Logf("noticed:\n%s", tail(string(printed), 1500))
			}
		})
	}
}

// without returns what tries the fault or the test without the defence, and
// what that prints when it begins.
func (d defence) without(t *testing.T) (cmd *exec.Cmd, tried string) {
	t.Helper()
	without := replaced{}
	without.edit(t, d.file, d.old, d.new)
	if folder, test, ok := strings.Cut(d.shown, " "); ok && strings.HasPrefix(test, "Test") {
		// Some harm is a matter of who comes first.
		cmd = exec.CommandContext(t.Context(), "go", "test", "-v", "-failfast", "-count=20", "-overlay", without.overlay(t), "-run=^"+test+"$", "../../"+folder)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		return cmd, "=== RUN   " + test
	}
	cmd = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFaults$/^"+regexp.QuoteMeta(strings.ReplaceAll(d.shown, " ", "_"))+"$", "-faults", "-test.v")
	cmd.Env = append(os.Environ(), givenBinary+"="+without.build(t))
	return cmd, "=== RUN   TestFaults/"
}
