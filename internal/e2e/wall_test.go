package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/testenv/chromium"
)

// TestThankedByName has readers give with a name and a message, staff turn the
// wall on and read them, and other readers see them. On its way it looks at the
// pages of mails, of second memberships and of what was recovered.
func TestThankedByName(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	printed := command(t, folder, nil, "staff", "add", "ann@example.org", "--role", "admin")
	staff := newTab(t, "wall staff", reader{1280, 900, "light", true})
	staff.signIn(p, printed)
	staff.Follow(chromedp.Navigate(p.url + "/staff/wall"))
	staff.inspect("1-off")
	if status, _ := get(t, p.url+"/wall"); status != http.StatusNotFound {
		t.Errorf("a wall that is off answers %d", status)
	}
	if text := p.body("/support"); strings.Contains(text, "show_message") {
		t.Error("the form asks for a message to be shown while the wall is off")
	}
	staff.Follow(chromedp.Click(chromedp.CSS(`form[action="/staff/wall/switch"] button`)))

	form := newTab(t, "wall form", reader{320, 640, "light", false})
	form.Follow(chromedp.Navigate(p.url + "/support?lang=uk"))
	form.Do(chromedp.Click(chromedp.CSS("details:has(#name) > summary")))
	form.inspect("1-form")
	if asked := chromium.Eval[int](form.Tab, `document.querySelectorAll('input[name=show_message]').length`); asked != 1 {
		t.Errorf("the form asks %d times whether the message may be shown", asked)
	}

	names := []string{"Олена К.", "<script>alert(1)</script>", "Zoë & Sons", "Jan", "A name that is rather long, as some families’ names are, with all of their titles"}
	for i, name := range names {
		giveByName(t, p, name, "Тримайтеся! <b>We read you</b> every day.", fmt.Sprintf("reader%d@example.org", i))
	}
	eventually(t, "five people wait to be read", func() bool {
		staff.Follow(chromedp.Navigate(p.url + "/staff/wall"))
		return chromium.Eval[int](staff.Tab, `document.querySelectorAll('.moderate > li').length`) == len(names)
	})
	staff.inspect("2-waiting")
	if text := p.body("/v1/wall"); text != `{"show":true,"supporters":[]}` {
		t.Errorf("before anybody read them: %s", text)
	}
	chromium.Eval[bool](staff.Tab, `(() => { document.querySelectorAll('[name=pick]').forEach((e) => { e.checked = true }); return true })()`)
	staff.Follow(chromedp.Click(chromedp.CSS(`button[value=accept]`)))
	if text := chromium.Eval[string](staff.Tab, "document.body.innerText"); !strings.Contains(text, "5 are on the wall now") {
		t.Errorf("after all were accepted:\n%s", text)
	}
	staff.Follow(chromedp.Navigate(p.url + "/staff/wall?state=shown"))
	staff.inspect("3-shown")
	if text := p.body("/v1/wall"); !strings.Contains(text, "Олена К.") || strings.Contains(text, "<") {
		t.Errorf("the wall for programs: %s", text)
	}
	for look, r := range map[string]reader{"wide": {1280, 800, "light", true}, "narrow": {320, 640, "dark", true}} {
		b := newTab(t, "wall "+look, r)
		b.host = strings.TrimPrefix(p.url, "http://")
		b.Follow(chromedp.Navigate(p.url + "/wall?lang=uk"))
		b.inspect("4-wall")
		text := chromium.Eval[string](b.Tab, "document.body.innerText")
		for _, name := range names {
			if !strings.Contains(text, name) {
				t.Errorf("%s: the wall does not thank %q:\n%s", look, name, text)
			}
		}
	}

	for range 2 {
		pay(t, p, 1000, "month", "twice@example.org", "Twice")
	}
	eventually(t, "somebody has two memberships", func() bool {
		staff.Follow(chromedp.Navigate(p.url + "/staff/doubled"))
		return chromium.Eval[int](staff.Tab, `document.querySelectorAll('.twins form').length`) == 1
	})
	staff.inspect("5-doubled")
	narrow := newTab(t, "wall staff narrow", reader{390, 800, "dark", true})
	narrow.signIn(p, command(t, folder, nil, "staff", "link", "ann@example.org"))
	for _, b := range []*tab{staff, narrow} {
		for i, path := range []string{"/staff", "/staff/mail", "/staff/doubled", "/staff/wall?state=shown", "/staff/reports/recovered", "/staff/reports/members", "/staff/quarantine"} {
			b.Follow(chromedp.Navigate(p.url + path))
			b.inspect(fmt.Sprintf("6-%d%s", i, strings.NewReplacer("/", "-", "?", "-").Replace(path)))
		}
		b.Follow(chromedp.Navigate(p.url + "/staff/mail"))
		b.Follow(chromedp.Click(chromedp.CSS("tbody th a")))
		b.inspect("7-letter")
	}
}

// giveByName makes a gift whose giver may be thanked publicly.
func giveByName(t *testing.T, p *program, name, message, email string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"amount_minor": 1000, "currency": "EUR", "interval": "once", "article": article, "name": name, "anonymous": false,
		"message": message, "message_public": true, "locale": "uk",
	})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(p.url+"/v1/checkouts", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var session struct{ URL string }
	if err := json.NewDecoder(answer.Body).Decode(&session); err != nil || answer.StatusCode != http.StatusCreated {
		t.Fatalf("a checkout: %d, %v", answer.StatusCode, err)
	}
	paid, err := http.PostForm(session.URL, url.Values{"email": {email}, "name": {"Nobody's business"}, "outcome": {"paid"}})
	if err != nil {
		t.Fatal(err)
	}
	paid.Body.Close()
}
