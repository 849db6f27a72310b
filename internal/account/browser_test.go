package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/testenv/chromium"
)

// A tab is a reader's, on a phone.
type tab struct {
	*chromium.Tab
	t *testing.T
}

func newTab(t *testing.T) tab {
	t.Helper()
	return tab{chromium.New(t, 390, 844), t}
}

// press presses what a selector finds, and waits until the page says text.
func (b tab) press(selector, text string) {
	b.t.Helper()
	if !chromium.Eval[bool](b.Tab, `(() => { const e = document.querySelector(`+"`"+selector+"`"+`); if (!e) return false; setTimeout(() => e.click()); return true })()`) {
		b.t.Fatalf("there is no %s on %s", selector, chromium.Eval[string](b.Tab, `location.href`))
	}
	b.says(text)
}

func (b tab) says(text string) {
	b.t.Helper()
	b.Await(`document.readyState === "complete" && document.body.innerText.includes(` + "`" + text + "`" + `)`)
}

// inspect holds a page to what every page of ours keeps: axe finds nothing in
// light and dark, and nothing is cut off on a phone, also with large letters.
func (b tab) inspect(name string) {
	b.t.Helper()
	chromium.Eval[bool](b.Tab, `document.querySelectorAll("details").forEach(d => d.open = true) || true`)
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		for _, barrier := range b.Barriers() {
			b.t.Errorf("%s in %s: %s", name, scheme, barrier)
		}
		b.Picture("account-" + name + "-" + scheme)
	}
	b.Scheme("light")
	for width, letters := range map[int64]string{320: "100%", 390: "200%", 1280: "100%"} {
		b.Size(width, 844)
		chromium.Eval[bool](b.Tab, `(document.documentElement.style.fontSize = "`+letters+`", true)`)
		if cut := b.TooWide(); len(cut) > 0 {
			b.t.Errorf("%s at %d px and %s is cut off: %q", name, width, letters, cut)
		}
		if width == 1280 {
			b.Picture("account-" + name + "-wide")
		}
		chromium.Eval[bool](b.Tab, `(document.documentElement.style.fontSize = "", true)`)
	}
	b.Size(390, 844)
	for _, complaint := range b.Complaints() {
		b.t.Errorf("%s: the console says %s", name, complaint)
	}
}

// onPaper keeps a picture of the page as it is printed.
func (b tab) onPaper(name string) {
	b.t.Helper()
	b.Media("print")
	b.Picture("account-" + name + "-print")
	b.Scheme("light")
}

// The account as a supporter meets it, on a phone and without scripts of ours.
func TestWalk(t *testing.T) {
	w, b := newTown(t), newTab(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500, "article", "troops")
	w.give(t, ann, "month", 1000, "tier", "camera")
	id := w.member(t, ann)

	b.Open(w.URL + "/account")
	b.inspect("1-door")
	b.Do(chromedp.SendKeys("#address", ann))
	b.press("form button", "Look into your mail")
	b.inspect("2-code")
	token := w.keys.Token(signin.Account, w.mailed(t, ann))

	// A mail scanner reads the link and presses the button.
	scanner := w.browser(t)
	scanner.get(signin.AccountPath + "?token=" + token)
	scanner.post(signin.AccountPath, "token", token)

	b.Open(w.URL + signin.AccountPath + "?token=" + token)
	b.inspect("3-link")
	b.press("form button", "Thank you for standing with us")
	b.inspect("4-home")
	b.press(`form[action="/account/sign-out"] button`, "You are signed out")

	b.Do(chromedp.SendKeys("#address", ann))
	b.press("form button", "Look into your mail")
	b.Do(chromedp.SendKeys("#code", w.keys.Code(signin.Account, w.mailed(t, ann, w.used...))))
	b.press("form button", "Thank you for standing with us")

	membership := w.URL + "/account/memberships/" + id
	b.Open(membership)
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
	b.Open(w.URL + "/account")
	b.says("A payment did not go through")
	b.inspect("9-owing")
	b.Open(membership)
	b.inspect("10-owing")
	b.press(`form[action$="/card"] button`, "Sandbox")
	b.Await(`location.pathname.startsWith("/sandbox/portal/") && document.readyState === "complete"`)
	b.press(`button[value="card"]`, "Your way of paying is saved")
	b.says("Active")

	b.Open(w.URL + "/account")
	b.press(`.gifts a`, "UNITED24 Media confirms")
	b.inspect("11-receipt")
	b.onPaper("12-receipt")
	b.press(`a[href^="/account/statements/"]`, "UNITED24 Media confirms that it received these gifts")
	b.inspect("13-statement")
	b.onPaper("14-statement")
	b.Open(w.URL + "/account/choices")
	b.inspect("15-choices")
	b.Open(w.URL + "/account?lang=uk")
	b.inspect("16-home-uk")
	for _, lang := range strings.Fields("de uk") {
		b.Open(membership + "?lang=" + lang)
		b.inspect("17-membership-" + lang)
	}
}
