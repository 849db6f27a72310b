package reports

import (
	"math"
	"testing"
)

// TestRateOf compares Wilson's interval with published values: Newcombe 1998,
// table I, method 3 (81 of 263, 15 of 148, 0 of 20, 1 of 29).
func TestRateOf(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		of, n int64
		want  Rate
	}{
		"81 of 263":        {81, 263, Rate{307985, 255300, 366200}},
		"15 of 148":        {15, 148, Rate{101351, 62400, 160500}},
		"none of 20":       {0, 20, Rate{0, 0, 161100}},
		"1 of 29":          {1, 29, Rate{34483, 6100, 171800}},
		"nothing seen":     {3, 0, Rate{0, 0, 1_000_000}},
		"more than seen":   {5, 4, Rate{1_000_000, 510100, 1_000_000}},
		"never below none": {-2, 20, Rate{0, 0, 161100}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := rateOf(tt.of, tt.n)
			for _, pair := range [][2]int64{{got.Value, tt.want.Value}, {got.Low, tt.want.Low}, {got.High, tt.want.High}} {
				if diff := pair[0] - pair[1]; diff < -60 || diff > 60 { // published to four digits
					t.Errorf("rateOf(%d, %d) = %+v, want %+v", tt.of, tt.n, got, tt.want)
				}
			}
		})
	}
}

// TestBest compares with the exact probability that one Beta variable exceeds
// another, which for whole numbers is a finite sum.
func TestBest(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]trial{
		{{0, 0}, {0, 0}}, {{1, 10}, {2, 10}}, {{0, 50}, {3, 40}}, {{120, 10_000}, {150, 10_100}}, {{5, 5}, {0, 5}},
		{{2000, 1_000_000}, {2100, 1_000_000}},
	} {
		got := best(pair[:])
		want := exceeds(pair[1], pair[0])
		if math.Abs(float64(got[1])/millionths-want) > 2e-6 {
			t.Errorf("%v: the second is better with %d millionths, want %f", pair, got[1], want)
		}
		if sum := got[0] + got[1]; sum < millionths-2 || sum > millionths+2 {
			t.Errorf("%v: %v are not all", pair, got)
		}
	}
	three := best([]trial{{10, 100}, {10, 100}, {10, 100}})
	for _, one := range three {
		if one < 333331 || one > 333336 {
			t.Errorf("three alike: %v", three)
		}
	}
}

// exceeds returns the probability that a's share is above b's: the sum over i
// below a's first shape of B(ib+i, ...)/..., after Evan Miller.
func exceeds(a, b trial) float64 {
	a1, a2 := float64(a.won)+1, float64(a.seen-a.won)+1
	b1, b2 := float64(b.won)+1, float64(b.seen-b.won)+1
	sum := 0.0
	for i := 0.0; i < a1; i++ {
		sum += math.Exp(logBeta(b1+i, b2+a2) - math.Log(a2+i) - logBeta(1+i, a2) - logBeta(b1, b2))
	}
	return sum
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	control, better := Funnel{Key: "a", Seen: 10_000, Kept: 60}, Funnel{Key: "b", Seen: 10_000, Kept: 110}
	tests := map[string]struct {
		found []Funnel
		days  int64
		want  Verdict
		best  string
	}{
		"a clear winner":        {[]Funnel{control, better}, 14, HasWinner, "b"},
		"not a week yet":        {[]Funnel{control, better}, 6, TooEarly, "b"},
		"too few gifts":         {[]Funnel{{Key: "a", Seen: 500, Kept: 1}, {Key: "b", Seen: 500, Kept: 20}}, 14, TooEarly, "b"},
		"too close to say":      {[]Funnel{{Key: "a", Seen: 10_000, Kept: 100}, {Key: "b", Seen: 10_000, Kept: 104}}, 14, GoOn, "b"},
		"nobody saw any":        {[]Funnel{{Key: "a"}, {Key: "b"}}, 14, TooEarly, ""},
		"no variants":           {nil, 14, TooEarly, ""},
		"the first is the best": {[]Funnel{better, control}, 14, HasWinner, "b"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := outcomeOf(tt.found, tt.days)
			if got.Verdict != tt.want || got.Best != tt.best {
				t.Errorf("outcomeOf = %s, %q; want %s, %q", got.Verdict, got.Best, tt.want, tt.best)
			}
		})
	}
	if out := outcomeOf([]Funnel{control, better}, 14); out.Variants[1].Better < 999_000 || !out.Variants[0].Hopeless {
		t.Errorf("%+v", out)
	}
}
