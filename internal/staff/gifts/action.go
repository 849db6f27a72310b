package gifts

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// What staff can do: kinds of [store.Action].
const (
	kindRefund     = "refund"
	kindReceipt    = "receipt"
	kindCorrection = "correction"
	kindNote       = "note"
	kindCancel     = "cancel"
	kindKeep       = "keep"
	kindPause      = "pause"
	kindResume     = "resume"
)

// Limits of what staff write, in characters.
const (
	maxReason = 500
	maxNote   = 2000
)

var deedTexts = map[string]string{
	kindRefund: "Refund", kindReceipt: "Send the receipt again", kindCorrection: "Correct where it was won", kindNote: "Write a note",
	kindCancel: "Cancel", kindKeep: "Take the cancellation back", kindPause: "Pause", kindResume: "Resume",
}

// A subject is what something is done to: a gift, or a membership.
type subject struct {
	id         string
	url        string // its page
	gift       *giving.Donation
	membership *giving.Membership
	story      reports.Story
}

// possible returns what can be done to a membership.
func possible(m *giving.Membership, story reports.Story) []string {
	if m.Status == "canceled" || m.Status == "incomplete_expired" || m.Ended != 0 {
		return []string{kindCorrection, kindNote}
	}
	var kinds []string
	if story.Paused {
		kinds = append(kinds, kindResume)
	} else {
		kinds = append(kinds, kindPause)
	}
	if m.CancelAtEnd {
		kinds = append(kinds, kindKeep)
	}
	return append(kinds, kindCancel, kindCorrection, kindNote)
}

// refundable returns why a gift can't be refunded, or nil.
func refundable(d *giving.Donation, story reports.Story) error {
	switch {
	case d.Source != "stripe" || d.Charge == "":
		return fault.New(fault.Conflict, "This gift was not paid through Stripe; give it back the way it came.")
	case story.Open || d.Disputed > d.Lost:
		return fault.New(fault.Conflict, "A dispute is open: refunding now could pay the donor twice. Answer the dispute at Stripe first.")
	case left(d) <= 0:
		return fault.New(fault.Conflict, "Nothing is left of this gift to refund.")
	}
	return nil
}

// left returns what of a gift can be given back, in minor units.
func left(d *giving.Donation) int64 { return d.Gross - d.Refunded - d.Lost }

// check returns why something can't be done to a subject, or nil.
func (s *subject) check(kind string) error {
	if s.gift != nil {
		switch kind {
		case kindRefund:
			return refundable(s.gift, s.story)
		case kindReceipt:
			if s.gift.Email == "" {
				return fault.New(fault.Conflict, "No address is known to send a receipt to.")
			}
			return nil
		case kindCorrection, kindNote:
			return nil
		}
	} else {
		for _, able := range possible(s.membership, s.story) {
			if able == kind {
				return nil
			}
		}
		if deedTexts[kind] != "" && kind != kindRefund && kind != kindReceipt {
			return fault.New(fault.Conflict, "The membership has changed, so this can't be done any more; look at its page.")
		}
	}
	return fault.New(fault.NotFound, "There is nothing of that name to do.")
}

func (g *Gifts) giftSubject(ctx context.Context, id string) (*subject, error) {
	d, story, err := g.giftOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return &subject{id: d.Key, url: giftsPath + "/" + d.Key, gift: d, story: story}, nil
}

func (g *Gifts) memberSubject(ctx context.Context, id string) (*subject, error) {
	m, story, err := g.membershipOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return &subject{id: m.Subscription, url: membershipsPath + "/" + m.Subscription, membership: m, story: story}, nil
}

func (g *Gifts) askGift(v *desk.Visit) error       { return g.ask(v, g.giftSubject) }
func (g *Gifts) doGift(v *desk.Visit) error        { return g.do(v, g.giftSubject) }
func (g *Gifts) askMembership(v *desk.Visit) error { return g.ask(v, g.memberSubject) }
func (g *Gifts) doMembership(v *desk.Visit) error  { return g.do(v, g.memberSubject) }

type finder func(ctx context.Context, id string) (*subject, error)

// An actionView is the page on which something is confirmed.
type actionView struct {
	Kind       string
	Title      string
	Button     string
	Key        string // of this form: a second press is the same wish
	Back       string
	Gift       *row
	Membership *giving.Membership
	Amount     string // of the gift or membership
	Left       string // of the gift
	LeftPlain  string // as it is typed
	Values     url.Values
	Wrong      string
	Field      string
	Today      string
	End        time.Time // of the paid period
}

// Get returns what was typed into a field.
func (a actionView) Get(name string) string { return a.Values.Get(name) }

// ask handles GET …/do/KIND: says what will happen and asks why.
func (g *Gifts) ask(v *desk.Visit, find finder) error {
	s, err := find(v.Request.Context(), v.Param("id"))
	if err != nil {
		return err
	}
	kind := v.Param("kind")
	if err := s.check(kind); err != nil {
		return err
	}
	if err := g.fresh(v, s, kind); err != nil {
		return err
	}
	values := url.Values{"when": {"end"}, "scope": {"gift"}}
	won := giving.Attribution{}
	if s.gift != nil {
		won = s.gift.Attribution
	} else {
		won = s.membership.Attribution
	}
	values.Set("article", won.Article)
	values.Set("placement", won.Placement)
	values.Set("campaign", won.Campaign)
	return g.form(v, s, kind, rand.Text(), values, nil, http.StatusOK)
}

// fresh asks for a sign-in that is not long ago where money goes back.
func (g *Gifts) fresh(v *desk.Visit, s *subject, kind string) error {
	if kind != kindRefund {
		return nil
	}
	return g.Desk.Fresh(v, s.url+"/do/"+kind)
}

// form shows the page of an action; wrong is what was not right before.
func (g *Gifts) form(v *desk.Visit, s *subject, kind, key string, values url.Values, wrong error, status int) error {
	view := actionView{
		Kind: kind, Title: titles[kind], Button: buttons[kind], Key: key, Back: s.url, Membership: s.membership, Values: values,
		Today: g.Now().In(g.Zone).Format(time.DateOnly),
	}
	if s.gift != nil {
		r := rowOf(s.gift, true)
		view.Gift, view.Amount, view.Left = &r, r.Amount, amount(left(s.gift), s.gift.Currency)
		view.LeftPlain = plain(left(s.gift), s.gift.Currency)
		if !values.Has("amount") {
			values.Set("amount", view.LeftPlain)
		}
	} else {
		view.Amount, view.End = amount(s.membership.Amount, s.membership.Currency), instant(s.membership.PeriodEnd)
	}
	if f, ok := errors.AsType[*fault.Error](wrong); ok {
		view.Wrong, view.Field = f.Detail, f.Field
	}
	return g.Desk.RenderStatus(v, g.action, desk.Page{Title: view.Title, Narrow: true, Body: view}, status)
}

var titles = map[string]string{
	kindRefund: "Refund this donation", kindReceipt: "Send the receipt again", kindCorrection: "Correct where it was won", kindNote: "Write a note",
	kindCancel: "Cancel this membership", kindKeep: "Take the cancellation back", kindPause: "Pause this membership", kindResume: "Resume this membership",
}

var buttons = map[string]string{
	kindRefund: "Give the money back", kindReceipt: "Send it again", kindCorrection: "Correct it", kindNote: "Keep the note",
	kindCancel: "Cancel the membership", kindKeep: "Keep the membership", kindPause: "Pause it", kindResume: "Resume it",
}

// formKey is what a form's key looks like: see [rand.Text].
var formKey = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// do handles POST …/do/KIND. The wish is stored under the form's key before
// anybody is asked, so a second press finds what the first has come to, or asks
// Stripe again under the same key.
func (g *Gifts) do(v *desk.Visit, find finder) error {
	ctx := v.Request.Context()
	s, err := find(ctx, v.Param("id"))
	if err != nil {
		return err
	}
	if err := v.Request.ParseForm(); err != nil {
		return fault.New(fault.Invalid, "The form can't be read.")
	}
	kind, values := v.Param("kind"), v.Request.PostForm
	key := values.Get("key")
	if !formKey.MatchString(key) {
		return fault.Field("key", "Open the form again; it has lost its key.")
	}
	if err := g.fresh(v, s, kind); err != nil {
		return err
	}
	before, known, err := g.Store.ActionByID(ctx, key)
	if err != nil {
		return err
	}
	if !known {
		if err := s.check(kind); err != nil {
			return err
		}
	}
	w, err := g.read(s, kind, values, known)
	if err != nil {
		return g.form(v, s, kind, key, values, err, http.StatusUnprocessableEntity)
	}
	a := store.Action{
		ID: key, Subject: s.id, Kind: kind, Who: v.Member.Email, Reason: w.Reason, Detail: w.detail(), State: store.ActionAsked, Created: g.Now(),
	}
	if !known {
		if before, err = g.Store.BeginAction(ctx, a); err != nil {
			return err
		}
	}
	if before.Subject != a.Subject || before.Kind != kind || before.Who != a.Who || before.Detail != a.Detail {
		return fault.New(fault.Conflict, "This form was sent before with something else in it; open it again.")
	}
	return g.carry(v, s, before, w, values)
}

// carry does what was stored, unless it has ended, and leads to the page of
// what it was done to.
func (g *Gifts) carry(v *desk.Visit, s *subject, a store.Action, w wish, values url.Values) error {
	if a.State != store.ActionAsked {
		return g.Desk.Back(v, s.url, sentence(a))
	}
	ctx := v.Request.Context()
	outcome, err := g.perform(ctx, s, a, w)
	refused := stripeapi.IsKind(err, stripeapi.Refused) || stripeapi.IsKind(err, stripeapi.Missing) || stripeapi.IsKind(err, stripeapi.Denied)
	switch {
	case refused:
		a.State, a.Outcome = store.ActionRefused, "Stripe refused: "+reasonOf(err)
	case stripeapi.IsKind(err, stripeapi.Unreachable) || stripeapi.IsKind(err, stripeapi.Limited):
		g.Desk.Log.WarnContext(ctx, "staff: Stripe did not answer", "action", a.Kind, "err", err)
		unknown := fault.New(fault.Upstream, "Stripe did not answer, so it is not known whether it was done. Press again: it will not be done twice.")
		return g.form(v, s, a.Kind, a.ID, values, unknown, http.StatusBadGateway)
	case err != nil:
		return err
	default:
		a.State, a.Outcome = store.ActionDone, outcome
	}
	a.Done = g.Now()
	if _, err := g.Store.EndAction(ctx, a, g.entry(v, a)); err != nil {
		return err
	}
	if refused {
		wrong := fault.New(fault.Upstream, "%s.", strings.TrimSuffix(a.Outcome, "."))
		return g.form(v, s, a.Kind, rand.Text(), values, wrong, http.StatusUnprocessableEntity)
	}
	return g.Desk.Back(v, s.url, sentence(a))
}

// sentence says what came of an action.
func sentence(a store.Action) string {
	text := strings.TrimSuffix(a.Outcome, ".")
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return strings.ToUpper(string(first)) + text[size:] + "."
}

// reasonOf returns Stripe's explanation.
func reasonOf(err error) string {
	e, ok := errors.AsType[*stripeapi.Error](err)
	if !ok || e.Message == "" {
		return "it gave no reason"
	}
	return e.Message
}

// entry is the action's line in the audit log. What a note says stays out: the
// log is never changed, and a note may have to be erased.
func (g *Gifts) entry(v *desk.Visit, a store.Action) store.Entry {
	e := g.Desk.By(v, "gift."+a.Kind, a.Subject)
	if strings.HasPrefix(a.Subject, "sub_") {
		e.Action = "membership." + a.Kind
	}
	e.Detail = a.Detail
	if a.Kind != kindNote {
		e.Reason = a.Reason
	}
	if a.State == store.ActionRefused {
		e.Detail += " " + a.Outcome
	}
	return e
}

// A wish is what a form asks for, beyond its kind.
type wish struct {
	Reason  string     `json:"-"`
	Amount  int64      `json:"amount_minor,omitzero"`
	Money   string     `json:"currency,omitzero"`
	Why     string     `json:"stripe_reason,omitzero"`
	AtEnd   bool       `json:"at_period_end,omitzero"`
	Until   string     `json:"until,omitzero"` // a day
	Scope   string     `json:"scope,omitzero"` // gift or membership
	Article string     `json:"article,omitzero"`
	Place   string     `json:"placement,omitzero"`
	Camp    string     `json:"campaign,omitzero"`
	until   *time.Time // the begin of that day
}

func (w wish) detail() string {
	text, err := json.Marshal(w)
	if err != nil {
		panic(fmt.Sprintf("a wish that can't be written: %v", err)) // it has nothing but texts and numbers
	}
	return string(text)
}

// line reads one line of a form with at least and at most so many characters.
// It returns a [fault.Invalid] that names the field.
func line(field, text string, least, most int) (string, error) {
	text = clean.Text(text)
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		return "", fault.Field(field, "Fill in the %s.", field)
	case n > most:
		return "", fault.Field(field, "The %s has more than %d characters.", field, most)
	}
	return text, nil
}
