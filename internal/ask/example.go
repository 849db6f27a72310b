package ask

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the article and its style
	"encoding/base64"
	"fmt"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
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
	Article   string
	Placement string
	Lang      string // "" for that of the page
	Country   string // "" where unknown
}

// element returns the markup of e: the plain link that works by itself, inside
// the element that improves it.
func (s *Service) element(e element) string {
	w := s.words[i18n.Default]
	link := s.base + "/support?article=" + url.QueryEscape(e.Article) + "&placement=" + e.Placement
	extra := ""
	if e.Lang != "" {
		w = s.words[e.Lang]
		link += "&lang=" + e.Lang
		extra += ` lang="` + e.Lang + `"`
	}
	if e.Country != "" {
		extra += ` country="` + e.Country + `"`
	}
	return fmt.Sprintf(`<u24-support article="%s" placement="%s"%s>
  <a href="%s">%s <b>%s</b></a>
</u24-support>`, html.EscapeString(e.Article), e.Placement, extra, link, html.EscapeString(w.placed[e.Placement].Text), html.EscapeString(w.placed[e.Placement].Action))
}

type exampleLanguage struct {
	Code, Name string
	Current    bool
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
		Base      string
		Icon      string
		Style     template.CSS
		Script    template.HTML
		Mid, End  template.HTML
		Languages []exampleLanguage
	}{Base: s.base, Icon: look.Icon.Path, Style: template.CSS(style), Script: template.HTML(s.scriptTag())}
	e.Placement = Mid
	page.Mid = template.HTML(s.element(e))
	e.Placement = End
	page.End = template.HTML(s.element(e))
	for _, code := range i18n.Languages() {
		current := code == e.Lang || e.Lang == "" && code == i18n.Default
		page.Languages = append(page.Languages, exampleLanguage{code, i18n.Name(code), current})
	}
	var out bytes.Buffer
	if err := exampleTemplate.Execute(&out, page); err != nil {
		return fmt.Errorf("render the example article: %w", err)
	}
	sum := sha256.Sum256([]byte(style))
	h := c.Writer.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'; "+
		"script-src "+origin(s.base)+"; connect-src "+origin(s.base)+"; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	c.Writer.WriteHeader(http.StatusOK)
	c.Writer.Write(out.Bytes()) //nolint:errcheck // the reader went away
	return nil
}
