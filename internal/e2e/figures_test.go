package e2e

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

var (
	allFaults   = flag.Bool("faults", false, "TestFaults does all faults, not the short ones alone")
	faultRuns   = flag.Int("faults.runs", 1, "how often TestFaults does each fault")
	mixSeed     = flag.Uint64("faults.seed", 0, "chooses the further mixes; 0 is a new one each time")
	mixCount    = flag.Int("faults.mixes", 0, "how many further mixes TestFaults does")
	figuresFile = flag.String("faults.figures", "", "the file whose table TestFaults writes anew")
)

// noted are the figures of faults that were done, by their names.
var noted = map[string]figures{}

func (f *figures) add(one figures) {
	f.runs += one.runs
	f.deliveries += one.deliveries
	f.reads += one.reads
	f.lost += one.lost
	f.doubled += one.doubled
	f.restored += one.restored
	f.gap, f.recovery = max(f.gap, one.gap), max(f.recovery, one.recovery)
}

// The table stands between these lines.
const (
	tableBegins = "<!-- figures: written by make chaos -->\n"
	tableEnds   = "<!-- end of figures -->\n"
)

// writeFigures puts the table of what was noted into the file.
func writeFigures(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(*figuresFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), tableBegins)
	old, after, ok2 := strings.Cut(rest, tableEnds)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table", *figuresFile)
	}
	if err := os.WriteFile(*figuresFile, []byte(before+tableBegins+table(old)+tableEnds+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

// table returns the table of what was noted. A fault that was not done now, or
// not well, keeps the line that it had.
func table(old string) string {
	var b strings.Builder
	b.WriteString("| fault | runs | deliveries | reads | lost | doubled | longest gap | recovery |\n|---|---|---|---|---|---|---|---|\n")
	for _, f := range tabled() {
		n, ok := noted[f.name]
		if !ok {
			for line := range strings.Lines(old) {
				if strings.HasPrefix(line, "| "+f.name+" | ") {
					b.WriteString(line)
				}
			}
			continue
		}
		lost := fmt.Sprint(n.lost)
		if f.loses {
			lost = fmt.Sprintf("%d, 0 after `reconcile`", n.lost)
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %s | %d | %s | %s |\n", f.name, n.runs, n.deliveries, n.reads, lost, n.doubled, seconds(n.gap), seconds(n.recovery))
	}
	return b.String()
}

// seconds writes a duration for people.
func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// TestReliabilityIsTrue: docs/reliability.md names every fault and defence.
func TestReliabilityIsTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tabled() {
		if !strings.Contains(string(page), "\n| "+f.name+" | ") {
			t.Errorf("the fault %q has no line; run make chaos", f.name)
		}
	}
	for _, d := range defences {
		if !strings.Contains(string(page), "\n| "+d.name+" | "+d.shown+" |\n") {
			t.Errorf("the defence %q has no line", d.name)
		}
	}
}
