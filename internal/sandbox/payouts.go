package sandbox

import "github.com/united24media/support/internal/sandbox/params"

// payoutTime is how long a payout travels to the bank, in seconds.
const payoutTime = 1 * day

// endDay makes money available whose time has come, pays it out if there is
// any, and comes back the next midnight.
func (s *Sandbox) endDay() {
	now := s.now()
	s.schedule(nextMidnight(now), taskDay, settingPayouts, nil)
	s.forgetAnswers()
	var sum int64
	var items []string
	for _, id := range s.unpaid() {
		txn := s.st.get(kindTransaction, id)
		if txn.int("available_on") > now {
			continue
		}
		if txn.str("status") == "pending" {
			txn = s.st.change(kindTransaction, id, func(o Object) { o["status"] = "available" })
		}
		sum += txn.int("net")
		items = append(items, id)
	}
	if sum > 0 {
		s.payOut(sum, items)
	}
}

// unpaid returns the transactions no automatic payout has taken, oldest first.
// Payouts' own are never taken; manual ones lessen the sum through them.
func (s *Sandbox) unpaid() []string {
	var ids []string
	s.st.each(kindTransaction, func(txn Object) bool {
		automatic := txn.str("type") == "payout" && s.st.get(kindPayout, txn.str("source")).bool("automatic")
		if s.st.get(kindItem, txn.id()) == nil && !automatic {
			ids = append(ids, txn.id())
		}
		return true
	})
	return ids
}

// payOut sends sum minor units to the bank: all of the given transactions.
func (s *Sandbox) payOut(sum int64, items []string) Object {
	p := s.newPayout(sum, true)
	for _, id := range items {
		s.st.put(kindItem, Object{"id": id, "payout": p.id()})
	}
	s.st.put(kindItem, Object{"id": p.str("balance_transaction"), "payout": p.id()})
	return p
}

func (s *Sandbox) newPayout(sum int64, automatic bool) Object {
	id := s.newID(kindPayout)
	txn := s.book(movement{kind: "payout", category: "payout", source: id, amount: -sum, currency: s.opts.Settlement, description: "STRIPE PAYOUT"})
	reconciliation := "in_progress"
	if !automatic {
		reconciliation = "not_applicable"
	}
	p := s.st.put(kindPayout, Object{
		"id": id, "object": "payout", "amount": sum, "arrival_date": s.now() + payoutTime, "automatic": automatic,
		"balance_transaction": txn["id"], "created": s.now(), "currency": s.opts.Settlement, "description": "STRIPE PAYOUT",
		"destination": "ba_sandboxAccount", "failure_balance_transaction": nil, "failure_code": nil, "failure_message": nil, "livemode": false,
		"metadata": Object{}, "method": "standard", "original_payout": nil, "reconciliation_status": reconciliation, "reversed_by": nil,
		"source_type": "card", "statement_descriptor": nil, "status": "in_transit", "type": "bank_account",
	})
	s.emit("payout.created", p)
	s.schedule(p.int("arrival_date"), taskArrive, id, nil)
	return p
}

func (s *Sandbox) arrivePayout(id string) {
	before := s.st.get(kindPayout, id)
	if before.str("status") != "in_transit" {
		return
	}
	p := s.st.change(kindPayout, id, func(o Object) { o["status"] = "paid" })
	s.emitChange("payout.paid", before, p)
	if p.bool("automatic") {
		p = s.st.change(kindPayout, id, func(o Object) { o["reconciliation_status"] = "completed" })
		s.emit("payout.reconciliation_completed", p)
	}
}

// FailPayout lets the bank return a payout, underway or paid: the money is
// back in the balance and goes out with the next one.
func (s *Sandbox) FailPayout(payoutID string) error {
	return s.do(func() error {
		before := s.st.get(kindPayout, payoutID)
		switch {
		case before == nil:
			return missing("payout", payoutID)
		case before.str("status") != "paid" && before.str("status") != "in_transit":
			return invalid("", "The payout has the status "+before.str("status")+" already.")
		}
		txn := s.book(movement{kind: "payout_failure", category: "payout_reversal", source: payoutID, amount: before.int("amount"),
			currency: before.str("currency"), description: "PAYOUT FAILURE"})
		p := s.st.change(kindPayout, payoutID, func(o Object) {
			o["status"], o["failure_balance_transaction"] = "failed", txn["id"]
			o["failure_code"], o["failure_message"] = "account_closed", "The bank account has been closed."
		})
		s.emitChange("payout.failed", before, p)
		return nil
	})
}

// ManualPayout sends amount minor units of the settlement currency to the
// bank, as a person could in Stripe's dashboard, and returns its id. Stripe
// does not itemise such payouts.
func (s *Sandbox) ManualPayout(amount int64) (string, error) {
	id := ""
	err := s.do(func() error {
		if amount < 1 {
			return invalid("amount", "Invalid positive integer")
		}
		id = s.newPayout(amount, false).id()
		return nil
	})
	return id, err
}

// ForeignCharge books a payment of another system on the same account, without
// any metadata, and returns the charge's id.
func (s *Sandbox) ForeignCharge(amount int64, currency, email string) (string, error) {
	id := ""
	err := s.do(func() error {
		if amount < 1 || rates[currency] == 0 {
			return invalid("amount", "A positive amount in a currency of the rate table is needed.")
		}
		pi := s.newIntent(amount, currency, Object{"description": "Shop order"})
		id = s.collect(pi.id(), s.newMethod(Payer{Email: email}, nil, Paid), Paid).id()
		return nil
	})
	return id, err
}

// TakeFee books a fee of Stripe's that belongs to no payment, in minor units
// of the settlement currency.
func (s *Sandbox) TakeFee(amount int64, description string) (string, error) {
	id := ""
	err := s.do(func() error {
		if amount < 1 {
			return invalid("amount", "Invalid positive integer")
		}
		id = s.book(movement{kind: "stripe_fee", category: "fee", amount: -amount, currency: s.opts.Settlement, description: description}).id()
		return nil
	})
	return id, err
}

var payoutFilters = params.Schema{
	"arrival_date": params.Range(), "created": params.Range(), "destination": params.Text(), "status": params.Text(),
}

func (s *Sandbox) listPayouts(c *call) (Object, error) {
	plain := equal(c, "destination", "status")
	return s.list(c, kindPayout, func(o Object) bool { return plain(o) && within(c.params["arrival_date"], o.int("arrival_date")) })
}
