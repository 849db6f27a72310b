package quarantine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/offer"
)

// From how many on something looks like a thief's.
const (
	fewCards  = 3 // refused on one payment
	oneGiver  = 3 // gifts by one person within an attack, who never gave before
	leastSums = 3 // gifts of the least amount there is
	sameSum   = 5 // gifts of one amount that nobody suggests

	domainRefused = 8  // payments from addresses of one mail domain that were refused
	domainShare   = 75 // percent of all its payments, which a large provider hardly reaches
)

// What was refused around an attack.
type refusals struct {
	cards    map[string]int // by PaymentIntent
	payments map[string]int // by mail domain; each PaymentIntent once
}

// domainOf returns the domain of an address, "" where it has none.
func domainOf(email string) string {
	_, domain, _ := strings.Cut(strings.ToLower(email), "@")
	return domain
}

// A sum is an amount as the checkout offers it.
type sum struct {
	currency string
	interval giving.Interval
	minor    int64
}

// judge returns why gifts of one attack look like a thief's, by their keys.
// refused says what was refused before; amounts is what is suggested to readers. Who gave before the attack is a reader, unless
// card after card was refused.
func judge(gifts []*giving.Donation, refused refusals, amounts offer.Suggestions) map[string]string {
	newcomers, people, sums, domains := map[string]bool{}, map[string]int{}, map[sum]int{}, map[string]int{}
	for _, d := range gifts {
		people[d.Supporter]++
		sums[sumOf(d)]++
		if refused.cards[d.Key] == 0 { // else it is among the refused
			domains[domainOf(d.Email)]++
		}
		newcomers[d.Supporter] = newcomers[d.Supporter] || d.First
	}
	reasons := map[string]string{}
	for _, d := range gifts {
		if left(d) <= 0 {
			continue
		}
		s := sumOf(d)
		known, suggested := amounts.Get(s.currency, string(s.interval))
		alike, domain := sums[s], domainOf(d.Email)
		bad := refused.payments[domain]
		all := bad + domains[domain]
		switch {
		case refused.cards[d.Key] >= fewCards:
			reasons[d.Key] = fmt.Sprintf("%d cards were refused before one was taken.", refused.cards[d.Key])
		case !newcomers[d.Supporter]:
		case domain != "" && bad >= domainRefused && bad*100 >= domainShare*all:
			reasons[d.Key] = fmt.Sprintf("%d of %d payments from addresses of its mail domain were refused around the attack.", bad, all)
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
