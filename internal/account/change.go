package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// maxPause is for how many months a membership can be paused.
const maxPause = 3

// actTime bounds a change, which goes on when its sender hangs up.
const actTime = 25 * time.Second

// newPress returns what tells one press of a button from another: two presses
// of the same are one change at Stripe.
func newPress() string {
	press, _ := newSecret()
	return press
}

// An act is one change that a supporter makes.
type act struct {
	name   string // for the audit log, such as membership.pause
	detail string // what becomes of it
	reason string
	done   string // what the next page says
	do     func(ctx context.Context, key string) ([]stripeapi.Answer, error)
}

// perform makes a change at Stripe, records the answer, and leads to the page
// that shows it.
func (s *Service) perform(v *visit, m *giving.Membership, a act) error {
	if err := s.allow(v.Context, limits.AccountAct, v.address()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Request.Context()), actTime)
	defer cancel()
	answers, err := a.do(ctx, actKey(v.PostForm("press"), m.Subscription, a))
	if err != nil {
		return s.refused(v, m, err)
	}
	entry := store.Entry{At: s.Now(), Who: store.TheSupporter, Action: a.name, Subject: m.Subscription, Reason: a.reason, Detail: a.detail}
	if err := s.Store.Audit(ctx, entry); err != nil {
		s.Log.ErrorContext(ctx, "account: a supporter's act is not in the audit log", "action", a.name, "subscription", m.Subscription, "err", err)
	}
	if err := s.record(ctx, answers); err != nil {
		// It is done, and the event will say so.
		s.Log.ErrorContext(ctx, "account: Stripe's answer is not recorded", "action", a.name, "subscription", m.Subscription, "err", err)
		a.done = "later"
	}
	v.Redirect(http.StatusSeeOther, "/account/memberships/"+m.Subscription+"?done="+a.done)
	return nil
}

// actKey returns the idempotency key of a press. It follows from all that is
// asked, so that another wish is never taken for the one before.
func actKey(press, subscription string, a act) string {
	sum := sha256.Sum256([]byte(press + "\x00" + subscription + "\x00" + a.name + "\x00" + a.detail + "\x00" + a.reason))
	return "account-" + hex.EncodeToString(sum[:16])
}

// record takes Stripe's answers into the books.
func (s *Service) record(ctx context.Context, answers []stripeapi.Answer) error {
	var facts []ledger.Answer
	for _, answer := range answers {
		facts = append(facts, ledger.Answer{Object: answer.Object, At: answer.At})
	}
	return s.Ledger.Apply(ctx, facts...)
}

// refused shows the membership again after Stripe said no, or nothing.
func (s *Service) refused(v *visit, m *giving.Membership, err error) error {
	s.Log.WarnContext(v.Request.Context(), "account: Stripe did not make a change", "subscription", m.Subscription, "err", err)
	if _, ok := errors.AsType[*stripeapi.Error](err); !ok {
		return err
	}
	status, key := http.StatusBadGateway, "account.error.refused"
	if stripeapi.IsKind(err, stripeapi.Unreachable) || stripeapi.IsKind(err, stripeapi.Limited) {
		status, key = http.StatusServiceUnavailable, "account.error.unreachable"
	}
	return s.showMembership(v, status, m, wanted{}, membershipView{Trouble: v.say(key)})
}

// one returns the answers of a call that gives one.
func one(answer stripeapi.Answer, err error) ([]stripeapi.Answer, error) {
	return []stripeapi.Answer{answer}, err
}

// posted returns the membership that a form is about, in one of the states in
// which that form is offered. Otherwise it leads back to the page, which shows
// how things are by now, and returns nil.
func (s *Service) posted(v *visit, states ...string) (*giving.Membership, error) {
	m, err := s.Store.MembershipOf(v.Request.Context(), v.address(), v.Param("id"))
	if err != nil {
		return nil, err
	}
	known, err := s.states(v.Request.Context(), []*giving.Membership{m})
	if err != nil {
		return nil, err
	}
	if slices.Contains(states, stateOf(m, known[m.Subscription])) {
		return m, nil
	}
	v.Redirect(http.StatusSeeOther, "/account/memberships/"+m.Subscription)
	return nil, nil
}

// pause handles POST /account/memberships/:id/pause.
func (s *Service) pause(v *visit) error {
	m, err := s.posted(v, stateActive)
	if err != nil || m == nil {
		return err
	}
	months, err := strconv.Atoi(v.PostForm("months"))
	if err != nil || months < 1 || months > maxPause || m.Interval != giving.Month {
		return fault.Field("months", "A monthly membership can be paused for one to %d months.", maxPause)
	}
	until := s.Now().AddDate(0, months, 0).Truncate(time.Hour) // one key, one request, within the hour
	return s.perform(v, m, act{
		name: "membership.pause", detail: "until " + until.UTC().Format(time.RFC3339), done: "paused",
		do: func(ctx context.Context, key string) ([]stripeapi.Answer, error) {
			return one(s.Stripe.PauseSubscription(ctx, key, m.Subscription, until))
		},
	})
}

// resume handles POST /account/memberships/:id/resume.
func (s *Service) resume(v *visit) error {
	m, err := s.posted(v, statePaused)
	if err != nil || m == nil {
		return err
	}
	return s.perform(v, m, act{name: "membership.resume", done: "resumed",
		do: func(ctx context.Context, key string) ([]stripeapi.Answer, error) {
			return one(s.Stripe.ResumeSubscription(ctx, key, m.Subscription))
		}})
}

// keep handles POST /account/memberships/:id/keep: it goes on after all.
func (s *Service) keep(v *visit) error {
	m, err := s.posted(v, stateEnding)
	if err != nil || m == nil {
		return err
	}
	return s.perform(v, m, act{name: "membership.keep", done: "kept",
		do: func(ctx context.Context, key string) ([]stripeapi.Answer, error) {
			return one(s.Stripe.KeepSubscription(ctx, key, m.Subscription))
		}})
}

// reasons are why somebody may say they cancel, in Stripe's words.
var reasons = []string{"too_expensive", "unused", "switched_service", "low_quality", "customer_service", "other"}

// A cancelView is what the page that ends a membership shows.
type cancelView struct {
	memberView
	Reasons []choice
	From    string // until when it is paid
	AtEnd   bool   // it can run to that day
}

// showCancel handles GET /account/memberships/:id/cancel.
func (s *Service) showCancel(v *visit) error {
	m, err := s.posted(v, stateActive, statePaused, stateOwing, stateBegun)
	if err != nil || m == nil {
		return err
	}
	known, err := s.states(v.Request.Context(), []*giving.Membership{m})
	if err != nil {
		return err
	}
	view := cancelView{memberView: s.member(v, m, known[m.Subscription], stripeapi.Standing{}), From: s.date(v, m.PeriodEnd)}
	view.AtEnd = view.State == stateActive || view.State == statePaused
	for _, reason := range reasons {
		view.Reasons = append(view.Reasons, choice{Value: reason, Text: v.say("account.reason." + reason)})
	}
	return s.render(v.Context, cancelPage, http.StatusOK, v.lang, "account.cancel.title", view)
}

// cancel handles POST /account/memberships/:id/cancel: one press is enough,
// and what is late is no reason to hold anybody.
func (s *Service) cancel(v *visit) error {
	m, err := s.posted(v, stateActive, statePaused, stateOwing, stateBegun)
	if err != nil || m == nil {
		return err
	}
	reason := v.PostForm("reason")
	if !slices.Contains(reasons, reason) {
		reason = ""
	}
	a := act{name: "membership.cancel", detail: "at the end of what is paid", reason: reason, done: "canceled",
		do: func(ctx context.Context, key string) ([]stripeapi.Answer, error) {
			return one(s.Stripe.CancelAtPeriodEndFor(ctx, key, m.Subscription, reason))
		}}
	if v.PostForm("when") == "now" || m.Status != "active" && m.Status != "trialing" {
		a.detail, a.done = "at once", "ended"
		a.do = func(ctx context.Context, key string) ([]stripeapi.Answer, error) {
			return one(s.Stripe.CancelSubscriptionFor(ctx, key, m.Subscription, reason))
		}
	}
	return s.perform(v, m, a)
}

// wanted is what somebody wants a membership to become, as it was typed.
type wanted struct {
	interval string
	amount   string // minor units, or "own"
	own      string
	err      string // what is wrong with the amount
}

// ownAmount is the choice of an amount that is none of the tiers'.
const ownAmount = "own"

// changeForm returns the form that changes a membership, or nil where its
// currency is not offered.
func (v *visit) changeForm(m *giving.Membership, w wanted) *changeView {
	if w.interval == "" {
		w.interval = string(m.Interval)
	}
	form := &changeView{Error: w.err}
	for _, interval := range [...]string{offer.Month, offer.Year} {
		o, ok := offer.Get(m.Currency, interval)
		if !ok {
			return nil
		}
		g := changeGroup{
			Interval: interval, Legend: v.say("support.amount." + interval), Symbol: i18n.Symbol(v.lang, m.Currency),
			OwnLabel: v.say("support.own.label", i18n.Args{"Currency": m.Currency}),
			OwnHint:  v.say("support.own.hint", i18n.Args{"Min": v.write(o.Min, m.Currency), "Max": v.write(o.Max, m.Currency)}),
		}
		chosen := w.amount
		if interval != w.interval || chosen == "" {
			chosen = strconv.FormatInt(suggested(m, interval), 10)
		}
		for _, t := range offer.Tiers() {
			minor, _ := t.Amount(m.Currency, interval)
			value := strconv.FormatInt(minor, 10)
			g.Amounts = append(g.Amounts, choice{Value: value, Text: v.write(minor, m.Currency), More: t.Name(v.lang), Chosen: value == chosen})
		}
		if !slices.ContainsFunc(g.Amounts, func(c choice) bool { return c.Chosen }) {
			g.Own, g.OwnText = true, w.own
			if minor, err := strconv.ParseInt(chosen, 10, 64); err == nil {
				g.OwnText = i18n.Decimal(v.lang, money.Amount{Minor: minor, Currency: m.Currency})
			}
		}
		if interval == w.interval {
			g.Error = w.err
		}
		form.Intervals = append(form.Intervals, choice{Value: interval, Text: v.say("interval." + interval), Chosen: interval == w.interval})
		form.Groups = append(form.Groups, g)
	}
	return form
}

// suggested returns the amount that a form shows first: what is given now, or
// its tier's in the other interval.
func suggested(m *giving.Membership, interval string) int64 {
	if interval == string(m.Interval) {
		return m.Amount
	}
	if t, ok := offer.TierFor(m.Currency, string(m.Interval), m.Amount); ok {
		minor, _ := t.Amount(m.Currency, interval)
		return minor
	}
	o, _ := offer.Get(m.Currency, interval)
	return o.Default
}

// change handles POST /account/memberships/:id/change.
func (s *Service) change(v *visit) error {
	m, err := s.posted(v, stateActive)
	if err != nil || m == nil {
		return err
	}
	w := wanted{interval: v.PostForm("interval")}
	o, ok := offer.Get(m.Currency, w.interval)
	if !ok || w.interval == offer.Once {
		return fault.Field("interval", "A membership is monthly or yearly.")
	}
	w.amount, w.own = v.PostForm("amount_"+w.interval), v.PostForm("own_"+w.interval)
	minor, err := w.minor(m.Currency)
	if err == nil {
		err = o.Admits(minor)
	}
	if w.err = v.amountError(err, o); w.err != "" {
		return s.showMembership(v, http.StatusUnprocessableEntity, m, w, membershipView{})
	}
	change := stripeapi.SubscriptionChange{Amount: money.Amount{Minor: minor, Currency: m.Currency}, Interval: w.interval}
	if t, ok := offer.TierFor(m.Currency, w.interval, minor); ok {
		change.Tier = t.ID
	}
	return s.perform(v, m, act{
		name: "membership.change", detail: change.Amount.String() + " a " + change.Interval + ", tier " + strconv.Quote(change.Tier), done: "changed",
		do: func(ctx context.Context, key string) ([]stripeapi.Answer, error) {
			return one(s.Stripe.ChangeSubscription(ctx, key, m.Subscription, change))
		},
	})
}

var errNoAmount = errors.New("no amount was chosen")

// minor returns the amount that is wanted.
func (w wanted) minor(currency string) (int64, error) {
	switch w.amount {
	case "":
		return 0, errNoAmount
	case ownAmount:
		if w.own == "" {
			return 0, errNoAmount
		}
		a, err := i18n.ParseMoney(w.own, currency)
		return a.Minor, err
	}
	minor, err := strconv.ParseInt(w.amount, 10, 64)
	if err != nil {
		return 0, errNoAmount
	}
	return minor, nil
}

// amountError says in the visitor's words what is wrong with an amount.
func (v *visit) amountError(err error, o offer.Offer) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errNoAmount):
		return v.say("error.amount.missing")
	case errors.Is(err, money.ErrRange), errors.Is(err, offer.ErrHigh):
		return v.say("error.amount.high", i18n.Args{"Max": v.write(o.Max, o.Currency)})
	case errors.Is(err, offer.ErrLow):
		return v.say("error.amount.low", i18n.Args{"Min": v.write(o.Min, o.Currency)})
	case errors.Is(err, offer.ErrStep):
		return v.say("error.amount.step", i18n.Args{"Example": v.write(o.Default, o.Currency)})
	}
	return v.say("error.amount.syntax", i18n.Args{"Example": i18n.Decimal(v.lang, money.Amount{Minor: o.Default, Currency: o.Currency})})
}
