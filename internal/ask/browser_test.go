package ask

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/store"
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
	engine.GET("/favicon.ico", func(c *gin.Context) { c.Status(http.StatusNoContent) }) // of pages that name none
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
