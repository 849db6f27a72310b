package ask

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // for the pages
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/policy"
)

var (
	//go:embed page/developers.html
	developersHTML string
	//go:embed page/developers.css
	developersCSS string
	//go:embed page/frame.html
	frameHTML string
)

var (
	developersPage = look.MustParse(nil, developersHTML)
	frameTemplate  = template.Must(template.New("frame").Parse(frameHTML))
)

// A list is a table of the developers' page.
type list struct {
	Title string
	Rows  []described
}

type field struct{ Name, Value string }

// checked is a placement that the checker looked at.
type checked struct {
	Placement string
	PlaceVerdicts
}

// asking are the parameters of an ask, in the order the checker shows them.
var asking = []string{"article", "placement", "lang", "country", "section", "tags", "campaign", "sensitivity"}

// Developers handles GET /developers: how a site embeds the ask, and why an
// ask shows or does not.
func (s *Service) Developers(c *gin.Context) error {
	style := developersCSS + ReserveCSS
	body := struct {
		Base, Style, Frame, WordPress, Picture, Problem any
		Guide                                           guide
		Example, Script                                 template.HTML
		Attributes, Events, Properties, Parts           list
		Sensitivities                                   []string
		Fields                                          []field
		Checked                                         []checked
	}{
		Base: s.base, Style: template.CSS(style), Guide: s.guideText, Script: template.HTML(s.scriptTag()),
		Example:    template.HTML(s.element(element{Article: exampleArticle, Placement: policy.Mid})),
		Attributes: list{"Attributes", attributes}, Events: list{"Events", events},
		Properties: list{"CSS custom properties", properties}, Parts: list{"Parts, for ::part()", parts},
		Frame: s.frameTag(), Picture: `<img src="` + s.base + `/v1/supporters.svg?article=` + exampleArticle + `" height="40" alt="Supporters of this article">`,
		WordPress:     "<!-- wp:html -->\n" + s.guideText.Snippet[policy.Mid] + "\n<!-- /wp:html -->",
		Sensitivities: s.policies.State().Sensitivities(),
	}
	given := c.Request.URL.Query()
	for _, name := range asking {
		body.Fields = append(body.Fields, field{name, given.Get(name)})
	}
	if len(given) > 0 {
		var problem string
		body.Checked, problem = s.check(given)
		body.Problem = problem
	}
	c.Header("Cache-Control", "no-cache")
	c.Header("Content-Security-Policy", s.styledPolicy(style, "'none'"))
	page := look.Page{
		Lang: i18n.Default, Title: "Put an ask into an article", Description: "How a news site embeds the ask, and why an ask shows or does not.",
		Brand: "For developers", BrandURL: "/developers", Skip: i18n.T(i18n.Default, "frame.skip"), Wide: true, Body: body,
	}
	if s.sandbox {
		page.Sandbox = i18n.T(i18n.Default, "frame.sandbox")
	}
	return developersPage.Render(c.Writer, http.StatusOK, page)
}

// check returns what the checker found, or what is wrong with its fields.
func (s *Service) check(given url.Values) (found []checked, problem string) {
	for name := range given {
		if given.Get(name) == "" {
			given.Del(name) // a field that was left empty
		}
	}
	q, err := readQuestion(given.Encode())
	if refused, ok := errors.AsType[*fault.Error](err); ok {
		return nil, strings.TrimPrefix(refused.Field+": "+refused.Detail, ": ")
	}
	e := s.explain(q)
	for _, placement := range placements {
		if p, ok := e.Placements[placement]; ok {
			found = append(found, checked{placement, p})
		}
	}
	return found, ""
}

// Frame handles GET /frame, which takes the parameters of GET /v1/ask with
// a placement, and theme: the ask as a page of its own, for systems that strip
// scripts. The news site's origins alone may frame it.
func (s *Service) Frame(c *gin.Context) error {
	values := c.Request.URL.Query()
	theme := values.Get("theme")
	values.Del("theme")
	q, err := readQuestion(values.Encode())
	switch {
	case err != nil:
		return err
	case q.placement == "":
		return fault.Field("placement", "A frame shows one ask: mid or end.")
	case theme != "" && theme != "light" && theme != "dark":
		return fault.Field("theme", "A theme is light or dark; without one the frame follows the reader's system.")
	}
	e := element{
		Article: q.article, Placement: q.placement, Country: q.country, Campaign: q.campaign, Section: q.section,
		Tags: strings.Join(q.tags, ","), Sensitivity: q.sensitivity, Theme: theme, Lang: language(q.lang),
	}
	const style = "html,body{margin:0}h1{position:absolute;width:1px;height:1px;margin:0;overflow:hidden;clip-path:inset(50%)}u24-support{display:grid;min-height:100vh}u24-support>a{font:1.125rem/1.5 Georgia,serif;color:CanvasText}"
	scheme := cmp.Or(theme, "light dark")
	page := struct {
		Lang, Title     string
		Icon            string
		Style           template.CSS
		Element, Script template.HTML
	}{e.Lang, i18n.T(e.Lang, "ask.region"), look.Icon.Path, template.CSS(style + ":root{color-scheme:" + scheme + "}"), template.HTML(s.element(e)), template.HTML(s.scriptTag())}
	var out bytes.Buffer
	if err := frameTemplate.Execute(&out, page); err != nil {
		return fmt.Errorf("render the frame: %w", err)
	}
	ancestors := strings.Join(append([]string{"'self'"}, s.sites...), " ")
	h := c.Writer.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Content-Security-Policy", s.styledPolicy(string(page.Style), ancestors))
	c.Writer.WriteHeader(http.StatusOK)
	c.Writer.Write(out.Bytes()) //nolint:errcheck // the reader went away
	return nil
}

func (s *Service) frameTag() string {
	return `<iframe src="` + s.base + `/frame?article=` + exampleArticle + `&placement=mid" title="` + i18n.T(i18n.Default, "ask.region") +
		`" width="100%" height="520" loading="lazy" referrerpolicy="strict-origin-when-cross-origin" frameborder="0"></iframe>`
}

// styledPolicy returns the Content-Security-Policy of a page of ours with one
// inline style, the embed script, and pages that may frame it.
func (s *Service) styledPolicy(style, ancestors string) string {
	sum := sha256.Sum256([]byte(style))
	own := "'self' " + origin(s.base)
	return "default-src 'none'; style-src " + own + " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; script-src " + own +
		"; connect-src " + own + "; img-src " + own + "; form-action 'self'; base-uri 'none'; frame-ancestors " + ancestors
}
