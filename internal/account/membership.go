package account

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/stripeapi"
)

// What a membership is to its owner.
const (
	stateActive = "active"
	stateOwing  = "owing"  // a payment is late
	statePaused = "paused" // nothing is charged for a while
	stateEnding = "ending" // paid to a day, and then over
	stateBegun  = "begun"  // its first payment has not come
	stateEnded  = "ended"
)

// A memberView is one membership.
type memberView struct {
	Lang    string
	ID      string
	URL     string
	State   string
	Label   string // the state in words
	Amount  string // with how often
	Tier    string
	Next    string // the next charge: when and how much; "" if there is none
	Until   string // when it ends or ended
	Method  string // how it is paid
	PayURL  string // where what is owed is paid
	Second  bool   // another one ran already when it began
	Press   string // of the form that ends it at once
	Since   string
	Monthly bool
}

// states returns what is recorded of the subscriptions of memberships.
func (s *Service) states(ctx context.Context, members []*giving.Membership) (map[string]objects.SubState, error) {
	var refs []string
	for _, m := range members {
		refs = append(refs, string(objects.NewRef(objects.KindSubscription, m.Subscription)))
	}
	states := map[string]objects.SubState{}
	if len(refs) == 0 {
		return states, nil
	}
	texts, err := s.Store.Registers(ctx, refs)
	if err != nil {
		return nil, err
	}
	for ref, text := range texts {
		if text == "" {
			continue
		}
		r, err := objects.DecodeRegister(objects.KindSubscription, text)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", ref, err)
		}
		states[objects.Ref(ref).ID()] = r.(*objects.Subscription).State.Value
	}
	return states, nil
}

// stateOf says what a membership is to its owner.
func stateOf(m *giving.Membership, known objects.SubState) string {
	switch m.Status {
	case "canceled", "incomplete_expired":
		return stateEnded
	case "incomplete":
		return stateBegun
	}
	switch {
	case m.CancelAtEnd:
		return stateEnding
	case m.Status == "past_due", m.Status == "unpaid":
		return stateOwing
	case known.Paused, m.Status == "paused":
		return statePaused
	}
	return stateActive
}

// member returns a membership as a page shows it.
func (s *Service) member(v *visit, m *giving.Membership, known objects.SubState, now stripeapi.Standing) memberView {
	view := memberView{
		Lang: v.lang, ID: m.Subscription, URL: "/account/memberships/" + url.PathEscape(m.Subscription), State: stateOf(m, known),
		Amount: v.every(m.Amount, m.Currency, string(m.Interval)), Method: v.paidBy(now.Method), Press: newPress(),
		Since: s.date(v, m.Created), Monthly: m.Interval == giving.Month,
	}
	view.Label = v.say("account.state." + view.State)
	if t, ok := offer.TierByID(m.Tier); ok {
		view.Tier = t.Name(v.lang)
	}
	charge := func(at int64) string {
		return v.say("account.next", i18n.Args{"Amount": v.write(m.Amount, m.Currency), "Date": s.date(v, at)})
	}
	switch view.State {
	case stateActive:
		view.Next = charge(m.PeriodEnd)
	case stateEnding:
		view.Until = s.date(v, m.PeriodEnd)
	case stateEnded:
		view.Until = s.date(v, m.Ended)
	case statePaused:
		if !now.Resumes.IsZero() {
			view.Next = charge(firstAfter(m.PeriodEnd, now.Resumes.Unix(), m.Interval))
		}
	case stateOwing:
		view.PayURL = s.stripePage(now.PayURL)
	}
	return view
}

// firstAfter returns the first end of a period, counted from one of them, that
// is not before an instant: what falls due while a membership is paused is not
// charged.
func firstAfter(end, instant int64, interval giving.Interval) int64 {
	months := 1
	if interval == giving.Year {
		months = 12
	}
	from := time.Unix(end, 0).UTC()
	for n := 0; ; n++ {
		first := time.Date(from.Year(), from.Month()+time.Month(n*months), 1, from.Hour(), from.Minute(), from.Second(), 0, time.UTC)
		at := first.AddDate(0, 0, min(from.Day(), first.AddDate(0, 1, -1).Day())-1)
		if at.Unix() >= instant {
			return at.Unix()
		}
	}
}

// Where Stripe's pages are to which we lead.
const (
	portalOrigin  = "https://billing.stripe.com"
	invoiceOrigin = "https://invoice.stripe.com"
)

// stripePage returns an address of Stripe's if that is what it is, else "".
func (s *Service) stripePage(address string) string {
	origin := clean.Origin(address)
	if origin != "" && (origin == portalOrigin || origin == invoiceOrigin || slices.Contains(s.PayOrigins, origin)) {
		return address
	}
	return ""
}

// paidBy returns a way of paying in words: "Visa ending in 4242, until 12/2029".
func (v *visit) paidBy(m stripeapi.Method) string {
	switch {
	case m.Type == "":
		return ""
	case m.Brand != "" && m.Last4 != "":
		return v.say("account.card", i18n.Args{
			"Brand": brand(m.Brand), "Last": m.Last4, "Until": fmt.Sprintf("%02d/%d", m.ExpMonth, m.ExpYear),
		})
	case m.Last4 != "":
		return v.say("account.method.ending", i18n.Args{"Method": v.method(m.Type), "Last": m.Last4})
	}
	return v.method(m.Type)
}

// brand returns a card's brand as its bank writes it.
func brand(stripes string) string {
	names := map[string]string{
		"visa": "Visa", "mastercard": "Mastercard", "amex": "American Express", "discover": "Discover", "diners": "Diners Club",
		"jcb": "JCB", "unionpay": "UnionPay", "cartes_bancaires": "Cartes Bancaires",
	}
	if name := names[stripes]; name != "" {
		return name
	}
	return stripes
}

// A membershipView is what the page of one membership shows.
type membershipView struct {
	memberView
	Done    string
	Trouble string
	Press   string
	Tiers   []tierView // with a name alone, to be read
	Change  *changeView
	Pauses  []choice // how many months; empty where it can't be paused
	CanPay  bool     // its card can be changed
	From    string   // when a change takes effect
}

type tierView struct {
	Name  string
	Cost  string // a month and a year
	Perks []string
	Own   bool // the membership's
}

// A choice is one of several.
type choice struct {
	Value, Text, More string
	Chosen            bool
}

// A changeView is the form that changes amount and interval.
type changeView struct {
	Intervals []choice
	Groups    []changeGroup
	Error     string
}

// A changeGroup is the amounts of one interval.
type changeGroup struct {
	Interval string
	Legend   string
	Amounts  []choice
	Own      bool
	OwnText  string
	OwnLabel string
	OwnHint  string
	Symbol   string
	Error    string
}

// membership handles GET /account/memberships/:id.
func (s *Service) membership(v *visit) error {
	m, err := s.Store.MembershipOf(v.Request.Context(), v.address(), v.Param("id"))
	if err != nil {
		return err
	}
	return s.showMembership(v, http.StatusOK, m, wanted{}, membershipView{Done: v.done()})
}

// showMembership renders the page of a membership, with what somebody wanted
// it to become.
func (s *Service) showMembership(v *visit, status int, m *giving.Membership, w wanted, view membershipView) error {
	members := []*giving.Membership{m}
	known, err := s.states(v.Request.Context(), members)
	if err != nil {
		return err
	}
	now := s.standing(v.Request.Context(), members)[m.Subscription]
	view.memberView, view.Press = s.member(v, m, known[m.Subscription], now), newPress()
	view.CanPay = view.State != stateEnded && view.State != stateBegun && m.Customer != ""
	view.From = s.date(v, m.PeriodEnd)
	if view.State == stateActive {
		view.Change = v.changeForm(m, w)
		view.Tiers = v.tiers(m)
		if m.Interval == giving.Month {
			for n := 1; n <= maxPause; n++ {
				next := firstAfter(m.PeriodEnd, s.Now().AddDate(0, n, 0).Unix(), m.Interval)
				view.Pauses = append(view.Pauses, choice{
					Value: strconv.Itoa(n), Text: v.say("account.pause.months", i18n.Args{"Count": n}),
					More: v.say("account.next.label") + ": " + v.say("account.next", i18n.Args{"Amount": v.write(m.Amount, m.Currency), "Date": s.date(v, next)}), Chosen: n == 1,
				})
			}
		}
	}
	return s.render(v.Context, membershipPage, status, v.lang, "account.membership.title", view)
}

// tiers returns the tiers in a membership's currency.
func (v *visit) tiers(m *giving.Membership) []tierView {
	var views []tierView
	var perks []string // each tier has those of the tiers below it
	for _, t := range offer.Tiers() {
		month, ok := t.Amount(m.Currency, offer.Month)
		year, also := t.Amount(m.Currency, offer.Year)
		if !ok || !also {
			return nil
		}
		perks = append(slices.Clip(perks), t.Perks(v.lang)...)
		views = append(views, tierView{
			Name: t.Name(v.lang), Perks: perks, Own: t.ID == m.Tier,
			Cost: v.every(month, m.Currency, offer.Month) + " · " + v.every(year, m.Currency, offer.Year),
		})
	}
	return views
}
