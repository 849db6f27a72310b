package risk

import (
	"crypto/rand"
	"strings"
	"testing"
)

// FuzzTicket: nothing is taken for a ticket of ours but what we issued.
func FuzzTicket(f *testing.F) {
	c := newClock()
	// Each process that fuzzes has a secret of its own, or would know the
	// tickets with which another began.
	g := newGuard(f, c, func(o *Options) { o.Secrets = [][]byte{[]byte(rand.Text() + rand.Text())} })
	ours := g.Ticket()
	for _, ticket := range []string{ours, ours + "a", "z" + ours, strings.ToUpper(ours), "", ".", "..", "a.b.c", ours[1:], "-" + ours, "0" + ours} {
		f.Add(ticket, "1")
	}
	f.Fuzz(func(t *testing.T, ticket, work string) {
		if g.Knows(ticket) && ticket != ours {
			t.Errorf("%q is taken for a ticket of ours, %q", ticket, ours)
		}
		if Proved(ticket, work, 40) {
			t.Errorf("%q proves a day's work for %q", work, ticket)
		}
	})
}
