package world

// payOut sends the balance to the bank in a few deposits for each currency.
func (s *story) payOut() {
	byCurrency := map[string][]*transaction{}
	var currencies []string
	for _, t := range s.transactions {
		if _, known := byCurrency[t.currency]; !known {
			currencies = append(currencies, t.currency)
		}
		byCurrency[t.currency] = append(byCurrency[t.currency], t)
	}
	for _, currency := range currencies {
		var lines []*transaction
		for _, t := range byCurrency[currency] {
			if !s.one(8) { // some are paid out later
				lines = append(lines, t)
			}
			if s.one(12) {
				s.deposit(currency, lines)
				lines = nil
			}
		}
		s.deposit(currency, lines)
	}
	if s.one(4) {
		s.manualDeposit()
	}
}

// deposit plays one automatic payout of lines and of Stripe's monthly fee.
func (s *story) deposit(currency string, lines []*transaction) {
	s.now = Begin
	for _, t := range lines {
		created, _ := t.object.fields["created"].(int64)
		s.now = max(s.now, created)
	}
	if len(lines) == 0 || !s.pass(day, 3*day) {
		return
	}
	if s.one(4) {
		fee := s.transaction(nil, "fee", nil, -s.between(1, 50), 0, currency)
		fee.object.set(fields{"type": "stripe_fee", "reporting_category": "fee"})
		s.save(fee.object)
		lines = append(lines, fee)
	}
	sum := int64(0)
	for _, t := range lines {
		sum += t.net
	}
	if sum <= 0 {
		return
	}
	p := s.newPayout(currency, sum)
	p.lines = lines
	own := s.transaction(nil, "payout", p.object, -sum, 0, currency)
	own.object.set(fields{"type": "payout", "reporting_category": "payout"})
	own.object.payout = p.object.id
	s.save(own.object)
	for _, t := range lines {
		t.object.payout = p.object.id
	}
	p.object.set(fields{"balance_transaction": own.object.id})
	s.arrive(p)
}

// manualDeposit is a payout whose lines Stripe does not name.
func (s *story) manualDeposit() {
	s.now = Begin + s.between(1, 600)*day
	p := s.newPayout("eur", s.between(1, 100000))
	p.object.set(fields{"automatic": false, "reconciliation_status": "not_applicable"})
	s.arrive(p)
}

func (s *story) newPayout(currency string, amount int64) *payout {
	p := &payout{amount: amount, status: "pending"}
	p.object = s.create(payoutShape(s.newID("po")).with(fields{
		"amount": amount, "currency": currency, "status": "pending", "arrival_date": s.now + 2*day,
	}))
	s.payouts = append(s.payouts, p)
	return p
}

// arrive plays a payout's way to the bank. One that was paid may still fail.
func (s *story) arrive(p *payout) {
	s.tell("payout.created", p.object)
	steps := [][]string{
		{"in_transit", "paid"}, {"in_transit", "paid", "failed"}, {"failed"}, {"canceled"}, {"in_transit"},
	}
	for _, status := range steps[s.pick(6, 2, 1, 1, 1)] {
		if !s.pass(hour, 3*day) {
			return
		}
		p.status = status
		p.object.set(fields{"status": status})
		if status == "failed" || status == "canceled" {
			back := s.transaction(nil, "payout", p.object, p.amount, 0, p.currency())
			back.object.set(fields{"type": "payout_failure", "reporting_category": "payout_reversal"})
			s.save(back.object)
			p.object.set(fields{"failure_balance_transaction": back.object.id})
		}
		if status != "in_transit" {
			s.tell("payout."+status, p.object)
			continue
		}
		s.maybe("payout.updated", p.object)
	}
}

func (p *payout) currency() string {
	currency, _ := p.object.fields["currency"].(string)
	return currency
}
