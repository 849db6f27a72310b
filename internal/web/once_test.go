package web

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/account"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/staff/desk"
)

// readElsewhere are the routes that check their parameters where they read
// them, or have none.
var readElsewhere = []string{
	"/v1/ask", "/v1/supporters", "/v1/signals", "/webhooks/stripe", "/healthz", "/readyz", "/assets/*path", "/pictures/:hash", "/sandbox/*path",
}

// TestNothingThatMattersIsTakenTwice: on every route, what money, a way back or
// a sign-in depends on is refused by name where it stands twice, in the address
// or in a form.
func TestNothingThatMattersIsTakenTwice(t *testing.T) {
	t.Parallel()
	unread := func(c *gin.Context) error { // a large form is not read before it is known who sends it
		if c.Request.Form != nil || c.Request.MultipartForm != nil {
			t.Error("a large form is read before its handler asks for it")
		}
		return fine(c)
	}
	h := everything()
	h.Recover, h.RecoverForm = fine, fine
	h.Account = []account.Route{{Method: http.MethodGet, Path: "/account", Handle: fine}, {Method: http.MethodPost, Path: "/account", Handle: fine}}
	h.Staff = &staff.Pages{Routes: []desk.Mounted{
		{Route: desk.Route{Method: http.MethodPost, Path: "/staff/picture", MaxBody: 1 << 20}, Handle: unread},
		{Route: desk.Route{Method: http.MethodGet, Path: "/staff"}, Handle: fine}, {Route: desk.Route{Method: http.MethodPost, Path: "/staff"}, Handle: fine},
	}}
	readElsewhere := append([]string{"/staff/picture"}, readElsewhere...)
	s, _ := server(h)
	refused := func(what, name string, r *http.Request) {
		t.Helper()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var problem Problem
		err := json.Unmarshal(w.Body.Bytes(), &problem)
		if w.Code != http.StatusBadRequest || r.Method != http.MethodHead && (err != nil || problem.Field != name) {
			t.Errorf("%s with %s twice: %d %s", what, name, w.Code, w.Body)
		}
	}
	checked := 0
	for _, route := range s.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if method == http.MethodOptions || slices.Contains(readElsewhere, path) {
			continue
		}
		checked++
		path = strings.ReplaceAll(path, ":", "")
		for _, name := range single {
			refused(route, name, httptest.NewRequest(method, self+path+"?"+name+"=a&other_one=b&"+name+"=c", nil))
			if method != http.MethodPost {
				continue
			}
			form := httptest.NewRequest(method, self+path, strings.NewReader(url.Values{name: {"a", "a"}}.Encode()))
			form.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			refused(route+" as a form", name, form)
			var body bytes.Buffer
			parts := multipart.NewWriter(&body)
			parts.WriteField(name, "a")
			parts.WriteField(name, "b")
			parts.Close()
			form = httptest.NewRequest(method, self+path, &body)
			form.Header.Set("Content-Type", parts.FormDataContentType())
			refused(route+" in parts", name, form)
		}
	}
	if checked < 30 {
		t.Errorf("%d routes were checked", checked)
	}
	for what, form := range map[string]string{"lists": "subject=a&subject=b&to=/staff", "campaigns' links": "utm_source=a&utm_source=b"} {
		answer := send(s, http.MethodPost, "/staff", form, "Content-Type", "application/x-www-form-urlencoded")
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", what, answer.StatusCode)
		}
	}
	send(s, http.MethodPost, "/staff/picture", "to=a", "Content-Type", "application/x-www-form-urlencoded")
	if answer := send(s, http.MethodPost, "/account", "to=%zz", "Content-Type", "application/x-www-form-urlencoded"); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("a form that can't be read: %d", answer.StatusCode)
	}
}
