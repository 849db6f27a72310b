package overview

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/wall"
)

// A need is something that needs a hand, with where it is mended.
type need struct {
	Text, Detail string
	URL, Action  string
	Urgent       bool
	More         []need // what it sums up, to be opened
}

// mostWaiting is how many words that nobody read are looked for.
const mostWaiting = 100

// soon is when a deadline is urgent.
const soon = 7 * 24 * time.Hour

// needs returns what needs a hand, the most urgent first.
func (o *Overview) needs(ctx context.Context, role desk.Role) ([]need, error) {
	a, err := o.Reports.Attention(ctx)
	if err != nil {
		return nil, err
	}
	var all []need
	if a.Silent {
		all = append(all, need{
			Text:   "Nothing has come from Stripe since " + a.NewestEvent.In(o.Desk.Zone).Format("2 January, 15:04") + ".",
			Detail: "That is longer than chance. Is the webhook endpoint reached?", URL: "/staff/health", Action: "Look at it", Urgent: true,
		})
	}
	if !a.Attacked.IsZero() {
		all = append(all, need{
			Text:   "Somebody has tried stolen cards on the checkout since " + a.Attacked.In(o.Desk.Zone).Format("2 January, 15:04") + ".",
			Detail: "The guard keeps them out, and readers can give.", URL: "/staff/health", Action: "Look at it", Urgent: true,
		})
	}
	if a.Held > 0 {
		all = append(all, o.held(a.Held, role))
	}
	if a.Parked > 0 {
		all = append(all, need{
			Text: plural(a.Parked, "event", "events") + " could not be understood.", Detail: "Nothing is lost; they can be tried again.",
			URL: "/staff/health", Action: "See why", Urgent: true,
		})
	}
	if a.Differences > 0 {
		all = append(all, need{
			Text: plural(a.Differences, "difference", "differences") + " to Stripe's lists.", Detail: "Found by a comparison, and not repaired.",
			URL: "/staff/health", Action: "See each", Urgent: true,
		})
	}
	for _, p := range a.Payouts {
		all = append(all, need{
			Text: "A payout of " + figure.Money(p.Amount, p.Currency) + " did not reach the bank.", Detail: "It was due on " + p.Arrival.Format("2 January") + ".",
			URL: "/staff/reports/payouts/" + p.ID, Action: "See why", Urgent: true,
		})
	}
	all = append(all, o.disputes(a.Disputes)...)
	if a.Failing > 0 {
		all = append(all, need{
			Text:   plural(a.Failing, "membership’s payment fails", "memberships’ payments fail") + ".",
			Detail: "Stripe tries again, and writes to them.", URL: "/staff/reports/members#failing", Action: "See which",
		})
	}
	waiting, err := o.unread(ctx, role)
	if err != nil {
		return nil, err
	}
	if waiting > 0 {
		all = append(all, need{
			Text: plural(waiting, "supporter waits", "supporters wait") + " to be thanked by name.", Detail: "Somebody has to read their words first.",
			URL: "/staff/wall", Action: "Read them",
		})
	}
	doubled, err := o.Desk.Store.CountDoubled(ctx)
	if err != nil {
		return nil, err
	}
	if doubled > 0 {
		n := need{
			Text:   plural(doubled, "supporter has", "supporters have") + " more than one membership.",
			Detail: "All of them are charged; mostly one was meant to replace the other.", URL: "/staff/reports/members", Action: "Look at members",
		}
		if role.Allows(desk.Finance) {
			n.URL, n.Action = "/staff/doubled", "See who"
		}
		all = append(all, n)
	}
	return all, nil
}

// held returns what to do about what is in quarantine.
func (o *Overview) held(count int64, role desk.Role) need {
	n := need{Text: plural(count, "gift or checkout looks", "gifts and checkouts look") + " like a thief’s.", URL: "/staff/health", Action: "Look at it"}
	if role.Allows(desk.Finance) {
		n.Detail, n.URL, n.Action = "Accept or reject each.", "/staff/quarantine", "Decide"
	}
	return n
}

// unread returns how many supporters may be thanked on the wall once somebody
// has read their words; 0 where that is not the visitor's to do.
func (o *Overview) unread(ctx context.Context, role desk.Role) (int64, error) {
	if !role.Allows(desk.Finance) {
		return 0, nil
	}
	if on, err := wall.IsOn(ctx, o.Desk.Store); err != nil || !on {
		return 0, err
	}
	waiting, err := o.Desk.Store.Wall(ctx, store.WallWaiting, mostWaiting)
	waiting = slices.DeleteFunc(waiting, func(e store.WallEntry) bool { return !e.MayShow() })
	return int64(len(waiting)), err
}

// How many disputes are told one by one: at once, and when they are asked for.
const (
	shownDisputes = 5
	mostDisputes  = 55
)

// disputes returns the disputes that want an answer, the most urgent first.
func (o *Overview) disputes(open []reports.OpenDispute) []need {
	var all []need
	for _, d := range open[:min(len(open), mostDisputes)] {
		what := "A dispute over "
		if strings.HasPrefix(d.Status, "warning_") { // nothing was taken yet
			what = "An inquiry about "
		}
		n := need{Text: what + figure.Money(d.Amount, d.Currency) + " wants an answer.", URL: "/staff/donations/" + d.Donation, Action: "See what it is about"}
		if !d.DueBy.IsZero() {
			due := "is"
			if d.DueBy.Before(o.Desk.Now()) {
				due = "was"
			}
			n.Detail = "It " + due + " due at Stripe on " + d.DueBy.In(o.Desk.Zone).Format("2 January, 15:04") + "."
			n.Urgent = d.DueBy.Before(o.Desk.Now().Add(soon))
		}
		all = append(all, n)
	}
	if len(all) <= shownDisputes {
		return all
	}
	return append(all[:shownDisputes:shownDisputes], need{
		Text: plural(int64(len(open)-shownDisputes), "more dispute wants", "more disputes want") + " an answer, later.",
		URL:  "/staff/donations?status=disputed", Action: "See all in the list", More: all[shownDisputes:],
	})
}

// plural writes how many there are of something.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return figure.Count(n) + " " + many
}
