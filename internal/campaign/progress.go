package campaign

import (
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/store"
)

// Progress is how far a campaign has come, ready to show.
type Progress struct {
	Campaign string `json:"campaign"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`               // supporters or money
	Currency string `json:"currency,omitempty"` // of a money goal
	Reached  int64  `json:"reached"`            // people, or minor units of Currency
	Goal     int64  `json:"goal"`
	Percent  int64  `json:"percent"` // whole, rounded down: 100 only once the goal is reached
	Text     string `json:"text"`
	Note     string `json:"note,omitempty"`
}

// Progress returns how far c has come, in lang, or nil if it has no goal or
// nobody knows how far it is. known says whether supporters is a number.
func (c *Campaign) Progress(lang string, supporters int64, known bool) *Progress {
	p := &Progress{Campaign: c.Slug, Name: c.Name(lang), Kind: c.Goal.Kind, Goal: c.Goal.Amount}
	switch {
	case c.Goal.Amount <= 0:
		return nil
	case c.Goal.Kind == store.GoalSupporters && known:
		p.Reached = supporters
		p.Text = i18n.T(lang, "ask.goal.supporters", i18n.Args{"Reached": i18n.Number(lang, p.Reached), "Count": c.Goal.Amount})
	case c.Goal.Kind == store.GoalMoney:
		p.Currency, p.Reached = c.Goal.Currency, c.Settled
		p.Text = i18n.T(lang, "ask.goal.money", i18n.Args{
			"Reached": i18n.Money(lang, money.Amount{Minor: p.Reached, Currency: p.Currency}),
			"Goal":    i18n.Money(lang, money.Amount{Minor: p.Goal, Currency: p.Currency}),
		})
		p.Note = i18n.T(lang, "ask.goal.note")
	default:
		return nil
	}
	p.Percent = percent(p.Reached, p.Goal)
	return p
}

// percent returns reached/goal in whole percent, rounded down and never below
// zero: settled money may be negative after refunds.
func percent(reached, goal int64) int64 {
	if reached <= 0 {
		return 0
	}
	whole, rest := reached/goal, reached%goal
	const scale = 100
	if rest > (1<<62)/scale { // goals of such sizes are nobody's, but must not wrap
		return whole * scale
	}
	return whole*scale + rest*scale/goal
}
