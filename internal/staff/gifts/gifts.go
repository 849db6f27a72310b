// Package gifts is the staff's screens of donations, memberships and
// supporters: their lists, the story of each, and what staff can do about them.
//
// Who gave is shown to finance and admins alone: a viewer sees it neither on a
// page nor in CSV, and finds nobody by searching.
package gifts

import (
	"context"
	_ "embed" // for the pages
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/articles"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

var (
	//go:embed list.html
	listHTML string
	//go:embed gift.html
	giftHTML string
	//go:embed membership.html
	membershipHTML string
	//go:embed supporters.html
	supportersHTML string
	//go:embed supporter.html
	supporterHTML string
	//go:embed action.html
	actionHTML string
	//go:embed data.html
	dataHTML string
	//go:embed erase.html
	eraseHTML string
	//go:embed parts.html
	partsHTML string
)

// The addresses of the screens.
const (
	giftsPath       = "/staff/donations"
	membershipsPath = "/staff/memberships"
	supportersPath  = "/staff/supporters"
)

// Options are what the screens need.
type Options struct {
	Desk    *desk.Desk
	Store   *store.Store
	Reports *reports.Service
	Ledger  *ledger.Ledger
	Privacy *privacy.Service
	Stripe  *stripeapi.Client
	Zone    *time.Location // of days
	Now     func() time.Time
}

// Gifts are the screens.
type Gifts struct {
	Options
	list, gift, membership, supporters, supporter, doubled, action, data, erasure *look.Template
}

// New returns the screens.
func New(o Options) *Gifts {
	g := &Gifts{Options: o}
	page := func(texts ...string) *look.Template {
		return o.Desk.Template(append([]string{partsHTML}, texts...)...)
	}
	g.list, g.gift, g.membership = page(listHTML), page(giftHTML), page(membershipHTML)
	g.supporters, g.supporter, g.action = page(supportersHTML), page(doubledHTML, supporterHTML), page(actionHTML)
	g.data, g.erasure = o.Desk.Template(privacy.TablesHTML, dataHTML), page(eraseHTML)
	g.doubled = page(doubledHTML, doubledPageHTML)
	return g
}

// Routes returns the screens' addresses.
func (g *Gifts) Routes() []desk.Route {
	get, post := http.MethodGet, http.MethodPost
	return []desk.Route{
		{Method: get, Path: giftsPath, Need: desk.Viewer, Nav: "Donations", Handle: g.showList},
		{Method: post, Path: giftsPath + "/find", Need: desk.Viewer, Handle: g.find},
		{Method: post, Path: giftsPath + "/views", Need: desk.Viewer, Handle: g.saveView},
		{Method: post, Path: giftsPath + "/views/drop", Need: desk.Viewer, Handle: g.dropView},
		{Method: get, Path: giftsPath + ".csv", Need: desk.Viewer, Long: true, Handle: g.csv},
		{Method: get, Path: giftsPath + "/:id", Need: desk.Viewer, Handle: g.showGift},
		{Method: get, Path: giftsPath + "/:id/do/:kind", Need: desk.Finance, Handle: g.askGift},
		{Method: post, Path: giftsPath + "/:id/do/:kind", Need: desk.Finance, Handle: g.doGift},
		{Method: get, Path: membershipsPath + "/:id", Need: desk.Viewer, Handle: g.showMembership},
		{Method: get, Path: membershipsPath + "/:id/do/:kind", Need: desk.Finance, Handle: g.askMembership},
		{Method: post, Path: membershipsPath + "/:id/do/:kind", Need: desk.Finance, Handle: g.doMembership},
		{Method: get, Path: membershipsPath + ".csv", Need: desk.Finance, Long: true, Handle: g.membershipsCSV},
		{Method: get, Path: supportersPath, Need: desk.Finance, Nav: "Supporters", Handle: g.showSupporters},
		{Method: post, Path: supportersPath + "/find", Need: desk.Finance, Handle: g.findSupporters},
		{Method: get, Path: supportersPath + ".csv", Need: desk.Finance, Long: true, Handle: g.supportersCSV},
		{Method: get, Path: supportersPath + "/:id", Need: desk.Finance, Handle: g.showSupporter},
		{Method: get, Path: supportersPath + "/:id/data", Need: desk.Finance, Handle: g.showData},
		{Method: get, Path: supportersPath + "/:id/data.json", Need: desk.Finance, Handle: g.downloadData},
		{Method: get, Path: supportersPath + "/:id/erase", Need: desk.Admin, Handle: g.askErase},
		{Method: post, Path: supportersPath + "/:id/erase", Need: desk.Admin, Handle: g.doErase},
		{Method: get, Path: DoubledPath, Need: desk.Finance, Handle: g.showDoubled},
	}
}

// persons reports whether a visitor may see who gave.
func persons(v *desk.Visit) bool { return v.Member.Role.Allows(desk.Finance) }

// amount returns money as staff read it.
func amount(minor int64, currency string) string {
	return i18n.Money("en", money.Amount{Minor: minor, Currency: currency})
}

// A row is one donation in a table.
type row struct {
	*giving.Donation
	At      time.Time
	Amount  string
	Left    string // what of it is kept; "" if all
	Outcome badge
	URL     string
	From    string // who gave; "" for a viewer, and where it is not known

	Title string        // of the article, or its slug; "" if it was none
	Story template.HTML // the same, with where it is and its slug
	Same  string        // address of the gifts of that article
	For   string        // what the campaign is called; "" if it was none
}

func rowOf(d *giving.Donation, persons bool) row {
	r := row{Donation: d, At: time.Unix(d.Created, 0), Amount: amount(d.Gross, d.Currency), Outcome: outcomes[d.Outcome()], URL: giftsPath + "/" + d.Key}
	if left := d.Gross - d.Refunded - d.Disputed; left != d.Gross {
		r.Left = amount(left, d.Currency)
	}
	if persons {
		r.From = d.Name
		if d.Name == "" {
			r.From = d.Email
		}
	}
	return r
}

// name says what the articles and campaigns of rows are called.
func (g *Gifts) name(ctx context.Context, rows []row) error {
	slugs := make([]string, len(rows))
	for i, r := range rows {
		slugs[i] = r.Article
	}
	titles, err := articles.Named(ctx, g.Store, "article", slugs)
	if err != nil {
		return err
	}
	campaigns, err := articles.Named(ctx, g.Store, "campaign", nil)
	if err != nil {
		return err
	}
	for i, r := range rows {
		if r.Article != "" {
			rows[i].Title, rows[i].Story = titles.Of(r.Article), titles.HTML(r.Article)
			rows[i].Same = giftsPath + "?" + url.Values{"article": {r.Article}}.Encode()
		}
		if r.Campaign != "" {
			rows[i].For = campaigns.Of(r.Campaign)
		}
	}
	return nil
}

// A badge is a word in a color.
type badge struct{ Text, Class string }

var outcomes = map[string]badge{
	giving.Received:       {"received", "badge-good"},
	giving.PartlyRefunded: {"partly refunded", "badge-wait"},
	giving.Refunded:       {"refunded", ""},
	giving.Disputed:       {"disputed", "badge-bad"},
	giving.Lost:           {"lost to a dispute", "badge-bad"},
}

// words returns a word of Stripe's as people write it.
func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

// memberBadge returns what a membership's badge says.
func memberBadge(m *giving.Membership, paused bool) badge {
	switch {
	case m.Status == "canceled" || m.Ended != 0:
		return badge{"ended", ""}
	case paused:
		return badge{"paused", "badge-wait"}
	case m.CancelAtEnd:
		return badge{"ends with its period", "badge-wait"}
	case m.Status == "active" || m.Status == "trialing":
		return badge{words(m.Status), "badge-good"}
	}
	return badge{words(m.Status), "badge-bad"}
}
