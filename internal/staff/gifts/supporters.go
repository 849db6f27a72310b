package gifts

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/period"
	"github.com/united24media/support/internal/store"
)

// A supporter has no id of their own that could stand in an address: their key
// holds their e-mail address. The pages name them by one of their gifts.

// A person is a supporter in the list.
type person struct {
	Name, Email string
	URL         string
	First       time.Time
	Last        time.Time
	Gifts       int
	Sums        []string // received, by currency
	Member      badge    // of their newest membership; "" if they never had one
}

type supportersView struct {
	Persons              []person
	Search               string
	View                 string
	Older, Newer, Newest string
	Short                bool
	CSV                  string
}

// wantSupporters reads a request for the list: whoever gave, the newest first.
func (g *Gifts) wantSupporters(v *desk.Visit) (wanted, error) {
	w, err := g.want(v, v.Request.URL.Query())
	w.Filter.First = w.Filter.Text == nil // who is searched for is found by any gift
	return w, err
}

// supportersCSV handles GET /staff/supporters.csv: the whole list, as it is
// filtered.
func (g *Gifts) supportersCSV(v *desk.Visit) error {
	w, err := g.wantSupporters(v)
	if err != nil {
		return err
	}
	w.Filter.At, w.Filter.Back = store.Position{}, false
	if err := g.Desk.Export(v, "supporters", w.used(), w.query(supportersPath, store.Position{}, false)); err != nil {
		return err
	}
	return g.Reports.ExportSupporters(v.Request.Context(), v.File(), w.Filter)
}

// membershipsCSV handles GET /staff/memberships.csv: the memberships that began
// in a period of the report of members.
func (g *Gifts) membershipsCSV(v *desk.Visit) error {
	p, err := period.ParseOr(v.Request.URL.Query(), g.Reports.Today(), "12m")
	if err != nil {
		return err
	}
	if err := g.Desk.Export(v, "memberships", "began "+p.FromText()+" to "+p.ThroughText(), period.Address("/staff/reports/members", nil, p)); err != nil {
		return err
	}
	return g.Reports.Export(v.Request.Context(), v.File(), reports.Export{What: "memberships", From: p.From, To: p.To, Format: "csv"})
}

// showSupporters handles GET /staff/supporters.
func (g *Gifts) showSupporters(v *desk.Visit) error {
	ctx := v.Request.Context()
	w, err := g.wantSupporters(v)
	if err != nil {
		return err
	}
	view := supportersView{Search: w.Values.Get(fieldText), View: w.View.ID, CSV: w.query(supportersPath+".csv", store.Position{}, false)}
	page, err := g.Store.DonationList(ctx, w.Filter)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, d := range page.Donations {
		if seen[d.Supporter] {
			continue
		}
		seen[d.Supporter] = true
		p, err := g.person(ctx, d)
		if err != nil {
			return err
		}
		view.Persons = append(view.Persons, p)
	}
	view.Short = page.Short
	if page.Older != (store.Position{}) {
		view.Older = w.query(supportersPath, page.Older, false)
	}
	if page.Newer != (store.Position{}) {
		view.Newer = w.query(supportersPath, page.Newer, true)
	}
	if w.Filter.At != (store.Position{}) {
		view.Newest = w.query(supportersPath, store.Position{}, false)
	}
	return g.Desk.Render(v, g.supporters, desk.Page{Title: "Supporters", Body: view})
}

// findSupporters handles POST /staff/supporters/find.
func (g *Gifts) findSupporters(v *desk.Visit) error {
	text, err := line(fieldText, v.PostForm(fieldText), 0, maxField)
	if err != nil {
		return err
	}
	if text == "" {
		return g.Desk.Back(v, supportersPath, "")
	}
	id, err := g.keep(v, "", map[string][]string{fieldText: {text}})
	if err != nil {
		return err
	}
	return g.Desk.Back(v, supportersPath+"?view="+id, "")
}

func (g *Gifts) person(ctx context.Context, d *giving.Donation) (person, error) {
	p := person{Name: d.Name, Email: d.Email, URL: supportersPath + "/" + d.Key}
	gifts, memberships, err := g.Store.GivenBy(ctx, d.Supporter)
	if errors.Is(err, store.ErrTooMany) {
		return p, nil
	}
	if err != nil || len(gifts) == 0 {
		return p, err
	}
	p.Gifts, p.First, p.Last = len(gifts), time.Unix(gifts[len(gifts)-1].Created, 0), time.Unix(gifts[0].Created, 0)
	for _, s := range sums(gifts) {
		p.Sums = append(p.Sums, s.Received)
	}
	if len(memberships) > 0 {
		p.Member = memberBadge(memberships[0], false)
	}
	return p, nil
}

// A sum is what somebody gave in one currency.
type sum struct {
	Currency string
	Gifts    int
	Gross    string
	Refunded string
	Disputed string
	Received string
}

// sums adds gifts up by currency.
func sums(gifts []*giving.Donation) []sum {
	totals := map[string]giving.Figures{}
	for _, d := range gifts {
		totals[d.Currency] = totals[d.Currency].Plus(giving.Figures{Donations: 1, Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed}, 1)
	}
	var all []sum
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		t := totals[currency]
		all = append(all, sum{
			currency, int(t.Donations), amount(t.Gross, currency), amount(t.Refunded, currency), amount(t.Disputed, currency),
			amount(t.Gross-t.Refunded-t.Disputed, currency),
		})
	}
	return all
}

// shownGifts is how many gifts a supporter's page lists.
const shownGifts = 200

type supporterView struct {
	Title       string
	Names       []string // newest first
	Emails      []string
	Countries   []string
	Sums        []sum
	Gifts       []row
	More        int // gifts that are not listed
	Memberships []memberRow
	Twins       []twin   // those that are all charged, where there is more than one
	Moments     []moment // notes, mails and what staff did
	Note        string   // where one is written
	Data        string   // where everything about them is
	Erase       string   // where they are erased; "" for who may not, and once they are
	Erased      bool
}

type memberRow struct {
	*giving.Membership
	Amount string
	Badge  badge
	Began  time.Time
	URL    string
}

// showSupporter handles GET /staff/supporters/ID: who made a gift, with all
// they gave.
func (g *Gifts) showSupporter(v *desk.Visit) error {
	ctx := v.Request.Context()
	d, err := g.Store.DonationByKey(ctx, v.Param("id"))
	if err != nil {
		return err
	}
	gifts, memberships, err := g.Store.GivenBy(ctx, d.Supporter)
	if errors.Is(err, store.ErrTooMany) {
		return fault.New(fault.Conflict, "This supporter gave more than 10,000 times; look at the gifts in the list of donations.")
	}
	if err != nil {
		return err
	}
	view := supporterView{
		Sums: sums(gifts), Note: giftsPath + "/" + d.Key + "/do/" + kindNote, Data: supportersPath + "/" + d.Key + "/data", Erased: giving.Erased(d.Supporter),
	}
	if v.Member.Role.Allows(desk.Admin) && !view.Erased {
		view.Erase = supportersPath + "/" + d.Key + "/erase"
	}
	var subjects []string
	for i, gift := range gifts {
		view.Names = distinct(view.Names, gift.Name)
		view.Emails = distinct(view.Emails, gift.Email)
		view.Countries = distinct(view.Countries, gift.Country)
		subjects = append(subjects, gift.Key)
		if i < shownGifts {
			view.Gifts = append(view.Gifts, rowOf(gift, true))
		}
	}
	if err := g.name(ctx, view.Gifts); err != nil {
		return err
	}
	view.More = len(gifts) - len(view.Gifts)
	for _, m := range memberships {
		subjects = append(subjects, m.Subscription)
		story, err := g.Reports.MembershipStory(ctx, m)
		if err != nil {
			return err
		}
		view.Memberships = append(view.Memberships, memberRow{
			m, amount(m.Amount, m.Currency), memberBadge(m, story.Paused), time.Unix(m.Created, 0), membershipsPath + "/" + m.Subscription,
		})
	}
	view.Twins = twins(memberships)
	told, err := g.Reports.Told(ctx, subjects)
	if err != nil {
		return err
	}
	view.Moments = moments(reports.Story{Moments: told}, true)
	view.Title = "A supporter"
	if view.Erased {
		view.Title = "A supporter who was erased"
	} else if len(view.Names)+len(view.Emails) > 0 {
		view.Title = cmp.Or(append(slices.Clone(view.Names), view.Emails...)...)
	}
	return g.Desk.Render(v, g.supporter, desk.Page{Title: "Supporter", Body: view})
}

// distinct appends a text that is not empty and not there yet.
func distinct(all []string, text string) []string {
	if text == "" || slices.Contains(all, text) {
		return all
	}
	return append(all, text)
}
