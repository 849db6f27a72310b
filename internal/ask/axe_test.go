package ask

import (
	"strings"
	"testing"

	"github.com/united24media/support/internal/testenv/chromium"
)

// TestAxe looks for what keeps people out of our own pages with asks.
func TestAxe(t *testing.T) {
	t.Parallel()
	f := serveSite(t, nil, counted("all", 1234, 5, 1), counted("article:troops", 12, 1, 1))
	for _, address := range []string{"/", "/?lang=uk", "/developers?article=a&sensitivity=x", "/frame?article=a&placement=mid&lang=uk"} {
		shown := strings.ReplaceAll(shown, "[placement=mid]", "") // pages of ours have one
		for _, scheme := range []string{"light", "dark"} {
			t.Run(scheme+" "+address, func(t *testing.T) {
				t.Parallel()
				b := chromium.New(t, 390, 800)
				b.Scheme(scheme)
				b.Open(f.URL+address, shown)
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
