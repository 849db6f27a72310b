package recovery

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
)

// TestInABrowser looks at the page in each state and language, on a phone in the
// light or a desk in the dark: nothing wider than the screen, and nothing that
// keeps people out.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	axe := testenv.Axe(t)
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var members []*giving.Membership
	member := func(lang, status string) {
		members = append(members, &giving.Membership{
			Subscription: "sub_" + status + lang, Customer: "cus_1", Email: "reader@example.org", Status: status, Amount: 123456, Currency: "EUR",
			Interval: giving.Month, Attribution: giving.Attribution{Locale: lang},
		})
	}
	for _, lang := range i18n.Languages() {
		member(lang, "past_due")
	}
	member("en", "active")
	member("de", "canceled")
	if err := db.Ledger(t.Context(), func(tx *store.Tx) error { return tx.PutMemberships(t.Context(), members) }); err != nil {
		t.Fatal(err)
	}
	keys := signin.New([][]byte{[]byte("0123456789abcdef0123456789abcdef")})
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	r := New(Options{Store: db, Keys: keys, PublicURL: server.URL, Sandbox: true})
	e.GET(signin.RecoverPath, func(c *gin.Context) {
		if err := r.Show(c); err != nil {
			t.Error(err)
		}
	})
	e.GET(look.AssetPrefix+"*path", gin.WrapH(look.NewAssets(look.Style, look.Icon)))

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Chromium(t)), chromedp.NoSandbox)
	ctx, endBrowser := chromedp.NewExecAllocator(context.Background(), options...)
	defer endBrowser()
	ctx, endTab := chromedp.NewContext(ctx)
	defer endTab()
	ctx, endTime := context.WithTimeout(ctx, 3*time.Minute)
	defer endTime()
	for i, m := range members {
		width, scheme := int64(320), "light"
		if i%2 == 1 {
			width, scheme = 1280, "dark"
		}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		}); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800), chromedp.Navigate(server.URL+signin.RecoverPath+"?token="+keys.Token(signin.Recover, m.Subscription))); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("recover-%s-%d", m.Subscription, width)
		wrongs, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](axe+`; axe.run({ resultTypes: ['violations'] }).then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join('; '))
			.concat(document.documentElement.scrollWidth > innerWidth ? ['wider than the screen'] : [])
			.concat(document.documentElement.lang === '`+m.Locale+`' ? [] : ['not in its language']))`, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range wrongs {
			t.Errorf("%s: %s", name, wrong)
		}
		folder := os.Getenv("SUPPORT_ARTIFACTS")
		if folder == "" {
			continue
		}
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
