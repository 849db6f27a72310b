package world

import "math/rand/v2"

// A Tape drives one history: every decision takes the next number. A zero, and
// the end of the tape, stand for the simplest choice, so a shorter tape or one
// with more zeros plays a simpler history: that is what a shrinking property
// test makes of it.
type Tape []uint32

// Seeded returns a tape of n numbers. A shorter one of the same seed begins
// with the same numbers.
func Seeded(seed uint64, n int) Tape {
	r := rand.New(rand.NewPCG(seed, 0))
	t := make(Tape, n)
	for i := range t {
		t[i] = r.Uint32()
	}
	return t
}

// roll takes the next number: 0 for the simplest choice, else below sides.
func (t *Tape) roll(sides int) int {
	if len(*t) == 0 || sides < 2 {
		return 0
	}
	x := uint64((*t)[0])
	*t = (*t)[1:]
	if x == 0 {
		return 0
	}
	// Property tests prefer small numbers. Scattered ones choose evenly.
	return int(scatter(x) % uint64(sides)) //nolint:gosec // below sides, an int
}

// one reports true once in n times, and never for a zero.
func (t *Tape) one(n int) bool { return t.roll(n) == n-1 }

// between returns a number from low to high, both included.
func (t *Tape) between(low, high int64) int64 {
	return low + int64(t.roll(int(high-low+1)))
}

// pick returns an index of weights, each as likely as its weight says.
func (t *Tape) pick(weights ...int) int {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	at := t.roll(sum)
	for i, w := range weights {
		if at < w {
			return i
		}
		at -= w
	}
	return 0
}

// choose returns one of the choices, the first for a zero.
func choose[T any](t *Tape, choices ...T) T { return choices[t.roll(len(choices))] }

// scatter is a fixed one-to-one mixing of 64 bits (splitmix64's finisher).
func scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
