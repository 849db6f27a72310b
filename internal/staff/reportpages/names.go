package reportpages

import (
	"context"

	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/figure"
)

// articleNames are the titles and addresses of articles, by slug.
type articleNames map[string][2]string

// of returns an article's title, or its slug where that is not known, and its
// address, or "".
func (n articleNames) of(slug string) (title, address string) {
	if known := n[slug]; known[0] != "" {
		return known[0], known[1]
	}
	return figure.Key("article", slug), ""
}

func (p *Pages) articleNames(context.Context, []reports.Funnel) (articleNames, error) {
	return articleNames{}, nil
}
