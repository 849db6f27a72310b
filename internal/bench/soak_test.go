package bench

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var soakTime = flag.Duration("soak", 0, "how long the soak lasts; make soak gives it an hour")

// Limits of a soak.
const (
	soakSamples = 30
	soakRate    = 500 // requests a second
	growsMiB    = 6   // page views that are remembered go from 200,000 to 400,000 and back
	growsOthers = 10  // goroutines, and files

	// What fills the memories that fill with time; docs/operating.md names all.
	fillsViews     = 400_000 // signals
	fillsCheckouts = 5_000   // with two events of the sandbox each
)

// TestSoak fills what is remembered up to its bounds, then drives a busy news
// day for long, and holds what lives in memory, goroutines and open files to
// what they were when the day began. Two profiles in artifacts/ say what grew.
func TestSoak(t *testing.T) {
	if *soakTime == 0 {
		t.Skip("a soak is asked for by -soak=1h")
	}
	p := startProgram(t)
	type sample struct{ heap, goroutines, files float64 }
	p.fill(t, kindSignal, fillsViews)
	p.fill(t, kindCheckout, fillsCheckouts)
	t.Logf("full: alive %.1f MiB, in memory %.0f MiB", p.heap(t), p.memory(t))
	var samples []sample
	failed := 0
	for i := range soakSamples {
		r := p.drive(t, load{kinds: mix(), callers: 32, rate: soakRate, lasts: *soakTime / soakSamples})
		for _, n := range r.failed {
			failed += n
		}
		s := sample{p.heap(t), p.metric(t, "go_goroutines"), p.metric(t, "process_open_fds")}
		samples = append(samples, s)
		switch i {
		case 0:
			p.profile(t, "soak-begin.pb.gz")
		case soakSamples - 1:
			p.profile(t, "soak-end.pb.gz")
		}
		t.Logf("%v; alive %.1f MiB, in memory %.0f MiB, %.0f goroutines, %.0f files", r, s.heap, p.memory(t), s.goroutines, s.files)
	}
	if failed > 0 {
		t.Errorf("%d requests were not answered well", failed)
	}
	begin, end := samples[:soakSamples/3], samples[2*soakSamples/3:]
	grown := func(what string, of func(sample) float64, allowed float64) {
		middle := func(all []sample) float64 {
			var values []float64
			for _, s := range all {
				values = append(values, of(s))
			}
			return median(values)
		}
		before, after := middle(begin), middle(end)
		if after > before+allowed {
			t.Errorf("%s grew from %.1f to %.1f; go tool pprof -top -diff_base artifacts/soak-begin.pb.gz artifacts/soak-end.pb.gz says by what", what, before, after)
		}
	}
	grown("what lives in memory (MiB)", func(s sample) float64 { return s.heap }, growsMiB)
	grown("goroutines", func(s sample) float64 { return s.goroutines }, growsOthers)
	grown("open files", func(s sample) float64 { return s.files }, growsOthers)
}

// fill sends requests of a kind until so many are answered well.
func (p *program) fill(t *testing.T, kind, most int) {
	t.Helper()
	for done := 0; done < most; {
		r := p.drive(t, load{kinds: []int{kind}, callers: 32, lasts: 5 * time.Second})
		if len(r.took[kind]) == 0 {
			t.Fatalf("no %s is answered well: %v", kindNames[kind], r)
		}
		done += len(r.took[kind])
	}
}

// profile keeps what lives in memory now, for go tool pprof.
func (p *program) profile(t *testing.T, name string) {
	t.Helper()
	const folder = "../../artifacts"
	_, text := p.get("http://" + p.admin + "/debug/pprof/heap?gc=1")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
