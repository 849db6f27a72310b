package articles

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/united24media/support/internal/clean"
)

func TestSlugOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://n.example/war/grain":                         "grain",
		"https://n.example/war/grain/":                        "grain",
		"https://n.example/grain.html?x=1#y":                  "grain",
		"https://n.example/2026/version-2.0":                  "version-2.0",
		"https://n.example/%D1%85%D0%BE%D1%80":                "хор",
		"https://n.example":                                   "",
		"https://n.example/":                                  "",
		"https://n.example/a%00b":                             "",
		"https://n.example/a%FFb":                             "",
		"https://n.example/" + strings.Repeat("x", maxSlug+1): "",
		"https://n.example/%E2%80%AEturned":                   "",
		"https://n.example/" + strings.Repeat("x", maxSlug):   strings.Repeat("x", maxSlug),
	} {
		if got := slugOf(address); got != want {
			t.Errorf("slugOf(%q) = %q, want %q", address, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, document := range []string{
		`<rss><channel><item><title><![CDATA[a <b>b</b> &amp;amp;]]></title><link>https://n.example/a</link></item></channel></rss>`,
		`<feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="xhtml"><div>x</div></title><link href="https://n.example/b.html"/></entry></feed>`,
		`<urlset><url><loc>https://n.example/c</loc><news:news xmlns:news="x"><news:title>T</news:title></news:news></url></urlset>`,
		`<sitemapindex><sitemap><loc>https://n.example/s.xml</loc><lastmod>2026</lastmod></sitemap></sitemapindex>`,
		`<item><title>&nbsp;`, `<?xml version="1.0" encoding="windows-1251"?><rss/>`,
	} {
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, document string) {
		const most = 20
		d, _ := parse(strings.NewReader(document), []string{"https://n.example"}, most)
		if len(d.articles) > most {
			t.Fatalf("%d articles", len(d.articles))
		}
		for _, a := range d.articles {
			if a.Slug == "" || len(a.Slug) > maxSlug || clean.Text(a.Slug) != a.Slug {
				t.Errorf("the slug %q", a.Slug)
			}
			if clean.Text(a.Title) != a.Title || utf8.RuneCountInString(a.Title) > maxTitle {
				t.Errorf("the title %q", a.Title)
			}
			if clean.Origin(a.Address) != "https://n.example" || !utf8.ValidString(a.Address) {
				t.Errorf("the address %q", a.Address)
			}
		}
	})
}
