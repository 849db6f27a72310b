package limits

import "sync"

// AtOnce bounds how many requests of one person or program are answered at the
// same time by this process. It is safe for concurrent use.
type AtOnce struct {
	most int

	mu      sync.Mutex
	running map[string]int // of whom some are
}

// NewAtOnce returns a bound of most, which is 1 or more.
func NewAtOnce(most int) *AtOnce { return &AtOnce{most: most, running: map[string]int{}} }

// Enter returns how to tell that a request of who has ended; ok is false where
// as many as may are running.
func (a *AtOnce) Enter(who string) (leave func(), ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running[who] >= a.most {
		return nil, false
	}
	a.running[who]++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.running[who]--; a.running[who] == 0 {
			delete(a.running, who)
		}
	}, true
}
