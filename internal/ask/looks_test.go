package ask

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv/chromium"
)

// looks are pages of sites that asks stand in: the body, its attributes, and the
// site's styles beside the line that it was given.
var looks = map[string]struct{ attributes, ask, css string }{
	"plain":     {"", "", "body{max-width:40rem;margin:auto;padding:1rem;font:1.1rem/1.6 Georgia,serif}"},
	"dark":      {"", "", ":root{color-scheme:dark}body{max-width:40rem;margin:auto;padding:1rem;background:#101014;color:#eee;font:1.1rem/1.6 sans-serif}"},
	"rtl":       {"dir=rtl lang=ar", `lang="uk"`, "body{max-width:40rem;margin:auto;padding:1rem;font:1.1rem/1.6 serif}"},
	"wordpress": {`class="wp-singular single single-post entry-content"`, "", hostile},
}

// cutOff finds what of an ask reaches out of it.
const cutOff = `[...document.querySelectorAll("u24-support")].flatMap((host) => [...host.shadowRoot.querySelectorAll("*")]
	.filter((e) => e.checkVisibility() && (e.getBoundingClientRect().right > host.getBoundingClientRect().right + 1 || e.getBoundingClientRect().left < host.getBoundingClientRect().left - 1 || e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0))
	.map((e) => e.tagName + "." + e.className + " " + e.textContent.slice(0, 30)))`

// TestLooks walks asks in each look as readers differ: on a phone and a desk, with
// letters of twice the size, by keyboard alone, without motion, in forced colours
// and on paper. It keeps pictures.
func TestLooks(t *testing.T) {
	t.Parallel()
	sheets := map[string]string{}
	pages := map[string]http.HandlerFunc{"/site.css": styles(sheets)}
	var f *site
	for name, look := range looks {
		sheets[name] = look.css
		serve := fixture(&f, strictPolicy, name, "<main><h1>A page</h1>"+asked(`campaign="winter" `+look.ask)+"</main>")
		pages["/"+name] = func(w http.ResponseWriter, r *http.Request) {
			serve(edited{w, strings.NewReplacer("<html lang=en>", "<html lang=en "+look.attributes+">", "<body>", "<meta name=viewport content='width=device-width'><body>")}, r)
		}
	}
	f = serveSite(t, pages, counted("all", 1234, 5, 1), counted("article:troops", 12, 1, 1), counted("campaign:winter", 640, 0, 1))
	f.campaigns = []store.Campaign{{Slug: "winter", Name: "A winter at the front", GoalKind: store.GoalSupporters, Goal: 1000}}
	if err := f.running.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name := range looks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			walkLook(t, f, name)
		})
	}
}

func walkLook(t *testing.T, f *site, name string) {
	b := chromium.New(t, 390, 800)
	whole := func(how string) {
		t.Helper()
		if cut := chromium.Eval[[]string](b, cutOff); len(cut) > 0 {
			t.Errorf("%s: cut off: %q", how, cut)
		}
		for _, placement := range placements {
			b.PictureOf("look-"+name+"-"+placement+"-"+how, "u24-support[placement="+placement+"]")
		}
	}
	open := func(b *chromium.Tab) {
		b.Open(f.URL+"/"+name, shown, end+`.shadowRoot.querySelector('.give')`)
	}
	barriers := func(how string, tags ...string) {
		t.Helper()
		for _, barrier := range b.Barriers(tags...) {
			t.Errorf("%s: %s", how, barrier)
		}
	}
	b.Media("", "prefers-reduced-motion", "no-preference")
	open(b)
	const moves = `getComputedStyle(` + mid + `.shadowRoot.querySelector('.give')).transitionDuration`
	if took := chromium.Eval[string](b, moves); took == "0s" {
		t.Error("nothing moves even for those who may like it: the next check checks nothing")
	}
	b.Media("", "prefers-reduced-motion", "reduce")
	if took := chromium.Eval[string](b, moves); took != "0s" {
		t.Errorf("for who wants no motion it takes %s", took)
	}
	barriers("phone")
	whole("phone")

	// From the page's beginning, Tab alone leads to the button, which shows that
	// it is there, and Space chooses on the way.
	chromium.Eval[bool](b, `(document.activeElement.blur(), scrollTo(0, 0), true)`)
	const at = `(() => { const e = ` + mid + `.shadowRoot.activeElement; return e ? [e.name || e.className, e.type === 'radio' ? getComputedStyle(e.nextSibling).outlineStyle : getComputedStyle(e).outlineStyle].join(' ') : '' })()`
	var walked []string
	for range 3 {
		b.Do(chromedp.KeyEvent("\t"))
		walked = append(walked, chromium.Eval[string](b, at))
	}
	if got := strings.Join(walked, ", "); got != "interval solid, amount solid, give solid" {
		t.Errorf("Tab goes to %s", got)
	}

	b.Size(320, 800)
	whole("narrow")
	chromium.Eval[bool](b, `(document.documentElement.style.fontSize = "200%", true)`)
	whole("narrow-200%")
	chromium.Eval[bool](b, `(document.documentElement.style.fontSize = "", true)`)
	b.Size(1280, 900)
	whole("desk")
	b.Media("", "forced-colors", "active", "prefers-reduced-motion", "reduce")
	const chosen = `(r => [r.querySelector(':checked + span'), r.querySelector('.option :not(:checked) + span')].map(e => getComputedStyle(e).borderTopWidth).join(' '))(` + mid + `.shadowRoot)`
	if got := chromium.Eval[string](b, chosen); got != "3px 1px" {
		t.Errorf("in forced colours what is chosen has a border of %s beside the rest", got)
	}
	barriers("forced colours", "wcag2a", "wcag21a") // contrast is the system's own, which a script is not told
	whole("forced-colours")
	b.Media("print")
	whole("print")
	if room := chromium.Eval[string](b, `getComputedStyle(`+mid+`).minBlockSize`); room != "0px" {
		t.Errorf("on paper the ask leaves room of %s for what is not there", room)
	}
}

// An edited response has words replaced in what is written.
type edited struct {
	http.ResponseWriter
	words *strings.Replacer
}

func (e edited) Write(text []byte) (int, error) {
	if _, err := fmt.Fprint(e.ResponseWriter, e.words.Replace(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}
