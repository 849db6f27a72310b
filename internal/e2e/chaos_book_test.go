package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A gift is one donation, as the book has it and as the program exports it.
type gift struct {
	ID         string `json:"id"`
	Currency   string `json:"currency"`
	Gross      int64  `json:"gross_minor"`
	Refunded   int64  `json:"refunded_minor"`
	Disputed   int64  `json:"disputed_minor"`
	Settlement string `json:"settlement_currency"`
	Fee        int64  `json:"fee_minor"`
	Net        int64  `json:"net_minor"`
	Email      string `json:"email"`
	Charge     string `json:"charge"`
}

// A member is one membership, as the book has it and as the program exports it.
type member struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount_minor"`
	Email    string `json:"email"`
}

// An account is all that the stand-in says happened. The sums are made from it
// without any code of the program's.
type account struct {
	charges, refunds, disputes, transactions, subscriptions, payouts []thing
}

// A thing is an object of Stripe's.
type thing map[string]any

func (o thing) text(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o thing) number(name string) int64 {
	n, _ := o[name].(float64)
	return int64(n)
}

func (o thing) under(name string) thing {
	inner, _ := o[name].(map[string]any)
	return inner
}

func (c *chaos) account() account {
	c.t.Helper()
	return account{
		c.all("/v1/charges", nil), c.all("/v1/refunds", nil), c.all("/v1/disputes", nil), c.all("/v1/balance_transactions", nil),
		c.all("/v1/subscriptions", url.Values{"status": {"all"}, "expand[]": {"data.customer"}}), c.all("/v1/payouts", nil),
	}
}

// all returns all objects of a list.
func (c *chaos) all(path string, form url.Values) []thing {
	c.t.Helper()
	var all []thing
	for {
		query := url.Values{"limit": {"100"}}
		maps.Copy(query, form)
		if len(all) > 0 {
			query.Set("starting_after", all[len(all)-1].text("id"))
		}
		answer, err := c.box.Call(c.t.Context(), http.MethodGet, path, query)
		c.must(err)
		var page struct {
			Data []thing `json:"data"`
			More bool    `json:"has_more"`
		}
		c.must(json.Unmarshal(answer, &page))
		if all = append(all, page.Data...); !page.More {
			return all
		}
	}
}

// book returns what the program must hold: gifts, members, and how many people
// have given something that they did not get back.
func (c *chaos) book(a account) (gifts map[string]gift, members map[string]member, supporters int) {
	gifts, members = map[string]gift{}, map[string]member{}
	keys, lost := map[string]string{}, map[string]int64{} // by source of a balance transaction; by gift
	for _, charge := range a.charges {
		if charge.text("status") != "succeeded" || c.foreign[charge.text("id")] {
			continue
		}
		key := charge.text("payment_intent")
		gifts[key] = gift{
			ID: key, Currency: strings.ToUpper(charge.text("currency")), Gross: charge.number("amount_captured"), Settlement: "EUR",
			Email: charge.under("billing_details").text("email"), Charge: charge.text("id"),
		}
		keys[charge.text("id")] = key
	}
	for _, refund := range a.refunds {
		key := keys[refund.text("charge")]
		keys[refund.text("id")] = key
		if status := refund.text("status"); key != "" && status != "failed" && status != "canceled" {
			g := gifts[key]
			g.Refunded += refund.number("amount")
			gifts[key] = g
		}
	}
	for _, dispute := range a.disputes {
		key := keys[dispute.text("charge")]
		keys[dispute.text("id")] = key
		switch g := gifts[key]; {
		case key == "":
		case dispute.text("status") == "lost":
			lost[key] += dispute.number("amount")
			fallthrough
		case dispute.text("status") == "needs_response", dispute.text("status") == "under_review":
			g.Disputed += dispute.number("amount")
			gifts[key] = g
		}
	}
	for _, txn := range a.transactions {
		if key := keys[txn.text("source")]; key != "" {
			g := gifts[key]
			g.Fee, g.Net = g.Fee+txn.number("fee"), g.Net+txn.number("net")
			gifts[key] = g
		}
	}
	alive := map[string]bool{}
	for key, g := range gifts {
		if g.Gross-g.Refunded-lost[key] > 0 {
			alive[g.Email] = true
		}
		if c.erased[g.Email] {
			g.Email = ""
			gifts[key] = g
		}
	}
	for _, sub := range a.subscriptions {
		items, _ := sub.under("items")["data"].([]any)
		price := thing(items[0].(map[string]any)).under("price")
		members[sub.text("id")] = member{
			sub.text("id"), sub.text("status"), strings.ToUpper(price.text("currency")), price.number("unit_amount"), sub.under("customer").text("email"),
		}
	}
	return gifts, members, len(alive)
}

// compare holds the program to the book.
func (c *chaos) compare(lives, differences int) {
	t := c.t
	t.Helper()
	a := c.account()
	gifts, members, supporters := c.book(a)
	t.Logf("%d lives; %d gifts, %d members, %d supporters, %d refunds, %d disputes, %d payouts; %d lines of differences; played %v",
		lives, len(gifts), len(members), supporters, len(a.refunds), len(a.disputes), len(a.payouts), differences, c.done)
	if len(gifts) < 50 || len(members) < 5 || len(a.refunds) < 5 || len(a.disputes) < 3 || len(a.payouts) < 4 || lives < 5 {
		t.Error("too little happened to prove anything")
	}
	c.compareBook(a, gifts, members, supporters)
}

// compareBook holds exports, payouts and counts to the book, and returns how
// many gifts are there that the book does not have.
func (c *chaos) compareBook(a account, gifts map[string]gift, members map[string]member, supporters int) (doubled int) {
	c.t.Helper()
	doubled = compareExports(c, "donations", gifts, func(g gift) string { return g.ID })
	compareExports(c, "memberships", members, func(m member) string { return m.ID })
	c.comparePayouts(a)
	eventually(c.t, "all replicas count the supporters of the book", func() bool {
		for _, p := range c.replicas {
			var count struct {
				Supporters *int
			}
			_, text := get(c.t, p.url+"/v1/supporters")
			if json.Unmarshal([]byte(text), &count) != nil || count.Supporters == nil || *count.Supporters != supporters {
				return false
			}
		}
		return true
	})
	return doubled
}

// compareExports compares what the program exports with the book, by id, and
// returns how much is not in the book, or twice.
func compareExports[T comparable](c *chaos, what string, want map[string]T, id func(T) string) (more int) {
	c.t.Helper()
	printed := command(c.t, c.folder, c.settings, "export", what, "--from", "2020-01-01", "--to", "2120-01-01", "--format", "jsonl")
	got := map[string]T{}
	for line := range strings.Lines(printed) {
		var one T
		c.must(json.Unmarshal([]byte(line), &one))
		if _, twice := got[id(one)]; twice {
			c.t.Errorf("%s: %s is there twice", what, id(one))
			more++
		}
		got[id(one)] = one
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			c.t.Errorf("%s: got  %+v\nwant %+v", what, got[key], want[key])
		}
		delete(got, key)
	}
	for _, one := range got {
		c.t.Errorf("%s: not in the book: %+v", what, one)
	}
	return more + len(got)
}

// comparePayouts holds each deposit's lines to its amount.
func (c *chaos) comparePayouts(a account) {
	c.t.Helper()
	want := map[string]int64{}
	for _, p := range a.payouts {
		want[p.text("id")] = p.number("amount")
	}
	var report struct {
		Payouts []struct {
			ID       string
			Status   string
			State    string
			Amount   int64  `json:"amount_minor"`
			Itemised *int64 `json:"itemised_minor"`
		}
	}
	printed := command(c.t, c.folder, c.settings, "payouts", "--from", "2020-01-01", "--to", "2120-01-01", "--format", "json")
	c.must(json.Unmarshal([]byte(printed), &report))
	for _, p := range report.Payouts {
		if p.Amount != want[p.ID] {
			c.t.Errorf("payout %s is %d, want %d", p.ID, p.Amount, want[p.ID])
		}
		if p.Status == "paid" && (p.State != "complete" || p.Itemised == nil || *p.Itemised != p.Amount) {
			c.t.Errorf("payout %+v does not add up", p)
		}
		delete(want, p.ID)
	}
	for id := range want {
		c.t.Errorf("payout %s is not reported", id)
	}
}
