package campaign

import (
	"fmt"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/store"
)

// A Change is one thing that differs between two versions, in words.
type Change struct {
	Where  string // "Name, Українська"
	Before string // "" where it was not there
	After  string // "" where it is no more
}

// Diff returns what differs in b from a; nothing where they say the same.
func Diff(a, b Document) []Change {
	var changes []Change
	note := func(where, before, after string) {
		if before != after {
			changes = append(changes, Change{where, before, after})
		}
	}
	note("Goal", a.Goal.Words(), b.Goal.Words())
	note("From", i18n.Clock(a.From), i18n.Clock(b.From))
	note("Until", i18n.Clock(a.Until), i18n.Clock(b.Until))
	note("Time zone", a.TimeZone, b.TimeZone)
	note("Picture", a.Picture, b.Picture)
	for _, lang := range i18n.Languages() {
		name := i18n.Name(lang)
		note("Name, "+name, a.Names[lang], b.Names[lang])
		note("Title of the support page, "+name, a.Pages[lang].Title, b.Pages[lang].Title)
		note("Lead of the support page, "+name, a.Pages[lang].Lead, b.Pages[lang].Lead)
		note("What the picture shows, "+name, a.Alt[lang], b.Alt[lang])
	}
	return changes
}

// Words writes a goal for staff; "" for none.
func (g Goal) Words() string {
	switch g.Kind {
	case store.GoalSupporters:
		return fmt.Sprintf("%s supporters", i18n.Number(i18n.Default, g.Amount))
	case store.GoalMoney:
		return i18n.Money(i18n.Default, money.Amount{Minor: g.Amount, Currency: g.Currency}) + " settled"
	}
	return ""
}
