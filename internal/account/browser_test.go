package account_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/testenv"
)

// A tab is a browser's; what its console complains about fails the test.
type tab struct {
	context.Context
	t      *testing.T
	axe    string
	mu     sync.Mutex
	faults []string
}

func newTab(t *testing.T) *tab {
	t.Helper()
	b := &tab{t: t, axe: testenv.Axe(t)}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Chromium(t)), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.Context, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b.do(chromedp.EmulateViewport(390, 844))
	return b
}

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.faults = append(b.faults, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, e.ExceptionDetails.Text)
	}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// await waits until an expression of the page is true, whatever page that is.
func (b *tab) await(expression string) {
	b.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		ok, err := chromedp.Run(b, chromedp.Evaluate[bool](expression))
		if err == nil && ok {
			return
		}
		b.do(chromedp.Sleep(20 * time.Millisecond))
	}
	b.t.Fatalf("never: %s; the page is %s: %s", expression, eval[string](b, `location.href`), eval[string](b, `document.body.innerText.slice(0, 500)`))
}

func (b *tab) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
	b.await(`document.readyState === "complete"`)
}

// press presses what a selector finds, and waits until the page says text.
func (b *tab) press(selector, text string) {
	b.t.Helper()
	if !eval[bool](b, `(() => { const e = document.querySelector(`+"`"+selector+"`"+`); if (!e) return false; setTimeout(() => e.click()); return true })()`) {
		b.t.Fatalf("there is no %s on %s", selector, eval[string](b, `location.href`))
	}
	b.says(text)
}

func (b *tab) says(text string) {
	b.t.Helper()
	b.await(`document.readyState === "complete" && document.body.innerText.includes(` + "`" + text + "`" + `)`)
}

// inspect holds a page to what every page of ours keeps: axe finds nothing in
// light and dark, and nothing is cut off on a phone, also with large letters.
// With SUPPORT_ARTIFACTS set it leaves pictures there.
func (b *tab) inspect(name string) {
	b.t.Helper()
	eval[bool](b, `document.querySelectorAll("details").forEach(d => d.open = true) || true`)
	for _, scheme := range []string{"light", "dark"} {
		b.media("screen", scheme)
		found := eval[[]string](b, b.axe+`; axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ") + " " + n.failureSummary).join("; ")))`)
		for _, violation := range found {
			b.t.Errorf("%s in %s: %s", name, scheme, violation)
		}
		b.shot(name + "-" + scheme)
	}
	b.media("screen", "light")
	for width, letters := range map[int64]string{320: "100%", 390: "200%", 1280: "100%"} {
		b.do(chromedp.EmulateViewport(width, 844))
		cut := eval[[]string](b, `document.documentElement.style.fontSize = "`+letters+`", [...document.querySelectorAll("body *")]
			.filter(e => e.checkVisibility() && !e.closest(".skip, .visually-hidden, .scroll") && e.getBoundingClientRect().right > innerWidth + 1)
			.map(e => e.tagName + " " + e.className + " " + e.textContent.slice(0, 40))`)
		if len(cut) > 0 {
			b.t.Errorf("%s at %d px and %s is cut off: %q", name, width, letters, cut)
		}
		if width == 1280 {
			b.shot(name + "-wide")
		}
		eval[bool](b, `(document.documentElement.style.fontSize = "", true)`)
	}
	b.do(chromedp.EmulateViewport(390, 844))
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, fault := range b.faults {
		b.t.Errorf("%s: %s", name, fault)
	}
	b.faults = nil
}

func (b *tab) media(kind, scheme string) {
	b.t.Helper()
	params := emulation.SetEmulatedMediaParams{Media: kind, Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}, // colours are there at once
	}}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, params); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) shot(name string) {
	folder := os.Getenv("SUPPORT_ARTIFACTS")
	if folder == "" {
		return
	}
	picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// The account as a supporter meets it, on a phone and without scripts of ours.
func TestWalk(t *testing.T) {
	w, b := newTown(t), newTab(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500, "article", "troops")
	w.give(t, ann, "month", 1000, "tier", "camera")
	id := w.member(t, ann)

	b.open(w.URL + "/account")
	b.inspect("1-door")
	b.do(chromedp.SendKeys("#address", ann))
	b.press("form button", "Look into your mail")
	b.inspect("2-code")
	token := w.keys.Token(signin.Account, w.mailed(t, ann))

	// A mail scanner reads the link and presses the button.
	scanner := w.browser(t)
	scanner.get(signin.AccountPath + "?token=" + token)
	scanner.post(signin.AccountPath, "token", token)

	b.open(w.URL + signin.AccountPath + "?token=" + token)
	b.inspect("3-link")
	b.press("form button", "Thank you for standing with us")
	b.inspect("4-home")
	b.press(`form[action="/account/sign-out"] button`, "You are signed out")

	b.do(chromedp.SendKeys("#address", ann))
	b.press("form button", "Look into your mail")
	b.do(chromedp.SendKeys("#code", w.keys.Code(signin.Account, w.mailed(t, ann, w.used...))))
	b.press("form button", "Thank you for standing with us")

	membership := w.URL + "/account/memberships/" + id
	b.open(membership)
	b.inspect("5-membership")
	w.tick(t)
	b.press(`[name=amount_month][value="2000"]`, "Change amount")
	b.press(`form[action$="/change"] button`, "Your membership is changed")
	b.says("€20 a month")
	w.tick(t)
	b.press(`form[action$="/pause"] button`, "Your membership is paused")
	b.inspect("6-paused")
	w.tick(t)
	b.press(`form[action$="/resume"] button`, "Your membership goes on. Thank you")
	b.press(`a[href$="/cancel"]`, "When should it end?")
	b.inspect("7-cancel")
	w.tick(t)
	b.press(`form[action$="/cancel"] button`, "will end with what you have paid")
	b.inspect("8-ending")
	w.tick(t)
	b.press(`form[action$="/keep"] button`, "Good to have you still with us")

	if err := w.box.FailPayments(id, true); err != nil {
		t.Fatal(err)
	}
	if err := w.box.Advance(32 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	w.deliver(t)
	b.open(w.URL + "/account")
	b.says("A payment did not go through")
	b.inspect("9-owing")
	b.open(membership)
	b.inspect("10-owing")
	b.press(`form[action$="/card"] button`, "Sandbox")
	b.await(`location.pathname.startsWith("/sandbox/portal/") && document.readyState === "complete"`)
	b.press(`button[value="card"]`, "Your way of paying is saved")
	b.says("Active")

	b.open(w.URL + "/account")
	b.press(`.gifts a`, "UNITED24 Media confirms")
	b.inspect("11-receipt")
	b.media("print", "light")
	b.shot("12-receipt-print")
	b.press(`a[href^="/account/statements/"]`, "UNITED24 Media confirms that it received these gifts")
	b.inspect("13-statement")
	b.media("print", "light")
	b.shot("14-statement-print")
	b.media("screen", "light")
	b.open(w.URL + "/account/choices")
	b.inspect("15-choices")
	b.open(w.URL + "/account?lang=uk")
	b.inspect("16-home-uk")
	for _, lang := range strings.Fields("de uk") {
		b.open(membership + "?lang=" + lang)
		b.inspect("17-membership-" + lang)
	}
}
