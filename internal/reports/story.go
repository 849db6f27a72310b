package reports

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// The kinds of moments.
const (
	MomentGift       = "gift"       // something the donor did
	MomentMoney      = "money"      // money came, went or was paid out
	MomentTrouble    = "trouble"    // a refund, a dispute, a warning
	MomentMail       = "mail"       // a mail of ours
	MomentStaff      = "staff"      // staff did or wrote something
	MomentEvent      = "event"      // Stripe told us
	MomentAnswer     = "answer"     // Stripe answered us
	MomentMembership = "membership" // a membership began or ended
)

// A Moment is one thing that happened to a gift, as staff read it.
type Moment struct {
	At     time.Time
	Kind   string
	Title  string
	Text   string // may be ""
	Amount money.Amount
	Due    time.Time // until when somebody has to act; zero if nobody has
	Bad    bool
	Who    string // the member of staff; "" where nobody acted
	Link   string // path of the payout or membership, below /staff; "" if none
}

// An Object is what is known of one object at Stripe, or said by us.
type Object struct {
	Ref  objects.Ref
	JSON string
}

// A Story is all that is known of one gift or membership.
type Story struct {
	Moments []Moment // by time
	Objects []Object // by ref
	Charge  string   // what a refund gives back; "" where Stripe has taken nothing
	Open    bool     // a dispute is open
	Paused  bool     // a membership is not collected for
}

// storyKinds are the kinds of objects whose own events belong to a gift's
// story. Those of its customer and subscription belong to many gifts.
var storyKinds = []objects.Kind{
	objects.KindCharge, objects.KindIntent, objects.KindInvoice, objects.KindSession, objects.KindRefund, objects.KindDispute,
	objects.KindTransaction, objects.KindWarning, objects.KindOffline, objects.KindAdopted, objects.KindCorrection,
}

// GiftStory returns the story of a donation.
func (s *Service) GiftStory(ctx context.Context, d *giving.Donation) (Story, error) {
	root := objects.RootOf(d)
	t := teller{s: s, found: map[objects.Ref]objects.Register{}}
	if err := s.walk(ctx, func(g *objects.Graph) { g.Donation(root); g.Needs(root) }, t.load); err != nil {
		return Story{}, err
	}
	if err := t.warnings(ctx, d.Charge); err != nil {
		return Story{}, err
	}
	if err := t.checkout(ctx, d.Checkout); err != nil {
		return Story{}, err
	}
	t.story.Charge = d.Charge
	if d.Source == "offline" {
		t.add(Moment{At: time.Unix(d.Created, 0), Kind: MomentMoney, Title: "Received outside Stripe", Text: i18n.Method(d.Method), Amount: money.Amount{Minor: d.Gross, Currency: d.Currency}})
	}
	for ref, register := range t.found {
		t.tell(ref, register)
	}
	if d.Subscription != "" {
		t.add(Moment{At: time.Unix(d.Created, 0), Kind: MomentMembership, Title: "Paid for a membership", Text: "every " + string(d.Interval), Link: "/staff/memberships/" + d.Subscription})
	}
	if err := t.payouts(ctx); err != nil {
		return Story{}, err
	}
	return t.end(ctx, []string{d.Key}, func(ref objects.Ref) bool { return slices.Contains(storyKinds, ref.Kind()) })
}

// MembershipStory returns the story of a membership, without its gifts'.
func (s *Service) MembershipStory(ctx context.Context, m *giving.Membership) (Story, error) {
	root := objects.NewRef(objects.KindSubscription, m.Subscription)
	t := teller{s: s, found: map[objects.Ref]objects.Register{}}
	if err := s.walk(ctx, func(g *objects.Graph) { g.Membership(root, s.now().Unix(), 0) }, t.load); err != nil {
		return Story{}, err
	}
	if err := t.checkout(ctx, m.Checkout); err != nil {
		return Story{}, err
	}
	if o, ok := t.found[root].(*objects.Subscription); ok {
		t.story.Paused = o.State.Value.Paused
	}
	t.add(Moment{
		At: time.Unix(m.Created, 0), Kind: MomentMembership, Title: "Membership began", Text: "every " + string(m.Interval),
		Amount: money.Amount{Minor: m.Amount, Currency: m.Currency},
	})
	if m.Ended != 0 {
		t.add(Moment{At: time.Unix(m.Ended, 0), Kind: MomentMembership, Title: "Membership ended", Bad: true})
	}
	return t.end(ctx, []string{m.Subscription}, func(ref objects.Ref) bool {
		switch ref.Kind() {
		case objects.KindSubscription, objects.KindSession, objects.KindCorrection, objects.KindAdopted:
			return true
		}
		return false
	})
}

// A teller gathers a story.
type teller struct {
	s     *Service
	found map[objects.Ref]objects.Register
	story Story
}

func (t *teller) load(ref objects.Ref, register objects.Register) { t.found[ref] = register }

func (t *teller) add(m Moment) { t.story.Moments = append(t.story.Moments, m) }

// warnings loads the early fraud warnings of a charge, which move no money.
func (t *teller) warnings(ctx context.Context, charge string) error {
	if charge == "" {
		return nil
	}
	names, err := t.s.store.Naming(ctx, []string{string(objects.NewRef(objects.KindCharge, charge))})
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return objects.Ref(name).Kind() != objects.KindWarning })
	return t.s.decoded(ctx, names, t.load)
}

func (t *teller) checkout(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	c, ok, err := t.s.store.CheckoutByID(ctx, id)
	if err != nil || !ok {
		return err
	}
	where := "from the support page"
	if c.Article != "" {
		where = "from " + c.Article
		if c.Placement != "" {
			where += ", " + placed(c.Placement)
		}
	}
	if c.Attribution != "" {
		where += "; attribution " + c.Attribution
	}
	t.add(Moment{
		At: c.CreatedAt, Kind: MomentGift, Title: "Chose to give, " + rhythm(c.Interval), Text: where,
		Amount: money.Amount{Minor: c.AmountMinor, Currency: c.Currency},
	})
	if c.Error != "" {
		t.add(Moment{At: c.CreatedAt, Kind: MomentGift, Title: "Stripe opened no page", Text: c.Error, Bad: true})
	}
	return nil
}

// placed says where in an article an ask stands.
func placed(placement string) string {
	switch placement {
	case "mid":
		return "in the middle"
	case "end":
		return "at the end"
	}
	return placement
}

func rhythm(interval string) string {
	switch interval {
	case "month":
		return "every month"
	case "year":
		return "every year"
	}
	return "once"
}

// spaced returns Stripe's word as people write it.
func spaced(word string) string { return strings.ReplaceAll(word, "_", " ") }

// tell adds what one object says happened.
func (t *teller) tell(ref objects.Ref, register objects.Register) {
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	amount := func(minor int64, currency string) money.Amount {
		return money.Amount{Minor: minor, Currency: strings.ToUpper(currency)}
	}
	switch o := register.(type) {
	case *objects.Charge:
		switch {
		case o.Status == "succeeded" && o.Captured > 0:
			t.add(Moment{At: at(o.Created), Kind: MomentMoney, Title: "Paid", Text: i18n.Method(o.Payer.Value.Method), Amount: amount(o.Captured, o.Currency)})
		case o.Status == "failed":
			t.add(Moment{At: at(o.Created), Kind: MomentTrouble, Title: "A payment failed", Text: spaced(o.Outcome.Value.FailureCode), Bad: true})
		}
	case *objects.Refund:
		m := Moment{At: at(o.Created), Kind: MomentTrouble, Title: "Refund", Text: spaced(o.Status), Amount: amount(-o.Amount, o.Currency), Bad: !o.Counts()}
		if o.Reason != "" {
			m.Text += "; " + spaced(o.Reason)
		}
		t.add(m)
	case *objects.Dispute:
		m := Moment{At: at(o.Created), Kind: MomentTrouble, Title: "Dispute", Text: spaced(o.State.Value.Status), Amount: amount(-o.Amount, o.Currency), Bad: o.Takes()}
		if o.State.Value.Reason != "" {
			m.Text += "; " + spaced(o.State.Value.Reason)
		}
		if o.State.Value.Status == "needs_response" || o.State.Value.Status == "warning_needs_response" {
			m.Due = at(o.State.Value.DueBy)
		}
		t.story.Open = t.story.Open || o.Takes() && o.State.Value.Status != "lost"
		t.add(m)
	case *objects.Warning:
		t.add(Moment{At: at(o.Created), Kind: MomentTrouble, Title: "The card's bank warns of fraud", Text: spaced(o.Type), Bad: true})
	case *objects.Transaction:
		t.settled(o)
	}
}

// settled adds a movement of our balance: what it came to, and the fee.
func (t *teller) settled(o *objects.Transaction) {
	if o.Created == 0 {
		return
	}
	currency := strings.ToUpper(o.Currency)
	text := i18n.Money("en", money.Amount{Minor: o.Amount, Currency: currency}) + " before a fee of " +
		i18n.Money("en", money.Amount{Minor: o.Fee, Currency: currency})
	if o.Rate != "" {
		text += ", at a rate of " + o.Rate
	}
	t.add(Moment{At: time.Unix(o.Created, 0), Kind: MomentMoney, Title: "Settled: " + spaced(o.Type), Text: text, Amount: money.Amount{Minor: o.Net, Currency: currency}})
}

// payouts adds the bank deposits that the gift's money is part of.
func (t *teller) payouts(ctx context.Context) error {
	var refs []string
	for _, register := range t.found {
		if o, ok := register.(*objects.Transaction); ok && o.Payout != "" {
			refs = append(refs, string(objects.NewRef(objects.KindPayout, o.Payout)))
		}
	}
	slices.Sort(refs)
	return t.s.decoded(ctx, slices.Compact(refs), func(ref objects.Ref, register objects.Register) {
		if p := register.(*objects.Payout); p.Created != 0 {
			title := "Paid out to the bank, with others"
			if p.Status == "failed" {
				title = "A payout that failed, with others"
			}
			t.add(Moment{
				At: time.Unix(p.Arrival, 0), Kind: MomentMoney, Title: title, Text: spaced(p.Status) + "; " + ref.ID(),
				Amount: money.Amount{Minor: p.Amount, Currency: strings.ToUpper(p.Currency)}, Bad: p.Status == "failed",
			})
		}
	})
}

// end adds what is about the subjects, and about the objects of which own says
// that their events belong here, and sorts everything.
func (t *teller) end(ctx context.Context, subjects []string, own func(objects.Ref) bool) (Story, error) {
	var refs []string
	for ref, register := range t.found {
		var indented bytes.Buffer
		if err := json.Indent(&indented, []byte(objects.Encode(register)), "", "  "); err != nil {
			return Story{}, err
		}
		t.story.Objects = append(t.story.Objects, Object{ref, indented.String()})
		if own(ref) {
			refs = append(refs, string(ref))
		}
	}
	slices.SortFunc(t.story.Objects, func(a, b Object) int { return cmp.Compare(a.Ref, b.Ref) })
	for _, add := range []func(context.Context, []string) error{t.events, t.answers} {
		if err := add(ctx, refs); err != nil {
			return Story{}, err
		}
	}
	for _, add := range []func(context.Context, []string) error{t.mails, t.actions} {
		if err := add(ctx, subjects); err != nil {
			return Story{}, err
		}
	}
	slices.SortStableFunc(t.story.Moments, func(a, b Moment) int {
		return cmp.Or(cmp.Compare(a.At.Unix(), b.At.Unix()), cmp.Compare(rank(a.Kind), rank(b.Kind)), cmp.Compare(a.Title, b.Title), cmp.Compare(a.Text, b.Text))
	})
	return t.story, nil
}

// rank orders what happened in one second, which is as exact as Stripe's times
// are: what somebody did, what came of it, and then what was told of it.
func rank(kind string) int {
	return slices.Index([]string{
		MomentGift, MomentStaff, MomentMembership, MomentTrouble, MomentMoney, MomentEvent, MomentAnswer, MomentMail,
	}, kind)
}

func (t *teller) events(ctx context.Context, refs []string) error {
	events, err := t.s.store.EventsAbout(ctx, refs)
	for _, e := range events {
		text := objects.Ref(e.Ref).ID() + ", received " + e.Received.Sub(e.Created).Round(time.Second).String() + " later"
		if e.Deliveries > 1 {
			text += fmt.Sprintf(", delivered %d times", e.Deliveries)
		}
		if e.State != store.Applied {
			text += ", " + e.State
		}
		if e.Error != "" {
			text += ": " + e.Error
		}
		t.add(Moment{At: e.Created, Kind: MomentEvent, Title: e.Type, Text: text, Bad: e.State == store.Parked})
	}
	return err
}

func (t *teller) answers(ctx context.Context, refs []string) error {
	snapshots, err := t.s.store.SnapshotsAbout(ctx, refs)
	for _, snapshot := range snapshots {
		ref := objects.Ref(snapshot.Ref)
		m := Moment{At: snapshot.AsOf, Kind: MomentAnswer, Title: "Stripe was asked", Text: ref.ID()}
		switch ref.Kind() {
		case objects.KindOffline, objects.KindAdopted:
			m.Title = "Imported"
		case objects.KindCorrection:
			continue // it is told as what staff did
		}
		t.add(m)
	}
	return err
}

func (t *teller) mails(ctx context.Context, subjects []string) error {
	mails, err := t.s.store.MailsAbout(ctx, subjects)
	for _, m := range mails {
		at, text := m.Done, m.State
		if m.State == store.MailKept {
			text = "kept and not sent: no mail server is set"
		}
		if at.IsZero() {
			at = m.Queued
		}
		if m.Error != "" {
			text += ": " + m.Error
		}
		t.add(Moment{At: at, Kind: MomentMail, Title: "Mail: " + spaced(m.Kind), Text: text, Bad: m.State == store.MailRefused})
	}
	return err
}

func (t *teller) actions(ctx context.Context, subjects []string) error {
	actions, err := t.s.store.ActionsAbout(ctx, subjects)
	for _, a := range actions {
		m := Moment{At: a.Created, Kind: MomentStaff, Title: actionTitles[a.Kind], Text: a.Reason, Who: a.Who, Bad: a.State == store.ActionRefused}
		switch {
		case a.Kind == "note":
		case a.State == store.ActionAsked:
			m.Title += ": not confirmed yet"
			m.Bad = true
		case a.Outcome != "":
			m.Title += ": " + a.Outcome
		}
		t.add(m)
	}
	return err
}

// actionTitles are what staff do, by kind.
var actionTitles = map[string]string{
	"refund": "Refund asked for", "receipt": "Receipt sent again", "cancel": "Membership canceled", "keep": "Cancellation taken back",
	"pause": "Membership paused", "resume": "Membership resumed", "correction": "Attribution corrected", "note": "Note",
}

// Told returns the mails about several gifts and memberships, and what staff
// did about them, by time.
func (s *Service) Told(ctx context.Context, subjects []string) ([]Moment, error) {
	t := teller{s: s}
	story, err := t.end(ctx, subjects, func(objects.Ref) bool { return false })
	return story.Moments, err
}
