package checkout

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/testenv/chromium"
)

// A street is a service on a real address, with the headers it is served with.
type street struct {
	*httptest.Server
	*bench
	posts atomic.Int64 // forms that were sent
	third string       // another origin whose scripts its pages may load; "" for none
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{bench: newBench(t)}
	assets := look.NewAssets(append(s.Assets(), look.Style, look.Icon)...)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' "+s.third+"; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		switch {
		case strings.HasPrefix(r.URL.Path, look.AssetPrefix):
			assets.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/pay/"):
			fmt.Fprint(w, "<!doctype html><html lang=en><title>Pay</title><link rel=icon href="+look.Icon.Path+"><h1>Pay here</h1>") // or Chromium may ask for one
		default:
			if r.Method == http.MethodPost && r.FormValue("show") == "" {
				s.posts.Add(1)
			}
			s.handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	s.Service.PublicURL, s.Service.SiteOrigins, s.Service.PayOrigins = s.URL, []string{s.URL}, []string{s.URL}
	s.stripe.payAt = s.URL + "/pay/"
	return s
}

// The script on the support page, as a reader meets it.
func TestSupportScript(t *testing.T) {
	t.Parallel()
	s, b := newStreet(t), chromium.New(t, 390, 800)
	b.Open(s.URL + "/support?article=troops&attempt=abc")
	if got := chromium.Eval[string](b, `location.search`); got != "?article=troops" {
		t.Errorf("the address is %q: whoever shares it shares the gift", got)
	}
	if chromium.Eval[bool](b, `document.querySelector("[data-show]").checkVisibility()`) {
		t.Error("the button for amounts is there, though the script shows them")
	}
	visible := `[...document.querySelectorAll(".amounts")].filter(f => f.checkVisibility()).map(f => f.dataset.interval).join()`
	if got := chromium.Eval[string](b, visible); got != "once" {
		t.Errorf("amounts are shown for %q", got)
	}
	chromium.Eval[bool](b, `document.querySelector("#interval-month").click() || true`)
	if got := chromium.Eval[string](b, visible); got != "month" {
		t.Errorf("after a choice, amounts are shown for %q", got)
	}

	chromium.Eval[bool](b, `(() => { const c = document.querySelector("#currency"); c.focus(); c.value = "JPY"; c.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
	b.Await(`document.querySelector("[name=shown]").value === "JPY"`)
	if got := chromium.Eval[string](b, `document.querySelector("#amount-month-0").nextSibling.firstChild.data + document.activeElement.id`); got != "¥800currency" {
		t.Errorf("another currency shows %q", got)
	}
	chromium.Eval[bool](b, `document.querySelector("[name=amount_month].choice-own").click() || true`)
	if got := chromium.Eval[string](b, `document.activeElement.id`); got != "own-month" {
		t.Errorf("an amount of one's own puts the focus on %q", got)
	}
	b.Do(chromedp.SendKeys("#own-month", "1234"))
	chromium.Eval[bool](b, `(() => { const s = document.querySelector("[data-submit]"); s.click(); s.click(); return true })()`)
	b.Await(`location.pathname === "/pay/cs_test_1"`)
	if n := s.posts.Load(); n != 1 {
		t.Errorf("two presses sent %d forms", n)
	}
	if row := s.row(t, "cs_test_1"); row.AmountMinor != 1234 || row.Currency != "JPY" || row.Interval != "month" || row.Article != "troops" {
		t.Errorf("the row is %+v", row)
	}

	// The Back button, and the same gift again.
	chromium.Eval[bool](b, `setTimeout(() => history.back(), 50) > 0`)
	b.Await(`location.pathname === "/support" && document.readyState === "complete"`)
	b.Await(`document.querySelector("[data-submit]").getAttribute("aria-busy") === null`)
	chromium.Eval[bool](b, `document.querySelector("[data-submit]").click() || true`)
	b.Await(`location.pathname.startsWith("/pay/")`)
	if got := chromium.Eval[string](b, `location.pathname`); got != "/pay/cs_test_1" || s.stripe.calls() != 1 {
		t.Errorf("after Back it leads to %s, %d calls", got, s.stripe.calls())
	}
}

// Without scripts, and in a browser that does not know :has(), all is there.
func TestSupportWithoutScript(t *testing.T) {
	t.Parallel()
	s, b := newStreet(t), chromium.New(t, 390, 800)
	b.Scripts(false)
	b.Open(s.URL + "/support?interval=year")
	b.Do(chromedp.SetValue("#currency", "GBP"), chromedp.Click("[data-submit]"))
	b.Await(`document.querySelector(".notice").textContent.includes("GBP")`)
	b.Do(chromedp.Click("[data-submit]"))
	b.Await(`location.pathname === "/pay/cs_test_1"`)
	if row := s.row(t, "cs_test_1"); row.AmountMinor != 10000 || row.Currency != "GBP" || row.Interval != "year" {
		t.Errorf("the row is %+v", row)
	}
}

// No page keeps anybody out: axe finds nothing, and nothing is cut off at
// 320 px or with letters of twice the size, in light and dark.
func TestPagesKeepNobodyOut(t *testing.T) {
	t.Parallel()
	s, b := newStreet(t), chromium.New(t, 390, 800)
	s.post(gift)
	bad := url.Values{"amount_once": {"own"}, "own_once": {"?"}, "lang": {"de"}, "message": {strings.Repeat("x", 300)}}
	// The erring page is reached as readers reach it, by sending the form.
	send := `(() => { const f = document.querySelector("form"); for (const [k, v] of Object.entries(VALUES)) {
		const e = f.elements[k]; if (e instanceof RadioNodeList || e.type !== "hidden") e.value = v } f.submit(); return true })()`
	values := "{"
	for name, value := range bad {
		values += fmt.Sprintf("%q: %q,", name, value[0])
	}
	send = strings.Replace(send, "VALUES", values+"}", 1)
	for name, status := range map[string]string{
		"/support": "", "/support?lang=uk&interval=month&currency=HUF": "", "/support?lang=de&bad": "",
		"/thanks?session_id=cs_test_1": "complete unpaid", "/thanks?lang=pl&session_id=none": "",
	} {
		s.stripe.status["cs_test_1"] = status
		for _, scheme := range []string{"light", "dark"} {
			b.Scheme(scheme)
			b.Size(390, 800)
			b.Open(s.URL + name)
			if strings.HasSuffix(name, "bad") {
				chromium.Eval[bool](b, send)
				b.Await(`document.readyState === "complete" && !!document.querySelector("#problems")`)
				if got := chromium.Eval[string](b, `document.activeElement.id`); got != "problems" {
					t.Errorf("the focus is on %q, not on what is wrong", got)
				}
			}
			chromium.Eval[bool](b, `document.querySelector("details")?.setAttribute("open", "") ?? true`)
			for _, barrier := range b.Barriers() {
				t.Errorf("%s in %s: %s", name, scheme, barrier)
			}
			b.Picture("give" + name + "-" + scheme)
			for _, width := range []int64{320, 390, 1280} {
				if scheme == "dark" {
					break // a scheme moves nothing
				}
				for _, letters := range []string{"100%", "200%"} {
					b.Size(width, 800)
					chromium.Eval[bool](b, `(document.documentElement.style.fontSize = "`+letters+`", true)`)
					if cut := b.TooWide(); len(cut) > 0 {
						t.Errorf("%s at %d px and %s is cut off: %q", name, width, letters, cut)
					}
				}
			}
		}
	}
}

// In no language is a word cut off on the smallest phone, and people can look at
// all of them.
func TestPagesInEveryLanguage(t *testing.T) {
	t.Parallel()
	s, b := newStreet(t), chromium.New(t, 320, 700)
	for i, lang := range i18n.Languages() {
		s.post(fmt.Sprintf(`{"amount_minor":2500,"currency":"EUR","interval":"month","locale":%q}`, lang))
		session := fmt.Sprint("cs_test_", i+1)
		s.stripe.status[session] = "complete unpaid"
		for page, path := range map[string]string{"support": "/support?interval=month&lang=" + lang, "thanks": "/thanks?session_id=" + session} {
			b.Open(s.URL + path)
			if cut := b.TooWide(); len(cut) > 0 {
				t.Errorf("%s in %s is cut off: %q", page, lang, cut)
			}
			if got := chromium.Eval[string](b, `document.documentElement.lang`); got != lang {
				t.Errorf("%s in %s says that it is in %q", page, lang, got)
			}
			b.Picture("give-" + page + "-320-" + lang)
		}
	}
}
