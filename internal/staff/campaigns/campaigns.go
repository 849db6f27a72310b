// Package campaigns is where staff make campaigns: names, goal, dates, the words
// of the support page and a picture, as a draft that is looked at, published,
// and can be undone.
package campaigns

import (
	"context"
	"embed"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/parts"
	"github.com/united24media/support/internal/store"
)

//go:embed pages
var pages embed.FS

// path is the list of campaigns.
const path = "/staff/campaigns"

// maxForm bounds a form with its picture, in bytes.
const maxForm = campaign.MaxUpload + 256<<10

// Options are what the screen needs.
type Options struct {
	Desk *desk.Desk
	// Supporters tells how many people support a scope; known is false where
	// nobody knows.
	Supporters func(scope string) (supporters int64, known bool)
}

// Campaigns is the screen.
type Campaigns struct {
	Options
	list, one, edit, review, version *look.Template
}

// New returns the screen.
func New(o Options) *Campaigns {
	page := func(name string) *look.Template {
		text, err := pages.ReadFile("pages/" + name)
		if err != nil {
			panic(err) // a broken build
		}
		return o.Desk.Template(parts.HTML(), string(text))
	}
	return &Campaigns{o, page("list.html"), page("one.html"), page("edit.html"), page("review.html"), page("version.html")}
}

// Routes returns the screen's addresses.
func (s *Campaigns) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Viewer, Nav: "Campaigns", Handle: s.showList},
		{Method: http.MethodGet, Path: path + "/one/:slug", Need: desk.Viewer, Handle: s.show},
		{Method: http.MethodGet, Path: path + "/one/:slug/versions/:number", Need: desk.Viewer, Handle: s.showVersion},
		{Method: http.MethodGet, Path: path + "/edit", Need: desk.Admin, Handle: s.showEdit},
		{Method: http.MethodPost, Path: path + "/edit", Need: desk.Admin, MaxBody: maxForm, Handle: s.save},
		{Method: http.MethodGet, Path: path + "/review", Need: desk.Admin, Handle: s.showReview},
		{Method: http.MethodPost, Path: path + "/publish", Need: desk.Admin, Handle: s.publish},
		{Method: http.MethodPost, Path: path + "/discard", Need: desk.Admin, Handle: s.discard},
		{Method: http.MethodPost, Path: path + "/restore", Need: desk.Admin, Handle: s.restore},
	}
}

// A row is a campaign in the list.
type row struct {
	campaign.Campaign
	Title    string
	State    string // runs, begins later or ended
	Progress *campaign.Progress
	Filled   int64 // of the bar, in percent
	Broken   string
}

func (s *Campaigns) row(c campaign.Campaign) row {
	supporters, known := s.Supporters(campaign.Kind(c.Slug))
	r := row{Campaign: c, Title: c.Name("en"), State: "runs", Progress: c.Progress("en", supporters, known)}
	switch now := s.Desk.Now(); {
	case now.Before(c.Begins()):
		r.State = "begins later"
	case !c.Runs(now):
		r.State = "ended"
	}
	if r.Progress != nil {
		r.Filled = min(r.Progress.Percent, 100)
	}
	return r
}

// showList handles GET /staff/campaigns.
func (s *Campaigns) showList(v *desk.Visit) error {
	stored, err := s.Desk.Store.Campaigns(v.Request.Context())
	if err != nil {
		return err
	}
	var rows []row
	for _, one := range stored {
		c, err := campaign.Of(one)
		if err != nil {
			rows = append(rows, row{Campaign: campaign.Campaign{Slug: one.Slug}, Title: one.Name, Broken: parts.Sentence(err)})
			continue
		}
		rows = append(rows, s.row(c))
	}
	return s.Desk.Render(v, s.list, desk.Page{Title: "Campaigns", Body: struct {
		Admin bool
		Rows  []row
	}{v.Member.Role.Allows(desk.Admin), rows}})
}

// stored returns a campaign that was published, or a [fault.NotFound].
func (s *Campaigns) stored(ctx context.Context, slug string) (campaign.Campaign, error) {
	list, err := s.Desk.Store.Campaigns(ctx)
	if err != nil {
		return campaign.Campaign{}, err
	}
	i := slices.IndexFunc(list, func(c store.Campaign) bool { return c.Slug == slug })
	if i < 0 {
		return campaign.Campaign{}, fault.New(fault.NotFound, "There is no campaign %q.", slug)
	}
	return campaign.Of(list[i])
}

// shownVersions is how many versions a campaign's page lists.
const shownVersions = 20

// show handles GET /staff/campaigns/one/SLUG.
func (s *Campaigns) show(v *desk.Visit) error {
	ctx, slug := v.Request.Context(), v.Param("slug")
	c, err := s.stored(ctx, slug)
	if err != nil {
		return err
	}
	versions, err := s.Desk.Store.Versions(ctx, campaign.Kind(slug), 0, shownVersions)
	if err != nil {
		return err
	}
	draft, err := s.Desk.Store.DraftOf(ctx, campaign.Kind(slug), v.Member.Email)
	if err != nil {
		return err
	}
	return s.Desk.Render(v, s.one, desk.Page{Title: c.Name("en"), Body: struct {
		row
		Admin, Draft bool
		Address, Alt string // of the picture
		Versions     []store.Version
		Newest       int64
		Said         []campaign.Change
	}{s.row(c), v.Member.Role.Allows(desk.Admin), draft.Body != "", address(c.Picture), c.AltText("en"), versions, newest(versions), campaign.Diff(campaign.Document{}, c.Document)}})
}

func newest(versions []store.Version) int64 {
	if len(versions) == 0 {
		return 0
	}
	return versions[0].Number
}

// address returns where a picture is, or "".
func address(hash string) string {
	if hash == "" {
		return ""
	}
	return campaign.PicturePath(hash)
}

// text writes a campaign as it is stored.
func text(d campaign.Document) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return "" // strings and numbers always encode
	}
	return out.String()
}
