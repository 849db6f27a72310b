package objects

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/giving"
)

// A History is what a subscription was seen to be, as text. For each day and
// each thing that it was on it, the first and the last sight of that are kept:
// so it stays small, and joins in any order to the same. A membership that goes
// back and forth more than once within a day loses what was in between; over
// longer, somebody who paid late and was seen again weeks later would be taken
// for one who had left.
type History string

// What a subscription can be, as far as memberships are concerned.
const (
	notYet  = "new"   // its first bill was not paid
	counts  = "live"  // active or on trial
	owing   = "owing" // past due: counts for as long as its grace is
	nothing = "none"  // ended, unpaid or paused
)

const secondsADay = 24 * 60 * 60

// A sight is that a subscription was something, first and last on a day.
type sight struct {
	day             int64 // since 1970, in UTC
	being           string
	amount          int64
	currency        string
	interval        string
	first, last     int64 // seconds since 1970
	firstBy, lastBy By
}

func (s *sight) same(t *sight) bool {
	return s.day == t.day && s.being == t.being && s.amount == t.amount && s.currency == t.currency && s.interval == t.interval
}

func (s *sight) compare(t *sight) int {
	return cmp.Or(cmp.Compare(s.day, t.day), cmp.Compare(s.being, t.being), cmp.Compare(s.amount, t.amount),
		cmp.Compare(s.currency, t.currency), cmp.Compare(s.interval, t.interval))
}

// being returns what a state is for memberships.
func (s *SubState) being() string {
	switch {
	case s.Status == "incomplete", s.Status == "incomplete_expired":
		return notYet
	case s.Paused:
		return nothing
	case s.Status == "active", s.Status == "trialing":
		return counts
	case s.Status == "past_due":
		return owing
	}
	return nothing
}

// sightOf returns what was seen of a subscription at one moment.
func sightOf(at Stamp, s *SubState) sight {
	return sight{
		day: at.At / secondsADay, being: s.being(), amount: s.Amount, currency: s.Currency, interval: s.Interval,
		first: at.At, last: at.At, firstBy: at.By, lastBy: at.By,
	}
}

func historyOf(sights []sight) History {
	var text strings.Builder
	for i, s := range sights {
		if i > 0 {
			text.WriteByte('\n')
		}
		fmt.Fprintf(&text, "%d %s %d %s %s %d %d %d %d", s.day, s.being, s.amount, orDash(s.currency), orDash(s.interval), s.first, s.firstBy, s.last, s.lastBy)
	}
	return History(text.String())
}

// orDash lets an empty word be one.
func orDash(word string) string { return cmp.Or(strings.ReplaceAll(word, " ", "_"), "-") }

func (h History) sights() []sight {
	if h == "" {
		return nil
	}
	var all []sight
	for line := range strings.SplitSeq(string(h), "\n") {
		words := strings.Fields(line)
		if len(words) != 9 {
			panic("objects: a history that can't be read: " + line) // we wrote it
		}
		number := func(i int) int64 {
			n, err := strconv.ParseInt(words[i], 10, 64)
			if err != nil {
				panic("objects: a history that can't be read: " + line)
			}
			return n
		}
		all = append(all, sight{
			number(0), words[1], number(2), words[3], words[4], number(5), number(7), By(number(6)), By(number(8)),
		})
	}
	return all
}

// join adds what other saw.
func (h *History) join(other History) {
	if other == "" || other == *h {
		return
	}
	all := append(h.sights(), other.sights()...)
	slices.SortFunc(all, func(a, b sight) int { return a.compare(&b) })
	joined := all[:1]
	for _, s := range all[1:] {
		last := &joined[len(joined)-1]
		if !last.same(&s) {
			joined = append(joined, s)
			continue
		}
		if cmp.Or(cmp.Compare(s.first, last.first), cmp.Compare(s.firstBy, last.firstBy)) < 0 {
			last.first, last.firstBy = s.first, s.firstBy
		}
		if cmp.Or(cmp.Compare(s.last, last.last), cmp.Compare(s.lastBy, last.lastBy)) > 0 {
			last.last, last.lastBy = s.last, s.lastBy
		}
	}
	*h = historyOf(joined)
}

// A glance is one end of a sight.
type glance struct {
	at int64
	by By
	*sight
}

// glances returns what a subscription was seen to be, in the order of time, up
// to its state as it is known last.
func (s *Subscription) glances() []glance {
	end := s.State.At
	if ended := s.State.Value.Ended; ended != 0 {
		end = min(end, ended)
	}
	var all []glance
	for _, one := range s.History.sights() {
		all = append(all, glance{one.first, one.firstBy, &one}, glance{one.last, one.lastBy, &one})
	}
	all = slices.DeleteFunc(all, func(g glance) bool { return g.at >= end })
	slices.SortStableFunc(all, func(a, b glance) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	last := sightOf(s.State.Stamp, &s.State.Value)
	return append(all, glance{at: end, sight: &last})
}

// steps returns what a membership was worth when. Before it was first seen it
// was what it was then; a past-due one counts until its grace (seconds) is over,
// which for one that is past due now is at until.
func (s *Subscription) steps(grace, until int64) giving.Steps {
	var steps []giving.Step
	all := s.glances()
	over := int64(0) // when the grace of who owes ends; 0 while nobody does
	for i, g := range all {
		at := g.at
		if i == 0 && g.being != notYet {
			// It was so from the beginning; of what ended, only the end is known.
			steps = append(steps, worth(s.Created, g.sight))
		}
		if over != 0 && at > over {
			steps = append(steps, giving.Step{At: over})
		}
		switch g.being {
		case counts:
			over = 0
			steps = append(steps, worth(at, g.sight))
		case owing:
			if over == 0 {
				over = at + grace
				if still(all[i:]) {
					over = max(at, until)
				}
			}
			if at < over {
				steps = append(steps, worth(at, g.sight))
			}
		default:
			over = 0
			steps = append(steps, giving.Step{At: at})
		}
	}
	if over != 0 {
		steps = append(steps, giving.Step{At: over})
	}
	return giving.StepsOf(steps)
}

// still reports whether it owes in all of these.
func still(all []glance) bool {
	return !slices.ContainsFunc(all, func(g glance) bool { return g.being != owing })
}

func worth(at int64, s *sight) giving.Step {
	return giving.Step{At: at, Live: true, Currency: upper(s.currency), Monthly: giving.Monthly(s.amount, giving.Interval(s.interval))}
}
