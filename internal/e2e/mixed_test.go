package e2e

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// mixesOfTheTable is the seed of the mixes in docs/reliability.md.
const mixesOfTheTable = 7

// A mixable is a fault that may be there with others: it disturbs one part, and
// its injection needs none of them.
type mixable struct {
	part  string
	fault string // its name
	stops bool   // no delivery is answered with 200 while it lasts
}

var mixables = []mixable{
	{"a replica", "one replica gone, and started again", false},
	{"PostgreSQL", "PostgreSQL restarted, fast", true},
	{"PostgreSQL", "PostgreSQL restarted, immediate", true},
	{"PostgreSQL", "PostgreSQL's power cut", true},
	{"PostgreSQL", "PostgreSQL hangs", true},
	{"PostgreSQL", "failover to a synchronous standby", true},
	{"PostgreSQL", "no way to PostgreSQL", true},
	{"PostgreSQL", "PostgreSQL is 100 ms away", false},
	{"Redis", "Redis gone", false},
	{"Redis", "what is sent to Redis vanishes", false},
	{"Redis", "Redis is 300 ms away", false},
	{"Redis", "Redis read-only", false},
	{"Stripe", "Stripe's API says 500 to nine of ten calls", false},
	{"Stripe", "Stripe delivers late, doubled, out of order, and under two ids", false},
	{"Stripe", "one delivery in three never arrives", false},
	{"the way to Stripe", "no way to Stripe's API", false},
}

// tabled are the faults of docs/reliability.md.
func tabled() []fault {
	return slices.Concat(faults, pointFaults, clockFaults, splitFaults, []fault{
		mix("one replica gone, and started again", "what is sent to Redis vanishes", "Stripe delivers late, doubled, out of order, and under two ids"),
		mix("one delivery in three never arrives", "PostgreSQL restarted, immediate"),
		mix("one replica gone, and started again", "failover to a synchronous standby"),
	}, mixes(mixesOfTheTable, 3))
}

// mixes returns as many mixes as are asked for, which a seed chooses: two or
// three faults, each of another part.
func mixes(seed uint64, n int) []fault {
	var all []fault
	random := rand.New(rand.NewPCG(seed, 0))
	for range n {
		var names, parts []string
		for want := 2 + random.IntN(2); len(names) < want; {
			if one := mixables[random.IntN(len(mixables))]; !slices.Contains(parts, one.part) {
				names, parts = append(names, one.fault), append(parts, one.part)
			}
		}
		all = append(all, mix(names...))
	}
	return all
}

// mix returns a fault that is several at once.
func mix(names ...string) fault {
	var passing, stopping []fault
	for _, one := range mixables {
		if slices.Contains(names, one.fault) {
			f := faults[slices.IndexFunc(faults, func(f fault) bool { return f.name == one.fault })]
			if one.stops {
				stopping = append(stopping, f)
			} else {
				passing = append(passing, f)
			}
		}
	}
	all := slices.Concat(passing, stopping)
	felt := answered(2 * warm)
	if len(stopping) > 0 {
		felt = refused(10)
	}
	return fault{
		name: "at once: " + strings.Join(names, "; "),
		on: func(r *trial) {
			for _, f := range all {
				if f.on != nil {
					f.on(r)
				}
			}
		},
		inject: func(r *trial) {
			for _, f := range passing {
				f.inject(r)
			}
			r.after(warm)
			for _, f := range stopping {
				f.inject(r)
			}
		},
		felt: felt,
		heal: func(r *trial) {
			for _, f := range slices.Backward(all) {
				f.heal(r)
			}
		},
	}
}
