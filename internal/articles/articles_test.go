package articles_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/articles"
	"github.com/united24media/support/internal/store"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

// read reads a site whose documents are by path, in which ORIGIN is its own
// origin, and returns titles and paths by slug.
func read(t *testing.T, documents map[string]string, more ...func(http.ResponseWriter, *http.Request) bool) map[string][2]string {
	t.Helper()
	var site *httptest.Server
	site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, handle := range more {
			if handle(w, r) {
				return
			}
		}
		body, ok := documents[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		body = strings.ReplaceAll(body, "ORIGIN", site.URL)
		if strings.HasSuffix(r.URL.Path, ".gz") {
			var packed bytes.Buffer
			out := gzip.NewWriter(&packed)
			out.Write([]byte(body)) //nolint:errcheck // into memory
			out.Close()             //nolint:errcheck // as above
			body = packed.String()
		}
		w.Write([]byte(body)) //nolint:errcheck // the reader notices
	}))
	t.Cleanup(site.Close)
	db := open(t)
	reader := articles.New(articles.Options{Store: db, Origins: []string{site.URL}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	for range 2 { // the second time changes nothing
		if err := reader.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all, err := db.NewestArticles(t.Context(), "", 20_000)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][2]string{}
	for _, a := range all {
		found[a.Slug] = [2]string{a.Title, strings.TrimPrefix(a.Address, site.URL)}
	}
	return found
}

const (
	sitemap = `<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>ORIGIN/</loc></url>
<url><loc> ORIGIN/war/grain.html </loc><image:image><image:title>A ship</image:title></image:image><news:news><news:publication><news:name>News</news:name></news:publication><news:title>Grain &amp; bread</news:title></news:news></url>
<url><loc>https://elsewhere.example/choir</loc><news:news><news:title>Not ours</news:title></news:news></url></urlset>`
	bare = `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>ORIGIN/war/grain</loc></url><url><loc>ORIGIN/old</loc></url></urlset>`
	rss  = `<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:atom="http://www.w3.org/2005/Atom"><channel>
<title>News</title><link>ORIGIN</link>
<item><media:title>A picture</media:title><title><![CDATA[Kyiv&#8217;s <b>grid</b>]]></title><atom:link href="ORIGIN/feed"/><link>ORIGIN/war/grid/?utm_source=rss</link></item>
<item><title>Grain</title><link>ORIGIN/war/grain</link></item></channel></rss>`
	atom = `<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><link href="ORIGIN/"/>
<entry><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">The <em>choir</em></div></title><link rel="edit" href="ORIGIN/edit/1"/><link rel="alternate" href="ORIGIN/%D1%85%D0%BE%D1%80"/></entry></feed>`
)

func TestRead(t *testing.T) {
	t.Parallel()
	type found = map[string][2]string
	for name, tt := range map[string]struct {
		documents map[string]string
		want      found
	}{
		"a news sitemap, and no more asked": {
			map[string]string{"/sitemap.xml": sitemap, "/rss.xml": rss},
			found{"grain": {"Grain & bread", "/war/grain.html"}},
		},
		"an index": {
			map[string]string{
				"/sitemap.xml": `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://elsewhere.example/s.xml</loc></sitemap>
<sitemap><loc>ORIGIN/gone.xml</loc></sitemap><sitemap><loc>ORIGIN/packed.xml.gz</loc><lastmod>2026-03-01</lastmod></sitemap><sitemap><loc>ORIGIN/bare.xml</loc></sitemap></sitemapindex>`,
				"/packed.xml.gz": sitemap, "/bare.xml": bare,
			},
			found{"grain": {"Grain & bread", "/war/grain.html"}, "old": {"", "/old"}},
		},
		"titles of the feed, addresses of the sitemap": {
			map[string]string{"/sitemap.xml": bare, "/rss.xml": rss},
			found{"grain": {"Grain", "/war/grain"}, "grid": {"Kyiv’s grid", "/war/grid/?utm_source=rss"}, "old": {"", "/old"}},
		},
		"Atom": {map[string]string{"/atom.xml": atom}, found{"хор": {"The choir", "/%D1%85%D0%BE%D1%80"}}},
		"RSS that breaks off": {
			map[string]string{"/feed": rss[:strings.Index(rss, "<item><title>Grain")] + "<item><title>Gr"},
			found{"grid": {"Kyiv’s grid", "/war/grid/?utm_source=rss"}},
		},
		"a page that is no feed": {map[string]string{"/feed": "<!doctype html><p>Not found<br>"}, found{}},
		"nothing":                {nil, found{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := read(t, tt.documents); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("read %v, want %v", got, tt.want)
			}
		})
	}
}

// What is too long, or never ends, is read no further than we said.
func TestReadStops(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	many.WriteString("<rss><channel>")
	for i := range 10_500 {
		fmt.Fprintf(&many, "<item><title>T</title><link>ORIGIN/a%d</link></item>", i)
	}
	if got := read(t, map[string]string{"/rss.xml": many.String() + "</channel></rss>"}); len(got) != 10_000 {
		t.Errorf("of 10,500 articles it keeps %d", len(got))
	}
	var sent atomic.Int64
	endless := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/feed" {
			return false
		}
		fmt.Fprintf(w, "<rss><channel><item><title>First</title><link>http://%s/first</link></item><item><title>", r.Host)
		line := bytes.Repeat([]byte("x"), 1<<16)
		for r.Context().Err() == nil && sent.Load() < 1<<30 {
			n, err := w.Write(line)
			if sent.Add(int64(n)); err != nil {
				break
			}
		}
		return true
	}
	if got := read(t, nil, endless); len(got) != 1 || got["first"][0] != "First" {
		t.Errorf("of an endless feed it keeps %v", got)
	}
	if sent.Load() >= 1<<30 {
		t.Error("it reads on and on")
	}
}

// A site can lead to another place of its own, and to nobody else's.
func TestReadFollowsWithinTheOrigin(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(other.Close)
	lead := func(to string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/feed" {
				return false
			}
			http.Redirect(w, r, to, http.StatusFound)
			return true
		}
	}
	if got := read(t, map[string]string{"/news/feed": rss}, lead("/news/feed")); len(got) != 2 {
		t.Errorf("within the site it reads %v", got)
	}
	if got := read(t, nil, lead(other.URL+"/feed")); len(got) != 0 || asked.Load() != 0 {
		t.Errorf("led away it reads %v and asks %d times", got, asked.Load())
	}
}
