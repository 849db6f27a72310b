package chromium

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// TestTabsShareNothing: two readers in one Chromium are strangers.
func TestTabsShareNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>A page</title><link rel=icon href=data:,>`)
	}))
	t.Cleanup(server.Close)
	one, another := New(t, 390, 800), New(t, 1280, 900)
	one.Open(server.URL)
	Eval[bool](one, `(document.cookie = "a=1", localStorage.setItem("b", "2"), true)`)
	another.Open(server.URL)
	if kept := Eval[string](another, `document.cookie + localStorage.length`); kept != "0" {
		t.Errorf("the other reader has %q", kept)
	}
	if cookies := Call(one, network.GetCookies, network.GetCookiesParams{}).Cookies; len(cookies) != 1 {
		t.Errorf("the first has %d cookies", len(cookies))
	}
	if wide := Eval[[]int](one, `[innerWidth, 1]`)[0]; wide != 390 {
		t.Errorf("the first's screen is %d wide", wide)
	}
}

// TestComplaints: what a page lacks is complained about, that it came with a
// status of 4xx itself is not.
func TestComplaints(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusUnprocessableEntity)
		if r.URL.Path == "/" {
			fmt.Fprint(w, `<!doctype html><title>A page</title><link rel=icon href=data:,><img alt="" src=/none.png><script>nothing.here()</script>`)
		}
	}))
	t.Cleanup(server.Close)
	b := New(t, 390, 800)
	b.Open(server.URL + "/")
	said := b.Complaints()
	if len(said) != 2 || !strings.Contains(strings.Join(said, " "), "/none.png") || !strings.Contains(strings.Join(said, " "), "nothing is not defined") {
		t.Errorf("the console says %q", said)
	}
	if again := b.Complaints(); len(again) > 0 {
		t.Errorf("and again %q", again)
	}
}
