package ask

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/testenv/chromium"
)

func TestDevelopersPageTellsWhatTheGuideDoes(t *testing.T) {
	t.Parallel()
	page := get(t, newBench(t).Developers, "/developers").Body.String()
	for _, want := range []string{
		"https://support.example/v1/support.js", "integrity=", "script-src https://support.example; connect-src https://support.example",
		"u24-support:shown", "--u24-support-accent", "sensitivity", "wp:html", "/frame?article=", "supporters.svg",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

func TestDevelopersPageChecks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for query, want := range map[string]string{
		"article=a&placement=mid&lang=&country=": "it shows normal",
		"article=a&sensitivity=funeral":          "funeral shows none at most",
		"article=&lang=en":                       "article: Give the article",
		"article=a&country=Germany":              "country: A country is two letters",
		"article=%3Cscript%3E":                   "&lt;script&gt;",
	} {
		if page := get(t, b.Developers, "/developers?"+query).Body.String(); !strings.Contains(page, want) {
			t.Errorf("%s: the page lacks %q", query, want)
		}
	}
}

func TestFrameIsForTheSiteAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.sites = []string{"https://news.example"}
	w := get(t, b.Frame, "/frame?article=troops&placement=end&lang=uk&theme=dark")
	if policy := w.Header().Get("Content-Security-Policy"); !strings.HasSuffix(policy, "frame-ancestors 'self' https://news.example") {
		t.Errorf("the policy is %q", policy)
	}
	if body := w.Body.String(); !strings.Contains(body, `placement="end" lang="uk" theme="dark">`) || !strings.Contains(body, "Підтримайте команду") {
		t.Errorf("the frame is %s", body)
	}
	for query, field := range map[string]string{"article=a": "placement", "placement=mid": "article", "article=a&placement=mid&theme=pink": "theme"} {
		_, err := try(b.Frame, "/frame?"+query)
		if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Field != field {
			t.Errorf("%s: %v, want one about %s", query, err, field)
		}
	}
}

func TestFrameLeavesItself(t *testing.T) {
	t.Parallel()
	f := serveSite(t, map[string]http.HandlerFunc{"/host": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<!doctype html><html lang=en><title>A page</title><link rel=icon href=data:,><iframe title=x src="/frame?article=troops&placement=mid" width=390 height=520></iframe>`)) //nolint:errcheck // a test
	}})
	b := chromium.New(t, 800, 800)
	b.Open(f.URL+"/host", `frames[0]?.document.querySelector('u24-support')?.shadowRoot?.querySelector('.give')`)
	if target := chromium.Eval[string](b, `frames[0].document.querySelector('u24-support').shadowRoot.querySelector('.give').target`); target != "_top" {
		t.Errorf("the button leads to %q, want _top", target)
	}
	if scrolls := chromium.Eval[bool](b, `frames[0].document.documentElement.scrollHeight > 520`); scrolls {
		t.Error("the frame of the snippet's height scrolls")
	}
}
