package store

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// seldom counts what anybody may do again and again, by the hour.
type seldom struct {
	mu    sync.Mutex
	hour  int64 // since 1970
	times map[string]int64
}

// next returns how often what key stands for was done in an hour, and whether
// that is to be told: at the first time, the tenth, the hundredth and so on.
func (s *seldom) next(key string, hour int64) (times int64, tell bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if hour != s.hour {
		s.hour, s.times = hour, map[string]int64{}
	}
	s.times[key]++
	times = s.times[key]
	left := times
	for left%10 == 0 {
		left /= 10
	}
	return times, left == 1
}

// AuditSeldom writes an entry about what anybody may repeat, such as a failed
// sign-in: at the first, tenth, hundredth time in an hour of the clock and so
// on, which its detail tells, so that no flood fills the log. What makes such
// an entry (action, subject, detail) is a few words of ours and members of the
// team, never what came from outside. Replicas count for themselves.
func (s *Store) AuditSeldom(ctx context.Context, e Entry) error {
	times, tell := s.seldom.next(e.Action+"\x00"+e.Subject+"\x00"+e.Detail, e.At.Unix()/int64(time.Hour/time.Second))
	if !tell {
		return nil
	}
	if times > 1 {
		e.Detail = fmt.Sprintf("%s: %d times in this hour", e.Detail, times)
	}
	return s.Audit(ctx, e)
}
