package risk

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Limits of tickets.
const (
	ticketLife  = 24 * time.Hour   // a page may be open for a day
	leastDwell  = time.Second      // nobody reads a form and presses in less
	patientTime = 30 * time.Second // after which a reader without scripts may go on while we are attacked
	clockSkew   = 5 * time.Second  // between replicas
	macBytes    = 12
)

// lower is base32 in small letters and digits: tickets are ids of attempts.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Ticket returns a new id for an attempt to give, which says when it was issued
// and that we did: small letters, digits and dots, at most 60 of them. A form
// carries it from the moment it is shown.
func (g *Guard) Ticket() string { return g.ticketAt(g.Now()) }

func (g *Guard) ticketAt(issued time.Time) string {
	text := strconv.FormatInt(issued.Unix(), 36) + "." + strings.ToLower(rand.Text()[:16])
	return text + "." + g.sign(g.Secrets[0], text)
}

func (g *Guard) sign(secret []byte, text string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("ticket\x00" + text)) //nolint:errcheck // a hash takes everything
	return lower.EncodeToString(mac.Sum(nil)[:macBytes])
}

// Knows reports whether a ticket is one of ours that is not too old.
func (g *Guard) Knows(ticket string) bool {
	_, known := g.age(ticket)
	return known
}

// age returns how long ago a ticket was issued; false for one that we did not
// issue, or that is too old.
func (g *Guard) age(ticket string) (time.Duration, bool) {
	cut := strings.LastIndexByte(ticket, '.')
	if cut < 0 {
		return 0, false
	}
	text, mac := ticket[:cut], ticket[cut+1:]
	ours := false
	for _, secret := range g.Secrets {
		ours = hmac.Equal([]byte(mac), []byte(g.sign(secret, text))) || ours
	}
	seconds, _, _ := strings.Cut(text, ".")
	issued, err := strconv.ParseInt(seconds, 36, 64)
	if err != nil || !ours {
		return 0, false
	}
	age := g.Now().Sub(time.Unix(issued, 0))
	return age, age > -clockSkew && age < ticketLife
}

// Proved reports whether work shows that somebody's computer tried long enough
// for a ticket: the SHA-256 of both, joined by a dot, begins with so many zero
// bits. Half of all browsers find one after 2^(zeros-1) tries.
func Proved(ticket, work string, zeros int) bool {
	const longest = 20
	if work == "" || len(work) > longest {
		return false
	}
	sum := sha256.Sum256([]byte(ticket + "." + work))
	found := 0
	for _, b := range sum {
		found += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return found >= zeros
}
