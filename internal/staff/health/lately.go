package health

import (
	"context"
	"sync"
	"time"

	"github.com/united24media/support/internal/stripeapi"
)

// Limits of asking Stripe how it is.
const (
	askEvery = 5 * time.Minute
	askTime  = 10 * time.Second
)

// lately knows what Stripe answered lately. Nobody waits for it: who looks
// where that is long ago has it asked anew, and sees the answer next time.
type lately struct {
	ask func(context.Context) (stripeapi.Health, error)
	now func() time.Time

	mu     sync.Mutex
	asking bool
	last   answer
}

// An answer is one of Stripe's, or why there was none.
type answer struct {
	at     time.Time // zero before the first
	health stripeapi.Health
	err    error
}

func (l *lately) look() answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.asking && l.now().Sub(l.last.at) >= askEvery {
		l.asking = true
		go l.refresh()
	}
	return l.last
}

func (l *lately) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	health, err := l.ask(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking, l.last = false, answer{l.now(), health, err}
}
