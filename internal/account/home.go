package account

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/stripeapi"
)

// Limits of what a page asks Stripe while somebody waits for it.
const (
	standingTime = 2 * time.Second
	standings    = 4 // memberships
)

// A homeView is what the first page shows.
type homeView struct {
	Lang    string
	Address string
	Done    string // what was just done; "" if nothing
	Members []memberView
	Past    []memberView
	Twice   bool // more than one membership runs
	Gifts   []giftView
	Years   []string // with a statement
	Support string
}

// dones are what the page after a form may say was done, by the address's
// "done".
var dones = []string{"changed", "paused", "resumed", "canceled", "ended", "kept", "card", "card_declined", "later", "saved"}

// done returns the sentence about what was just done.
func (v *visit) done() string {
	if done := v.Query("done"); slices.Contains(dones, done) {
		return v.say("account.done." + done)
	}
	return ""
}

// home shows what somebody gave and gives.
func (s *Service) home(v *visit) error {
	ctx := v.Request.Context()
	gifts, err := s.Store.GiftsOf(ctx, v.address())
	if err != nil {
		return err
	}
	members, err := s.Store.MembershipsOf(ctx, v.address())
	if err != nil {
		return err
	}
	known, err := s.states(ctx, members)
	if err != nil {
		return err
	}
	view := homeView{Lang: v.lang, Address: v.address(), Done: v.done(), Support: "/support?lang=" + v.lang}
	standing := s.standing(ctx, members)
	running := 0
	slices.SortStableFunc(members, func(a, b *giving.Membership) int { return int(a.Created - b.Created) })
	for _, m := range members {
		member := s.member(v, m, known[m.Subscription], standing[m.Subscription])
		if member.State == stateEnded {
			view.Past = append(view.Past, member)
			continue
		}
		if member.State != stateEnding {
			running++
			member.Second = running > 1
		}
		view.Members = append(view.Members, member)
	}
	view.Twice = running > 1
	for _, d := range gifts {
		view.Gifts = append(view.Gifts, s.gift(v, d))
		if year := strconv.Itoa(s.year(d)); !slices.Contains(view.Years, year) {
			view.Years = append(view.Years, year)
		}
	}
	return s.render(v.Context, homePage, http.StatusOK, v.lang, "account.title", view)
}

// standing asks Stripe how the memberships that run stand. What can't be told
// in time is left out: the page says the rest.
func (s *Service) standing(ctx context.Context, members []*giving.Membership) map[string]stripeapi.Standing {
	ctx, cancel := context.WithTimeout(ctx, standingTime)
	defer cancel()
	found := make([]stripeapi.Standing, len(members))
	var all errgroup.Group
	asked := 0
	for i, m := range members {
		if m.Ended != 0 || asked == standings {
			continue
		}
		asked++
		all.Go(func() error {
			var err error
			if found[i], err = s.Stripe.Standing(ctx, m.Subscription); err != nil {
				s.Log.InfoContext(ctx, "account: Stripe does not say how a membership stands", "subscription", m.Subscription, "err", err)
			}
			return nil
		})
	}
	_ = all.Wait() // none of them fails
	standing := map[string]stripeapi.Standing{}
	for i, m := range members {
		standing[m.Subscription] = found[i]
	}
	return standing
}
