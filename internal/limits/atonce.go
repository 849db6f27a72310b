package limits

import (
	"sync"

	"github.com/united24media/support/internal/fault"
)

// AtOnce bounds how many requests of one person or program are answered at the
// same time by this process. It is safe for concurrent use.
type AtOnce struct {
	most int

	mu      sync.Mutex
	running map[string]int // of whom some are
}

// NewAtOnce returns a bound of most, which is 1 or more.
func NewAtOnce(most int) *AtOnce { return &AtOnce{most: most, running: map[string]int{}} }

// retryAtOnce is when to ask again where too many run, in seconds.
const retryAtOnce = 5

// Enter returns how to tell that a request of who has ended, or a
// [fault.Limited] where as many as may are running.
func (a *AtOnce) Enter(who string) (leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running[who] >= a.most {
		limited := fault.New(fault.Limited, "You ask for too much at once: wait until what you asked for before has come.")
		limited.RetryAfter = retryAtOnce
		return nil, limited
	}
	a.running[who]++
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.running[who]--; a.running[who] == 0 {
			delete(a.running, who)
		}
	}, nil
}
