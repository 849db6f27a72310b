package articles

import (
	"context"
	"html/template"

	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/store"
)

// Names are what the keys of a dimension are called: articles by their titles,
// campaigns by their names, all others by themselves.
type Names struct {
	by    string
	known map[string]store.Article
}

// Named reads the names of keys of a dimension.
func Named(ctx context.Context, db *store.Store, by string, keys []string) (n Names, err error) {
	n.by = by
	switch by {
	case "article":
		n.known, err = db.Articles(ctx, keys)
	case "campaign":
		n.known, err = campaigns(ctx, db)
	}
	return n, err
}

// campaigns returns all campaigns, of which there are few, as if they were
// articles.
func campaigns(ctx context.Context, db *store.Store) (map[string]store.Article, error) {
	names, err := db.CampaignNames(ctx)
	known := map[string]store.Article{}
	for slug, name := range names {
		known[slug] = store.Article{Slug: slug, Title: name}
	}
	return known, err
}

// Get returns what is known of an article; its zero value if nothing is.
func (n Names) Get(key string) store.Article { return n.known[key] }

// Of returns the name of a key, or the key where that is not known.
func (n Names) Of(key string) string {
	if title := n.known[key].Title; title != "" {
		return title
	}
	return figure.Key(n.by, key)
}

// HTML is the name, which leads to the article where its address is known, with
// the slug beneath it.
func (n Names) HTML(key string) template.HTML {
	out := template.HTMLEscapeString(n.Of(key))
	if address := n.known[key].Address; address != "" {
		out = `<a href="` + template.HTMLEscapeString(address) + `" rel="noreferrer">` + out + `</a>`
	}
	if title := n.known[key].Title; title != "" && title != key {
		out += ` <small class="slug">` + template.HTMLEscapeString(key) + `</small>`
	}
	return template.HTML(out)
}
