package asks

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/staff/desk"
)

// all stands for every language.
const all = "all"

// A frame is a preview inside a page.
type frame struct{ Title, URL string }

// frames returns the previews of a language, or of all, in both themes.
func frames(lang, of string) []frame {
	langs := []string{lang}
	if lang == all {
		langs = i18n.Languages()
	}
	var list []frame
	for _, code := range langs {
		for _, theme := range themes {
			list = append(list, frame{i18n.Name(code) + ", " + theme, path + "/preview?" + url.Values{"lang": {code}, "theme": {theme}, "of": {of}}.Encode()})
		}
	}
	return list
}

var themes = []string{"light", "dark"}

// known returns lang if it is one of ours, else English.
func known(lang string) string {
	if slices.Contains(i18n.Languages(), lang) {
		return lang
	}
	return i18n.Default
}

// showPreview handles GET /staff/asks/preview: the fixture article's asks as
// they are under a draft ("draft", the visitor's own), a version's number, or
// what is in force. The page stands in a frame that may run its scripts and
// nothing else; it answers the embed script itself, so nothing is public and
// nothing is counted. Rules and sensitivity are left out: this is how an ask
// looks where it shows.
func (a *Asks) showPreview(v *desk.Visit) error {
	p, err := a.previewed(v)
	if err != nil {
		return err
	}
	p.Rules, p.Sensitive = nil, nil
	lang, theme := known(v.Query("lang")), v.Query("theme")
	if !slices.Contains(themes, theme) {
		theme = themes[0]
	}
	values := url.Values{"article": {"preview"}, "lang": {lang}}
	for _, name := range [...]string{"country", "campaign"} {
		if value := v.Query(name); value != "" {
			values.Set(name, value)
		}
	}
	c, err := a.campaign(v)
	if err != nil {
		return err
	}
	answer, err := a.Preview(p, values.Encode(), c)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	err = a.preview.Execute(&out, struct {
		Lang, Theme, Style, Script, Embed, Country, Campaign string
		Answer                                               template.JS
	}{lang, theme, look.Style.Path, a.script.Path, a.Script, v.Query("country"), v.Query("campaign"), template.JS(safeJSON(answer))})
	if err != nil {
		return fmt.Errorf("render the preview: %w", err)
	}
	own := "'self' " + originOf(a.Script)
	v.Header("Content-Security-Policy", "default-src 'none'; script-src "+own+"; style-src "+own+"; base-uri 'none'; form-action 'none'; frame-ancestors 'self'")
	v.Data(http.StatusOK, "text/html; charset=utf-8", out.Bytes())
	return nil
}

// campaign returns the visitor's own draft of the campaign that a preview
// names, or nil.
func (a *Asks) campaign(v *desk.Visit) (*campaign.Campaign, error) {
	slug := v.Query("campaign")
	if slug == "" {
		return nil, nil
	}
	draft, err := a.Desk.Store.DraftOf(v.Request.Context(), campaign.Kind(slug), v.Member.Email)
	if err != nil || draft.Body == "" {
		return nil, err
	}
	d, err := campaign.Parse([]byte(draft.Body))
	if err != nil {
		return nil, nil // what can't be read is not shown
	}
	return &campaign.Campaign{Slug: slug, Document: d}, nil
}

// previewed returns the policy that a preview is of.
func (a *Asks) previewed(v *desk.Visit) (policy.Policy, error) {
	ctx, of := v.Request.Context(), v.Query("of")
	if of == "draft" {
		w, err := a.work(ctx, v.Member)
		return w.Policy, err
	}
	number, err := strconv.ParseInt(of, 10, 64)
	if err != nil {
		body, err := a.Desk.Store.Published(ctx, policy.KindAsks)
		if err != nil {
			return policy.Policy{}, err
		}
		return parse(body)
	}
	version, err := a.Desk.Store.VersionOf(ctx, policy.KindAsks, number)
	if err != nil {
		return policy.Policy{}, fault.New(fault.NotFound, "There is no version %d.", number)
	}
	return parse(version.Body)
}

// safeJSON returns JSON that ends no script element.
func safeJSON(data []byte) string {
	return strings.NewReplacer("<", `\u003c`, ">", `\u003e`, "&", `\u0026`, "\u2028", `\u2028`, "\u2029", `\u2029`).Replace(string(data))
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
