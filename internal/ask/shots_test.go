package ask

import (
	"testing"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv/chromium"
)

// TestScreenshots draws the example article for people to look at.
func TestScreenshots(t *testing.T) {
	t.Parallel()
	f := serveSite(t, nil, counted("all", 1234, 56, 1), counted("article:"+exampleArticle, 12, 3, 1))
	f.campaigns = []store.Campaign{{Slug: "winter", Name: "A winter at the front", GoalKind: store.GoalSupporters, Goal: 2000}}
	if err := f.running.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"light", "dark"} {
		b := chromium.New(t, 1000, 900)
		b.Scheme(scheme)
		b.Open(f.URL+"/developers?article=troops&sensitivity=breaking", `document.querySelector('u24-support')?.shadowRoot?.querySelector('.give')`)
		b.Picture("developers-" + scheme)
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
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := chromium.New(t, tt.width, 900)
			b.Scheme(tt.scheme)
			b.Scripts(tt.script)
			b.Open(f.URL + "/" + tt.query)
			if tt.script {
				b.Await(shown)
				b.Await(end + `.shadowRoot.querySelector('.give')`)
			}
			b.Picture("article-" + tt.name)
			for _, placement := range placements {
				b.PictureOf("ask-"+tt.name+"-"+placement, `u24-support[placement="`+placement+`"]`)
			}
		})
	}
}
