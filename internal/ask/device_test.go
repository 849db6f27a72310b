package ask

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/ask/embed"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/testenv/chromium"
)

// TestPluralsAgreeWithTheBrowser compares the plural forms of our messages with
// those of the browser's own Intl.PluralRules.
func TestPluralsAgreeWithTheBrowser(t *testing.T) {
	t.Parallel()
	numbers := []int64{0, 1, 2, 5, 11, 21, 22, 25, 111, 1_000_000}
	b := chromium.New(t, 390, 800)
	b.Do(chromedp.Navigate("about:blank"))
	for _, lang := range i18n.Languages() {
		forms := chromium.Eval[[]string](b, fmt.Sprintf(`%s.map(n => new Intl.PluralRules(%q).select(n))`, strings.ReplaceAll(fmt.Sprint(numbers), " ", ","), lang))
		said := map[string]string{} // what is said around the number, by form
		for i, n := range numbers {
			text := i18n.T(lang, "ask.count", i18n.Args{"Count": n})
			words := strings.Replace(text, i18n.Number(lang, n), "#", 1)
			if words == text {
				t.Errorf("%s: %q does not say %d", lang, text, n)
			}
			if before, there := said[forms[i]]; there && before != words {
				t.Errorf("%s: %d is %q for the browser, and %q beside %q for us", lang, n, forms[i], words, before)
			}
			said[forms[i]] = words
		}
		if one := said["one"]; one != "" && said["other"] == one || said["few"] != "" && said["few"] == said["many"] {
			t.Errorf("%s: two forms say the same: %q", lang, said)
		}
	}
}

// TestNamesInsideAreNeutral holds what the script makes and asks for to the rule in
// docs/asks.md.
func TestNamesInsideAreNeutral(t *testing.T) {
	t.Parallel()
	listed := regexp.MustCompile(`(?i)(^|[^a-z])ads?([^a-z]|$)|advert|banner|popup|promo|donat|track|sponsor`)
	names := []string{"u24-support", "/v1/support.js", "/v1/ask", "/v1/signals", "/pictures/"}
	for _, found := range regexp.MustCompile("(?:part|class|id):\"([^\"]+)\"|\"(u24-[^\"]*)\"|\\.([a-z]+)[ {,:.>]").FindAllStringSubmatch(string(embed.Script), -1) {
		names = append(names, found[1], found[2], found[3])
	}
	if len(names) < 60 {
		t.Fatalf("only %d names were found", len(names))
	}
	for _, name := range names {
		if listed.MatchString(name) {
			t.Errorf("%q looks like what blockers look for", name)
		}
	}
}

// TestOnPaper holds an ask in print to its text and the address to give at.
func TestOnPaper(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{"/page": fixture(&f, strictPolicy, "", asked("")), "/site.css": styles(nil)})
	b := chromium.New(t, 800, 900)
	b.Open(f.URL+"/page", shown)
	b.Media("print")
	seen := chromium.Eval[string](b, `(root => [...root.querySelectorAll('.text, .printed, fieldset, .go, .close')].filter(e => e.getClientRects().length).map(e => e.className || e.tagName).join(' '))(`+mid+`.shadowRoot)`)
	if seen != "text printed" {
		t.Errorf("on paper one sees %q", seen)
	}
	if address := chromium.Eval[string](b, mid+`.shadowRoot.querySelector('.printed').textContent`); "http://"+address != f.URL+"/support" {
		t.Errorf("the address is %q", address)
	}
}

// TestBackAndForward leaves a page that the browser keeps and comes back: the
// ask is there, asks for newer counts, and is not counted as seen again.
func TestBackAndForward(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{
		"/page": fixture(&f, strictPolicy, "", asked("")), "/site.css": styles(nil),
		"/other": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>Another page</title><link rel=icon href=data:,>")
		},
	}, counted("all", 1234, 5, 1))
	b := chromium.New(t, 390, 800)
	b.Open(f.URL+"/page", shown)
	chromium.Eval[bool](b, `(addEventListener('pageshow', e => window.kept = e.persisted), `+mid+`.scrollIntoView({block: 'center'}), true)`)
	f.await(t, "mid seen")
	b.Open(f.URL+"/other", `document.title === 'Another page'`)
	chromium.Eval[bool](b, `(history.back(), true)`)
	b.Await(`location.pathname === '/page' && ` + shown)
	if !chromium.Eval[bool](b, `window.kept === true`) {
		t.Fatal("the page was not kept for the way back")
	}
	asks := func() int { f.mu.Lock(); defer f.mu.Unlock(); return f.asks }
	for began := time.Now(); asks() < 2; {
		if time.Since(began) > 10*time.Second {
			t.Fatal("a page that was kept does not ask anew")
		}
		time.Sleep(time.Millisecond)
	}
	select {
	case told := <-f.told:
		t.Errorf("coming back was counted: %q", told)
	default:
	}
}

// TestNothingMovesInAnyLanguage loads a page on the narrowest phone and on a
// desk, in each language, cold and warm, with an ask in view whose data comes late.
func TestNothingMovesInAnyLanguage(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{
		"/page": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, `<!doctype html><html lang=%s><title>A page</title><link rel=icon href=data:,><link rel=stylesheet href=/site.css>
				<body><u24-support article=troops placement=%s><a href=/support>Donate</a></u24-support><p>%s</p>
				<script async src="%s/v1/support.js"></script>`, r.URL.Query().Get("lang"), r.URL.Query().Get("placement"), strings.Repeat("Text. ", 900), f.URL)
		},
		"/site.css": styles(nil),
	}, counted("all", 1234, 5, 1), counted("article:troops", 12, 1, 1))
	for _, width := range []int64{320, 1280} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			nothingMoves(t, f, chromium.New(t, width, 800))
		})
	}
}

func nothingMoves(t *testing.T, f *site, b *chromium.Tab) {
	t.Helper()
	for _, lang := range i18n.Languages() {
		for _, placement := range placements {
			for _, visit := range []string{"cold", "warm"} {
				b.Open(f.URL+"/page?lang="+lang+"&placement="+placement, `document.querySelector('u24-support')?.shadowRoot?.querySelector('.give')`)
				if shift, what := b.Shifts(); shift != 0 {
					heights := chromium.Eval[[]float64](b, `(e => [e.offsetHeight, e.shadowRoot.firstElementChild.scrollHeight])(document.querySelector('u24-support'))`)
					t.Errorf("%s, %s, %s: the page moved by %v, %q; the ask is %v high", lang, placement, visit, shift, what, heights)
				}
			}
		}
	}
}

// TestSlowConnection loads a page over what a phone has in a valley: the link
// stands at once, the ask comes, and the page does not move.
func TestSlowConnection(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{
		"/page":     fixture(&f, "default-src 'self' data:", "", `<u24-support article=troops placement=mid><a href=/support>Donate</a></u24-support>`+strings.Repeat("<p>Text</p>", 50)),
		"/site.css": styles(nil),
	}, counted("all", 1234, 5, 1))
	b := chromium.New(t, 390, 800)
	const kbit = 1000 / 8 // bytes a second
	chromium.Call(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: 400, DownloadThroughput: 400 * kbit, UploadThroughput: 400 * kbit}},
	})
	b.Open(f.URL+"/page", `document.querySelector('u24-support a')`)
	b.Await(shown)
	if shift, what := b.Shifts(); shift != 0 {
		t.Errorf("the page moved by %v, %q", shift, what)
	}
}
