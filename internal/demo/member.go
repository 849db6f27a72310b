package demo

import (
	"time"

	"github.com/united24media/support/internal/giving"
)

// A membership is one being played.
type membership struct {
	id       string
	by       *person
	won      giving.Attribution
	interval giving.Interval
	amount   int64
	method   method
	began    time.Time
	due      time.Time // the next invoice
	periods  int       // that were paid
	status   string
	paused   bool
	leaving  bool // at the end of the period
	ended    time.Time
	reason   string // why it ended
}

// join plays a membership from its first payment to its end or the story's, and
// returns its id.
func (t *teller) join(at time.Time, by *person, won giving.Attribution, interval giving.Interval, amount int64) string {
	if by.customer == "" {
		by.customer = t.id("cus")
		t.tell(at, customerShape(by, at))
	}
	m := &membership{
		id: t.id("sub"), by: by, won: won, interval: interval, amount: amount, method: pick(t.dice, renewing), began: at, due: at, status: "active",
	}
	if by.currency != "EUR" {
		m.method = "card"
	}
	t.members++
	for m.status == "active" && m.due.Before(t.end.Add(-time.Minute)) {
		if m.periods > 0 {
			t.meanwhile(m)
		}
		if m.status == "active" {
			t.bill(m)
		}
		if m.periods == 1 {
			t.say(m, at)
		}
	}
	if m.status != "active" {
		return m.id
	}
	switch last := t.now(m); {
	case t.chance(.03):
		m.leaving = true
		t.say(m, last)
	case t.chance(.01):
		m.paused = true
		t.say(m, last)
	default:
		t.joined = append(t.joined, by)
		t.say(m, last)
	}
	return m.id
}

// now is a moment of the membership's newest period.
func (t *teller) now(m *membership) time.Time {
	at := t.end.Add(-time.Duration(t.between(1, 15*24)) * time.Hour)
	if begun := m.begin(); at.Before(begun) {
		return begun.Add(5 * time.Second)
	}
	return at
}

// begin is when its newest period began.
func (m *membership) begin() time.Time {
	if m.interval == giving.Year {
		return m.began.AddDate(m.periods-1, 0, 0)
	}
	return m.began.AddDate(0, m.periods-1, 0)
}

// say tells how the membership is.
func (t *teller) say(m *membership, at time.Time) {
	t.tell(at.Add(time.Second), subscriptionShape(m))
}

// next moves the membership to its next period.
func (m *membership) next() {
	m.periods++
	if m.interval == giving.Year {
		m.due = m.began.AddDate(m.periods, 0, 0)
		return
	}
	m.due = m.began.AddDate(0, m.periods, 0)
}

// meanwhile plays what a member does before the next invoice.
func (t *teller) meanwhile(m *membership) {
	leaves := .027
	switch {
	case m.interval == giving.Year:
		leaves = .18
	case m.periods == 1:
		leaves = .085
	case m.periods < 4:
		leaves = .05
	}
	at := m.due.Add(-time.Duration(t.between(1, 20*24)) * time.Hour)
	switch {
	case t.chance(leaves):
		m.status, m.ended, m.reason = "canceled", m.due, "cancellation_requested"
		t.say(m, m.due)
	case m.interval == giving.Month && t.chance(.009):
		m.amount *= 2
		t.say(m, at)
	case m.interval == giving.Month && m.amount >= 10*unit(m.by.currency) && t.chance(.005):
		m.amount = whole(m.amount/2, m.by.currency)
		t.say(m, at)
	}
}

// bill plays an invoice: paid at once, or after some tries, or never.
func (t *teller) bill(m *membership) {
	at, invoice := m.due, t.id("in")
	p := &payment{at: at, by: m.by, amount: m.amount, method: m.method, won: m.won, invoice: invoice, intent: t.id("pi")}
	fails := m.periods > 0 && t.chance(.045)
	recovers, tries, byHand := t.chance(.68), t.between(1, 3), t.chance(.35)
	if !fails {
		t.tell(at.Add(2*time.Second), invoiceShape(m, p, "paid", 1, at, 0))
		t.pay(p)
		m.next()
		return
	}
	var failed time.Time
	for n := int64(0); n < tries || !recovers && n < 4; n++ {
		failed = at.Add(time.Duration(n) * 3 * 24 * time.Hour)
		if failed.After(t.end.Add(-time.Minute)) {
			break
		}
		t.fail(failed.Add(2*time.Second), failedShape(p, t.id("ch"), failed))
		m.status = "past_due"
		t.fail(failed.Add(2*time.Second), invoiceShape(m, p, "open", int(n)+1, time.Time{}, failed.Add(3*24*time.Hour).Unix()))
		if n == 0 {
			t.fail(failed.Add(time.Second), subscriptionShape(m))
		}
	}
	decided := failed.Add(3 * 24 * time.Hour)
	switch {
	case decided.After(t.end.Add(-time.Minute)): // nobody knows yet
	case recovers:
		attempts := int(tries)
		if byHand { // on Stripe's page, some time after the mail
			decided = failed.Add(stretch + 12*time.Hour)
		} else {
			attempts++
		}
		p.at = decided
		t.tell(decided.Add(2*time.Second), invoiceShape(m, p, "paid", attempts, decided, 0))
		m.status = "active"
		t.say(m, decided)
		t.pay(p)
		m.next()
	default:
		m.status, m.ended, m.reason = "canceled", decided, "payment_failed"
		t.tell(decided.Add(2*time.Second), invoiceShape(m, p, "void", 4, time.Time{}, 0))
		t.say(m, decided)
	}
}
