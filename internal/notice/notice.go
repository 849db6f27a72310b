// Package notice says which mails follow when what is known of gifts and
// memberships changes. It is pure, and knows nothing of how a mail is worded or
// sent.
//
// A notice is unique by its kind and subject, and both are made of what Stripe
// said, never of when or how often it was said. Where two states of a thing may
// be seen in either order, or one of them not at all, a notice waits, and is
// dropped if what it is about is no longer so when it is due: that is for
// package mail to ask.
package notice

import (
	"strconv"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
)

// The kinds of notice. They are stored: a name is never given to another kind.
const (
	Receipt       = "receipt"              // a donation; the subject is its key
	Refund        = "refund"               // money given back; key/sum of all refunds so far
	Promise       = "promise"              // a delayed payment is on its way; the session
	PromiseFailed = "promise_failed"       // it did not come; the session
	Started       = "membership_started"   // the subscription
	Changed       = "membership_changed"   // subscription/time by Stripe's clock, as for the next three
	Paused        = "membership_paused"    //
	Resumed       = "membership_resumed"   // after a pause, or a cancellation that was taken back
	Cancelled     = "membership_cancelled" // now, or at the end of the period
	RenewalFailed = "renewal_failed"       // invoice/attempt
	Dispute       = "staff_dispute"        // for staff; the dispute
)

// MaxAge is how old a fact may be that is still mailed about.
const MaxAge = 7 * 24 * time.Hour

// How long notices wait.
const (
	atOnce  = 10 * time.Second // so that what Stripe says in the same breath is known
	soon    = time.Minute
	passing = 5 * time.Minute // what may be over in a moment
)

// A Notice is one mail that follows.
type Notice struct {
	Kind    string
	Subject string
	To      string // "" is staff
	Locale  string
	Wait    time.Duration // before it is sent
	Data    Data
}

// Data is what a notice tells beyond what can be looked up by its subject.
type Data struct {
	Membership string `json:"membership,omitzero"` // subscription
	Donation   string `json:"donation,omitzero"`   // key
	Amount     int64  `json:"amount,omitzero"`     // minor units
	Currency   string `json:"currency,omitzero"`
	Interval   string `json:"interval,omitzero"`
	OldAmount  int64  `json:"old_amount,omitzero"` // minor units of the old currency
	OldMoney   string `json:"old_currency,omitzero"`
	Reason     string `json:"reason,omitzero"`  // Stripe's word
	At         int64  `json:"at,omitzero"`      // an instant, seconds since 1970, by kind
	Attempt    int64  `json:"attempt,omitzero"` // of an invoice, from 1
}

// fresh reports whether a fact (seconds since 1970) is still mailed about.
func fresh(fact, now int64) bool { return fact > now-int64(MaxAge/time.Second) }

// OfDonation returns what follows where a donation was old and is now; nil is
// none. refunded is when its newest refund was made, 0 if none is known. Offline
// gifts were thanked for where they were given.
func OfDonation(old, now *giving.Donation, refunded, at int64) []Notice {
	if now == nil || now.Source != "stripe" || now.Email == "" {
		return nil
	}
	var found []Notice
	add := func(kind, subject string, wait time.Duration, data Data) {
		found = append(found, Notice{kind, subject, now.Email, now.Locale, wait, data})
	}
	known := old != nil && old.Email != ""
	if !known && fresh(now.Created, at) {
		add(Receipt, now.Key, atOnce, Data{})
	}
	before := int64(0)
	if known {
		before = old.Refunded
	}
	if now.Refunded > before && fresh(refunded, at) {
		add(Refund, now.Key+"/"+strconv.FormatInt(now.Refunded, 10), passing, Data{
			Donation: now.Key, Amount: now.Refunded - before, Currency: now.Currency, At: refunded,
		})
	}
	return found
}

// A Member is a membership with what is known of its subscription.
type Member struct {
	*giving.Membership
	State objects.Latest[objects.SubState]
}

// member reports whether somebody pays, or is late to.
func (m Member) member() bool {
	switch m.status() {
	case "active", "trialing", "past_due":
		return true
	}
	return false
}

func (m Member) status() string {
	if m.Membership == nil {
		return ""
	}
	return m.Status
}

// leaving reports whether a membership is over, or will be.
func (m Member) leaving() bool {
	return m.Membership != nil && (m.Status == "canceled" || m.State.Value.CancelAtEnd || m.State.Value.CancelAt > 0)
}

func (m Member) paused() bool { return m.Membership != nil && m.State.Value.Paused }

// OfMembership returns what follows where a membership was old and is now.
func OfMembership(old, now Member, at int64) []Notice {
	if now.Membership == nil || now.Email == "" {
		return nil
	}
	var found []Notice
	add := func(kind, subject string, wait time.Duration, data Data) {
		data.Membership = now.Subscription
		found = append(found, Notice{kind, subject, now.Email, now.Locale, wait, data})
	}
	began := func(m Member) bool {
		return m.Membership != nil && m.Email != "" && m.Live && (m.Status == "active" || m.Status == "trialing")
	}
	if began(now) && !began(old) && fresh(now.Created, at) {
		add(Started, now.Subscription, soon, Data{})
	}
	if old.Membership == nil {
		// Its end may be the first that is heard of a new membership. Of one
		// that is older, history has begun to be read.
		if !fresh(now.Created, at) {
			return found
		}
		before := *now.Membership
		before.Status = "active"
		old = Member{Membership: &before}
	}
	if !fresh(now.State.At, at) {
		return found
	}
	moment := now.Subscription + "/" + strconv.FormatInt(now.State.At, 10)
	same := old.Amount == now.Amount && old.Currency == now.Currency && old.Interval == now.Interval
	switch {
	case now.leaving() && !old.leaving() && old.member():
		add(Cancelled, moment, passing, Data{Reason: now.State.Value.Reason, At: ends(now)})
	case !now.member():
	case now.paused() && !old.paused():
		add(Paused, moment, passing, Data{})
	case !now.paused() && old.paused(), !now.leaving() && old.leaving() && old.member():
		add(Resumed, moment, passing, Data{})
	case !same && old.Amount > 0 && old.member():
		add(Changed, moment, passing, Data{
			Amount: now.Amount, Currency: now.Currency, Interval: string(now.Interval), OldAmount: old.Amount, OldMoney: old.Currency,
		})
	}
	return found
}

// ends returns when a membership that is over or will be ends.
func ends(m Member) int64 {
	for _, at := range [...]int64{m.Ended, m.State.Value.CancelAt, m.PeriodEnd} {
		if at > 0 {
			return at
		}
	}
	return 0
}

// OfOwed returns what follows from an invoice that a membership owes. It needs
// no old state: each attempt is told of once.
func OfOwed(m *giving.Membership, o objects.Owed, at int64) []Notice {
	if m == nil || m.Email == "" || o.Attempts == 0 || !fresh(o.At, at) {
		return nil
	}
	return []Notice{{
		RenewalFailed, o.Invoice + "/" + strconv.FormatInt(o.Attempts, 10), m.Email, m.Locale, passing,
		Data{Membership: m.Subscription, Amount: m.Amount, Currency: m.Currency, Interval: string(m.Interval), Attempt: o.Attempts, At: o.Created},
	}}
}

// OfSession returns what follows from a visit to Stripe's page that was ours.
func OfSession(id string, s *objects.Session, at int64) []Notice {
	if s == nil || !objects.Marked(s) || s.Status != "complete" || s.Donor.Value.Email == "" {
		return nil
	}
	n := Notice{
		To: s.Donor.Value.Email, Locale: s.Metadata.Value["locale"], Subject: id,
		Data: Data{Amount: s.Amount, Currency: s.Currency},
	}
	switch {
	case s.Failed && fresh(s.Donor.At, at):
		n.Kind, n.Wait = PromiseFailed, soon
	case !s.Failed && s.PaymentStatus == "unpaid" && fresh(s.Created, at):
		n.Kind, n.Wait = Promise, passing
	default:
		return nil
	}
	return []Notice{n}
}

// OfDispute returns what follows from a dispute of a donation of ours, for
// staff.
func OfDispute(id string, d *objects.Dispute, donation *giving.Donation, at int64) []Notice {
	if d == nil || donation == nil || !fresh(d.Created, at) {
		return nil
	}
	switch d.State.Value.Status {
	case "needs_response", "warning_needs_response":
		return []Notice{{Dispute, id, "", "", atOnce, Data{
			Donation: donation.Key, Amount: d.Amount, Currency: d.Currency, Reason: d.State.Value.Reason, At: d.State.Value.DueBy,
		}}}
	}
	return nil
}
