package demo

import (
	"cmp"
	"slices"
	"time"
)

// A transaction is a line of the balance, in euro cents.
type transaction struct {
	id, kind, source string
	at               int64 // Unix seconds
	amount, fee      int64
	rate             int64  // euro cents for a million minor units; 0 for euros
	payout           string // the deposit it left with; "" while it has not
}

// available is how long Stripe keeps money before it is paid out.
const available = 3 * 24 * time.Hour

// monthlyFee is what Stripe takes for its services each month, in euro cents.
const monthlyFee = 1200

// payOut sends the balance to the bank each Monday. One deposit did not arrive
// and left again with the next, which is on its way.
func (t *teller) payOut() {
	slices.SortStableFunc(t.booked, func(a, b *transaction) int { return cmp.Compare(a.at, b.at) })
	monday := t.begin.Truncate(24 * time.Hour)
	for monday.Weekday() != time.Monday {
		monday = monday.AddDate(0, 0, 1)
	}
	from, failed, returned := 0, "", int64(0)
	for at := monday.Add(6 * time.Hour); at.Before(t.end); at = at.AddDate(0, 0, 7) {
		id, sum, upTo := t.id("po"), returned, from
		for upTo < len(t.booked) && t.booked[upTo].at < at.Add(-available).Unix() {
			sum += t.booked[upTo].amount - t.booked[upTo].fee
			upTo++
		}
		monthly := at.Day() <= 7
		if monthly {
			sum -= monthlyFee
		}
		if sum <= 0 {
			continue
		}
		for _, line := range t.booked[from:upTo] {
			line.payout = id
		}
		from = upTo
		if monthly {
			t.line(at, "stripe_fee", "", -monthlyFee, id)
		}
		if returned > 0 {
			t.line(at, "payout_failure", failed, returned, id)
			returned = 0
		}
		status := "paid"
		switch age := t.end.Sub(at); {
		case age < 2*24*time.Hour:
			status = "in_transit"
		case failed == "" && age < 16*24*time.Hour:
			status, failed, returned = "failed", id, sum
		}
		own := &transaction{id: t.id("txn"), kind: "payout", source: id, at: at.Unix(), amount: -sum, payout: id}
		told := at.Add(2 * 24 * time.Hour)
		if told.After(t.end) {
			told = t.end
		}
		t.tell(told, payoutShape(id, at, sum, status, own), own)
	}
}

// line tells a line of the balance that belongs to no payment.
func (t *teller) line(at time.Time, kind, source string, amount int64, payout string) {
	one := &transaction{id: t.id("txn"), kind: kind, source: source, at: at.Unix(), amount: amount, payout: payout}
	t.tell(at, one.shape(), one)
}
