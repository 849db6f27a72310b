package ask

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/testenv/chromium"
)

// TestPageThatIsLoadedAhead has the browser prerender a page, as it does for a
// link that a reader may press: the ask asks nothing and counts nothing before
// the page is really opened, and all of it then. Chromium prerenders nothing in
// a page that is under the debugger's eyes, so this one is not: pages tell the
// test what they see.
func TestPageThatIsLoadedAhead(t *testing.T) {
	t.Parallel()
	told, press := make(chan string, 10), make(chan struct{})
	script := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, text)
		}
	}
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{
		"/page":     fixture(&f, strictPolicy, "", `<script src=/watch.js></script>`+asked("")[len(filler):]),
		"/site.css": styles(nil),
		"/before": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!doctype html><title>Before</title><link rel=icon href=data:,><script src=/press.js></script>
				<script type=speculationrules>{"prerender":[{"urls":["/page"],"eagerness":"immediate"}]}</script>`)
		},
		"/press.js": script(`fetch("/press").then(() => location.href = "/page")`),
		"/watch.js": script(`const tell = (what) => fetch("/told?" + what)
			document.addEventListener("prerenderingchange", () => tell("opened"))
			customElements.whenDefined("u24-support").then(() => setTimeout(() => tell(document.prerendering ? "ahead" : "not ahead"), 600))`), // longer than any wait of the ask's
		"/press": func(http.ResponseWriter, *http.Request) { <-press },
		"/told":  func(_ http.ResponseWriter, r *http.Request) { told <- r.URL.RawQuery },
	})
	hear := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Fatalf("the page is %q, want %q", got, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("the page is never %q", want)
		}
	}
	b := chromium.New(t, 390, 800)
	of := chromedp.FromContext(b)
	newWindow := true
	if _, err := cdp.Call(b, of.Browser, target.CreateTarget, target.CreateTargetParams{URL: f.URL + "/before", BrowserContextID: of.BrowserContextID, NewWindow: &newWindow}); err != nil {
		t.Fatal(err)
	}
	hear("ahead")
	f.mu.Lock()
	if f.asks != 0 {
		t.Errorf("%d requests of a page that nobody opened", f.asks)
	}
	f.mu.Unlock()
	select {
	case signal := <-f.told:
		t.Errorf("%q of a page that nobody opened", signal)
	default:
	}
	close(press)
	hear("opened")
	f.await(t, "mid seen")
}
