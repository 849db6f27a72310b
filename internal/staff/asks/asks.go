// Package asks is where staff write what asks say and suggest, and decide where
// they show: a draft, a look at it, and a publication that can be undone.
package asks

import (
	"context"
	"embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/parts"
	"github.com/united24media/support/internal/store"
)

//go:embed pages
var pages embed.FS

//go:embed pages/preview.js
var previewJS []byte

// path is the first page of the asks.
const path = "/staff/asks"

// maxDocument bounds a form, in bytes.
const maxDocument = 1 << 20

// Options are what the screen needs.
type Options struct {
	Desk *desk.Desk
	// Preview answers GET /v1/ask as it would be under a draft, and with a
	// campaign in place of the one that runs, if it is not nil.
	Preview func(draft policy.Policy, query string, c *campaign.Campaign) ([]byte, error)
	// Script is the address of the embed script.
	Script string
	// Shipped returns the text of a placement that ships, in a language.
	Shipped func(lang, placement string) policy.Text
}

// Asks is the screen.
type Asks struct {
	Options
	script *look.Asset // of the preview

	overview, edit, review, version, toggle *look.Template
	preview                                 *template.Template
}

// New returns the screen.
func New(o Options) *Asks {
	page := func(names ...string) *look.Template {
		texts := []string{parts.HTML()}
		for _, name := range names {
			text, err := pages.ReadFile("pages/" + name)
			if err != nil {
				panic(err) // a broken build
			}
			texts = append(texts, string(text))
		}
		return o.Desk.Template(texts...)
	}
	frame, err := pages.ReadFile("pages/preview.html")
	if err != nil {
		panic(err) // a broken build
	}
	return &Asks{
		Options: o, script: look.NewAsset("preview.js", "text/javascript; charset=utf-8", previewJS),
		overview: page("overview.html"), edit: page("edit.html"), review: page("review.html"), version: page("version.html"), toggle: page("switch.html"),
		preview: template.Must(template.New("preview").Parse(string(frame))),
	}
}

// Assets returns what the pages load besides the stylesheets.
func (a *Asks) Assets() []*look.Asset { return []*look.Asset{a.script} }

// Routes returns the screen's addresses.
func (a *Asks) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Viewer, Nav: "Asks", Handle: a.show},
		{Method: http.MethodGet, Path: path + "/export", Need: desk.Viewer, Handle: a.export},
		{Method: http.MethodGet, Path: path + "/preview", Need: desk.Viewer, Handle: a.showPreview},
		{Method: http.MethodGet, Path: path + "/versions/:number", Need: desk.Viewer, Handle: a.showVersion},
		{Method: http.MethodGet, Path: path + "/edit", Need: desk.Admin, Handle: a.showEdit},
		{Method: http.MethodPost, Path: path + "/edit", Need: desk.Admin, MaxBody: maxDocument, Handle: a.save},
		{Method: http.MethodGet, Path: path + "/review", Need: desk.Admin, Handle: a.showReview},
		{Method: http.MethodPost, Path: path + "/publish", Need: desk.Admin, Handle: a.publish},
		{Method: http.MethodPost, Path: path + "/discard", Need: desk.Admin, Handle: a.discard},
		{Method: http.MethodPost, Path: path + "/restore", Need: desk.Admin, Handle: a.restore},
		{Method: http.MethodGet, Path: path + "/switch", Need: desk.Admin, Handle: a.showSwitch},
		{Method: http.MethodPost, Path: path + "/switch", Need: desk.Admin, Handle: a.turn},
	}
}

// A work is the policy that a member looks at: their draft, else what is in
// force.
type work struct {
	policy.Policy
	Newest store.Version // in force
	Draft  bool          // it is their own, not published yet
	Behind bool          // somebody published after they began
}

// work returns what a member looks at. A draft that can't be read any more is
// passed over.
func (a *Asks) work(ctx context.Context, m desk.Member) (work, error) {
	var w work
	var err error
	if w.Newest, err = a.Desk.Store.Newest(ctx, policy.KindAsks); err != nil {
		return w, err
	}
	draft, err := a.Desk.Store.DraftOf(ctx, policy.KindAsks, m.Email)
	if err != nil {
		return w, err
	}
	if draft.Body != "" {
		if w.Policy, err = policy.Parse([]byte(draft.Body)); err == nil {
			w.Draft, w.Behind = true, draft.Base != w.Newest.Number
			return w, nil
		}
	}
	w.Policy, err = parse(w.Newest.Body)
	return w, err
}

// parse reads a published policy; "" is the one that ships.
func parse(body string) (policy.Policy, error) {
	if body == "" {
		return policy.Policy{}, nil
	}
	return policy.Parse([]byte(body))
}

// A summary is what a policy decides, in numbers and names.
type summary struct {
	Texts       []string // languages with texts of their own
	Amounts     []string // currencies with amounts of their own
	Rules       []policy.Rule
	Sensitive   int
	Experiments []policy.Experiment
}

func summarize(p policy.Policy) summary {
	s := summary{Rules: p.Rules, Sensitive: len(p.Sensitive), Experiments: p.Experiments}
	for _, lang := range i18n.Languages() {
		if len(p.Texts[lang]) > 0 {
			s.Texts = append(s.Texts, i18n.Name(lang))
		}
	}
	for code := range p.Amounts {
		s.Amounts = append(s.Amounts, code)
	}
	slices.Sort(s.Amounts)
	return s
}

// shownVersions is how many versions the first page lists.
const shownVersions = 20

// show handles GET /staff/asks.
func (a *Asks) show(v *desk.Visit) error {
	ctx := v.Request.Context()
	newest, err := a.Desk.Store.Newest(ctx, policy.KindAsks)
	if err != nil {
		return err
	}
	inForce, err := parse(newest.Body)
	if err != nil {
		return err
	}
	turned, err := a.Desk.Store.Newest(ctx, policy.KindSwitch)
	if err != nil {
		return err
	}
	versions, err := a.Desk.Store.Versions(ctx, policy.KindAsks, 0, shownVersions)
	if err != nil {
		return err
	}
	w, err := a.work(ctx, v.Member)
	if err != nil {
		return err
	}
	return a.Desk.Render(v, a.overview, desk.Page{Title: "Asks", Body: struct {
		Admin    bool
		Off      bool
		Closed   bool
		Turned   store.Version
		Draft    bool
		Summary  summary
		Newest   store.Version
		Versions []store.Version
		Frames   []frame
	}{
		v.Member.Role.Allows(desk.Admin), isOff(turned), turned.Body == policy.Closed, turned, w.Draft, summarize(inForce), newest, versions,
		frames(i18n.Default, "in-force"),
	}})
}

// export handles GET /staff/asks/export: what is in force as a file.
func (a *Asks) export(v *desk.Visit) error {
	newest, err := a.Desk.Store.Newest(v.Request.Context(), policy.KindAsks)
	if err != nil {
		return err
	}
	p, err := parse(newest.Body)
	if err != nil {
		return err
	}
	v.Header("Content-Disposition", `attachment; filename="asks.json"`)
	v.Data(http.StatusOK, "application/json; charset=utf-8", []byte(text(p)))
	return nil
}

// text writes a policy for people to read.
func text(p policy.Policy) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return "" // strings and numbers always encode
	}
	return out.String()
}

// showSwitch handles GET /staff/asks/switch: one more question before all asks
// are turned off or on.
func (a *Asks) showSwitch(v *desk.Visit) error {
	turned, err := a.Desk.Store.Newest(v.Request.Context(), policy.KindSwitch)
	if err != nil {
		return err
	}
	return a.renderSwitch(v, turned, "", http.StatusOK)
}

// isOff reports whether no ask shows.
func isOff(turned store.Version) bool {
	return turned.Body == policy.Off || turned.Body == policy.Closed
}

func (a *Asks) renderSwitch(v *desk.Visit, turned store.Version, problem string, status int) error {
	title := "Turn all asks off"
	if isOff(turned) {
		title = "Turn asks on again"
	}
	return a.Desk.RenderStatus(v, a.toggle, desk.Page{Title: title, Narrow: true, Body: struct {
		Title, Problem string
		Off, Closed    bool
	}{title, problem, isOff(turned), turned.Body == policy.Closed}}, status)
}

// turn handles POST /staff/asks/switch.
func (a *Asks) turn(v *desk.Visit) error {
	ctx, to, reason := v.Request.Context(), v.PostForm("to"), parts.Reason(v.PostForm("reason"))
	turned, err := a.Desk.Store.Newest(ctx, policy.KindSwitch)
	if err != nil {
		return err
	}
	is := policy.On
	if isOff(turned) {
		is = turned.Body
	}
	switch {
	case to != policy.On && to != policy.Off && to != policy.Closed:
		return a.renderSwitch(v, turned, "Choose on, off or closed.", http.StatusUnprocessableEntity)
	case reason == "":
		return a.renderSwitch(v, turned, "Reason: say in a few words why.", http.StatusUnprocessableEntity)
	case to == is:
		return a.Desk.Back(v, path, "Asks are "+to+" already.")
	}
	_, err = a.Desk.Store.Publish(ctx, a.by(v, policy.KindSwitch, to, reason), turned.Number, nil, a.Desk.By(v, "asks."+to, policy.KindSwitch))
	if err != nil {
		return err
	}
	if to == policy.Closed {
		return a.Desk.Back(v, path, "No gifts are taken. Readers see it within 10 seconds.")
	}
	return a.Desk.Back(v, path, "All asks are "+to+". Readers see it within 10 seconds.")
}

// by returns the next version of a document, by the visitor.
func (a *Asks) by(v *desk.Visit, kind, body, reason string) store.Version {
	return store.Version{Kind: kind, Body: body, Who: v.Member.Email, Reason: reason, At: a.Desk.Now()}
}
