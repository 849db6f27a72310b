package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/united24media/support/internal/store"
)

// Times of a database that is away.
const (
	tellEvery = time.Minute     // how often it is told
	askEvery  = 2 * time.Second // how often it is asked whether it is back
	askTime   = 2 * time.Second // how long that may take
)

// A calm is a log in which a database that is away is told once when it goes,
// once a minute while it is away and once when it is back, however many parts
// of the program meet it. Everything else passes.
type calm struct {
	slog.Handler
	*outage
}

// An outage is whether the database is away, shared by all loggers of a calm.
type outage struct {
	now  func() time.Time
	mu   sync.Mutex
	away bool
	told time.Time
}

func newCalm(h slog.Handler, now func() time.Time) calm { return calm{h, &outage{now: now}} }

// Handle implements [slog.Handler].
func (c calm) Handle(ctx context.Context, r slog.Record) error {
	var cause error
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			cause = err
		}
		return cause == nil
	})
	if cause == nil || !c.comesFrom(cause) {
		return c.Handler.Handle(ctx, r)
	}
	if !c.due() {
		return nil
	}
	told := slog.NewRecord(r.Time, slog.LevelError, "the database does not answer; what needs it waits, and this is told once a minute", r.PC)
	told.AddAttrs(slog.String("noticed", r.Message), slog.Any("err", cause))
	return c.Handler.Handle(ctx, told)
}

// WithAttrs implements [slog.Handler].
func (c calm) WithAttrs(attrs []slog.Attr) slog.Handler {
	return calm{c.Handler.WithAttrs(attrs), c.outage}
}

// WithGroup implements [slog.Handler].
func (c calm) WithGroup(name string) slog.Handler { return calm{c.Handler.WithGroup(name), c.outage} }

// comesFrom reports whether the database's absence is behind err. What took
// too long while it is away did so because of it.
func (o *outage) comesFrom(err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return store.Away(err) || o.away && errors.Is(err, context.DeadlineExceeded)
}

// due notes that the database is away, and reports whether to tell it now.
func (o *outage) due() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if o.away && now.Sub(o.told) < tellEvery {
		return false
	}
	o.away, o.told = true, now
	return true
}

// watch tells when a database that was away answers again, until ctx ends.
func (c calm) watch(ctx context.Context, ping func(context.Context) error) error {
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			c.look(ctx, ping)
		}
	}
}

// look asks a database that was away whether it is back.
func (c calm) look(ctx context.Context, ping func(context.Context) error) {
	c.mu.Lock()
	away := c.away
	c.mu.Unlock()
	if !away {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if ping(ctx) != nil {
		return
	}
	c.mu.Lock()
	c.away = false
	c.mu.Unlock()
	slog.New(c.Handler).InfoContext(ctx, "the database answers again")
}
