package campaigns

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/parts"
	"github.com/united24media/support/internal/store"
)

// A frame is a preview inside a page.
type frame struct{ Title, URL string }

// frames returns the ask with the draft of a campaign, in a language and both
// themes.
func frames(slug, lang string) []frame {
	var list []frame
	for _, theme := range [...]string{"light", "dark"} {
		values := url.Values{"campaign": {slug}, "lang": {lang}, "theme": {theme}}
		list = append(list, frame{"The ask, " + i18n.Name(lang) + ", " + theme, "/staff/asks/preview?" + values.Encode()})
	}
	return list
}

type tab struct {
	Text, URL string
	Chosen    bool
}

// showReview handles GET /staff/campaigns/review?slug=…
func (s *Campaigns) showReview(v *desk.Visit) error {
	return s.renderReview(v, v.Query("slug"), "", http.StatusOK)
}

func (s *Campaigns) renderReview(v *desk.Visit, slug, problem string, status int) error {
	ctx := v.Request.Context()
	w, err := s.work(ctx, slug, v.Member)
	if err != nil {
		return err
	}
	if !w.Draft {
		return s.Desk.Back(v, path, "There is no draft of that campaign.")
	}
	before, err := s.stored(ctx, slug)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return err
	}
	lang := v.Query("lang")
	if !slices.Contains(i18n.Languages(), lang) {
		lang = i18n.Default
	}
	var tabs []tab
	for _, code := range i18n.Languages() {
		tabs = append(tabs, tab{i18n.Name(code), path + "/review?" + url.Values{"slug": {slug}, "lang": {code}}.Encode() + "#preview", code == lang})
	}
	page := w.Pages[lang]
	return s.Desk.RenderStatus(v, s.review, desk.Page{Title: "Look at the campaign", Body: struct {
		Slug, Problem, Reason string
		Base                  int64
		Changes               []campaign.Change
		Tabs                  []tab
		Name, Title, Lead     string
		Picture, Alt          string
		Frames                []frame
	}{
		slug, problem, v.PostForm("reason"), w.Newest.Number, campaign.Diff(before.Document, w.Document), tabs,
		w.Name(lang), page.Title, page.Lead, address(w.Picture), w.AltText(lang), frames(slug, lang),
	}}, status)
}

// publish handles POST /staff/campaigns/publish.
func (s *Campaigns) publish(v *desk.Visit) error {
	ctx, slug, reason := v.Request.Context(), v.PostForm("slug"), parts.Reason(v.PostForm("reason"))
	w, err := s.work(ctx, slug, v.Member)
	if err != nil {
		return err
	}
	base, err := strconv.ParseInt(v.PostForm("base"), 10, 64)
	switch {
	case err != nil || !w.Draft:
		return s.Desk.Back(v, path, "There was nothing to publish.")
	case reason == "":
		return s.renderReview(v, slug, "Reason: say in a few words why, for whoever looks at it later.", http.StatusUnprocessableEntity)
	}
	return s.put(v, slug, w.Document, base, reason, "campaign.publish")
}

// put publishes d after a version, and says so.
func (s *Campaigns) put(v *desk.Visit, slug string, d campaign.Document, base int64, reason, action string) error {
	row, err := d.Row(slug)
	if err != nil {
		return err
	}
	version := store.Version{Kind: campaign.Kind(slug), Body: text(d), Who: v.Member.Email, Reason: reason, At: s.Desk.Now()}
	entry := s.Desk.By(v, action, campaign.Kind(slug))
	entry.Detail = "version " + strconv.FormatInt(base+1, 10)
	number, err := s.Desk.Store.Publish(v.Request.Context(), version, base, &row, entry)
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Kind == fault.Conflict {
		return s.Desk.Back(v, path+"/one/"+slug, refused.Detail)
	}
	if err != nil {
		return err
	}
	return s.Desk.Back(v, path+"/one/"+slug, "Version "+strconv.FormatInt(number, 10)+" is published. Readers see it within 10 seconds.")
}

// discard handles POST /staff/campaigns/discard.
func (s *Campaigns) discard(v *desk.Visit) error {
	if err := s.Desk.Store.DropDraft(v.Request.Context(), campaign.Kind(v.PostForm("slug")), v.Member.Email); err != nil {
		return err
	}
	return s.Desk.Back(v, path, "Your draft is thrown away. Nothing that readers see has changed.")
}

// versionOf returns a version of a campaign by its number as it is written.
func (s *Campaigns) versionOf(v *desk.Visit, slug, number string) (store.Version, campaign.Document, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return store.Version{}, campaign.Document{}, fault.New(fault.NotFound, "A version has a number.")
	}
	version, err := s.Desk.Store.VersionOf(v.Request.Context(), campaign.Kind(slug), n)
	if err != nil {
		return version, campaign.Document{}, err
	}
	d, err := campaign.Parse([]byte(version.Body))
	return version, d, err
}

// showVersion handles GET /staff/campaigns/one/SLUG/versions/NUMBER.
func (s *Campaigns) showVersion(v *desk.Visit) error {
	return s.renderVersion(v, v.Param("slug"), v.Param("number"), "", http.StatusOK)
}

func (s *Campaigns) renderVersion(v *desk.Visit, slug, number, problem string, status int) error {
	ctx := v.Request.Context()
	version, d, err := s.versionOf(v, slug, number)
	if err != nil {
		return err
	}
	now, err := s.stored(ctx, slug)
	if err != nil {
		return err
	}
	newest, err := s.Desk.Store.Newest(ctx, campaign.Kind(slug))
	if err != nil {
		return err
	}
	return s.Desk.RenderStatus(v, s.version, desk.Page{Title: "Version " + number, Body: struct {
		Slug, Problem   string
		Version, Newest store.Version
		Admin           bool
		Said, Back      []campaign.Change
		Picture, Alt    string
	}{slug, problem, version, newest, v.Member.Role.Allows(desk.Admin), campaign.Diff(campaign.Document{}, d), campaign.Diff(now.Document, d), address(d.Picture), d.AltText(i18n.Default)}}, status)
}

// restore handles POST /staff/campaigns/restore: an earlier version is published
// again.
func (s *Campaigns) restore(v *desk.Visit) error {
	slug, number, reason := v.PostForm("slug"), v.PostForm("number"), parts.Reason(v.PostForm("reason"))
	if reason == "" {
		return s.renderVersion(v, slug, number, "Reason: say in a few words why.", http.StatusUnprocessableEntity)
	}
	_, d, err := s.versionOf(v, slug, number)
	if err != nil {
		return err
	}
	base, err := strconv.ParseInt(v.PostForm("base"), 10, 64)
	if err != nil {
		return fault.Field("base", "Open the version again and press the button there.")
	}
	return s.put(v, slug, d, base, reason, "campaign.restore")
}
