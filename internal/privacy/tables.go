package privacy

import (
	"cmp"
	_ "embed" // for the template
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/money"
)

// A Table is one part of a record as people read it.
type Table struct {
	ID    string
	Title string
	Text  string // what it is for; may be ""
	Head  []string
	Rows  [][]string
	Long  bool // one opens it to read it
}

// Tables returns a record in a language, with days and times in a zone. What
// is empty is left out. It says the same as the record, but for ids that lead
// to other ids, and for what Stripe's objects say that gifts say too.
func (r *Record) Tables(lang string, zone *time.Location) []Table {
	w := writer{lang, zone}
	all := []Table{
		w.about(r),
		w.table("gifts", "data.gifts", []string{"account.receipt.date", "account.receipt.amount", "account.receipt.often", "account.receipt.method", "account.receipt.number"}),
		w.table("refunds", "data.refunds", []string{"account.receipt.date", "account.receipt.amount", "account.state"}),
		w.table("memberships", "data.memberships", []string{"account.since", "account.receipt.amount", "account.state", "account.receipt.number"}),
		w.table("checkouts", "data.checkouts", []string{"account.receipt.date", "account.receipt.amount", "data.wrote", "data.article"}),
		w.table("mails", "data.mails", []string{"account.receipt.date", "data.what", "account.state"}),
		w.table("visits", "data.visits", []string{"account.receipt.date", "data.what"}),
		w.choices(r.Choices),
		w.table("acts", "data.acts", []string{"account.receipt.date", "data.who", "data.what", "data.text"}),
		w.table("events", "data.events", []string{"account.receipt.date", "data.what", "account.receipt.number"}),
		w.table("answers", "data.answers", []string{"account.receipt.date", "account.receipt.number"}),
	}
	fill := func(id string, cells ...string) {
		i := slices.IndexFunc(all, func(t Table) bool { return t.ID == id })
		all[i].Rows = append(all[i].Rows, cells)
	}
	for _, d := range r.Donations {
		back := ""
		if d.Refunded+d.Disputed > 0 {
			back = " (" + w.say("account.gift.back", i18n.Args{"Amount": w.amount(d.Refunded+d.Disputed, d.Currency)}) + ")"
		}
		fill("gifts", w.day(d.At), w.amount(d.Gross, d.Currency)+back, w.often(d.Interval), w.method(d.Method), d.ID)
	}
	for _, m := range slices.Concat(r.Refunds, r.Disputes) {
		fill("refunds", w.day(m.At), w.amount(m.Amount, m.Currency), spaced(m.Status)+note(spaced(m.Reason)))
	}
	for _, m := range r.Memberships {
		until := w.say("account.until", i18n.Args{"Date": w.day(m.PaidUntil)})
		if m.Ended != nil {
			until = w.day(*m.Ended)
		}
		fill("memberships", w.day(m.At), w.amount(m.Amount, m.Currency)+", "+w.often(m.Interval), spaced(m.Status)+", "+until, m.ID)
	}
	for _, c := range r.Checkouts {
		fill("checkouts", w.at(c.At), w.amount(c.Amount, c.Currency)+", "+w.often(c.Interval), strings.TrimPrefix(c.Name+note(c.Message), ": "), c.Article)
	}
	for _, m := range r.Mails {
		state := "data.mail.unsent"
		switch m.State {
		case "sent", "queued":
			state = "data.mail." + m.State
		}
		fill("mails", w.at(m.Queued), w.mail(m.Kind), w.say(state)+note(m.To))
	}
	for _, s := range r.SignIns {
		fill("visits", w.at(s.At), w.say("data.visit.asked")+note(s.Address))
	}
	for _, s := range r.Sessions {
		fill("visits", w.at(s.At), w.say("data.visit.open", i18n.Args{"Date": w.day(s.Used)}))
	}
	for _, a := range r.Acts {
		what := strings.TrimPrefix(a.What, "membership.")
		fill("acts", w.at(a.At), w.say("data.by."+a.By), w.say("data.act."+what), strings.TrimPrefix(cmp.Or(spaced(a.Reason), a.Came)+note(a.About), ": "))
	}
	for _, e := range r.Events {
		fill("events", w.at(e.At), e.Type, e.ID)
	}
	for _, a := range r.Answers {
		fill("answers", w.at(a.At), a.Ref)
	}
	for i := range all {
		switch all[i].ID {
		case "events", "answers":
			all[i].Text, all[i].Long = w.say("data.events.text"), true
		}
	}
	return slices.DeleteFunc(all, func(t Table) bool { return len(t.Rows) == 0 })
}

// note returns what follows a word where there is something to add.
func note(text string) string {
	if text == "" {
		return ""
	}
	return ": " + text
}

// spaced returns Stripe's word as people write it.
func spaced(word string) string { return strings.ReplaceAll(word, "_", " ") }

// A writer writes a record in one language.
type writer struct {
	lang string
	zone *time.Location
}

func (w writer) say(key string, args ...i18n.Args) string { return i18n.T(w.lang, key, args...) }

func (w writer) day(t time.Time) string { return i18n.Date(w.lang, t.In(w.zone)) }

func (w writer) at(t time.Time) string { return w.day(t) + ", " + t.In(w.zone).Format("15:04") }

func (w writer) amount(minor int64, currency string) string {
	return i18n.Money(w.lang, money.Amount{Minor: minor, Currency: currency})
}

func (w writer) table(id, title string, head []string) Table {
	t := Table{ID: id, Title: w.say(title)}
	for _, key := range head {
		t.Head = append(t.Head, w.say(key))
	}
	return t
}

func (w writer) often(interval string) string {
	if interval == "" {
		return ""
	}
	return w.say("interval." + interval)
}

// method returns a way of paying in words, or Stripe's own word for one that
// has none of ours.
func (w writer) method(stripes string) string {
	switch stripes {
	case "card", "sepa_debit", "paypal", "link", "bank_transfer", "cash":
		return w.say("account.method." + stripes)
	}
	return spaced(stripes)
}

// mail returns what a kind of mail is called: its heading, where that says it.
func (w writer) mail(kind string) string {
	if kind == "statement" {
		return w.say("account.statement.title")
	}
	if kind == "receipt" {
		return w.say("account.receipt")
	}
	return w.say("mail." + kind + ".heading")
}

func (w writer) about(r *Record) Table {
	t := Table{ID: "about", Title: w.say("data.about")}
	for _, line := range []struct {
		key    string
		values []string
	}{{"account.receipt.email", r.Addresses}, {"account.receipt.name", r.Names}, {"data.country", r.Countries}} {
		if len(line.values) > 0 {
			t.Rows = append(t.Rows, []string{w.say(line.key), strings.Join(line.values, ", ")})
		}
	}
	return t
}

func (w writer) choices(c *Choices) Table {
	t := Table{ID: "choices", Title: w.say("account.choices.title")}
	if c == nil {
		return t
	}
	answer := func(yes bool) string {
		if yes {
			return w.say("data.yes")
		}
		return w.say("data.no")
	}
	t.Rows = [][]string{
		{w.say("account.choices.public"), answer(c.Public)}, {w.say("account.choices.renewals"), answer(c.Renewals)},
		{w.say("account.choices.statement"), answer(c.Statement)}, {w.say("account.choices.reminders"), answer(c.Reminders)},
		{w.say("discreet.label"), answer(c.Discreet)},
	}
	if c.Name != "" {
		t.Rows = append(t.Rows, []string{w.say("account.choices.as"), c.Name})
	}
	if c.Locale != "" {
		t.Rows = append(t.Rows, []string{w.say("account.choices.lang"), i18n.Name(c.Locale)})
	}
	return t
}

// TablesHTML is a template called "record" that shows tables, for pages of
// readers and of staff alike.
//
//go:embed tables.html
var TablesHTML string
