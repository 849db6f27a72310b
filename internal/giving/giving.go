// Package giving is the vocabulary of the house and the one definition of what
// counts: donations, memberships, supporters, scopes and sums. It is pure.
package giving

import (
	"strings"
	"time"
)

// An Interval is how often a gift repeats.
type Interval string

// The intervals. An interval that is not known yet is "".
const (
	Once  Interval = "once"
	Month Interval = "month"
	Year  Interval = "year"
)

// An Attribution says what won a gift: the ask it came from, as our metadata
// on Stripe's objects carries it.
type Attribution struct {
	Checkout    string `json:"checkout,omitzero"` // our id of the attempt to give
	Article     string `json:"article,omitzero"`
	Placement   string `json:"placement,omitzero"`
	Campaign    string `json:"campaign,omitzero"`
	Variant     string `json:"variant,omitzero"`
	Locale      string `json:"locale,omitzero"`
	Tier        string `json:"tier,omitzero"`
	Status      string `json:"attribution,omitzero"` // signed or unverified
	UTMSource   string `json:"utm_source,omitzero"`
	UTMMedium   string `json:"utm_medium,omitzero"`
	UTMCampaign string `json:"utm_campaign,omitzero"`
}

// A Balance is what one donation's balance transactions come to in one
// currency, in its minor units.
type Balance struct {
	Currency string `json:"currency"`
	Fee      int64  `json:"fee"`
	Net      int64  `json:"net"`
}

// A Donation is money received: a succeeded, captured charge of ours, a paid
// invoice of ours that was settled outside Stripe, or an imported offline gift.
// Money is in minor units.
type Donation struct {
	Key          string // PaymentIntent, else charge, invoice or import reference
	Charge       string
	Invoice      string
	Subscription string
	Customer     string
	Supporter    string // who gave: see [SupporterKey]
	Email        string
	Name         string
	Country      string // ISO 3166 alpha-2 of the billing address, else of the card
	Method       string // Stripe's payment method type, such as card
	Source       string // stripe or offline
	Created      int64  // the charge's creation, seconds since 1970
	Interval     Interval
	Currency     string // upper case
	Gross        int64
	Refunded     int64     // by refunds that have not failed or been canceled
	Disputed     int64     // by disputes that are open or lost
	Lost         int64     // by lost disputes alone
	Settled      Balance   // its currency is "" until the charge's balance transaction is known
	Elsewhere    []Balance // balance transactions in yet other currencies, sorted by currency
	Renewal      bool      // a later payment of a membership, which no ask won again
	Turned       int64     // when it last turned: the newest creation of the charge, a refund that counts or a dispute
	First        bool      // the earliest donation of its supporter
	Attribution
}

// Live reports whether something of the donation is left, so that whoever gave
// it counts as a supporter.
func (d *Donation) Live() bool { return d.Gross-d.Refunded-d.Lost > 0 }

// Before reports whether d is an earlier donation than e: by creation, then by
// key.
func (d *Donation) Before(e *Donation) bool {
	return d.Created < e.Created || d.Created == e.Created && d.Key < e.Key
}

// A Membership is a subscription of ours.
type Membership struct {
	Subscription string
	Customer     string
	Supporter    string
	Email        string
	Status       string // Stripe's, such as active
	Live         bool   // counts as a member at the time of the projection
	LiveUntil    int64  // when Live ends by itself, seconds since 1970; 0 if it does not
	Created      int64
	Ended        int64 // 0 while it runs
	PeriodEnd    int64
	CancelAtEnd  bool
	Currency     string
	Amount       int64 // minor units an interval
	Interval     Interval
	Steps        Steps // what it was worth when
	Attribution
}

// Over reports whether a membership has ended for good, so that nothing more is
// ever charged.
func (m *Membership) Over() bool { return m.Status == "canceled" || m.Status == "incomplete_expired" }

// Recurs reports whether a membership will be charged again, though it may be
// late or paused now.
func (m *Membership) Recurs() bool {
	switch m.Status {
	case "active", "trialing", "past_due", "unpaid":
		return !m.CancelAtEnd
	}
	return false
}

// SupporterKey returns the person behind a gift, for counts only: the address
// without case, else the Stripe customer, else the donation or subscription
// itself.
func SupporterKey(email, customer, key string) string {
	switch {
	case email != "":
		return addressPrefix + strings.ToLower(strings.TrimSpace(email))
	case customer != "":
		return "customer:" + customer
	}
	return "gift:" + key
}

// ErasedKey returns the supporter who stands for somebody who was erased; random
// leads to nobody.
func ErasedKey(random string) string { return erasedPrefix + random }

// Erased reports whether a supporter stands for somebody who was erased.
func Erased(supporter string) bool { return strings.HasPrefix(supporter, erasedPrefix) }

const (
	erasedPrefix  = "erased:"
	addressPrefix = "address:"
)

// AddressOf returns the address that a supporter's key stands for, without
// case; "" where it stands for none.
func AddressOf(supporter string) string {
	address, ok := strings.CutPrefix(supporter, addressPrefix)
	if !ok {
		return ""
	}
	return address
}

// All is the scope of everybody.
const All = "all"

// Scopes returns the scopes a gift won by a counts in.
func (a *Attribution) Scopes() []string {
	scopes := append(make([]string, 0, 3), All)
	if a.Article != "" {
		scopes = append(scopes, "article:"+a.Article)
	}
	if a.Campaign != "" {
		scopes = append(scopes, "campaign:"+a.Campaign)
	}
	return scopes
}

// Day returns the day of an instant (seconds since 1970) in a time zone,
// written 20260131.
func Day(seconds int64, zone *time.Location) int64 {
	year, month, day := time.Unix(seconds, 0).In(zone).Date()
	return int64(year)*10_000 + int64(month)*100 + int64(day)
}

// Date returns a day as [Day] writes it, at midnight UTC.
func Date(day int64) time.Time {
	return time.Date(int(day/10_000), time.Month(day/100%100), int(day%100), 0, 0, 0, 0, time.UTC)
}
