package giving

import (
	"fmt"
	"strings"
	"time"
)

// A Step is what a membership is worth from an instant on.
type Step struct {
	At       int64  // seconds since 1970
	Live     bool   // counts as a member
	Currency string // upper case; "" where not live
	Monthly  int64  // minor units a month: see [Monthly]
}

// Monthly returns what an amount an interval is a month, in minor units: a year
// is twelve months, a week the twelfth part of 52; halves are rounded up.
func Monthly(amount int64, interval Interval) int64 {
	const months = 12
	times := map[Interval]int64{Month: months, Year: 1, "week": 52, "day": 365}[interval]
	return (amount*times + months/2) / months
}

// Steps are a membership's steps in their order, as text, so that memberships
// can be compared.
type Steps string

// StepsOf returns steps as text. Those that change nothing, and not being a
// member before ever being one, are left out.
func StepsOf(all []Step) Steps {
	var text strings.Builder
	last := Step{}
	for _, s := range all {
		if !s.Live {
			s = Step{At: s.At}
		}
		same := s
		same.At = last.At
		if same == last {
			continue
		}
		if text.Len() > 0 {
			text.WriteByte(' ')
		}
		if s.Live {
			fmt.Fprintf(&text, "%d:%s:%d", s.At, s.Currency, s.Monthly)
		} else {
			fmt.Fprintf(&text, "%d", s.At)
		}
		last = s
	}
	return Steps(text.String())
}

// All returns the steps.
func (s Steps) All() []Step {
	var all []Step
	for word := range strings.FieldsSeq(string(s)) {
		at, worth, live := strings.Cut(word, ":")
		currency, monthly, _ := strings.Cut(worth, ":")
		all = append(all, Step{number(at), live, currency, number(monthly)})
	}
	return all
}

// number reads what [StepsOf] wrote.
func number(text string) (n int64) {
	for _, digit := range []byte(text) {
		n = n*10 + int64(digit-'0')
	}
	return n
}

// A Movement is one way in which monthly recurring revenue moves.
type Movement string

// The movements.
const (
	New         Movement = "new"         // a member for the first time
	Expansion   Movement = "expansion"   // gives more a month
	Contraction Movement = "contraction" // gives less
	Churned     Movement = "churned"     // a member no longer
	Reactivated Movement = "reactivated" // a member again
)

// A MovementCell is one row of the movements: by day (20260131), or by month
// (202601) and the month in which the memberships began.
type MovementCell struct {
	Period   int64
	Cohort   int64 // 202601; 0 in rows by day
	Movement Movement
	Currency string
}

// A Moved is by how much: memberships, and minor units a month.
type Moved struct{ Members, Monthly int64 }

// AddMovements adds sign × what a membership's steps moved to the cells.
func (m *Membership) AddMovements(cells map[MovementCell]Moved, sign int64, zone *time.Location) {
	last, cohort := Step{}, int64(0)
	for _, s := range m.Steps.All() {
		day := Day(s.At, zone)
		add := func(kind Movement, currency string, members, monthly int64) {
			for _, c := range [...]MovementCell{{day, 0, kind, currency}, {day / 100, cohort, kind, currency}} {
				sum := cells[c]
				cells[c] = Moved{sum.Members + sign*members, sum.Monthly + sign*monthly}
			}
		}
		switch { // steps begin with one who is a member, and each changes something
		case cohort == 0:
			cohort = day / 100
			add(New, s.Currency, 1, s.Monthly)
		case !last.Live:
			add(Reactivated, s.Currency, 1, s.Monthly)
		case !s.Live:
			add(Churned, last.Currency, -1, -last.Monthly)
		case s.Currency != last.Currency:
			add(Contraction, last.Currency, -1, -last.Monthly)
			add(Expansion, s.Currency, 1, s.Monthly)
		case s.Monthly > last.Monthly:
			add(Expansion, s.Currency, 0, s.Monthly-last.Monthly)
		default:
			add(Contraction, s.Currency, 0, s.Monthly-last.Monthly)
		}
		last = s
	}
}
