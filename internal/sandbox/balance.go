package sandbox

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/sandbox/params"
)

const (
	feePermille  = 29 // of the settled amount, in thousandths
	feeFixed     = 30 // minor units of the settlement currency
	disputeFee   = 1500
	rateScale    = 1_000_000
	settlesAfter = 2 * 24 * 3600 // seconds until money is available
)

// rates are what one major unit of a currency is worth in euros, in
// millionths. They never change: a test can know them. A currency that is not
// here settles one to one.
var rates = map[string]int64{
	"eur": 1_000_000, "usd": 920_000, "gbp": 1_170_000, "chf": 1_040_000, "cad": 680_000, "aud": 610_000, "nzd": 560_000,
	"sek": 88_000, "nok": 87_000, "dkk": 134_000, "pln": 231_000, "czk": 40_000, "huf": 2_600, "ron": 201_000, "bgn": 511_000,
	"uah": 23_500, "jpy": 6_200, "krw": 690, "isk": 6_650, "ils": 250_000, "try": 29_000, "brl": 186_000, "mxn": 54_000,
	"inr": 11_000, "sgd": 686_000, "hkd": 118_000, "aed": 250_000, "kwd": 2_990_000,
}

// rate returns how many minor units of the settlement currency one minor unit
// of currency is, in millionths.
func (s *Sandbox) rate(currency string) int64 {
	from, known := rates[currency]
	if !known || currency == s.opts.Settlement {
		return rateScale
	}
	perMajor := money.Share(rateScale, from, rates[s.opts.Settlement])
	return money.Share(perMajor, power(digits(s.opts.Settlement)), power(digits(currency)))
}

// digits returns a currency's decimals.
func digits(currency string) int {
	c, err := money.Lookup(currency)
	if err != nil {
		return 2
	}
	return c.Digits
}

func power(exponent int) int64 {
	p := int64(1)
	for range exponent {
		p *= 10
	}
	return p
}

// convert returns an amount in the settlement currency and the rate as Stripe
// prints it, null if there is nothing to convert.
func (s *Sandbox) convert(amount int64, currency string) (int64, any) {
	if currency == s.opts.Settlement {
		return amount, nil
	}
	rate := s.rate(currency)
	whole, fraction := rate/rateScale, strconv.FormatInt(rateScale+rate%rateScale, 10)[1:]
	printed := strings.TrimRight(fraction, "0")
	if printed == "" {
		return money.Share(amount, rate, rateScale), json.Number(strconv.FormatInt(whole, 10))
	}
	return money.Share(amount, rate, rateScale), json.Number(strconv.FormatInt(whole, 10) + "." + printed)
}

// A movement is money that enters or leaves the account's balance.
type movement struct {
	kind        string // Stripe's "type"
	category    string // Stripe's "reporting_category"
	source      string // the object it is for
	amount      int64  // minor units of currency; negative leaves
	currency    string
	fee         int64 // minor units of the settlement currency; negative comes back
	feeText     string
	description string
}

// book writes a balance transaction and returns it.
func (s *Sandbox) book(m movement) Object {
	settled, rate := s.convert(m.amount, m.currency)
	fees := []any{}
	if m.fee != 0 {
		fees = append(fees, Object{"amount": m.fee, "application": nil, "currency": s.opts.Settlement, "description": m.feeText, "type": "stripe_fee"})
	}
	available := nextMidnight(s.now() + settlesAfter)
	status := "pending"
	if m.kind == "payout" || m.kind == "payout_failure" {
		available, status = s.now(), "available"
	}
	return s.st.put(kindTransaction, Object{
		"id": s.newID(kindTransaction), "object": "balance_transaction", "amount": settled, "available_on": available, "created": s.now(),
		"currency": s.opts.Settlement, "description": text(m.description), "exchange_rate": rate, "fee": m.fee, "fee_details": fees,
		"net": settled - m.fee, "reporting_category": m.category, "source": text(m.source), "status": status, "type": m.kind,
	})
}

// chargeFee is Stripe's price of a payment in the settlement currency.
func chargeFee(settled int64) int64 { return money.Share(settled, feePermille, 1000) + feeFixed }

// listTransactions answers /v1/balance_transactions. Only automatic payouts
// can be itemised.
func (s *Sandbox) listTransactions(c *call) (Object, error) {
	payout := c.params.Text("payout")
	if payout != "" {
		p := s.st.get(kindPayout, payout)
		if p == nil {
			return nil, missingParam("payout", "payout", payout)
		}
		if !p.bool("automatic") {
			return nil, invalid("payout", "Balance transaction history can only be filtered on automatic payouts, not manual.")
		}
	}
	plain := equal(c, "currency", "source", "type")
	return s.list(c, kindTransaction, func(o Object) bool {
		return plain(o) && (payout == "" || s.st.get(kindItem, o.id()).str("payout") == payout)
	})
}

var transactionFilters = params.Schema{
	"created": params.Range(), "currency": params.Text(), "payout": params.Text(), "source": params.Text(), "type": params.Text(),
}

// balance answers /v1/balance.
func (s *Sandbox) balance(*call) (Object, error) {
	var available, pending int64
	s.st.each(kindTransaction, func(o Object) bool {
		if o.str("status") == "available" {
			available += o.int("net")
		} else {
			pending += o.int("net")
		}
		return true
	})
	sum := func(amount int64) []any {
		return []any{Object{"amount": amount, "currency": s.opts.Settlement, "source_types": Object{"card": amount}}}
	}
	return Object{"object": "balance", "available": sum(available), "livemode": false, "pending": sum(pending)}, nil
}
