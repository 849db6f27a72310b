package testenv

import (
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Processor returns how long this process has kept processors busy: unlike the
// time that passed, it depends little on what else they do.
func Processor(tb testing.TB) time.Duration {
	tb.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// Resident returns this process's resident memory in bytes, 0 where the system
// does not tell.
func Resident() float64 {
	var size, pages float64
	status, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, err = fmt.Sscan(string(status), &size, &pages)
	}
	if err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize())
}
