package sandbox

import (
	crand "crypto/rand"
	"encoding/binary"
	"math/rand/v2"
)

const (
	idLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	idLength  = 24
	// sessionIDLength makes a session's id as long as Stripe's, 66 characters,
	// so that no column or address is too short for the real ones.
	sessionIDLength = 58
)

// newRandom returns a source that repeats itself for a seed other than 0.
func newRandom(seed uint64) *rand.Rand {
	var key [32]byte
	if seed == 0 {
		crand.Read(key[:]) // never fails: crypto/rand ends the process instead
	} else {
		binary.LittleEndian.PutUint64(key[:], seed)
	}
	return rand.New(rand.NewChaCha8(key))
}

func randomText(r *rand.Rand, length int) string {
	b := make([]byte, length)
	for i := range b {
		b[i] = idLetters[r.IntN(len(idLetters))]
	}
	return string(b)
}

// newID returns an id of k that is not taken; with a seed, a restart would
// otherwise begin with the ids of the first run.
func (s *Sandbox) newID(k kind) string {
	length := idLength
	if k == kindSession {
		length = sessionIDLength
	}
	for {
		id := prefixOf(k) + randomText(s.random, length)
		if s.st.get(k, id) == nil {
			return id
		}
	}
}
