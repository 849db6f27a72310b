package articles_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/staff/articles"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A room is the screen with somebody of each role.
type room struct {
	store *store.Store
	pages *gin.Engine
}

func newRoom(t *testing.T) *room {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	ok(t, err)
	t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(t.Context())
	ok(t, err)
	now := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	d := desk.New(desk.Options{Store: db, PublicURL: "http://staff.example", Zone: time.UTC, Now: now})
	r := &room{db, gin.New()}
	for _, m := range d.Mount(articles.New(articles.Options{Desk: d}).Routes()...) {
		r.pages.Handle(m.Method, m.Path, func(c *gin.Context) {
			if err := m.Handle(c); err != nil {
				status := http.StatusBadRequest
				if e, known := err.(*fault.Error); known && e.Kind == fault.Forbidden {
					status = http.StatusForbidden
				}
				c.String(status, "%v", err)
			}
		})
	}
	for _, role := range desk.Roles() {
		who := store.Staff{ID: "mem_" + string(role), Email: string(role) + "@example.org", Role: string(role), Created: now()}
		ok(t, db.AddStaff(t.Context(), who, store.Entry{Who: "test", Action: "staff.add", At: now()}))
		ok(t, db.AddStaffSession(t.Context(), store.StaffSession{ID: "ses_" + string(role), Staff: who, Method: store.ByLink, Created: now(), Proved: now()},
			desk.Hash(string(role)), "", time.Time{}, store.Entry{Who: "test", Action: "staff.sign-in", At: now()}))
	}
	ok(t, db.AddArticles(t.Context(), []store.Article{
		{Slug: "grain", Title: "<b>Grain</b> & bread", Address: "https://news.example/grain", Seen: now()}, {Slug: "choir", Address: "https://news.example/choir", Seen: now()},
	}))
	return r
}

// ask sends a request as a role, with a form if there is one.
func (r *room) ask(role desk.Role, address string, form url.Values) (status int, page string) {
	request := httptest.NewRequest(http.MethodGet, address, nil)
	if form != nil {
		request = httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.AddCookie(&http.Cookie{Name: "support_staff", Value: string(role)})
	w := httptest.NewRecorder()
	r.pages.ServeHTTP(w, request)
	return w.Code, w.Body.String()
}

func TestStaffCorrectATitle(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	for address, texts := range map[string][]string{
		"/staff/articles":                      {"&lt;b&gt;Grain&lt;/b&gt; &amp; bread", "No title", "choir"},
		"/staff/articles?find=BREAD":           {"grain"},
		"/staff/articles?find=nothing":         {"holds that"},
		"/staff/articles/edit?article=grain":   {"https://news.example/grain", "the site&#39;s feed,"},
		"/staff/articles/edit?article=a%2Fnew": {"nobody yet", "a/new"},
	} {
		status, page := r.ask(desk.Finance, address, nil)
		for _, text := range texts {
			if status != http.StatusOK || !strings.Contains(strings.ReplaceAll(page, "'", "&#39;"), text) {
				t.Errorf("%s answers %d without %q", address, status, text)
			}
		}
	}
	form := url.Values{"article": {"grain"}, "title": {"Grain,\u202e at last "}, "address": {"https://news.example/grain-2"}, "reason": {"The feed cut it."}}
	if status, page := r.ask(desk.Finance, "/staff/articles/edit", form); status != http.StatusSeeOther {
		t.Fatalf("it answers %d: %s", status, page)
	}
	is := func(want store.Article) {
		t.Helper()
		known, err := r.store.Articles(t.Context(), []string{"grain"})
		got := known["grain"]
		got.Seen = time.Time{}
		if want.Slug = "grain"; err != nil || got != want {
			t.Errorf("it is %+v, %v; want %+v", got, err, want)
		}
	}
	is(store.Article{Title: "Grain, at last", Address: "https://news.example/grain-2", Source: store.FromStaff})
	entries, err := r.store.AuditBefore(t.Context(), store.AuditFilter{}, 0, 1)
	if err != nil || len(entries) != 1 || entries[0].Action != "article.correct" || entries[0].Who != "finance@example.org" || entries[0].Reason != "The feed cut it." {
		t.Errorf("audited: %+v, %v", entries, err)
	}
	for name, wrong := range map[string]url.Values{
		"title": {"article": {"grain"}, "title": {" "}}, "whole address": {"article": {"grain"}, "title": {"T"}, "address": {"javascript:alert(1)"}},
	} {
		if status, page := r.ask(desk.Finance, "/staff/articles/edit", wrong); status != http.StatusUnprocessableEntity || !strings.Contains(page, name) {
			t.Errorf("with a wrong %s it answers %d: %s", name, status, page)
		}
	}
	if status, _ := r.ask(desk.Admin, "/staff/articles/release", url.Values{"article": {"grain"}}); status != http.StatusSeeOther {
		t.Errorf("released it answers %d", status)
	}
	is(store.Article{Title: "Grain, at last", Address: "https://news.example/grain-2", Source: store.FromFeed})
	for address, form := range map[string]url.Values{"/staff/articles": nil, "/staff/articles/edit?article=grain": nil, "/staff/articles/edit": form, "/staff/articles/release": form} {
		if status, _ := r.ask(desk.Viewer, address, form); status != http.StatusForbidden {
			t.Errorf("%s answers a viewer %d", address, status)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	r := newRoom(t)
	names, err := articles.Named(t.Context(), r.store, "article", []string{"grain", "choir", "un<known", ""})
	ok(t, err)
	for slug, want := range map[string]string{
		"grain":    `<a href="https://news.example/grain" rel="noreferrer">&lt;b&gt;Grain&lt;/b&gt; &amp; bread</a> <small class="slug">grain</small>`,
		"choir":    `<a href="https://news.example/choir" rel="noreferrer">choir</a>`,
		"un<known": "un&lt;known", "": "No article",
	} {
		if got := string(names.HTML(slug)); got != want {
			t.Errorf("%q is called %s, want %s", slug, got, want)
		}
	}
}
