package world

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A Move names what moved monthly recurring revenue: on a day, or in a month
// among the memberships that began in another.
type Move struct {
	Period   string // 2026-01-31 or 2026-01
	Cohort   string // 2026-01; empty beside a day
	Kind     string // new, expansion, contraction, churned or reactivated
	Currency string
}

// Moved is by how many memberships, and by how many minor units a month.
type Moved struct{ Members, Monthly int64 }

// A standing is what the story decided a membership to be when it was told.
type standing struct {
	at       int64
	status   string
	paused   bool
	monthly  int64
	currency string
}

func (s standing) owes() bool { return s.status == "past_due" && !s.paused }

// note keeps what the membership is at a moment.
func (m *member) note(at int64) {
	monthly := m.price.amount
	if m.interval == "year" {
		monthly = (monthly + 6) / 12
	}
	m.standings = append(m.standings, standing{at, m.status, m.paused, monthly, strings.ToUpper(m.price.currency)})
}

// worth is what a membership is worth from a moment on: nothing in no currency.
type worth struct {
	at       int64
	monthly  int64
	currency string
}

// worths follows the standings. Who owes is worth as much for a grace from the
// moment they came to owe, and who still does at the end for one from their
// oldest open invoice.
func (m *member) worths() []worth {
	var all []worth
	owes := int64(0)
	grace := int64(Grace / time.Second)
	oldest := End
	for _, created := range m.open {
		oldest = min(oldest, created)
	}
	for i, s := range m.standings {
		if owes != 0 && !s.owes() && s.at > owes+grace {
			all = append(all, worth{at: owes + grace})
		}
		switch {
		case !s.paused && (s.status == "active" || s.status == "trialing"):
			owes = 0
			all = append(all, worth{s.at, s.monthly, s.currency})
		case s.owes():
			owes = cmp.Or(owes, s.at)
			until := owes + grace
			if last := slices.IndexFunc(m.standings[i:], func(s standing) bool { return !s.owes() }) < 0; last {
				until = max(owes, oldest+grace)
			}
			if s.at < until {
				all = append(all, worth{s.at, s.monthly, s.currency})
			}
			if i == len(m.standings)-1 {
				all = append(all, worth{at: until})
			}
		default:
			owes = 0
			all = append(all, worth{at: s.at})
		}
	}
	return all
}

// moves adds up what moved.
func moves(members []*member) map[Move]Moved {
	sums := map[Move]Moved{}
	for _, m := range members {
		slices.SortStableFunc(m.standings, func(a, b standing) int { return cmp.Compare(a.at, b.at) })
		cohort := ""
		had := worth{}
		for _, w := range m.worths() {
			add := func(kind, currency string, people, monthly int64) {
				for _, move := range []Move{{Day(w.at), "", kind, currency}, {Day(w.at)[:7], cohort, kind, currency}} {
					sums[move] = Moved{sums[move].Members + people, sums[move].Monthly + monthly}
				}
			}
			switch {
			case had.currency == "" && w.currency != "" && cohort == "":
				cohort = Day(w.at)[:7]
				add("new", w.currency, 1, w.monthly)
			case had.currency == "" && w.currency != "":
				add("reactivated", w.currency, 1, w.monthly)
			case had.currency != "" && w.currency == "":
				add("churned", had.currency, -1, -had.monthly)
			case w.monthly > had.monthly:
				add("expansion", w.currency, 0, w.monthly-had.monthly)
			case w.monthly < had.monthly:
				add("contraction", w.currency, 0, w.monthly-had.monthly)
			}
			had = w
		}
	}
	for move, by := range sums {
		if by == (Moved{}) {
			delete(sums, move)
		}
	}
	return sums
}
