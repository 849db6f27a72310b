package ask

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/store"
)

// TestScreenshots draws the example article for people to look at, into the
// folder that SUPPORT_ARTIFACTS names.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("SUPPORT_ARTIFACTS")
	if folder == "" {
		t.Skip("SUPPORT_ARTIFACTS names no folder for pictures")
	}
	f := serveSite(t, nil, counted("all", 1234, 56, 1), counted("article:"+exampleArticle, 12, 3, 1))
	f.campaigns = []store.Campaign{{Slug: "winter", Name: "A winter at the front", GoalKind: store.GoalSupporters, Goal: 2000}}
	if err := f.running.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"light", "dark"} {
		b := newTab(t, 1000, 900)
		b.media(t, "prefers-color-scheme", scheme)
		b.do(t, chromedp.Navigate(f.URL+"/developers?article=troops&sensitivity=breaking"), chromedp.Sleep(700*time.Millisecond))
		picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "developers-"+scheme+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name   string
		width  int64
		scheme string
		query  string
		script bool
	}{
		{"320-light", 320, "light", "", true},
		{"390-dark", 390, "dark", "", true},
		{"1280-light", 1280, "light", "", true},
		{"1280-dark", 1280, "dark", "", true},
		{"390-uk", 390, "light", "?lang=uk", true},
		{"1280-uk", 1280, "light", "?lang=uk", true},
		{"320-de", 320, "dark", "?lang=de", true},
		{"320-jp", 320, "light", "?country=JP", true},
		{"390-noscript", 390, "light", "", false},
	} {
		b := newTab(t, tt.width, 900)
		b.media(t, "prefers-color-scheme", tt.scheme)
		if !tt.script {
			b.noScript(t)
		}
		b.do(t, chromedp.Navigate(f.URL+"/"+tt.query), chromedp.Sleep(700*time.Millisecond))
		picture, err := chromedp.Run(b, chromedp.FullScreenshot(100))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "article-"+tt.name+".png"), picture, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, placement := range placements {
			element, err := chromedp.Run(b, chromedp.Screenshot(chromedp.CSS(`u24-support[placement="`+placement+`"]`)))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "ask-"+tt.name+"-"+placement+".png"), element, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if tt.script {
			t.Log(tt.name, eval[[]float64](t, b, `[...document.querySelectorAll('u24-support')].flatMap(e=>[e.offsetHeight,e.shadowRoot.firstElementChild.offsetHeight])`))
		}
		if complaints := b.complaints(); complaints != "" {
			t.Errorf("%s: the console says %s", tt.name, complaints)
		}
	}
}
