package e2e

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/testenv"
)

// A reader says what someone reads with.
type reader struct {
	width, height int64 // CSS pixels
	scheme        string
	scripts       bool
}

// A tab is a page in a Chromium of its own.
type tab struct {
	context.Context
	t      *testing.T
	name   string // begins the names of its pictures
	reader reader

	mu     sync.Mutex
	host   string   // the one host the pages may ask anything of; any while empty
	faults []string // what the console, or this test about requests, complains about
}

// newTab opens a tab. It ends with the test.
func newTab(t *testing.T, name string, r reader) *tab {
	t.Helper()
	b := &tab{t: t, name: name, reader: r}
	folder := browserFolder(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(testenv.Chromium(t)), chromedp.UserDataDir(filepath.Join(folder, "profile")), chromedp.Env("TMPDIR="+folder), chromedp.NoSandbox,
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(patience),
	)
	ctx, endBrowser := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, endTab := chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	ctx, endTime := context.WithTimeout(ctx, 3*patience)
	t.Cleanup(func() { endTime(); endTab(); endBrowser() })
	b.Context = ctx

	if err := chromedp.Do(b, chromedp.EmulateViewport(r.width, r.height)); err != nil {
		t.Fatal(err)
	}
	call(b, network.Enable, network.EnableParams{})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: r.scheme}},
	})
	if r.scripts {
		call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: measureShifts})
	} else {
		b.allowScripts(false)
	}
	return b
}

// browserFolder returns a folder for what a browser leaves. t.TempDir would do,
// but that names the test, and Chromium puts sockets there, whose paths must be
// short.
func browserFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Log(err) // a process of the browser's may be a moment late
		}
	})
	return folder
}

func (b *tab) allowScripts(yes bool) {
	b.t.Helper()
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !yes})
}

// measureShifts adds up how much of a page jumped without the reader having
// done anything, and keeps what did.
const measureShifts = `
window.shifted = { sum: 0, what: [] };
new PerformanceObserver((list) => {
	for (const entry of list.getEntries()) {
		if (entry.hadRecentInput) continue;
		shifted.sum += entry.value;
		shifted.what.push(...entry.sources.map((s) => (s.node ? s.node.nodeName + '.' + s.node.className : '?') + ' ' + entry.value.toFixed(4)));
	}
}).observe({ type: 'layout-shift', buffered: true });
`

func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.faults = append(b.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		b.faults = append(b.faults, "console."+string(e.Type))
	case *network.EventRequestWillBeSent:
		to, err := url.Parse(e.Request.URL)
		if b.host != "" && (err != nil || (to.Host != b.host && to.Scheme != "data")) {
			b.faults = append(b.faults, "asked another host: "+e.Request.URL)
		}
	}
}

// call sends a command to the tab.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// follow does what leads to another page, and returns when that is there. Its
// status must be 200.
func (b *tab) follow(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	answer, err := chromedp.RunResponse(b, steps...)
	if err != nil {
		b.t.Fatal(err)
	}
	if answer.Status != 200 {
		b.t.Fatalf("%s answers %d", answer.URL, answer.Status)
	}
}

// eval returns what a script evaluates to in the page. The debugger may run
// one where the page's own scripts are off.
func eval[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script[:min(len(script), 200)], err)
	}
	return v
}

// await waits until an expression is true in the page.
func (b *tab) await(expression string) {
	b.t.Helper()
	eventually(b.t, expression, func() bool {
		// A page on its way to the next one may not answer.
		yes, err := chromedp.Run(b, chromedp.Evaluate[bool]("!!("+expression+")"))
		return err == nil && yes
	})
}

// path returns where the tab is, without the host.
func (b *tab) path() string { return eval[string](b, "location.pathname") }

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
		eval[bool](b, `(async () => {
			for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
				scrollTo(0, y); await new Promise((done) => setTimeout(done, 60))
			}
			scrollTo(0, 0); await new Promise((done) => setTimeout(done, 200)); return true })()`)
		if sum := eval[float64](b, "shifted.sum"); sum > mayShift(b.path()) {
			wrongs = append(wrongs, fmt.Sprintf("the layout shifts by %.4f: %v", sum, eval[[]string](b, "shifted.what")))
		}
	}
	if wide := eval[int64](b, "document.documentElement.scrollWidth"); wide > b.reader.width {
		wrongs = append(wrongs, fmt.Sprintf("the page is %d pixels wide on a screen of %d", wide, b.reader.width))
	}
	if !b.reader.scripts {
		// axe-core waits, and in a page whose scripts are off nothing ever
		// comes after a wait. The page itself has none left to run now.
		b.allowScripts(true)
		defer b.allowScripts(false)
	}
	wrongs = append(wrongs, eval[[]string](b, testenv.Axe(b.t)+`;
		axe.run({ resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ') + ' ' + n.failureSummary).join('; ')))`)...)
	b.mu.Lock()
	defer b.mu.Unlock()
	wrongs = append(wrongs, b.faults...)
	b.faults = nil
	return wrongs
}

// mayShift returns how much of the page at a path may jump. Where readers meet
// the ask, and pay, nothing may. The staff's and supporters' own pages have
// tables whose columns find their widths as rows come in; they wait to be drawn
// where the browser knows how (rel=expect), and elsewhere stay below what
// web.dev/articles/cls calls good, so that a busy machine fails no test.
func mayShift(path string) float64 {
	if strings.HasPrefix(path, "/staff") || strings.HasPrefix(path, "/account") {
		return 0.0999
	}
	return 0
}

// picture keeps a picture of the whole page in the folder SUPPORT_ARTIFACTS
// names, or artifacts in the project's.
func (b *tab) picture(name string) {
	b.t.Helper()
	folder := os.Getenv("SUPPORT_ARTIFACTS")
	if folder == "" {
		folder = "../../artifacts"
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	image, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	file := fmt.Sprintf("%s-%s.png", strings.ReplaceAll(b.name, " ", "-"), name)
	if err := os.WriteFile(filepath.Join(folder, file), image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
