package chromium

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	patience = 30 * time.Second      // for a condition of a page
	lifetime = 5 * time.Minute       // of a tab
	lookEach = 10 * time.Millisecond // at a condition
)

// A Tab is a page in Chromium, in a window and with cookies and storage of its
// own. It ends with its test. What its console complains about fails the test,
// unless Complaints took it before.
type Tab struct {
	context.Context
	t testing.TB

	mu     sync.Mutex
	pages  []string     // addresses that the tab was at
	faults []*log.Entry // what the console complained about
}

// New opens a tab of a size in CSS pixels.
func New(t testing.TB, width, height int64) *Tab {
	t.Helper()
	root, err := start()
	if err != nil {
		t.Fatal(err)
	}
	b := &Tab{t: t}
	t.Cleanup(func() {
		for _, complaint := range b.Complaints() {
			t.Errorf("the console says %s", complaint)
		}
	})
	ctx, cancel := chromedp.NewContext(root, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.Context, cancel = context.WithTimeout(ctx, lifetime)
	t.Cleanup(cancel)
	b.Size(width, height)
	Call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: measureShifts})
	Call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}) // of many windows, each has it
	return b
}

func (b *Tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			b.faults = append(b.faults, e.Entry)
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		b.faults = append(b.faults, &log.Entry{Text: text})
	case *runtime.EventConsoleAPICalled:
		b.faults = append(b.faults, &log.Entry{Text: "console." + string(e.Type)})
	case *page.EventFrameNavigated:
		b.pages = append(b.pages, e.Frame.URL)
	}
}

// Complaints returns what the console complained about since the last time. That
// a page itself came with a status of 4xx or 5xx is left out: a form that was
// wrong comes back so.
func (b *Tab) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var said []string
	for _, fault := range b.faults {
		if fault.Source != log.EntrySourceNetwork || !slices.Contains(b.pages, fault.URL) {
			said = append(said, strings.TrimSpace(fault.Text+" "+fault.URL))
		}
	}
	b.faults = nil
	return said
}

// Do takes steps, one after the other.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// Call sends a command of the browser's protocol to a tab.
func Call[P, R any](b *Tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	result, err := chromedp.Call(b, command, params)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

// Eval returns what an expression of the page comes to, or the promise that it
// is. The browser works it out where the page's own scripts are off, too.
func Eval[T any](b *Tab, expression string) T {
	b.t.Helper()
	value, err := chromedp.Run(b, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.300s: %v", expression, err)
	}
	return value
}

// Await waits until an expression is true in the page, whatever page that is by
// then.
func (b *Tab) Await(expression string) {
	b.t.Helper()
	tick := time.NewTicker(lookEach)
	defer tick.Stop()
	for end := time.After(patience); ; {
		// A page on its way to the next one may not answer.
		yes, err := chromedp.Run(b, chromedp.Evaluate[bool]("!!("+expression+")"))
		if err == nil && yes {
			return
		}
		select {
		case <-tick.C:
		case <-b.Done():
			b.t.Fatalf("waiting for %s: %v", expression, b.Err())
		case <-end:
			b.t.Fatalf("never: %s (%v); the page is %s", expression, err, Eval[string](b, `location.href + "\n" + document.body?.innerText.slice(0, 1000)`))
		}
	}
}

// Open opens an address and waits until the page and what it holds are loaded,
// and then for expressions to be true in it.
func (b *Tab) Open(address string, until ...string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(address))
	b.Await(`document.readyState === "complete"`)
	for _, expression := range until {
		b.Await(expression)
	}
}

// Follow does what leads to another page, and returns when that is there. Its
// status must be 200.
func (b *Tab) Follow(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	answer, err := chromedp.RunResponse(b, steps...)
	if err != nil {
		b.t.Fatal(err)
	}
	if answer.Status != 200 {
		b.t.Fatalf("%s answers %d", answer.URL, answer.Status)
	}
}

// Size gives the tab a size in CSS pixels.
func (b *Tab) Size(width, height int64) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, height))
}

// Scheme makes the tab's reader prefer light or dark, and no motion, so that
// colours are what they will be at once.
func (b *Tab) Scheme(scheme string) {
	b.t.Helper()
	b.Media("", "prefers-color-scheme", scheme, "prefers-reduced-motion", "reduce")
}

// Media makes the tab show what a medium shows ("" is the screen) to a reader
// with preferences: names and values in turn.
func (b *Tab) Media(medium string, preferences ...string) {
	b.t.Helper()
	params := emulation.SetEmulatedMediaParams{Media: medium}
	for pair := range slices.Chunk(preferences, 2) {
		params.Features = append(params.Features, &emulation.MediaFeature{Name: pair[0], Value: pair[1]})
	}
	Call(b, emulation.SetEmulatedMedia, params)
}

// Scripts allows a page's own scripts, or forbids them.
func (b *Tab) Scripts(allowed bool) {
	b.t.Helper()
	Call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !allowed})
}

// Barriers returns what axe-core finds in the page that keeps people out, by its
// rules with these tags, or all. The link that jumps to the content stands
// before all landmarks, as it should.
func (b *Tab) Barriers(tags ...string) []string {
	b.t.Helper()
	script, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	if Eval[bool](b, `typeof axe === "undefined"`) {
		Eval[bool](b, script+`; true`)
	}
	rules := ""
	if len(tags) > 0 {
		rules = fmt.Sprintf("runOnly: %q.split(' '), ", strings.Join(tags, " "))
	}
	return Eval[[]string](b, `axe.run({ exclude: [".skip"] }, { `+rules+`resultTypes: ["violations"] }).then((found) => found.violations.map((v) =>
		v.id + ": " + v.nodes.map((n) => n.target.join(" ") + " " + n.failureSummary).join("; ")))`)
}

// measureShifts adds up how much of a page jumped without the reader having
// done anything, and keeps what did.
const measureShifts = `(() => {
	const shifted = { sum: 0, what: [] };
	const add = (list) => list.forEach((entry) => {
		if (entry.hadRecentInput) return;
		shifted.sum += entry.value;
		shifted.what.push(...entry.sources.map((s) => (s.node ? s.node.nodeName + '.' + s.node.className : '?') + ' ' + entry.value.toFixed(4)));
	});
	const observer = new PerformanceObserver((list) => add(list.getEntries()));
	observer.observe({ type: 'layout-shift', buffered: true });
	window.shiftedSoFar = () => (add(observer.takeRecords()), shifted);
})()`

// Shifts says how much of the page jumped so far without its reader having done
// anything, as web.dev's layout shift counts it, and what did.
func (b *Tab) Shifts() (sum float64, what []string) {
	b.t.Helper()
	found := Eval[struct {
		Sum  float64  `json:"sum"`
		What []string `json:"what"`
	}](b, // a shift is told after the frame it happened in
		`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(shiftedSoFar())))))`)
	return found.Sum, found.What
}

// TooWide returns what of a page reaches beyond the screen, though it can't be
// scrolled to within a part of its own.
func (b *Tab) TooWide() []string {
	b.t.Helper()
	return Eval[[]string](b, `[...document.querySelectorAll("body *")]
		.filter((e) => e.checkVisibility() && !e.closest(".skip, .visually-hidden, .scroll") && e.getBoundingClientRect().right > innerWidth + 1)
		.map((e) => e.tagName + " " + e.className + " " + e.textContent.slice(0, 40))`)
}

// CutOff returns the cells of tables that can't be read whole at once: their
// text runs over the cell, or they reach beyond the screen or the part of it that
// scrolls.
func (b *Tab) CutOff() []string {
	b.t.Helper()
	return Eval[[]string](b, `[...document.querySelectorAll("th, td")].filter((cell) => {
		if (!cell.checkVisibility()) return false;
		if (cell.scrollWidth > cell.clientWidth + 1) return true;
		const part = cell.closest(".scroll");
		return cell.getBoundingClientRect().right > (part ? part.getBoundingClientRect().right : innerWidth) + 1;
	}).map((cell) => cell.tagName + " " + cell.textContent.trim().slice(0, 40))`)
}

// paper is the width of a sheet of A4 within the margins that browsers print
// with, in CSS pixels.
const paper = 717

// OnPaper returns what is wrong with a page that is printed: what can only be
// pressed or filled in, and what of a table is left out or beyond the sheet. It
// leaves the tab as a sheet of paper: its size and medium are to be set again.
func (b *Tab) OnPaper() []string {
	b.t.Helper()
	Eval[bool](b, `document.querySelectorAll("th, td").forEach((e) => e.toggleAttribute("data-shown", e.closest("table").checkVisibility())), true`)
	b.Size(paper, 1000)
	b.Media("print")
	return Eval[[]string](b, `[...document.querySelectorAll(".side, nav a:not([aria-current]), button, .button, input:not([type=hidden]), select, textarea")]
		.filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0)
		.map((e) => "it has " + e.tagName + " " + e.className + " " + e.textContent.trim().slice(0, 40))
		.concat([...document.querySelectorAll("[data-shown]")]
			.filter((e) => e.textContent.trim() && !e.querySelector("svg, .visually-hidden, input, button")) // a picture of the numbers beside it, or what is pressed
			.filter((e) => !e.checkVisibility() || e.getBoundingClientRect().right > innerWidth + 1)
			.map((e) => "not on the sheet: " + e.tagName + " " + e.textContent.trim().slice(0, 40)))`)
}

// Picture keeps a picture of the whole page for people to look at.
func (b *Tab) Picture(name string) {
	b.t.Helper()
	b.keep(name, chromedp.FullScreenshot(100))
}

// PictureOf keeps a picture of what a selector finds.
func (b *Tab) PictureOf(name, selector string) {
	b.t.Helper()
	b.keep(name, chromedp.Screenshot(chromedp.CSS(selector)))
}

// keep writes a picture into the folder SUPPORT_ARTIFACTS names, or into
// artifacts in the project's.
func (b *Tab) keep(name string, picture chromedp.Action[[]byte]) {
	b.t.Helper()
	folder, err := artifacts()
	if err != nil {
		b.t.Fatal(err)
	}
	image, err := chromedp.Run(b, picture)
	if err != nil {
		b.t.Fatal(err)
	}
	name = strings.NewReplacer("/", "-", " ", "-", "?", "-", "=", "-", "&", "-").Replace(name)
	if err := os.WriteFile(filepath.Join(folder, name+".png"), image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// artifacts is the folder for what tests leave for people.
var artifacts = sync.OnceValues(func() (string, error) {
	folder := os.Getenv("SUPPORT_ARTIFACTS")
	if folder == "" {
		root, err := os.Getwd() // where the package is that is tested
		for err == nil && root != filepath.Dir(root) {
			if _, missing := os.Stat(filepath.Join(root, "go.mod")); missing == nil {
				break
			}
			root = filepath.Dir(root)
		}
		if err != nil {
			return "", err
		}
		folder = filepath.Join(root, "artifacts")
	}
	return folder, os.MkdirAll(folder, 0o755)
})
