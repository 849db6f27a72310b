package gifts

import (
	"crypto/rand"
	_ "embed" // for the pages
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/staff/desk"
)

var (
	//go:embed doubled.html
	doubledHTML string
	//go:embed doubledpage.html
	doubledPageHTML string
)

// DoubledPath lists who has more than one membership: mostly people who meant
// to change the first.
const DoubledPath = "/staff/doubled"

// doubledReason is what the audit log says of a press.
const doubledReason = "It was a second membership beside another one."

// shownDoubled is how many supporters the page lists.
const shownDoubled = 100

// A twin is one of several memberships of a supporter that are all charged.
type twin struct {
	Amount   string
	Interval giving.Interval
	Began    time.Time
	Badge    badge
	URL      string
	Key      string // of the form that ends it; "" for the first one
	Reason   string
}

// twins returns the memberships that are charged again, the oldest first, if
// there is more than one.
func twins(memberships []*giving.Membership) []twin {
	var all []twin
	for i := len(memberships) - 1; i >= 0; i-- { // the newest stands first
		m := memberships[i]
		if !m.Recurs() {
			continue
		}
		t := twin{
			Amount: amount(m.Amount, m.Currency), Interval: m.Interval, Began: time.Unix(m.Created, 0), Badge: memberBadge(m, false),
			URL: membershipsPath + "/" + m.Subscription, Reason: doubledReason,
		}
		if len(all) > 0 {
			t.Key = rand.Text()
		}
		all = append(all, t)
	}
	if len(all) < 2 {
		return nil
	}
	return all
}

// A pair is a supporter with several memberships.
type pair struct {
	Who   string
	URL   string // of all they gave; "" before the first payment
	Twins []twin
}

// doubledView is what the page shows.
type doubledView struct {
	Pairs []pair
	More  int64 // supporters that are not listed
}

// showDoubled handles GET /staff/doubled.
func (g *Gifts) showDoubled(v *desk.Visit) error {
	ctx := v.Request.Context()
	found, err := g.Store.DoubledMemberships(ctx, shownDoubled)
	if err != nil {
		return err
	}
	count, err := g.Store.CountDoubled(ctx)
	if err != nil {
		return err
	}
	var view doubledView
	for len(found) > 0 {
		n := 1
		for n < len(found) && found[n].Supporter == found[0].Supporter {
			n++
		}
		p := pair{Who: found[0].Email}
		key, err := g.Store.GiftOfSupporter(ctx, found[0].Supporter)
		if err != nil {
			return err
		}
		if key != "" {
			p.URL = supportersPath + "/" + key
		}
		newestFirst := make([]*giving.Membership, n)
		for i, m := range found[:n] {
			newestFirst[n-1-i] = m
		}
		p.Twins = twins(newestFirst)
		view.Pairs, found = append(view.Pairs, p), found[n:]
	}
	view.More = count - int64(len(view.Pairs))
	return g.Desk.Render(v, g.doubled, desk.Page{Title: "More than one membership", Body: view})
}
