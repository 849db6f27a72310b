package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestWrongsAreFound shows pages with one thing wrong each: what judges ours
// must see it.
func TestWrongsAreFound(t *testing.T) {
	t.Parallel()
	const right = `<p>Nothing is wrong with this page.</p>`
	tests := map[string]struct{ body, want string }{
		"nothing":            {right, ""},
		"barrier":            {right + `<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width=40 height=40>`, "image-alt"},
		"pale text":          {`<p style="color:#bbb;background:#fff">Hard to read</p>`, "color-contrast"},
		"shift":              {`<div id=late></div>` + right + `<script>setTimeout(() => { late.style.height = '200px' }, 300)</script>`, "the layout shifts"},
		"too wide":           {right + `<div style="width:900px">wide</div>`, "pixels wide"},
		"console":            {right + `<script>console.error('oh')</script>`, "console.error"},
		"exception":          {right + `<script>nothing.here()</script>`, "Uncaught"},
		"not there":          {right + `<link rel=stylesheet href=/none.css>`, "404"},
		"asks another host":  {right + `<script>fetch('http://localhost:1/').catch(() => {})</script>`, "asked another host"},
		"without scripts":    {right + `<script>console.error('oh')</script>`, ""},
		"barrier, no script": {right + `<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width=40 height=40>`, "image-alt"},
	}
	pages := http.NewServeMux()
	pages.HandleFunc("/{name}", func(w http.ResponseWriter, r *http.Request) {
		page, known := tests[r.PathValue("name")]
		if !known {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width"><link rel=icon href="data:,">
			<title>A page</title><body><main><h1>A page</h1>%s</main></body></html>`, page.body)
	})
	server := httptest.NewServer(pages)
	t.Cleanup(server.Close)
	for scripts, fit := range map[bool]func(name string) bool{
		true:  func(name string) bool { return !strings.Contains(name, "script") },
		false: func(name string) bool { return strings.Contains(name, "script") },
	} {
		t.Run(fmt.Sprintf("scripts %v", scripts), func(t *testing.T) {
			t.Parallel()
			b := newTab(t, "fixture", reader{320, 640, "light", scripts})
			at, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			b.host = at.Host
			for name, tt := range tests {
				if !fit(name) {
					continue
				}
				b.Follow(chromedp.Navigate(server.URL + "/" + url.PathEscape(name)))
				if scripts {
					b.Await(`performance.now() > 500`)
				}
				got := strings.Join(b.wrongs(), "\n")
				if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
					t.Errorf("%s: found %q; want %q", name, got, tt.want)
				}
			}
		})
	}
}
