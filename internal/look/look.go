// Package look is how everything we show looks: the design tokens, the
// stylesheet, and the frame that all pages share. It holds no words: texts
// come from whoever renders, in the reader's language.
//
// A page needs no inline style or script and asks nothing of another host, so
// that the strictest Content-Security-Policy holds.
package look

import (
	"bytes"
	_ "embed" // for the files below
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

var (
	//go:embed css/base.css
	baseCSS string
	//go:embed css/pages.css
	pagesCSS string
	//go:embed css/account.css
	accountCSS string
	//go:embed css/staff.css
	staffCSS string
	//go:embed css/figures.css
	figuresCSS string
	//go:embed icon.svg
	iconSVG []byte
	//go:embed layout.html
	layoutHTML string
	//go:embed staff.html
	staffHTML string
)

// The assets that every page links to.
var (
	Style = NewAsset("look.css", "text/css; charset=utf-8", []byte(TokensCSS(":root")+baseCSS+pagesCSS+accountCSS))
	Icon  = NewAsset("icon.svg", "image/svg+xml", iconSVG)

	// StaffStyle is what the staff pages link to beside Style.
	StaffStyle = NewAsset("staff.css", "text/css; charset=utf-8", []byte(staffCSS+figuresCSS))
)

// A Link is an entry of the header, the footer or the language list.
type Link struct {
	Text    string
	URL     string
	Lang    string // of Text, where it differs from the page's
	Current bool   // it leads to this page
}

// A Page is what the frame shows around a page's own content.
type Page struct {
	Lang        string // BCP 47, for the html element
	Title       string // shown in the tab, before the brand's name
	Description string // for search engines and previews; may be ""
	Brand       string // the header's words after "UNITED24 Media"
	BrandURL    string // where the header leads
	Skip        string // words of the link that jumps to the content
	Sandbox     string // the strip on every page while no money moves; "" on live
	Private     bool   // kept from search engines, and drawn once: its tables are narrower while rows are missing
	Refresh     string // when the browser asks again, "3; url=/thanks"; "" never
	Nav         []Link
	LangsLabel  string // names the list of languages
	Langs       []Link // empty on a page of one language
	Footer      []Link
	Note        string   // the footer's sentence
	Scripts     []string // addresses of module scripts of ours
	Wide        bool     // for tables
	Staff       *StaffFrame
	Body        any // for the page's own template
}

// A StaffFrame is what stands around a page of the staff's, in place of the
// header and the footer that readers see.
type StaffFrame struct {
	Who   string // the member's address; "" before the sign-in
	Role  string
	Flash string // one sentence about what was just done
	Zone  string // of the times on the page
}

// StaffStyle returns the address of the staff pages' stylesheet.
func (Page) StaffStyle() string { return StaffStyle.Path }

// Style returns the stylesheet's address.
func (Page) Style() string { return Style.Path }

// Icon returns the icon's address.
func (Page) Icon() string { return Icon.Path }

// A Template is a page's content inside the frame.
type Template struct{ t *template.Template }

// MustParse returns the template of a page from its own texts, one of which
// defines "content"; there, the dot is [Page.Body]. It panics on an error:
// templates are embedded.
func MustParse(funcs template.FuncMap, texts ...string) *Template {
	t := template.New("layout").Funcs(funcs).Funcs(template.FuncMap{"lower": strings.ToLower})
	template.Must(t.Parse(staffHTML))
	template.Must(t.Parse(layoutHTML))
	for _, text := range texts {
		template.Must(t.Parse(text))
	}
	return &Template{t}
}

// Bytes returns the whole document.
func (t *Template) Bytes(p Page) ([]byte, error) {
	var out bytes.Buffer
	if err := t.t.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("render %q: %w", p.Title, err)
	}
	return out.Bytes(), nil
}

// Render answers with the document. Nothing is written if it fails, so that
// the caller can still answer with an error.
func (t *Template) Render(w http.ResponseWriter, status int, p Page) error {
	body, err := t.Bytes(p)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.Lang)
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the reader went away
	return nil
}
