package e2e

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/testenv/chromium"
)

// article is the one that the example page is about.
const article = "uk-defense-secretary-troops"

var (
	phone   = [2]int64{320, 640}
	desktop = [2]int64{1280, 800}
)

// TestReaderGives clicks through the whole flow: article, ask, support page,
// payment, thanks, and back to the article, where the count is one more.
func TestReaderGives(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		screen   [2]int64
		scheme   string
		interval string
	}{
		"phone light once":    {phone, "light", "once"},
		"phone dark month":    {phone, "dark", "month"},
		"desktop light month": {desktop, "light", "month"},
		"desktop dark once":   {desktop, "dark", "once"},
	}
	for look, tt := range tests {
		for suffix, scripts := range map[string]bool{"": true, " without scripts": false} {
			name := look + suffix
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := reader{tt.screen[0], tt.screen[1], tt.scheme, scripts}
				give(t, newTab(t, name, r), start(t, t.TempDir()), tt.interval)
			})
		}
	}
}

// give is one reader's way.
func give(t *testing.T, b *tab, p *program, interval string) {
	at, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	b.host = at.Host
	eventually(t, "the count is known", func() bool { return supporters(t, p) == 0 })

	b.Follow(chromedp.Navigate(p.url + "/"))
	b.seeAsks()
	b.inspect("1-article")
	if cookies := chromium.Call(b.Tab, network.GetCookies, network.GetCookiesParams{}).Cookies; len(cookies) > 0 {
		t.Errorf("the article with its asks set %d cookies", len(cookies))
	}
	before := b.count()
	b.takeAsk(interval)
	if got := b.path(); got != "/support" {
		t.Fatalf("the ask leads to %s", got)
	}
	b.inspect("2-support")
	b.Do(chromedp.Click(chromedp.CSS(`label:has(#interval-` + interval + `)`)))
	b.picture("3-chosen")
	b.Follow(chromedp.Click(chromedp.CSS("[data-submit]")))
	b.inspect("4-payment")
	b.Follow(chromedp.SendKeys(chromedp.ID("email"), "reader@example.org"),
		chromedp.Click(chromedp.CSS(`form:has(#email) button`)))
	if got := b.path(); got != "/thanks" {
		t.Fatalf("paying leads to %s", got)
	}
	b.confirmed()
	b.inspect("5-thanks")

	eventually(t, "the count goes up by one", func() bool { return supporters(t, p) == 1 })
	b.Follow(chromedp.Click(chromedp.CSS(".actions a.button")))
	if got := b.path(); got != "/" {
		t.Fatalf("from the thanks one comes back to %s", got)
	}
	b.seeAsks()
	b.inspect("6-article-again")
	if after := b.count(); b.reader.scripts && (after == before || !strings.Contains(after, "1")) {
		t.Errorf("the ask said %q before the gift and says %q after it", before, after)
	}
	if b.inspectReport(t, p, interval); p.end(t) != 0 {
		t.Errorf("SIGTERM: exit %d; want 0", p.exit)
	}
}

// supporters returns the public count of the article, -1 while nobody knows.
func supporters(t *testing.T, p *program) int {
	t.Helper()
	_, text := get(t, p.url+"/v1/supporters?article="+article)
	var answer struct{ Supporters *int }
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if answer.Supporters == nil {
		return -1
	}
	return *answer.Supporters
}

const mid = `document.querySelector('u24-support[placement=mid]')`

// seeAsks waits until both asks are as they will stay.
func (b *tab) seeAsks() {
	b.t.Helper()
	if !b.reader.scripts {
		return
	}
	b.Await(`[...document.querySelectorAll('u24-support')].filter((e) => e.shadowRoot?.querySelector('.ask')).length === 2`)
}

// count returns what the ask in the middle says of how many support it; ""
// without scripts, where it is a link.
func (b *tab) count() string {
	b.t.Helper()
	if !b.reader.scripts {
		return ""
	}
	return chromium.Eval[string](b.Tab, mid+`.shadowRoot.querySelector('.count').textContent`)
}

// takeAsk presses the ask in the middle of the article, having chosen how
// often where it lets one choose.
func (b *tab) takeAsk(interval string) {
	b.t.Helper()
	if !b.reader.scripts {
		b.Follow(chromedp.Click(chromedp.CSS(`u24-support[placement=mid] a`)))
		return
	}
	index := map[string]string{"once": "0", "month": "1", "year": "2"}[interval]
	b.Do(chromedp.Click(chromedp.JSPath(mid + `.shadowRoot.querySelectorAll('.intervals label')[` + index + `]`)))
	b.Follow(chromedp.Click(chromedp.JSPath(mid + `.shadowRoot.querySelector('a.give')`)))
}

// confirmed waits until the thanks say what was given. Without scripts a
// reader presses the button that asks again.
func (b *tab) confirmed() {
	b.t.Helper()
	eventually(b.t, "the gift is confirmed", func() bool {
		if chromium.Eval[bool](b.Tab, `!!document.querySelector('dl.gift') && !document.querySelector('.actions a[href*="/thanks"]')`) {
			return true
		}
		if !b.reader.scripts {
			b.Follow(chromedp.Reload())
		}
		return false
	})
}

// inspectReport holds the report to the one gift.
func (b *tab) inspectReport(t *testing.T, p *program, interval string) {
	t.Helper()
	printed := command(t, p.cmd.Dir, nil, "report", "--from", "2020-01-01", "--to", "2120-01-01", "--by", "interval", "--format", "json")
	var report struct {
		Rows []struct {
			Key       string
			Donations int
			New       int `json:"new_supporters"`
		}
	}
	if err := json.Unmarshal([]byte(printed), &report); err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	if len(report.Rows) != 1 || report.Rows[0].Key != interval || report.Rows[0].Donations != 1 || report.Rows[0].New != 1 {
		t.Errorf("the report of one gift %s: %s", interval, printed)
	}
}
