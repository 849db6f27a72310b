package ask

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// A site is a bench served as package web serves it, beside fixture pages.
type site struct {
	*bench
	URL   string
	asks  int // requests of /v1/ask
	fails bool
	age   string // how old a cache says the answers are; "" for none
	mu    sync.Mutex

	signals *Signals
	told    chan string // signals as they come
}

// serveSite serves on a free port. Other paths than ours are those of pages.
func serveSite(t *testing.T, pages map[string]http.HandlerFunc, rows ...store.ScopeCount) *site {
	t.Helper()
	engine := gin.New()
	server := httptest.NewUnstartedServer(engine)
	f := &site{bench: newBench(t, rows...), URL: "http://" + server.Listener.Addr().String()}
	s, err := New(Options{PublicURL: f.URL, Sites: []string{"https://news.example"}, Currency: "EUR", Counts: f.counts, Campaigns: f.running, Policies: f.policies, Signer: f.signer})
	if err != nil {
		t.Fatal(err)
	}
	f.Service = s
	for path, handler := range map[string]func(*gin.Context) error{
		"/v1/ask": f.ask, "/v1/support.js": s.Script, s.PinnedPath(): s.PinnedScript, "/v1/supporters.svg": s.Picture, "/": s.Example, "/developers": s.Developers, "/frame": s.Frame, "/v1/ask/explain": s.Explain,
	} {
		engine.GET(path, func(c *gin.Context) {
			c.Header("Access-Control-Allow-Origin", "*")
			if err := handler(c); err != nil {
				c.String(http.StatusBadRequest, err.Error())
			}
		})
	}
	for path, handler := range pages {
		engine.GET(path, gin.WrapF(handler))
	}
	f.told = make(chan string, 100)
	f.signals = NewSignals(SignalsOptions{Signer: f.signer, Timezone: time.UTC, Log: slog.New(slog.DiscardHandler)})
	engine.POST("/v1/signals", f.signalled)
	engine.GET("/support", func(c *gin.Context) { c.String(http.StatusOK, "the support page") })
	engine.GET("/assets/*path", gin.WrapH(look.NewAssets(look.Icon, look.Style)))
	server.Start()
	t.Cleanup(server.Close)
	return f
}

func (f *site) ask(c *gin.Context) error {
	f.mu.Lock()
	f.asks++
	fails := f.fails
	f.mu.Unlock()
	if fails {
		c.String(http.StatusServiceUnavailable, "down")
		return nil
	}
	if f.age != "" {
		c.Header("Age", f.age)
	}
	return f.Ask(c)
}

// signalled takes a signal as package web does, and tells the test.
func (f *site) signalled(c *gin.Context) {
	c.Header("Access-Control-Allow-Origin", "*")
	var g signal
	if err := c.ShouldBindBodyWithJSON(&g); err != nil {
		f.told <- err.Error()
	}
	claim, err := f.signer.Verify(g.Token, time.Now())
	if err != nil {
		f.told <- err.Error()
	}
	f.told <- claim.Placement + " " + g.Kind
	body, _ := c.Get(gin.BodyBytesKey)
	c.Request.Body = io.NopCloser(bytes.NewReader(body.([]byte)))
	if err := f.signals.Record(c); err != nil {
		f.told <- err.Error()
	}
}

// await waits for these signals, in any order, and no others.
func (f *site) await(t *testing.T, want ...string) {
	t.Helper()
	for len(want) > 0 {
		select {
		case got := <-f.told:
			i := slices.Index(want, got)
			if i < 0 {
				t.Fatalf("the service was told %q, want one of %q", got, want)
			}
			want = slices.Delete(want, i, i+1)
		case <-time.After(10 * time.Second):
			t.Fatalf("the service was never told %q", want)
		}
	}
}

// A tab is a page in Chromium.
type tab struct {
	context.Context

	mu     sync.Mutex
	faults []string // what the console complained about
}

// newTab opens a tab of a size in a browser of its own. It ends with the test.
func newTab(t *testing.T, width, height int64) *tab {
	t.Helper()
	b := &tab{}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Chromium(t)), chromedp.NoSandbox)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithListener(b.listen))
	t.Cleanup(cancel)
	b.Context, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	b.do(t, chromedp.EmulateViewport(width, height))
	return b
}

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
	}
}

// complaints returns what the console complained about so far.
func (b *tab) complaints() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.faults, "\n")
}

func (b *tab) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, steps...); err != nil {
		t.Fatal(err)
	}
}

// open opens an address and waits for what the page holds then.
func (b *tab) open(t *testing.T, address, until string) {
	t.Helper()
	b.do(t, chromedp.Navigate(address))
	b.await(t, until)
}

// await waits until an expression of the page is true.
func (b *tab) await(t *testing.T, expression string) {
	t.Helper()
	const script = `new Promise((done, failed) => {
		const started = Date.now()
		const look = () => (EXPRESSION) ? done(true) : Date.now() - started > 10000 ? failed(new Error('never: EXPRESSION')) : setTimeout(look, 10)
		look()
	})`
	text := strings.ReplaceAll(strings.Replace(script, "EXPRESSION", expression, 1), "EXPRESSION", strings.ReplaceAll(expression, "'", `\'`))
	for {
		_, err := chromedp.Run(b, chromedp.Evaluate[bool](text, chromedp.EvalAwaitPromise))
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "navigated") || b.Err() != nil { // the page that was asked has gone for the next
			t.Fatalf("waiting for %s: %v", expression, err)
		}
	}
}

// media makes the tab a reader's with a preference, such as a dark scheme.
func (b *tab) media(t *testing.T, features ...string) {
	t.Helper()
	var list []*emulation.MediaFeature
	for i := 0; i < len(features); i += 2 {
		list = append(list, &emulation.MediaFeature{Name: features[i], Value: features[i+1]})
	}
	if _, err := chromedp.Call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: list}); err != nil {
		t.Fatal(err)
	}
}

// noScript turns scripts off.
func (b *tab) noScript(t *testing.T) {
	t.Helper()
	if _, err := chromedp.Call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
}

// eval returns what a script of the page evaluates to.
func eval[T any](t *testing.T, b *tab, script string) T {
	t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}
