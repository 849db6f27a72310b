package look

import (
	"compress/gzip"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Pairs of a colour and what it stands on, with WCAG 2.2's least ratio: 4.5
// for text (1.4.3), 3 for the edges of controls (1.4.11).
var contrasts = []struct {
	front, back string
	least       float64
}{
	{"ink", "paper", 4.5},
	{"ink", "card", 4.5},
	{"ink", "tint", 4.5},
	{"muted", "paper", 4.5},
	{"muted", "card", 4.5},
	{"muted", "tint", 4.5},
	{"accent", "paper", 4.5},
	{"accent", "card", 4.5},
	{"accent-strong", "tint", 4.5},
	{"on-accent", "accent", 4.5},
	{"on-accent", "accent-strong", 4.5},
	{"bad", "paper", 4.5},
	{"bad", "bad-tint", 4.5},
	{"good", "card", 4.5},
	{"on-band", "band", 4.5},
	{"on-sun", "sun", 4.5},
	{"edge", "paper", 3},
	{"edge", "card", 3},
	{"sun", "band", 3},
	{"hue-1", "card", 3},
	{"hue-2", "card", 3},
	{"hue-3", "card", 3},
	{"hue-4", "card", 3},
	{"hue-5", "card", 3},
	{"hue-6", "card", 3},
}

func TestContrast(t *testing.T) {
	t.Parallel()
	for scheme, pick := range map[string]func(token) string{
		"light": func(t token) string { return t.light },
		"dark":  func(t token) string { return t.dark },
	} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			values := map[string]string{}
			for _, token := range tokens {
				values[token.name] = pick(token)
			}
			for _, c := range contrasts {
				if got := contrast(t, values[c.front], values[c.back]); got < c.least {
					t.Errorf("%s on %s: %.2f, want %.1f", c.front, c.back, got, c.least)
				}
			}
		})
	}
}

// contrast is the ratio of two #rrggbb colours as WCAG defines it.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("%q is not a colour", colour)
	}
	channel := func(shift uint) float64 {
		v := float64(n>>shift&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}

// Every custom property that the stylesheet reads is a token.
func TestStyleKnowsItsTokens(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, token := range tokens {
		known[prefix+token.name] = true
	}
	for _, use := range regexp.MustCompile(`var\((--[a-z0-9-]+)`).FindAllStringSubmatch(baseCSS+pagesCSS, -1) {
		if !known[use[1]] {
			t.Errorf("%s is no token", use[1])
		}
	}
	if strings.Contains(baseCSS+pagesCSS+layoutHTML, "//") {
		t.Error("the look asks another host for something")
	}
}

func TestLayout(t *testing.T) {
	t.Parallel()
	page := MustParse(nil, `{{define "content"}}<h1>{{.}}</h1>{{end}}`)
	body, err := page.Bytes(Page{
		Lang: "uk", Title: "Підтримати", Sandbox: "no money moves", Private: true, Refresh: "4; url=/x", BrandURL: "/",
		Langs: []Link{{Text: "English", URL: "?lang=en", Lang: "en"}}, Scripts: []string{"/assets/x.js"},
		Body: `<script>alert(1)</script>`,
	})
	if err != nil {
		t.Fatal(err)
	}
	html := string(body)
	for _, want := range []string{
		`<html lang="uk"`, `<title>Підтримати · UNITED24 Media</title>`, `no money moves`, `noindex`, `content="4; url=/x"`,
		`hreflang="en"`, `<h1>&lt;script&gt;`, `href="` + Style.Path + `"`, `<script type="module" src="/assets/x.js">`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s:\n%s", want, html)
		}
	}
	if inline := regexp.MustCompile(`(?i) style=|<style| on[a-z]+=|<script>`).FindString(html); inline != "" {
		t.Errorf("the page has inline %q, which our CSP blocks", inline)
	}
}

func TestAssets(t *testing.T) {
	t.Parallel()
	assets := NewAssets(Style, Icon)
	get := func(address string, header http.Header) *http.Response {
		r := httptest.NewRequest(http.MethodGet, address, nil)
		r.Header = header
		w := httptest.NewRecorder()
		assets.ServeHTTP(w, r)
		return w.Result()
	}
	full := get(Style.Path, http.Header{})
	text, _ := io.ReadAll(full.Body)
	if full.StatusCode != http.StatusOK || full.Header.Get("Cache-Control") != immutable || string(text) != string(Style.body) {
		t.Errorf("%s: %d, %q, %d bytes", Style.Path, full.StatusCode, full.Header.Get("Cache-Control"), len(text))
	}
	zipped := get(Style.Path, http.Header{"Accept-Encoding": {"br, gzip"}})
	unzip, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := io.ReadAll(unzip); string(again) != string(text) {
		t.Error("the compressed style differs")
	}
	same := get(Style.Path, http.Header{"If-None-Match": {full.Header.Get("ETag")}})
	if same.StatusCode != http.StatusNotModified {
		t.Errorf("with its ETag: %d", same.StatusCode)
	}
	other := get("/assets/look.0000000000000000.css", http.Header{})
	if other.StatusCode != http.StatusOK || other.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("another release's hash: %d, %q", other.StatusCode, other.Header.Get("Cache-Control"))
	}
	for _, address := range []string{"/assets/", "/assets/look.css", "/assets/look.a/b.css", "/assets/look.a.b.css", "/assets/none.1.css"} {
		if got := get(address, http.Header{}).StatusCode; got != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", address, got)
		}
	}
}

func TestLight(t *testing.T) {
	t.Parallel()
	if got := Light("sun"); got != "#ffd500" {
		t.Errorf("Light(sun) = %q", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("an unknown token has a value")
		}
	}()
	Light("none")
}
