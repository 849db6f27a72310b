package reports

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// A Rate is a share with the interval it lies in, 95 times of 100, in millionths.
type Rate struct{ Value, Low, High int64 }

// millionths are how many make a whole: 12345 of them are 12.345 per thousand.
const millionths = 1_000_000

// z95 is how many standard deviations hold 95 of 100 cases.
const z95 = 1.959963984540054

// rateOf returns how many of n there were, with Wilson's interval, which is
// right for few and for none. Where nothing is known it is 0 to 1; where more
// happened than was seen (a plain link is never seen) all of it is.
func rateOf(of, n int64) Rate {
	if n <= 0 {
		return Rate{0, 0, millionths}
	}
	of = min(max(of, 0), n)
	count, p := float64(n), float64(of)/float64(n)
	z2 := z95 * z95
	middle := (p + z2/(2*count)) / (1 + z2/count)
	half := z95 / (1 + z2/count) * math.Sqrt(p*(1-p)/count+z2/(4*count*count))
	return Rate{inMillionths(p), inMillionths(middle - half), inMillionths(middle + half)}
}

func inMillionths(share float64) int64 {
	return int64(math.Round(min(max(share, 0), 1) * millionths))
}

// A trial is what became of the readers who were shown a variant.
type trial struct{ won, seen int64 }

// best returns for each variant the probability, in millionths, that it wins
// most of its readers: with nothing known before but that every share is as
// likely as any other, the share of a variant that won w of n is distributed as
// Beta(w+1, n−w+1). The integral of one density times the others' distributions
// is taken by Simpson's rule where the density does not vanish.
func best(trials []trial) []int64 {
	all := make([]int64, len(trials))
	for i := range trials {
		all[i] = inMillionths(beats(trials, i))
	}
	return all
}

func beats(trials []trial, i int) float64 {
	if len(trials) < 2 {
		return 1
	}
	shapes := make([][2]float64, len(trials))
	for j, t := range trials {
		won := min(max(t.won, 0), max(t.seen, 0))
		shapes[j] = [2]float64{float64(won) + 1, float64(max(t.seen, 0)-won) + 1}
	}
	a, b := shapes[i][0], shapes[i][1]
	mean := a / (a + b)
	spread := math.Sqrt(a * b / ((a + b) * (a + b) * (a + b + 1)))
	low, high := max(mean-12*spread, 0), min(mean+12*spread, 1)
	const steps = 2000 // even, as Simpson's rule wants it
	norm := logBeta(a, b)
	at := func(x float64) float64 {
		density := math.Exp(times(a-1, math.Log(x)) + times(b-1, math.Log1p(-x)) - norm)
		for j, s := range shapes {
			if j != i && density > 0 {
				density *= mathext.RegIncBeta(s[0], s[1], x)
			}
		}
		return density
	}
	width := (high - low) / steps
	sum := at(low) + at(high)
	for k := 1; k < steps; k++ {
		weight := 2.0
		if k%2 == 1 {
			weight = 4
		}
		sum += weight * at(low+float64(k)*width)
	}
	return sum * width / 3
}

// times is a product in which nothing of infinity is nothing.
func times(n, log float64) float64 {
	if n == 0 {
		return 0
	}
	return n * log
}

func logBeta(a, b float64) float64 {
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	return la + lb - lab
}
