package gifts

import (
	"context"
	"errors"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// A moment is one line of a story, as a page shows it.
type moment struct {
	reports.Moment
	Sum string // the amount; "" if it is about none
}

// moments returns what a visitor may see of a story. A viewer sees what
// happened, and neither ids nor what somebody wrote.
func moments(story reports.Story, persons bool) (shown []moment) {
	for _, m := range story.Moments {
		one := moment{Moment: m}
		if m.Amount.Currency != "" {
			one.Sum = amount(m.Amount.Minor, m.Amount.Currency)
		}
		if !persons {
			switch m.Kind {
			case reports.MomentEvent, reports.MomentAnswer, reports.MomentMail:
				continue
			case reports.MomentStaff:
				one.Text = ""
			}
		}
		shown = append(shown, one)
	}
	return shown
}

// A giftView is what a donation's page shows.
type giftView struct {
	row
	Persons    bool
	Moments    []moment
	Objects    []reports.Object
	Settled    string // what arrived; "" while not known
	Fee        string
	Supporter  string // address of who gave; "" for a viewer
	Membership string // address; "" if none
	Can        []deed
	Attack     *store.Attack  // on the checkout, during which it was given; nil for none
	Suspect    *store.Suspect // what is known of it in quarantine; nil for nothing
}

// A deed is something that can be done, and where it is asked about.
type deed struct{ Text, URL string }

// showGift handles GET /staff/donations/ID.
func (g *Gifts) showGift(v *desk.Visit) error {
	ctx := v.Request.Context()
	d, story, err := g.giftOf(ctx, v.Param("id"))
	if err != nil {
		return err
	}
	rows := []row{rowOf(d, persons(v))}
	if err := g.name(ctx, rows); err != nil {
		return err
	}
	view := giftView{row: rows[0], Persons: persons(v), Moments: moments(story, persons(v))}
	if d.Settled.Currency != "" {
		view.Settled, view.Fee = amount(d.Settled.Net, d.Settled.Currency), amount(d.Settled.Fee, d.Settled.Currency)
	}
	if d.Subscription != "" {
		view.Membership = membershipsPath + "/" + d.Subscription
	}
	if err := g.suspicion(ctx, &view, d); err != nil {
		return err
	}
	if view.Persons {
		view.Objects, view.Supporter = story.Objects, supportersPath+"/"+d.Key
		at := view.URL + "/do/"
		if refundable(d, story) == nil {
			view.Can = append(view.Can, deed{"Refund", at + kindRefund})
		}
		if d.Email != "" && d.Source == "stripe" {
			view.Can = append(view.Can, deed{"Send the receipt again", at + kindReceipt})
		}
		view.Can = append(view.Can, deed{"Correct where it was won", at + kindCorrection}, deed{"Write a note", at + kindNote})
	}
	return g.Desk.Render(v, g.gift, desk.Page{Title: view.Amount + " donation", Body: view})
}

// suspicion adds what may make a gift a thief's.
func (g *Gifts) suspicion(ctx context.Context, view *giftView, d *giving.Donation) error {
	if d.Source == "stripe" && !d.Renewal {
		at := time.Unix(d.Created, 0)
		attacks, err := g.Store.AttacksBetween(ctx, at, at.Add(time.Second), 1)
		if err != nil {
			return err
		}
		if len(attacks) > 0 {
			view.Attack = &attacks[0]
		}
	}
	q, err := g.Store.SuspectBySubject(ctx, d.Key)
	switch {
	case errors.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	}
	view.Suspect = &q
	return nil
}

// giftOf returns a donation and its story.
func (g *Gifts) giftOf(ctx context.Context, key string) (*giving.Donation, reports.Story, error) {
	d, err := g.Store.DonationByKey(ctx, key)
	if err != nil {
		return nil, reports.Story{}, err
	}
	story, err := g.Reports.GiftStory(ctx, d)
	return d, story, err
}

// A memberView is what a membership's page shows.
type memberView struct {
	*giving.Membership
	Won       row // where it was won, as that of a gift
	Amount    string
	Badge     badge
	Persons   bool
	Began     time.Time
	End       time.Time // of the paid period
	Over      time.Time // zero while it runs
	Moments   []moment
	Objects   []reports.Object
	Gifts     []row // newest first
	All       string
	Supporter string // address of who gives; "" for a viewer, and before the first gift
	Can       []deed
}

// showMembership handles GET /staff/memberships/ID.
func (g *Gifts) showMembership(v *desk.Visit) error {
	ctx := v.Request.Context()
	m, story, err := g.membershipOf(ctx, v.Param("id"))
	if err != nil {
		return err
	}
	gifts, err := g.Store.DonationList(ctx, store.DonationFilter{Equal: map[string]string{"subscription": m.Subscription}, Limit: pageSize})
	if err != nil {
		return err
	}
	view := memberView{
		Membership: m, Amount: amount(m.Amount, m.Currency), Badge: memberBadge(m, story.Paused), Persons: persons(v),
		Began: time.Unix(m.Created, 0), End: instant(m.PeriodEnd), Over: instant(m.Ended), Moments: moments(story, persons(v)),
	}
	won := []row{{Donation: &giving.Donation{Attribution: m.Attribution}}}
	if err := g.name(ctx, won); err != nil {
		return err
	}
	view.Won = won[0]
	for _, d := range gifts.Donations {
		view.Gifts = append(view.Gifts, rowOf(d, view.Persons))
	}
	if view.Persons {
		view.Objects = story.Objects
		if len(view.Gifts) > 0 {
			view.Supporter = supportersPath + "/" + view.Gifts[0].Key
		}
		if gifts.Older != (store.Position{}) {
			view.All = giftsPath + "?subscription=" + m.Subscription
		}
		for _, kind := range possible(m, story) {
			view.Can = append(view.Can, deed{deedTexts[kind], membershipsPath + "/" + m.Subscription + "/do/" + kind})
		}
	}
	return g.Desk.Render(v, g.membership, desk.Page{Title: "Membership", Body: view})
}

func (g *Gifts) membershipOf(ctx context.Context, id string) (*giving.Membership, reports.Story, error) {
	m, err := g.Store.MembershipBySubscription(ctx, id)
	if err != nil {
		return nil, reports.Story{}, err
	}
	story, err := g.Reports.MembershipStory(ctx, m)
	return m, story, err
}

// instant returns seconds since 1970 as a time; 0 is the zero time.
func instant(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0)
}
