package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/web"
)

// A visitor is one of a role in the whole service, wired as it is served.
type visitor struct {
	s      *service
	origin string
}

// parameter is a part of a route that stands for anything.
var parameter = regexp.MustCompile(`[:*][a-z_]+`)

// link is what a page leads to.
var link = regexp.MustCompile(`(?:href|action)="(/staff[^"?#]*)`)

// member returns one of a role.
func member(role desk.Role) store.Staff {
	return store.Staff{ID: "mem_" + string(role), Email: string(role) + "@news.example", Role: string(role), Created: time.Now()}
}

// send answers a request of a signed-in member of role; "" is nobody.
func (v visitor) send(t *testing.T, role desk.Role, method, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return v.sendBody(t, role, method, path, "", headers...)
}

// post sends a form.
func (v visitor) post(t *testing.T, role desk.Role, path, form string) *httptest.ResponseRecorder {
	t.Helper()
	return v.sendBody(t, role, http.MethodPost, path, form)
}

func (v visitor) sendBody(t *testing.T, role desk.Role, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, v.origin+path, strings.NewReader(body))
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if role != "" { // a session of its own for each request: some routes end it
		r.AddCookie(v.signIn(t, member(role)))
	}
	w := httptest.NewRecorder()
	v.s.handler.ServeHTTP(w, r)
	return w
}

// signIn begins a session and returns its cookie.
func (v visitor) signIn(t *testing.T, m store.Staff) *http.Cookie {
	t.Helper()
	token := desk.Token()
	err := v.s.store.AddStaffSession(t.Context(), store.StaffSession{ID: desk.NewMemberID(), Staff: m, Method: store.ByLink, Created: m.Created, Proved: m.Created},
		desk.Hash(token), "", m.Created.Add(-desk.Idle), commandLine("staff.sign-in", m.Email))
	if err != nil {
		t.Fatal(err)
	}
	return &http.Cookie{Name: "support_staff", Value: token}
}

// staffed returns the service as it is wired, with a member of each role, and
// its settings.
func staffed(t *testing.T) (visitor, config.Settings) {
	t.Helper()
	settings, err := config.Load(environment(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	const origin = "http://localhost:8080"
	settings.PublicURL = origin
	s, err := build(settings, origin, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	if _, err := s.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, role := range desk.Roles() {
		if err := s.store.AddStaff(t.Context(), member(role), commandLine("staff.add", string(role))); err != nil {
			t.Fatal(err)
		}
	}
	return visitor{s, origin}, settings
}

// staffRoutes are the routes of the staff pages and who may use them: that one
// is opened to more people is a change to be read.
//
//go:embed testdata/staff-routes.txt
var staffRoutes string

// TestStaffRoutes holds every route of the staff pages, as the service is
// wired, to the role it names: who may not is refused, pages lead nobody to
// what they may not see, no other site's form is taken, and nothing breaks when
// it is asked about what is not there.
func TestStaffRoutes(t *testing.T) {
	t.Parallel()
	v, _ := staffed(t)
	s := v.s
	roles := append([]desk.Role{""}, desk.Roles()...)
	var declared, needs []string
	for _, r := range s.staff.Routes {
		declared = append(declared, r.Method+" "+r.Path)
		needs = append(needs, fmt.Sprintf("%s %s %s\n", r.Method, r.Path, cmp.Or(string(r.Need), "anybody")))
		path := parameter.ReplaceAllString(r.Path, "mem_nobody")
		for _, role := range roles {
			name := fmt.Sprintf("%s %s as %q", r.Method, r.Path, role)
			w := v.send(t, role, r.Method, path)
			signIn := w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), desk.SignInPath)
			switch {
			case w.Code >= http.StatusInternalServerError && w.Code != http.StatusBadGateway:
				t.Errorf("%s: %d\n%s", name, w.Code, w.Body)
			case r.Need == "":
			case role == "" && !signIn:
				t.Errorf("%s: %d, want the sign-in page", name, w.Code)
			case role != "" && role.Allows(r.Need) && (signIn && r.Path != "/staff/sign-out" || w.Code == http.StatusForbidden):
				t.Errorf("%s: %d, want it open", name, w.Code)
			case role != "" && !role.Allows(r.Need) && w.Code != http.StatusForbidden:
				t.Errorf("%s: %d, want it refused", name, w.Code)
			}
			if w.Header().Get("Cache-Control") != "no-store" && !strings.Contains(w.Header().Get("Cache-Control"), "private") {
				t.Errorf("%s: caches may keep it: %q", name, w.Header().Get("Cache-Control"))
			}
			for _, found := range link.FindAllStringSubmatch(w.Body.String(), -1) {
				if role != "" && !opens(s.staff.Routes, role, found[1]) {
					t.Errorf("%s: it leads to %s, which that role may not see", name, found[1])
				}
			}
			if r.Method == http.MethodPost {
				foreign := []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}
				if w := v.send(t, role, r.Method, path, foreign...); w.Code != http.StatusForbidden {
					t.Errorf("%s from another site: %d", name, w.Code)
				}
			}
		}
	}
	slices.Sort(needs)
	for line := range strings.Lines(staffRoutes) {
		if !slices.Contains(needs, line) {
			t.Errorf("testdata/staff-routes.txt says %q, which is so no more", line)
		}
	}
	for _, line := range needs {
		if !strings.Contains("\n"+staffRoutes, "\n"+line) {
			t.Errorf("testdata/staff-routes.txt does not say %q", line)
		}
	}
	for _, served := range s.handler.(*web.Server).Routes() {
		method, path, _ := strings.Cut(served, " ")
		if strings.HasPrefix(path, "/staff") && method != http.MethodHead && !slices.Contains(declared, served) {
			t.Errorf("%s is served and no screen's", served)
		}
	}
}

// opens reports whether a role may open some route of an address.
func opens(routes []desk.Mounted, role desk.Role, address string) bool {
	if unescaped, err := url.PathUnescape(address); err == nil {
		address = unescaped
	}
	for _, r := range routes {
		pattern := "^" + parameter.ReplaceAllString(regexp.QuoteMeta(r.Path), `[^/]+`) + "$"
		if regexp.MustCompile(pattern).MatchString(address) && (r.Need == "" || role.Allows(r.Need)) {
			return true
		}
	}
	return false
}
