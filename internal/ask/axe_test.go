package ask

import (
	"net/http"
	"strings"
	"testing"

	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv/chromium"
)

// TestAxe looks for what keeps people out.
func TestAxe(t *testing.T) {
	t.Parallel()
	var f *site
	f = serveSite(t, map[string]http.HandlerFunc{
		"/page":     fixture(&f, strictPolicy, "", "<main><h1>A page</h1>"+asked(`campaign="winter"`)+"</main>"),
		"/rtl":      fixture(&f, strictPolicy, "", "<main dir=rtl><h1>A page</h1>"+asked(`theme="dark"`)+"</main>"),
		"/site.css": styles(nil),
	}, counted("all", 1234, 5, 1), counted("article:troops", 12, 1, 1), counted("campaign:winter", 500, 0, 1))
	f.campaigns = []store.Campaign{{Slug: "winter", Name: "Winter", GoalKind: store.GoalSupporters, Goal: 1000}}
	if err := f.running.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"/", "/?lang=uk", "/page", "/rtl", "/developers?article=a&sensitivity=x", "/frame?article=a&placement=mid&lang=uk"} {
		shown := strings.ReplaceAll(shown, "[placement=mid]", "") // pages of ours have one
		for _, scheme := range []string{"light", "dark"} {
			t.Run(scheme+" "+address, func(t *testing.T) {
				t.Parallel()
				b := chromium.New(t, 390, 800)
				b.Scheme(scheme)
				b.Open(f.URL+address, shown)
				// The link that jumps to the content stands before all landmarks, as it should.
				// The second state has the own amount open with a problem, and the second ask hidden.
				for _, state := range []string{"true", end + ` && (() => { const root = ` + mid + `.shadowRoot; root.querySelectorAll('input[name=amount]')[4].click()
				root.querySelector('.give').click(); ` + end + `.shadowRoot.querySelector('.close').click(); return true })()`} {
					chromium.Eval[any](b, state)
					for _, violation := range b.Barriers() {
						t.Error(violation)
					}
				}
			})
		}
	}
}
