package demo

import (
	"time"

	"github.com/united24media/support/internal/giving"
)

// A payment is one charge being told.
type payment struct {
	at           time.Time
	by           *person
	amount       int64
	method       method
	won          giving.Attribution
	invoice      string // "" for a gift paid once
	intent       string
	charge       string
	transactions []*transaction
	refunds      []any
	refunded     int64
	disputed     bool
	told         time.Time // when Stripe was last asked
}

// once plays a gift paid once, and returns its PaymentIntent.
func (t *teller) once(at time.Time, by *person, won giving.Attribution, amount int64) string {
	methods := cards
	if by.europe && by.currency == "EUR" {
		methods = inEurope
	}
	p := &payment{at: at, by: by, amount: amount, method: pick(t.dice, methods), won: won, intent: t.id("pi")}
	t.pay(p)
	t.warn(p)
	return p.intent
}

// pay plays a payment that succeeds, and what becomes of it.
func (t *teller) pay(p *payment) {
	p.charge, p.told = t.id("ch"), p.at.Add(2*time.Second)
	t.gifts++
	t.settle(p)
	paid := len(p.transactions)
	t.tell(p.told, chargeShape(p), p.transactions...)
	switch {
	case t.chance(.011):
		t.refund(p, p.amount)
	case t.chance(.004) && p.amount >= 2*unit(p.by.currency):
		t.refund(p, whole(p.amount/2, p.by.currency))
	case p.method == "card" && (t.chance(.0035) || !t.contested && t.end.Sub(p.at) < lately):
		t.dispute(p)
	}
	if p.refunded > 0 || p.disputed {
		t.tell(p.told, chargeShape(p), p.transactions[paid:]...)
	}
}

// lately is how old the gift is of which a dispute is open in any case.
const lately = 9 * 24 * time.Hour

// settle books what Stripe adds to the balance: in euros, less its fee.
func (t *teller) settle(p *payment) {
	amount := t.euros(p.amount, p.by.currency, p.at)
	perMille := int64(32)
	switch {
	case p.method == "sepa_debit":
		perMille = 0
	case p.by.europe:
		perMille = 15
	case p.by.code == "GB":
		perMille = 25
	}
	charge := t.book(p, p.at, "charge", p.charge, amount, min(amount, amount*perMille/1000+25))
	if p.by.currency != "EUR" {
		charge.rate = rates[p.by.currency]
	}
}

// euros are an amount in euro cents, at the day's rate.
func (t *teller) euros(amount int64, currency string, at time.Time) int64 {
	if currency == "EUR" {
		return amount
	}
	// Rates wander by two in a hundred over the years.
	drift := 980 + 40*int64(at.Sub(t.begin)/time.Hour)/int64(t.end.Sub(t.begin)/time.Hour)
	return amount * rates[currency] / 1_000_000 * drift / 1000
}

// book adds a line to the balance.
func (t *teller) book(p *payment, at time.Time, kind, source string, amount, fee int64) *transaction {
	line := &transaction{id: t.id("txn"), at: at.Unix(), kind: kind, source: source, amount: amount, fee: fee}
	t.booked = append(t.booked, line)
	if p != nil {
		p.transactions = append(p.transactions, line)
	}
	return line
}

// refund gives some or all back a few days later, if the story lasts.
func (t *teller) refund(p *payment, amount int64) {
	at := p.at.Add(time.Duration(t.between(2, 240)) * time.Hour)
	if at.After(t.end) {
		return
	}
	id := t.id("re")
	line := t.book(p, at, "refund", id, -t.euros(amount, p.by.currency, p.at), 0)
	p.refunds = append(p.refunds, refundShape(id, p, line, amount, at))
	p.refunded += amount
	p.told = at.Add(2 * time.Second)
}

// disputeFee is what Stripe keeps for a dispute, in euro cents.
const disputeFee = 2000

// dispute plays a payment that its card's holder says was not theirs. It is won
// or lost after some weeks, and open until then.
func (t *teller) dispute(p *payment) {
	at := p.at.Add(time.Duration(t.between(3, 35)) * 24 * time.Hour)
	ends := at.Add(time.Duration(t.between(8, 20)) * 24 * time.Hour) // before Stripe waits no more
	won := t.chance(.45)
	if at.After(t.end) {
		return
	}
	p.disputed = true
	id, taken := t.id("dp"), t.euros(p.amount, p.by.currency, p.at)
	lines := []*transaction{t.book(nil, at, "adjustment", id, -taken, disputeFee)}
	t.tell(at.Add(2*time.Second), disputeShape(id, p, lines, "needs_response", at), lines...)
	p.told = at.Add(3 * time.Second) // after the dispute, or the ledger would ask for it
	if !ends.Before(t.end) {
		t.contested = true
		return
	}
	status, back := "lost", []*transaction{}
	if won {
		status, back = "won", append(back, t.book(nil, ends, "adjustment", id, taken, -disputeFee))
	}
	p.told = ends.Add(3 * time.Second)
	t.tell(ends.Add(2*time.Second), disputeShape(id, p, append(lines, back...), status, at), back...)
}
