package e2e

import (
	bits "encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stepping is a build whose time.Now is that many seconds off that a file says,
// all over the program and whatever it is made of: Go's own package time is
// replaced. As on a machine whose clock is set, the time of the day steps, and
// durations, timers and deadlines do not.
func stepping(t *testing.T) string {
	t.Helper()
	return steppingFiles(t).once(t, "stepping")
}

func steppingFiles(t *testing.T) replaced {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	goTime := filepath.Join(strings.TrimSpace(string(root)), "src/time")
	r := replaced{filepath.Join(goTime, "step.go"): stepped}
	r.editAt(t, filepath.Join(goTime, "time.go"), "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n",
		"func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n\tsec += stepped()\n")
	return r
}

const stepped = `package time

import (
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

var step = sync.OnceValue(func() *int64 {
	name, _ := syscall.Getenv("STEPPED_CLOCK")
	if name == "" {
		return new(int64)
	}
	fd, err := syscall.Open(name, syscall.O_RDONLY, 0)
	if err != nil {
		panic("STEPPED_CLOCK: " + err.Error())
	}
	page, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("STEPPED_CLOCK: " + err.Error())
	}
	return (*int64)(unsafe.Pointer(&page[0]))
})

func stepped() int64 { return atomic.LoadInt64(step()) }
`

// withClocks gives each replica a clock that can be set.
func withClocks(r *trial) {
	r.build, r.own = stepping(r.t), map[int][]string{}
	for i := range r.replicas {
		r.clocks = append(r.clocks, filepath.Join(r.t.TempDir(), "clock"))
		r.setClock(i, 0)
		r.own[i] = []string{"STEPPED_CLOCK=" + r.clocks[i]}
	}
}

// setClock sets a replica's clock so far off the right time.
func (r *trial) setClock(replica int, off time.Duration) {
	r.t.Helper()
	file, err := os.OpenFile(r.clocks[replica], os.O_CREATE|os.O_WRONLY, 0o600)
	r.must(err)
	defer file.Close()
	_, err = file.WriteAt(bits.NativeEndian.AppendUint64(nil, uint64(int64(off.Seconds()))), 0)
	r.must(err)
}

func clocksStep(off ...time.Duration) func(*trial) {
	return func(r *trial) {
		for _, to := range off {
			for i := range r.clocks {
				r.setClock(i, to)
			}
			r.after(warm)
		}
	}
}

// What was put off by a clock that was ahead waits until the clock is there
// again: so these end ahead.
var clockFaults = []fault{
	{
		name:   "our clocks step four minutes back, ahead, and back again",
		on:     withClocks,
		inject: clocksStep(-4*time.Minute, 4*time.Minute, -4*time.Minute),
		heal: func(r *trial) {
			for i := range r.clocks {
				r.setClock(i, 4*time.Minute+30*time.Second)
			}
		},
		within: 20 * time.Second,
	},
	{
		name: "one replica's clock steps an hour back, while the other's is right",
		on:   withClocks,
		inject: func(r *trial) {
			r.after(5)
			r.setClock(0, -time.Hour)
		},
		felt:   func(r *trial) bool { return refused(10)(r) && answered(warm)(r) },
		heal:   func(r *trial) { r.setClock(0, 0) },
		within: 20 * time.Second,
	},
	{
		name:   "our clocks step an hour back, and right again",
		on:     withClocks,
		inject: clocksStepSilently(-time.Hour),
		felt:   refused(20),
		heal:   clocksStepSilently(0),
		within: 20 * time.Second,
	},
}

// clocksStepSilently does not wait: nothing is taken by such a clock.
func clocksStepSilently(off time.Duration) func(*trial) {
	return func(r *trial) {
		for i := range r.clocks {
			r.setClock(i, off)
		}
	}
}
