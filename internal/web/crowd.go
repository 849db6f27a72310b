package web

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// A crowd keeps a server's connections bounded without keeping anybody out:
// where one too many comes, the one that has been silent for longest goes. So
// connections that only stay open cost memory up to a bound, and never a
// reader's or Stripe's place. Those that are being answered are left alone.
type crowd struct {
	most int

	mu     sync.Mutex
	open   int
	silent *list.List // connections on which nothing is asked, the longest silent first
	at     map[net.Conn]*list.Element
}

func newCrowd(most int) *crowd {
	return &crowd{most: most, silent: list.New(), at: map[net.Conn]*list.Element{}}
}

// state is told how connections change: see [http.Server.ConnState].
func (c *crowd) state(conn net.Conn, state http.ConnState) {
	if gone := c.note(conn, state); gone != nil {
		_ = gone.Close() // the server notices, and tells of it here
	}
}

// note notes a change and returns a connection to close, nil for none.
func (c *crowd) note(conn net.Conn, state http.ConnState) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.open++
		c.at[conn] = c.silent.PushBack(conn)
		if c.open > c.most {
			oldest := c.silent.Front().Value.(net.Conn)
			c.speaks(oldest) // it is not closed twice
			return oldest
		}
	case http.StateIdle:
		c.at[conn] = c.silent.PushBack(conn)
	case http.StateActive:
		c.speaks(conn)
	case http.StateClosed, http.StateHijacked:
		c.open--
		c.speaks(conn)
	}
	return nil
}

// speaks takes a connection out of the silent ones.
func (c *crowd) speaks(conn net.Conn) {
	if at := c.at[conn]; at != nil {
		c.silent.Remove(at)
		delete(c.at, conn)
	}
}
