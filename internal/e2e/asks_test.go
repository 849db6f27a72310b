package e2e

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/testenv/chromium"
)

// reach is how soon readers must see what staff published.
const reach = 10 * time.Second

// TestStaffWriteAsks edits a text, looks at it, publishes it, sees it in the
// article, and takes it back; turns asks off and on; and makes a campaign with a
// picture.
func TestStaffWriteAsks(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	b := newTab(t, "staff asks", reader{1280, 900, "light", true})
	b.signIn(p, command(t, folder, nil, "staff", "add", "ann@example.org", "--role", "admin"))

	b.Follow(chromedp.Navigate(p.url + "/staff/asks"))
	b.inspect("1-overview")
	b.Follow(chromedp.Navigate(p.url + "/staff/asks/edit?part=texts&lang=uk"))
	b.inspect("2-texts")
	const said = "Ми пишемо звідти, де йде війна."
	b.fill("mid.lead", strings.Repeat("я", 200))
	b.submit("review")
	if problem := chromium.Eval[string](b.Tab, `document.querySelector('[role=alert]').textContent.trim()`); !strings.HasPrefix(problem, "Texts, uk, mid, lead: at most 160") {
		t.Errorf("a text that is too long: %q", problem)
	}
	b.fill("mid.lead", said)
	b.submit("review")
	if changes := chromium.Eval[string](b.Tab, `document.querySelector('.changes tbody').innerText`); !strings.Contains(changes, "Українська, mid, opening") || !strings.Contains(changes, said) {
		t.Errorf("what changes: %q", changes)
	}
	b.inspect("3-review")
	if strings.Contains(p.body("/v1/ask?article=a&lang=uk"), said) {
		t.Error("a draft is public")
	}
	b.fill("reason", "A clearer opening.")
	b.submit("")
	p.awaitAsk(t, "uk", said)
	b.Follow(chromedp.Navigate(p.url + "/?lang=uk"))
	b.Await(`document.querySelector('u24-support')?.shadowRoot?.querySelector('strong')?.textContent === '` + said + `'`)

	b.Follow(chromedp.Navigate(p.url + "/staff/asks/edit?part=amounts&currency=EUR"))
	for i, amount := range []string{"7", "14", "28"} {
		b.fill("once."+string(rune('0'+i)), amount)
	}
	b.Do(chromedp.Click(chromedp.CSS(`input[name="once.first"][value="1"]`)))
	b.inspect("4-amounts")
	b.submit("stay")
	b.Follow(chromedp.Navigate(p.url + "/staff/asks/edit?part=rules"))
	b.fill("r0.name", "calm for a while")
	b.Do(chromedp.SetValue(chromedp.CSS(`[name="r0.show"]`), "quiet"), chromedp.SetValue(chromedp.CSS(`[name="r0.from"]`), "2026-12-01T22:00"))
	b.fill("r0.sections", "obituaries, funerals")
	b.submit("stay")
	for _, part := range []string{"sensitivity", "experiments", "json", "rules"} {
		b.Follow(chromedp.Navigate(p.url + "/staff/asks/edit?part=" + part))
		b.inspect("5-" + part)
	}
	b.Follow(chromedp.Navigate(p.url + "/staff/asks/review?lang=de"))
	b.inspect("6-review")
	b.fill("reason", "Smaller amounts.")
	b.submit("")
	eventually(t, "the support page suggests 14", func() bool {
		b.Follow(chromedp.Navigate(p.url + "/support?currency=EUR"))
		return strings.Contains(chromium.Eval[string](b.Tab, `document.querySelector('[data-interval=once]').innerText`), "€14")
	})

	b.Follow(chromedp.Navigate(p.url + "/staff/asks/versions/1"))
	b.inspect("7-version")
	b.fill("reason", "The amounts were too small.")
	b.submit("")
	eventually(t, "what shipped is suggested again", func() bool {
		b.Follow(chromedp.Navigate(p.url + "/support?currency=EUR"))
		return strings.Contains(chromium.Eval[string](b.Tab, `document.querySelector('[data-interval=once]').innerText`), "€25")
	})
	if !strings.Contains(p.body("/v1/ask?article=a&lang=uk"), said) {
		t.Error("the text of the version that was brought back is gone")
	}
	b.Follow(chromedp.Navigate(p.url + "/staff/asks/switch"))
	b.inspect("8-switch")
	b.fill("reason", "A test.")
	b.submit("")
	eventually(t, "asks are off", func() bool { return strings.Contains(p.body("/v1/ask?article=a"), "asks_off") })
	b.Follow(chromedp.Navigate(p.url + "/staff/asks/switch"))
	b.fill("reason", "The test is over.")
	b.submit("")
	eventually(t, "asks are on", func() bool { return strings.Contains(p.body("/v1/ask?article=a"), `"show":true`) })

	b.makeCampaign(t, p, folder)
	b.Follow(chromedp.Navigate(p.url + "/staff/audit"))
	if audit := chromium.Eval[string](b.Tab, `document.querySelector('main').innerText`); !strings.Contains(audit, "asks.publish") || !strings.Contains(audit, "asks.off") || !strings.Contains(audit, "asks.restore") || !strings.Contains(audit, "campaign.publish") {
		t.Errorf("the audit log says %q", audit)
	}
	testViewer(t, p, folder)
}

// makeCampaign makes one with a picture, and sees it where readers do.
func (b *tab) makeCampaign(t *testing.T, p *program, folder string) {
	t.Helper()
	b.Follow(chromedp.Navigate(p.url + "/staff/campaigns"))
	b.inspect("9-campaigns")
	b.Follow(chromedp.Navigate(p.url + "/staff/campaigns/edit"))
	b.fill("slug", "winter")
	b.fill("name.en", "A winter at the front")
	b.fill("title.en", "Keep our reporters warm")
	b.fill("lead.en", "Generators, fuel and boots for the teams that stay.")
	b.fill("alt.en", "A field in snow")
	b.Do(chromedp.SetValue(chromedp.CSS(`[name="kind"]`), "supporters"), chromedp.SetUploadFiles(chromedp.CSS(`[name="picture"]`), []string{drawing(t, folder)}))
	b.fill("amount", "2000")
	b.inspect("11-campaign")
	b.submit("")
	b.inspect("12-campaign-review")
	b.fill("reason", "The winter begins.")
	b.submit("")
	b.inspect("13-campaign-published")
	eventually(t, "the campaign's page", func() bool {
		b.Follow(chromedp.Navigate(p.url + "/support?campaign=winter"))
		return chromium.Eval[string](b.Tab, `document.querySelector('h1').textContent`) == "Keep our reporters warm"
	})
	b.Await(`document.querySelector('img.appeal').naturalWidth === 800`)
	b.inspect("14-support")
	if goal := p.body("/v1/ask?article=a&campaign=winter"); !strings.Contains(goal, `"name":"A winter at the front"`) {
		t.Errorf("the ask's goal: %.300s", goal)
	}
}

// testViewer sees, on a phone in the dark, and may change nothing.
func testViewer(t *testing.T, p *program, folder string) {
	t.Helper()
	b := newTab(t, "staff viewer", reader{320, 640, "dark", true})
	b.signIn(p, command(t, folder, nil, "staff", "add", "bob@example.org", "--role", "viewer"))
	for _, path := range []string{"/staff/asks", "/staff/asks/versions/1", "/staff/campaigns", "/staff/campaigns/one/winter", "/staff/campaigns/one/winter/versions/1"} {
		b.Follow(chromedp.Navigate(p.url + path))
		b.inspect("viewer" + strings.ReplaceAll(path, "/", "-"))
		if offered := chromium.Eval[int](b.Tab, `document.querySelectorAll('main form, main a[href*=edit], main a[href*=switch], main a[href*=review]').length`); offered > 0 {
			t.Errorf("%s offers a viewer %d ways to change something", path, offered)
		}
	}
	for _, path := range []string{"/staff/asks/edit", "/staff/asks/review", "/staff/asks/switch", "/staff/campaigns/edit"} {
		if answer, err := chromedp.RunResponse(b, chromedp.Navigate(p.url+path)); err != nil || answer.Status != 403 {
			t.Errorf("%s answers a viewer %v, %v", path, answer, err)
		}
	}
}

// signIn opens the one-time address that a command printed.
func (b *tab) signIn(p *program, printed string) {
	b.t.Helper()
	link, err := url.Parse(strings.TrimSpace(printed))
	if err != nil {
		b.t.Fatal(err)
	}
	b.Follow(chromedp.Navigate(p.url + link.RequestURI()))
	b.Follow(chromedp.Click(chromedp.CSS("main form button")))
}

// fill writes a field, whose details it opens.
func (b *tab) fill(name, value string) {
	b.t.Helper()
	chromium.Eval[bool](b.Tab, `(() => { const e = document.querySelector('main [name="`+name+`"]'); const d = e.closest('details'); if (d) d.open = true; e.value = ''; e.focus(); return true })()`)
	b.Do(chromedp.SetValue(chromedp.CSS(`main [name="`+name+`"]`), value))
}

// submit presses the main form's button, or the one of several that has a value.
func (b *tab) submit(value string) {
	b.t.Helper()
	button := "main form button.button"
	if value != "" {
		button = `main button[value="` + value + `"]`
	}
	if _, err := chromedp.RunResponse(b, chromedp.Click(chromedp.CSS(button))); err != nil {
		b.t.Fatal(err)
	}
}

// body returns the body of an answer; "" where there is none.
func (p *program) body(path string) string {
	answer, err := http.Get(p.url + path)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return ""
	}
	return string(text)
}

// awaitAsk waits until the ask in the middle begins with a text, as soon as it
// must.
func (p *program) awaitAsk(t *testing.T, lang, lead string) {
	t.Helper()
	began := time.Now()
	eventually(t, "the ask says "+lead, func() bool { return strings.Contains(p.body("/v1/ask?article=a&lang="+lang), lead) })
	if took := time.Since(began); took > reach {
		t.Errorf("readers see it after %s", took)
	}
}

// drawing returns a file with a picture.
func drawing(t *testing.T, folder string) string {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 800, 400))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for x := range 800 {
		for y := 220; y < 400; y++ {
			m.Set(x, y, color.NRGBA{0x5d, 0x6f, 0x8a, 255})
		}
	}
	file, err := os.Create(filepath.Join(folder, "field.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, m); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}
