package ask

import (
	"bytes"
	"cmp"
	_ "embed" // for the article and its style
	"fmt"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/store"
)

var (
	//go:embed page/example.html
	exampleHTML string
	//go:embed page/example.css
	exampleCSS string
)

var exampleTemplate = template.Must(template.New("example").Parse(exampleHTML + `{{define "ask"}}{{.}}{{end}}`))

// An element is a <u24-support> as a site writes it into an article.
type element struct {
	Article, Placement                                   string
	Lang                                                 string // one of ours; "" for that of the page
	Country, Campaign, Section, Tags, Sensitivity, Theme string // left out where ""
}

// element returns the markup of e: the plain link that works by itself, inside
// the element that improves it.
func (s *Service) element(e element) string {
	w := s.words[cmp.Or(e.Lang, i18n.Default)]
	link := s.base + "/support?article=" + url.QueryEscape(e.Article) + "&placement=" + e.Placement
	if e.Campaign != "" {
		link += "&campaign=" + url.QueryEscape(e.Campaign)
	}
	if e.Lang != "" {
		link += "&lang=" + e.Lang
	}
	extra := ""
	for _, attribute := range [...][2]string{
		{"lang", e.Lang}, {"country", e.Country}, {"campaign", e.Campaign}, {"section", e.Section}, {"tags", e.Tags},
		{"sensitivity", e.Sensitivity}, {"theme", e.Theme},
	} {
		if attribute[1] != "" {
			extra += " " + attribute[0] + `="` + html.EscapeString(attribute[1]) + `"`
		}
	}
	text := w.placed[e.Placement]
	return fmt.Sprintf(`<u24-support article="%s" placement="%s"%s>
  <a href="%s">%s <b>%s</b></a>
</u24-support>`, html.EscapeString(e.Article), e.Placement, extra, link, html.EscapeString(text.Text), html.EscapeString(text.Action))
}

type exampleLanguage struct {
	Code, Name string
	Current    bool
}

// exampleTitle is what the example article is called.
const exampleTitle = "UK Defense Secretary Sets Out Conditions for Sending Troops to Ukraine"

// ExampleArticle is what reports call the example article.
func (s *Service) ExampleArticle() store.Article {
	return store.Article{Slug: exampleArticle, Title: exampleTitle, Address: s.base + "/"}
}

// Example handles GET /: an article with the two asks, embedded as a site
// would. lang and country in its address go to the asks, so that they can be
// seen in every language and currency; the article itself is English.
func (s *Service) Example(c *gin.Context) error {
	e := element{Article: exampleArticle}
	if lang, ok := i18n.Match(c.Query("lang")); ok && lang != i18n.Default {
		e.Lang = lang
	}
	if country := c.Query("country"); countryCode.MatchString(country) {
		e.Country = strings.ToUpper(country)
	}
	style := look.TokensCSS(":root") + exampleCSS + ReserveCSS
	page := struct {
		Title     string
		Base      string
		Icon      string
		Style     template.CSS
		Script    template.HTML
		Mid, End  template.HTML
		Languages []exampleLanguage
	}{Title: exampleTitle, Base: s.base, Icon: look.Icon.Path, Style: template.CSS(style), Script: template.HTML(s.scriptTag())}
	e.Placement = policy.Mid
	page.Mid = template.HTML(s.element(e))
	e.Placement = policy.End
	page.End = template.HTML(s.element(e))
	for _, code := range i18n.Languages() {
		current := code == e.Lang || e.Lang == "" && code == i18n.Default
		page.Languages = append(page.Languages, exampleLanguage{code, i18n.Name(code), current})
	}
	var out bytes.Buffer
	if err := exampleTemplate.Execute(&out, page); err != nil {
		return fmt.Errorf("render the example article: %w", err)
	}
	h := c.Writer.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", s.styledPolicy(style, "'none'"))
	c.Writer.WriteHeader(http.StatusOK)
	c.Writer.Write(out.Bytes()) //nolint:errcheck // the reader went away
	return nil
}
