package quarantine

import (
	"fmt"
	"slices"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/offer"
)

// From how many on something looks like a thief's.
const (
	fewCards  = 3 // refused on one payment
	oneGiver  = 3 // gifts by one person within an attack, who never gave before
	leastSums = 3 // gifts of the least amount there is
	sameSum   = 5 // gifts of one amount that nobody suggests
)

// A sum is an amount as the checkout offers it.
type sum struct {
	currency string
	interval giving.Interval
	minor    int64
}

// judge returns why gifts of one attack look like a thief's, by their keys.
// tries says how many cards were refused before, by the same keys; amounts is
// what is suggested to readers. Who gave before the attack is a reader, unless
// card after card was refused.
func judge(gifts []*giving.Donation, tries map[string]int, amounts offer.Suggestions) map[string]string {
	newcomers, people, sums := map[string]bool{}, map[string]int{}, map[sum]int{}
	for _, d := range gifts {
		people[d.Supporter]++
		sums[sumOf(d)]++
		newcomers[d.Supporter] = newcomers[d.Supporter] || d.First
	}
	reasons := map[string]string{}
	for _, d := range gifts {
		if left(d) <= 0 {
			continue
		}
		s := sumOf(d)
		known, suggested := amounts.Get(s.currency, string(s.interval))
		alike := sums[s]
		switch {
		case tries[d.Key] >= fewCards:
			reasons[d.Key] = fmt.Sprintf("%d cards were refused before one was taken.", tries[d.Key])
		case !newcomers[d.Supporter]:
		case people[d.Supporter] >= oneGiver:
			reasons[d.Key] = fmt.Sprintf("Somebody who never gave before gave %d times around the attack.", people[d.Supporter])
		case suggested && s.minor == known.Min && alike >= leastSums:
			reasons[d.Key] = fmt.Sprintf("%d gifts of the least amount there is came around the attack.", alike)
		case suggested && !slices.Contains(known.Amounts, s.minor) && alike >= sameSum:
			reasons[d.Key] = fmt.Sprintf("%d gifts of exactly this amount, which nobody suggests, came around the attack.", alike)
		}
	}
	return reasons
}

func sumOf(d *giving.Donation) sum { return sum{d.Currency, d.Interval, d.Gross} }
