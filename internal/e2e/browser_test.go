package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/testenv/chromium"
)

// A reader says what someone reads with.
type reader struct {
	width, height int64 // CSS pixels
	scheme        string
	scripts       bool
}

// A tab is a reader's.
type tab struct {
	*chromium.Tab
	t      *testing.T
	name   string // begins the names of its pictures
	reader reader

	mu     sync.Mutex
	host   string   // the one host the pages may ask anything of; any while empty
	others []string // addresses elsewhere that a page asked
}

// newTab opens a tab. It ends with the test.
func newTab(t *testing.T, name string, r reader) *tab {
	t.Helper()
	b := &tab{Tab: chromium.New(t, r.width, r.height), t: t, name: name, reader: r}
	if err := chromedp.Listen(b, b.listen); err != nil {
		t.Fatal(err)
	}
	b.Scheme(r.scheme)
	b.Scripts(r.scripts)
	return b
}

func (b *tab) listen(event any) {
	e, asks := event.(*network.EventRequestWillBeSent)
	if !asks {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	to, err := url.Parse(e.Request.URL)
	if b.host != "" && (err != nil || (to.Host != b.host && to.Scheme != "data")) {
		b.others = append(b.others, "asked another host: "+e.Request.URL)
	}
}

// path returns where the tab is, without the host.
func (b *tab) path() string { return chromium.Eval[string](b.Tab, "location.pathname") }

// inspect holds the page that is shown to what every page owes its readers,
// and keeps a picture of it.
func (b *tab) inspect(name string) {
	b.t.Helper()
	wrongs := b.wrongs()
	b.picture(name)
	for _, wrong := range wrongs {
		b.t.Errorf("%s: %s", name, wrong)
	}
}

// wrongs returns in what the page that is shown, or one before it, fails its
// readers.
func (b *tab) wrongs() []string {
	b.t.Helper()
	var wrongs []string
	if b.reader.scripts {
		// Everything that comes into view late has come before it is judged.
		chromium.Eval[bool](b.Tab, `(async () => {
			for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
				scrollTo(0, y); await new Promise((done) => setTimeout(done, 60))
			}
			scrollTo(0, 0); await new Promise((done) => setTimeout(done, 200)); return true })()`)
		if sum, what := b.Shifts(); sum > mayShift(b.path()) {
			wrongs = append(wrongs, fmt.Sprintf("the layout shifts by %.4f: %v", sum, what))
		}
	}
	if wide := chromium.Eval[int64](b.Tab, "document.documentElement.scrollWidth"); wide > b.reader.width {
		wrongs = append(wrongs, fmt.Sprintf("the page is %d pixels wide on a screen of %d", wide, b.reader.width))
	}
	if !b.reader.scripts {
		// axe-core waits, and in a page whose scripts are off nothing ever
		// comes after a wait. The page itself has none left to run now.
		b.Scripts(true)
		defer b.Scripts(false)
	}
	wrongs = slices.Concat(wrongs, b.Barriers(), b.Complaints())
	b.mu.Lock()
	defer b.mu.Unlock()
	wrongs = append(wrongs, b.others...)
	b.others = nil
	return wrongs
}

// mayShift returns how much of the page at a path may jump. Where readers meet
// the ask and choose a gift nothing may. The staff's and supporters' own pages
// have tables whose columns find their widths as rows come in; they wait to be
// drawn where the browser knows how (rel=expect), and elsewhere stay below what
// web.dev/articles/cls calls good, so that a busy machine fails no test. So does
// the sandbox, which stands where Stripe's own page is.
func mayShift(path string) float64 {
	for _, patient := range []string{"/staff", "/account", "/sandbox"} {
		if strings.HasPrefix(path, patient) {
			return 0.0999
		}
	}
	return 0
}

// picture keeps a picture of the whole page.
func (b *tab) picture(name string) {
	b.t.Helper()
	b.Picture(b.name + "-" + name)
}
