package articles

import (
	"cmp"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/store"
)

// Bounds of what is read of a site.
const (
	maxEntries = 10_000
	maxTitle   = 300 // characters
	maxSlug    = 200 // bytes, as an ask takes them
)

// A document is what a feed or a sitemap says.
type document struct {
	articles []store.Article
	parts    []part // that a sitemap index names
}

// A part is one of the sitemaps of an index.
type part struct{ address, changed string }

// An entry is an item of RSS 2.0 (or 1.0), an entry of Atom (RFC 4287), or a url
// or sitemap of sitemaps.org, whose url may have the title of Google's news
// extension.
type entry struct {
	XMLName xml.Name
	Titles  []words `xml:"title"`
	Links   []words `xml:"link"`
	Loc     string  `xml:"loc"`
	News    string  `xml:"news>title"`
	Changed string  `xml:"lastmod"`
}

// words are an element of a namespace: extensions have titles and links too.
type words struct {
	XMLName xml.Name
	Type    string `xml:"type,attr"`
	Rel     string `xml:"rel,attr"`
	Href    string `xml:"href,attr"`
	Text    string `xml:",chardata"`
	Inner   string `xml:",innerxml"`
}

// parse reads a document: of articles no more than most, each at one of the
// origins. With an error it returns what stood before the place where the
// document broke off.
func parse(r io.Reader, origins []string, most int) (document, error) {
	var d document
	in := xml.NewDecoder(r)
	in.Entity = xml.HTMLEntity
	for len(d.articles) < most && len(d.parts) < maxEntries {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		if err != nil {
			return d, err
		}
		start, ok := token.(xml.StartElement)
		if !ok || !slices.Contains([]string{"item", "entry", "url", "sitemap"}, start.Name.Local) {
			continue
		}
		var e entry
		if err := in.DecodeElement(&e, &start); err != nil {
			return d, err
		}
		if start.Name.Local == "sitemap" {
			d.parts = append(d.parts, part{strings.TrimSpace(e.Loc), strings.TrimSpace(e.Changed)})
		} else if a := e.article(origins); a.Slug != "" {
			d.articles = append(d.articles, a)
		}
	}
	return d, nil
}

// article returns what e says of an article; without a slug if that is none.
func (e *entry) article(origins []string) store.Article {
	title, address := e.News, e.Loc
	for _, t := range e.Titles {
		if t.XMLName.Space == e.XMLName.Space && title == "" {
			if title = t.Text; t.Type == "xhtml" {
				title = t.Inner
			}
		}
	}
	for _, l := range e.Links {
		if l.XMLName.Space == e.XMLName.Space && address == "" && (l.Rel == "" || l.Rel == "alternate") {
			address = cmp.Or(l.Href, l.Text)
		}
	}
	address = strings.TrimSpace(address)
	if !slices.Contains(origins, clean.Origin(address)) {
		return store.Article{}
	}
	return store.Article{Slug: slugOf(address), Title: plain(title), Address: address}
}

var (
	markup = regexp.MustCompile(`<[a-zA-Z/!][^>]*>`)
	pages  = regexp.MustCompile(`\.(html?|php|aspx?)$`)
)

// plain returns a title, which feeds often write as HTML, as text.
func plain(title string) string {
	title = html.UnescapeString(markup.ReplaceAllString(title, ""))
	return strings.TrimSpace(clean.Cut(clean.Text(title), maxTitle))
}

// slugOf returns the last part of an address's path, without the ending of a
// page; "" if that can't name an article.
func slugOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	slug := pages.ReplaceAllString(path.Base(u.Path), "")
	if slug == "." || slug == "/" || len(slug) > maxSlug || clean.Text(slug) != slug {
		return ""
	}
	return slug
}
