// Package articles reads what the news site's articles are called, and where
// they are, from the site's own sitemap or feed. Nothing a reader sends has a
// say in it.
package articles

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/united24media/support/internal/clean"
	"github.com/united24media/support/internal/outward"
	"github.com/united24media/support/internal/store"
)

// How a site is read.
const (
	every        = 15 * time.Minute
	maxTime      = 10 * time.Second // of one document
	maxBytes     = 5 << 20          // of one document, compressed or not
	maxRedirects = 5
	maxParts     = 20 // sitemaps of an index, those changed last first
)

// places are where sites keep what names their articles (sitemaps.org, and the
// habits of the usual content systems), in the order in which they are asked.
var places = [...]string{"/sitemap.xml", "/rss.xml", "/feed", "/atom.xml"}

// Options are what reading needs.
type Options struct {
	Store   *store.Store
	Origins []string        // of the site, as [clean.Origin] writes them
	Known   []store.Article // that are there without a feed: the sandbox's example
	Now     func() time.Time
	Log     *slog.Logger
}

// A Reader reads what a site says of its articles.
type Reader struct {
	Options
	client *http.Client
}

// New returns a reader.
func New(o Options) *Reader {
	client := outward.Client(maxTime)
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects || clean.Origin(r.URL.String()) != clean.Origin(via[0].URL.String()) {
			return fmt.Errorf("it redirects away, to %s", clean.Origin(r.URL.String()))
		}
		return nil
	}
	return &Reader{o, client}
}

// Run reads the site at once and then again and again until ctx is done. Each
// replica may: what is known already is not written again.
func (r *Reader) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := r.Read(ctx); err != nil && ctx.Err() == nil {
			r.Log.WarnContext(ctx, "articles: titles could not be stored", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Read reads the site once. A site that has no feed is no error: its articles
// go by their slugs.
func (r *Reader) Read(ctx context.Context) error {
	found := slices.Clone(r.Known)
	for _, origin := range r.Origins {
		found = append(found, r.site(ctx, origin)...)
	}
	now := r.Now()
	seen := make(map[string]bool, len(found))
	found = slices.DeleteFunc(found, func(a store.Article) bool {
		again := seen[a.Slug]
		seen[a.Slug] = true
		return again
	})
	for i := range found {
		found[i].Seen = now
	}
	return r.Store.AddArticles(ctx, found)
}

// site returns what the first place that answers says. A sitemap may know
// addresses alone; then the next place is asked for titles.
func (r *Reader) site(ctx context.Context, origin string) []store.Article {
	var addresses []store.Article
	for _, place := range places {
		found, err := r.place(ctx, origin+place)
		if err != nil {
			r.Log.InfoContext(ctx, "articles: not read, or not to its end", "address", origin+place, "articles", len(found), "err", err)
		}
		if slices.ContainsFunc(found, func(a store.Article) bool { return a.Title != "" }) {
			return append(found, addresses...)
		}
		addresses = append(addresses, found...)
	}
	return addresses
}

// place returns what a document says, and, of an index, its parts at the same
// origin.
func (r *Reader) place(ctx context.Context, address string) ([]store.Article, error) {
	d, err := r.fetch(ctx, address, maxEntries)
	if err != nil {
		return d.articles, err
	}
	slices.SortStableFunc(d.parts, func(a, b part) int { return -cmp.Compare(a.changed, b.changed) })
	var errs []error
	read := 0
	for _, p := range d.parts {
		left := maxEntries - len(d.articles)
		if read == maxParts || left == 0 {
			break
		}
		if clean.Origin(p.address) != clean.Origin(address) {
			errs = append(errs, fmt.Errorf("the index names another origin, %q", clean.Origin(p.address)))
			continue
		}
		read++
		of, err := r.fetch(ctx, p.address, left)
		d.articles = append(d.articles, of.articles...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.address, err))
		}
	}
	return d.articles, errors.Join(errs...)
}

// fetch reads a document. With an error it returns what could be read.
func (r *Reader) fetch(ctx context.Context, address string, most int) (document, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return document{}, err
	}
	request.Header.Set("User-Agent", "Support (reads titles of articles)")
	request.Header.Set("Accept", "application/xml, application/rss+xml, application/atom+xml, text/xml")
	answer, err := r.client.Do(request)
	if err != nil {
		return document{}, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return document{}, fmt.Errorf("it answers %s", answer.Status)
	}
	body, err := unpacked(io.LimitReader(answer.Body, maxBytes))
	if err != nil {
		return document{}, err
	}
	return parse(io.LimitReader(body, maxBytes), r.Origins, most)
}

// unpacked returns what a body holds: sitemaps are often kept as .gz files.
func unpacked(body io.Reader) (io.Reader, error) {
	in := bufio.NewReader(body)
	if magic, err := in.Peek(2); err != nil || magic[0] != 0x1f || magic[1] != 0x8b { //nolint:nilerr // too short for gzip, and for XML: the parser says so
		return in, nil
	}
	return gzip.NewReader(in)
}
