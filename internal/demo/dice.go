package demo

import (
	"math"
	"math/rand/v2"
	"strconv"
)

// dice decide everything that is left to chance.
type dice struct{ r *rand.Rand }

func newDice(seed uint64) dice {
	return dice{rand.New(rand.NewPCG(seed, 0x64656d6f))} //nolint:gosec // a story must be the same each time, and protects nothing
}

// chance is true so often: 0.25 is one time in four.
func (d dice) chance(p float64) bool { return d.r.Float64() < p }

// between returns a number from low to high, both among them.
func (d dice) between(low, high int64) int64 { return low + d.r.Int64N(high-low+1) }

// pick returns one of choices, each as often as its weight says.
func pick[T any](d dice, choices []weighted[T]) T {
	sum := 0
	for _, c := range choices {
		sum += c.weight
	}
	n := d.r.IntN(sum)
	for _, c := range choices {
		if n -= c.weight; n < 0 {
			return c.value
		}
	}
	return choices[0].value
}

type weighted[T any] struct {
	value  T
	weight int
}

// one returns one of choices, all as often.
func one[T any](d dice, choices []T) T { return choices[d.r.IntN(len(choices))] }

// times returns how often something happens that is expected so often: Poisson's
// distribution, and the normal one near it where it is the same.
func (d dice) times(expected float64) int64 {
	if expected > 60 {
		return max(0, int64(math.Round(expected+d.r.NormFloat64()*math.Sqrt(expected))))
	}
	limit, product, n := math.Exp(-expected), d.r.Float64(), int64(0)
	for product > limit {
		product *= d.r.Float64()
		n++
	}
	return n
}

// id returns an id of Stripe's form that no other story has.
func (d dice) id(prefix string) string {
	const letters = 11 // of base 36, below 2⁶³
	text := strconv.FormatUint(d.r.Uint64(), 36)
	for len(text) < letters {
		text += "0"
	}
	return prefix + "_demo" + text[:letters]
}
