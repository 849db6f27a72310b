package counts

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	bellChannel = prefix + "moved"
	bellGap     = 20 * time.Millisecond // between two bells: what moves meanwhile is told by one
	bellTimeout = time.Second
)

// ringLoop tells other processes that there is a new revision. A bell that is
// lost costs them [refreshEvery] at most.
func (c *Counts) ringLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.toRing:
		}
		c.mu.Lock()
		revision := c.state.ring
		c.state.ring = 0
		c.mu.Unlock()
		if revision > 0 {
			limited, cancel := context.WithTimeout(ctx, bellTimeout)
			err := c.redis.Publish(limited, bellChannel, c.id+" "+strconv.FormatInt(revision, 10)).Err()
			cancel()
			c.bell.report(ctx, err)
		}
		if !pause(ctx, bellGap) {
			return
		}
	}
}

// listenLoop hears other processes' bells and asks the database then. Its
// connection is made again whenever it breaks.
func (c *Counts) listenLoop(ctx context.Context) {
	sub := c.redis.Subscribe(ctx, bellChannel)
	defer sub.Close()
	heard := sub.ChannelWithSubscriptions()
	for {
		select {
		case <-ctx.Done():
			return
		case m, ok := <-heard:
			if !ok {
				return
			}
			switch m := m.(type) {
			case *redis.Subscription: // connected: what rang before was not heard
				wish(c.toRefresh)
			case *redis.Message:
				c.hear(m.Payload)
			}
		}
	}
}

// hear takes one bell: who rang, and the newest revision there is. What it
// says is only a reason to ask.
func (c *Counts) hear(bell string) {
	who, text, _ := strings.Cut(bell, " ")
	revision, err := strconv.ParseInt(text, 10, 64)
	if err != nil || who == c.id {
		return
	}
	c.bells.Add(1)
	c.mu.Lock()
	known := revision <= c.state.cursor
	c.mu.Unlock()
	if !known {
		wish(c.toRefresh)
	}
}
