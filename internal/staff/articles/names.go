package articles

import (
	"context"
	"html/template"

	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/store"
)

// Names are what articles are called, by slug.
type Names map[string]store.Article

// Named reads the names of articles.
func Named(ctx context.Context, db *store.Store, slugs []string) (Names, error) {
	found, err := db.Articles(ctx, slugs)
	return Names(found), err
}

// Of returns the title of an article, or its slug where that is not known.
func (n Names) Of(slug string) string {
	if title := n[slug].Title; title != "" {
		return title
	}
	return figure.Key("article", slug)
}

// HTML is the title, which leads to the article where its address is known,
// with the slug beneath it.
func (n Names) HTML(slug string) template.HTML {
	out := template.HTMLEscapeString(n.Of(slug))
	if address := n[slug].Address; address != "" {
		out = `<a href="` + template.HTMLEscapeString(address) + `" rel="noreferrer">` + out + `</a>`
	}
	if n[slug].Title != "" {
		out += ` <small class="slug">` + template.HTMLEscapeString(slug) + `</small>`
	}
	return template.HTML(out)
}
