package limits

import (
	"sync/atomic"
	"time"
)

// A breaker leaves Redis alone for a while after it failed, and then lets one
// caller try. The zero breaker is closed: everybody asks Redis.
type breaker struct {
	until atomic.Int64 // Unix nanoseconds before which nobody tries; 0 while all is well
}

// closed reports whether the caller may ask Redis, and if so expects to hear
// of it by succeeded or failed.
func (b *breaker) closed(now time.Time) bool {
	until := b.until.Load()
	if until == 0 {
		return true
	}
	// Who moves the time on is the one who tries.
	return now.UnixNano() >= until &&
		b.until.CompareAndSwap(until, now.Add(redisPause).UnixNano())
}

// succeeded reports whether Redis had failed before.
func (b *breaker) succeeded() bool { return b.until.Swap(0) != 0 }

// failed reports whether Redis had been well before.
func (b *breaker) failed(now time.Time) bool {
	return b.until.Swap(now.Add(redisPause).UnixNano()) == 0
}
