package overview

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/united24media/support/internal/reconcile"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
)

// A need is something that needs a hand, with where it is mended.
type need struct {
	Text, Detail string
	URL, Action  string
	Urgent       bool
}

// Times of what needs a hand.
const (
	soon       = 7 * 24 * time.Hour  // a deadline that is urgent
	payoutsAge = 30 * 24 * time.Hour // a deposit that failed longer ago is another's matter
)

// needs returns what needs a hand, the most urgent first.
func (o *Overview) needs(ctx context.Context, role desk.Role) ([]need, error) {
	all, err := o.health(ctx)
	if err != nil {
		return nil, err
	}
	disputes, err := o.Reports.Disputes(ctx)
	if err != nil {
		return nil, err
	}
	if disputes.Open > 0 {
		n := need{Text: plural(int64(disputes.Open), "dispute is", "disputes are") + " open.", Action: "Look at them"}
		if disputes.More {
			n.Text = "More than " + n.Text
		}
		n.URL = "/staff/reports"
		if role.Allows(desk.Finance) {
			n.URL = "/staff/donations?status=disputed"
		}
		if disputes.Waiting > 0 {
			n.Detail = plural(int64(disputes.Waiting), "wants an answer", "want an answer")
			if !disputes.Due.IsZero() {
				n.Detail += fmt.Sprintf("; the first is due on %s, at Stripe", disputes.Due.In(o.Desk.Zone).Format("2 January"))
				n.Urgent = disputes.Due.Before(o.Desk.Now().Add(soon))
			}
			n.Detail += "."
		}
		all = append(all, n)
	}
	payouts, err := o.Reports.FailedPayouts(ctx, o.Desk.Now().Add(-payoutsAge))
	if err != nil {
		return nil, err
	}
	for _, p := range payouts {
		all = append(all, need{
			Text: "A payout of " + figure.Money(p.Amount, p.Currency) + " did not reach the bank.", Detail: "It was due on " + p.Arrival + ".",
			URL: "/staff/reports/payouts/" + p.ID, Action: "See why", Urgent: true,
		})
	}
	_, failing, err := o.Reports.Failing(ctx, 1)
	if err != nil {
		return nil, err
	}
	if failing > 0 {
		all = append(all, need{
			Text:   plural(failing, "membership's payment fails", "memberships' payments fail") + ".",
			Detail: "Stripe tries again, and writes to them.", URL: "/staff/reports/members#failing", Action: "See which",
		})
	}
	return all, nil
}

// health returns what the service noticed of itself; it looks every minute.
func (o *Overview) health(ctx context.Context) ([]need, error) {
	text, err := o.Desk.Store.Fact(ctx, reconcile.FactHealth)
	if err != nil || text == "" {
		return nil, err
	}
	var h reconcile.Health
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return nil, fmt.Errorf("read how things are: %w", err)
	}
	var all []need
	if h.Silent {
		all = append(all, need{
			Text:   "Nothing has come from Stripe since " + h.NewestEvent.In(o.Desk.Zone).Format("2 January, 15:04") + ".",
			Detail: "That is longer than chance. Is the webhook endpoint reached?", URL: "/staff/health", Action: "Look at it", Urgent: true,
		})
	}
	if h.Parked > 0 {
		all = append(all, need{
			Text: plural(h.Parked, "event", "events") + " could not be understood.", Detail: "Nothing is lost; they can be tried again.",
			URL: "/staff/health", Action: "See why", Urgent: true,
		})
	}
	if h.Undelivered > 0 {
		all = append(all, need{
			Text: plural(int64(h.Undelivered), "event", "events") + " never arrived from Stripe.", Detail: "They were fetched since.",
			URL: "/staff/health", Action: "See which",
		})
	}
	if h.Differences > 0 {
		all = append(all, need{
			Text: plural(int64(h.Differences), "difference", "differences") + " to Stripe's lists.", Detail: "Found by the last comparison, and repaired.",
			URL: "/staff/health", Action: "See each",
		})
	}
	return all, nil
}

// plural writes how many there are of something.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return figure.Count(n) + " " + many
}
