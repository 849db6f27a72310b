package bench

import (
	"flag"
	"testing"
)

var soakTime = flag.Duration("soak", 0, "how long the soak lasts; make soak gives it an hour")

// Limits of what may grow in a soak.
const (
	soakSamples  = 30
	soakRate     = 500 // requests a second
	growsMiB     = 8
	growsPercent = 10
	growsOthers  = 10 // goroutines, and files
)

// TestSoak drives a busy news day for long, and holds what lives in memory,
// goroutines and open files to what they were when the day had begun.
func TestSoak(t *testing.T) {
	if *soakTime == 0 {
		t.Skip("a soak is asked for by -soak=1h")
	}
	p := startProgram(t)
	type sample struct{ heap, goroutines, files float64 }
	var samples []sample
	failed := 0
	for range soakSamples {
		r := p.drive(t, load{kinds: mix(), callers: 32, rate: soakRate, lasts: *soakTime / soakSamples})
		for _, n := range r.failed {
			failed += n
		}
		s := sample{p.heap(t), p.metric(t, "go_goroutines"), p.metric(t, "process_open_fds")}
		samples = append(samples, s)
		t.Logf("%v; alive %.1f MiB, in memory %.0f MiB, %.0f goroutines, %.0f files", r, s.heap, p.memory(t), s.goroutines, s.files)
	}
	if failed > 0 {
		t.Errorf("%d requests were not answered well", failed)
	}
	// The first third fills caches and what limits remember.
	begin, end := samples[soakSamples/3:2*soakSamples/3], samples[2*soakSamples/3:]
	grown := func(what string, of func(sample) float64, allowed func(before float64) float64) {
		middle := func(all []sample) float64 {
			var values []float64
			for _, s := range all {
				values = append(values, of(s))
			}
			return median(values)
		}
		before, after := middle(begin), middle(end)
		if after > before+allowed(before) {
			t.Errorf("%s grew from %.1f to %.1f", what, before, after)
		}
	}
	grown("what lives in memory (MiB)", func(s sample) float64 { return s.heap }, func(before float64) float64 { return growsMiB + before*growsPercent/100 })
	few := func(float64) float64 { return growsOthers }
	grown("goroutines", func(s sample) float64 { return s.goroutines }, few)
	grown("open files", func(s sample) float64 { return s.files }, few)
}
