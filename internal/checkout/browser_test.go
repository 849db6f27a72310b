package checkout

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/testenv"
)

// A street is a service on a real address, with the headers it is served with.
type street struct {
	*httptest.Server
	*bench
	posts atomic.Int64 // forms that were sent
}

func newStreet(t *testing.T) *street {
	t.Helper()
	s := &street{bench: newBench(t)}
	assets := look.NewAssets(append(s.Assets(), look.Style, look.Icon)...)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		switch {
		case strings.HasPrefix(r.URL.Path, look.AssetPrefix):
			assets.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/pay/"):
			fmt.Fprint(w, "<!doctype html><html lang=en><title>Pay</title><h1>Pay here</h1>")
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

// A tab is a browser's; what its console complains about fails the test.
type tab struct {
	context.Context
	mu     sync.Mutex
	faults []string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	b := &tab{}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Chromium(t)), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.Context, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	b.do(t, chromedp.EmulateViewport(390, 800))
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		// An answer of 4xx is logged as an error too; forms that come back have one.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.faults = append(b.faults, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, e.ExceptionDetails.Text)
	}
}

// clean fails the test for what the console complained about since the last time.
func (b *tab) clean(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		t.Error(fault)
	}
	b.faults = nil
}

func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

// eval returns what an expression of the page comes to.
func eval[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// await waits until an expression of the page is true, whatever page that is.
func (b *tab) await(t *testing.T, expression string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		ok, err := chromedp.Run(b, chromedp.Evaluate[bool](expression))
		if err == nil && ok {
			return
		}
		b.do(t, chromedp.Sleep(20*time.Millisecond))
	}
	t.Fatalf("never: %s", expression)
}

func (b *tab) open(t *testing.T, address string) {
	t.Helper()
	b.do(t, chromedp.Navigate(address))
	b.await(t, `document.readyState === "complete"`)
}

func (b *tab) media(t *testing.T, feature, value string) {
	t.Helper()
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: feature, Value: value}}}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, params); err != nil {
		t.Fatal(err)
	}
}

// The script on the support page, as a reader meets it.
func TestSupportScript(t *testing.T) {
	s, b := newStreet(t), newTab(t)
	b.open(t, s.URL+"/support?article=troops&attempt=abc")
	if got := eval[string](t, b, `location.search`); got != "?article=troops" {
		t.Errorf("the address is %q: whoever shares it shares the gift", got)
	}
	if eval[bool](t, b, `document.querySelector("[data-show]").checkVisibility()`) {
		t.Error("the button for amounts is there, though the script shows them")
	}
	visible := `[...document.querySelectorAll(".amounts")].filter(f => f.checkVisibility()).map(f => f.dataset.interval).join()`
	if got := eval[string](t, b, visible); got != "once" {
		t.Errorf("amounts are shown for %q", got)
	}
	eval[bool](t, b, `document.querySelector("#interval-month").click() || true`)
	if got := eval[string](t, b, visible); got != "month" {
		t.Errorf("after a choice, amounts are shown for %q", got)
	}

	eval[bool](t, b, `(() => { const c = document.querySelector("#currency"); c.focus(); c.value = "JPY"; c.dispatchEvent(new Event("change", {bubbles: true})); return true })()`)
	b.await(t, `document.querySelector("[name=shown]").value === "JPY"`)
	if got := eval[string](t, b, `document.querySelector("#amount-month-0").nextSibling.firstChild.data + document.activeElement.id`); got != "¥800currency" {
		t.Errorf("another currency shows %q", got)
	}
	eval[bool](t, b, `document.querySelector("[name=amount_month].choice-own").click() || true`)
	if got := eval[string](t, b, `document.activeElement.id`); got != "own-month" {
		t.Errorf("an amount of one's own puts the focus on %q", got)
	}
	b.do(t, chromedp.SendKeys("#own-month", "1234"))
	eval[bool](t, b, `(() => { const s = document.querySelector("[data-submit]"); s.click(); s.click(); return true })()`)
	b.await(t, `location.pathname === "/pay/cs_test_1"`)
	if n := s.posts.Load(); n != 1 {
		t.Errorf("two presses sent %d forms", n)
	}
	if row := s.row(t, "cs_test_1"); row.AmountMinor != 1234 || row.Currency != "JPY" || row.Interval != "month" || row.Article != "troops" {
		t.Errorf("the row is %+v", row)
	}

	// The Back button, and the same gift again.
	eval[bool](t, b, `setTimeout(() => history.back(), 50) > 0`)
	b.await(t, `location.pathname === "/support" && document.readyState === "complete"`)
	b.await(t, `document.querySelector("[data-submit]").getAttribute("aria-busy") === null`)
	eval[bool](t, b, `document.querySelector("[data-submit]").click() || true`)
	b.await(t, `location.pathname.startsWith("/pay/")`)
	if got := eval[string](t, b, `location.pathname`); got != "/pay/cs_test_1" || s.stripe.calls() != 1 {
		t.Errorf("after Back it leads to %s, %d calls", got, s.stripe.calls())
	}
	b.clean(t)
}

// Without scripts, and in a browser that does not know :has(), all is there.
func TestSupportWithoutScript(t *testing.T) {
	s, b := newStreet(t), newTab(t)
	off := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(b, emulation.SetScriptExecutionDisabled, off); err != nil {
		t.Fatal(err)
	}
	b.open(t, s.URL+"/support?interval=year")
	b.do(t, chromedp.SetValue("#currency", "GBP"), chromedp.Click("[data-submit]"))
	b.await(t, `document.querySelector(".notice").textContent.includes("GBP")`)
	b.do(t, chromedp.Click("[data-submit]"))
	b.await(t, `location.pathname === "/pay/cs_test_1"`)
	if row := s.row(t, "cs_test_1"); row.AmountMinor != 10000 || row.Currency != "GBP" || row.Interval != "year" {
		t.Errorf("the row is %+v", row)
	}
}

// No page keeps anybody out: axe finds nothing, and nothing is cut off at
// 320 px or with letters of twice the size, in light and dark.
func TestPagesKeepNobodyOut(t *testing.T) {
	s, b, axe := newStreet(t), newTab(t), testenv.Axe(t)
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
			b.media(t, "prefers-color-scheme", scheme)
			b.do(t, chromedp.EmulateViewport(390, 800))
			b.open(t, s.URL+name)
			if strings.HasSuffix(name, "bad") {
				eval[bool](t, b, send)
				b.await(t, `document.readyState === "complete" && !!document.querySelector("#problems")`)
				if got := eval[string](t, b, `document.activeElement.id`); got != "problems" {
					t.Errorf("the focus is on %q, not on what is wrong", got)
				}
			}
			eval[bool](t, b, `document.querySelector("details")?.setAttribute("open", "") ?? true`)
			found := eval[[]string](t, b, axe+`; axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ") + " " + n.failureSummary).join("; ")))`)
			for _, violation := range found {
				t.Errorf("%s in %s: %s", name, scheme, violation)
			}
			for _, width := range []int64{320, 390, 1280} {
				if scheme == "dark" {
					break // a scheme moves nothing
				}
				for _, letters := range []string{"100%", "200%"} {
					b.do(t, chromedp.EmulateViewport(width, 800))
					cut := eval[[]string](t, b, `document.documentElement.style.fontSize = "`+letters+`", [...document.querySelectorAll("body *")]
						.filter(e => e.checkVisibility() && !e.closest(".skip, .visually-hidden") && e.getBoundingClientRect().right > innerWidth + 1)
						.map(e => e.tagName + " " + e.className + " " + e.textContent.slice(0, 40))`)
					if len(cut) > 0 {
						t.Errorf("%s at %d px and %s is cut off: %q", name, width, letters, cut)
					}
				}
			}
		}
	}
	b.clean(t)
}
