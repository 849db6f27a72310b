package ask

import (
	"fmt"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"

	"github.com/united24media/support/internal/testenv/chromium"
)

// A longTask is what kept a page's main thread for more than 50 ms.
type longTask struct {
	Took   float64 `json:"took"`   // milliseconds
	Script string  `json:"script"` // of ours that ran in it, and for how long; "" for none
}

// TestNoLongTaskOnASlowDevice loads a page on a processor slowed to a quarter, and
// uses its asks. A task that is long because this machine does other things is
// not the ask's: so no other test here runs beside it, the page is loaded until
// it is without one, or for long, and a page without the ask is loaded as often:
// at best the ask must not make longer tasks than that has.
func TestNoLongTaskOnASlowDevice(t *testing.T) {
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{
		"/page": fixture(&f, strictPolicy, "", asked(`campaign="winter"`)), "/site.css": styles(nil),
		"/without": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<!doctype html><html lang=en><title>A page</title><link rel=icon href=data:,><link rel=stylesheet href=/site.css><body>%s`, asked(""))
		},
	}, counted("all", 1234, 5, 1))
	b := chromium.New(t, 390, 800)
	chromium.Call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `(() => {
		const tasks = [], frames = []
		const observe = (type, list) => {
			const observer = new PerformanceObserver((some) => list.push(...some.getEntries()))
			observer.observe({ type, buffered: true })
			return () => list.push(...observer.takeRecords())
		}
		const settle = [observe("longtask", tasks), observe("long-animation-frame", frames)]
		window.longTasks = () => (settle.forEach((f) => f()), tasks.map((task) => ({
			took: task.duration,
			script: frames.filter((f) => f.startTime < task.startTime + task.duration && task.startTime < f.startTime + f.duration)
				.flatMap((f) => f.scripts).filter((s) => s.sourceURL.includes("/v1/support")).map((s) => s.invoker + " " + s.duration + " ms").join(", "),
		})))
	})()`})
	const slower = 4
	chromium.Call(b, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slower})
	const frame = `await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));`
	load := func(path, use string) []longTask {
		b.Open(f.URL + path)
		if use != "" {
			b.Await(shown)
			b.Await(end + `.shadowRoot.querySelector('.give')`)
		}
		return chromium.Eval[[]longTask](b, `(async () => { `+frame+use+frame+frame+` return longTasks() })()`) // the debugger's own task is not counted
	}
	const use = mid + `.scrollIntoView({ block: "center" });` + frame + `
		const root = ` + mid + `.shadowRoot;
		for (const what of ["[name=interval]:not(:checked)", "[name=amount]:not(:checked)", "label:last-child [name=amount]", ".close", ".undo"]) { root.querySelector(what).click(); ` + frame + ` }`
	least, found, without := math.Inf(1), []longTask{}, math.Inf(1)
	for deadline := time.Now().Add(2 * time.Minute); least > 0 && time.Now().Before(deadline); {
		tasks := load("/page", use)
		if sum := sum(tasks); sum < least {
			least, found = sum, tasks
		}
		without = min(without, sum(load("/without", "")))
	}
	if least > without {
		t.Errorf("on a device %d times slower, long tasks at best: %+v; a page without the ask has them for %.0f ms", slower, found, without)
	}
}

func sum(tasks []longTask) (took float64) {
	for _, task := range tasks {
		took += task.Took
	}
	return took
}
