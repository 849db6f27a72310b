package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/testenv/chromium"
)

// TestStaffPagesFit opens every page of the staff pages, as an admin, who sees
// the most: on a tablet nothing scrolls sideways and no cell is cut off, and on
// paper there is nothing to press and every column of every table.
func TestStaffPagesFit(t *testing.T) {
	t.Parallel()
	v, _ := staffed(t)
	furnish(t, v.s.store)
	server := httptest.NewServer(v.s.handler)
	t.Cleanup(server.Close)
	who := member(desk.Admin)
	who.Created = time.Now()
	b := chromium.New(t, 768, 1024)
	chromium.Call(b, network.SetCookie, network.SetCookieParams{Name: "support_staff", Value: v.signIn(t, who).Value, URL: server.URL})
	looked := 0
	for _, r := range v.s.staff.Routes {
		if r.Method != http.MethodGet || r.Need == "" || r.Quiet {
			continue
		}
		path := address(t, r.Path) + queries[r.Path]
		if w := v.send(t, desk.Admin, r.Method, path); w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") ||
			!strings.Contains(w.Body.String(), `class="side"`) { // a file, or a frame of a page
			continue
		}
		looked++
		b.Open(server.URL + path)
		chromium.Eval[bool](b, `document.querySelectorAll("details").forEach((d) => { if (!d.closest(".side")) d.open = true; }), true`)
		if over := chromium.Eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s on a tablet is %d px too wide", path, over)
		}
		for _, wide := range append(b.TooWide(), b.CutOff()...) {
			t.Errorf("%s on a tablet: %s", path, wide)
		}
		b.Picture("tablet" + path)
		for _, wrong := range b.OnPaper() {
			t.Errorf("%s on paper: %s", path, wrong)
		}
		b.Picture("paper" + path)
		b.Size(768, 1024)
		b.Media("")
	}
	if looked < 35 {
		t.Errorf("only %d pages were looked at", looked)
	}
}
