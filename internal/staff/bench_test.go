package staff_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/staff/account"
	"github.com/united24media/support/internal/staff/audit"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/door"
	"github.com/united24media/support/internal/staff/passkey"
	"github.com/united24media/support/internal/staff/sso"
	"github.com/united24media/support/internal/staff/team"
	"github.com/united24media/support/internal/staff/tokens"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/web"
)

// A bench is the staff pages on a real address, with a clock that tests turn.
type bench struct {
	url   string
	store *store.Store
	desk  *desk.Desk
	keys  *signin.Keys

	mu  sync.Mutex
	now time.Time
}

// later turns the clock.
func (b *bench) later(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// newBench serves the staff pages; issuer is of the single sign-on, "" for none.
// more are screens beside those that every bench has.
func newBench(t *testing.T, issuer string, more ...func(*desk.Desk) staff.Screen) *bench {
	t.Helper()
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := &bench{store: db, keys: signin.New([][]byte{[]byte(strings.Repeat("k", 32))}), now: time.Now().Truncate(time.Second)}
	now := func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now }
	log := slog.New(slog.DiscardHandler)
	limit, err := limits.New(limits.Options{Now: now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	b.url = strings.Replace(server.URL, "127.0.0.1", "localhost", 1) // passkeys need a name
	b.desk = desk.New(desk.Options{
		Store: db, Keys: b.keys, PublicURL: b.url, Sandbox: true, Zone: time.UTC, Now: now, Limits: limit, Log: log,
	})
	keys, err := passkey.New(passkey.Options{Desk: b.desk})
	if err != nil {
		t.Fatal(err)
	}
	in := door.Options{Desk: b.desk, Mail: true, Passkey: keys.Script().Path}
	screens := []staff.Screen{keys, audit.New(audit.Options{Desk: b.desk}), team.New(team.Options{Desk: b.desk}),
		tokens.New(tokens.Options{Desk: b.desk, Reports: reports.New(reports.Options{Store: db, Timezone: time.UTC, Now: now})}),
		account.New(account.Options{Desk: b.desk, Passkey: in.Passkey})}
	for _, screen := range more {
		screens = append(screens, screen(b.desk))
	}
	if issuer != "" {
		in.SSO = sso.Path
		screens = append(screens, sso.New(sso.Options{Desk: b.desk, Issuer: issuer, ClientID: "support", Secret: "secret"}))
	}
	handler = web.New(web.Options{
		PublicURL: b.url, Log: log, Ready: func() bool { return true },
		Handlers: web.Handlers{
			Staff: staff.New(b.desk, append(screens, door.New(in))...), Assets: look.NewAssets(look.Style, look.StaffStyle, look.Icon, keys.Script()),
		},
	})
	return b
}

// employ adds somebody.
func (b *bench) employ(t *testing.T, email string, role desk.Role) store.Staff {
	t.Helper()
	m := store.Staff{ID: desk.NewMemberID(), Email: email, Role: string(role), Created: b.desk.Now()}
	if err := b.store.AddStaff(t.Context(), m, store.Entry{At: b.desk.Now(), Who: "a test", Action: "staff.add", Subject: email}); err != nil {
		t.Fatal(err)
	}
	return m
}

// address makes a one-time address.
func (b *bench) address(t *testing.T, m store.Staff) string {
	t.Helper()
	_, address, err := b.desk.NewLink(t.Context(), m, desk.LinkLife, "", store.Entry{Who: "a test", Action: "staff.link", Subject: m.Email})
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// A browser keeps cookies and follows no redirect.
type browser struct {
	*http.Client
	base string
}

func (b *bench) browser() *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &browser{&http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, b.url}
}

// An answer is what came back.
type answer struct {
	status int
	to     string // of a redirect
	body   string
}

func (c *browser) do(t *testing.T, method, path string, form url.Values, headers ...string) answer {
	t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = c.base + path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{w.StatusCode, w.Header.Get("Location"), string(body)}
}

func (c *browser) get(t *testing.T, path string) answer { return c.do(t, http.MethodGet, path, nil) }

func (c *browser) post(t *testing.T, path string, fields ...string) answer {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return c.do(t, http.MethodPost, path, form)
}

// cookie returns the session's.
func (c *browser) cookie(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(c.base)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range c.Jar.Cookies(u) {
		if cookie.Name == "support_staff" {
			return cookie.Value
		}
	}
	return ""
}

// enter signs somebody in by a one-time address.
func (b *bench) enter(t *testing.T, m store.Staff) *browser {
	t.Helper()
	c := b.browser()
	if got := c.post(t, signin.StaffPath, "token", tokenOf(t, b.address(t, m))); got.status != http.StatusSeeOther || got.to != "/staff" {
		t.Fatalf("signing in: %+v", got)
	}
	return c
}

func tokenOf(t *testing.T, address string) string {
	t.Helper()
	_, token, ok := strings.Cut(address, "?token=")
	if !ok {
		t.Fatalf("%s has no token", address)
	}
	return token
}

// inside reports whether a browser is signed in.
func (c *browser) inside(t *testing.T) bool {
	t.Helper()
	switch got := c.get(t, "/staff/account"); {
	case got.status == http.StatusOK:
		return true
	case got.status == http.StatusSeeOther && strings.HasPrefix(got.to, desk.SignInPath):
		return false
	default:
		t.Fatalf("the account page: %+v", got)
		return false
	}
}

// sessionIDs are those that a page of sessions offers to end.
var sessionIDs = regexp.MustCompile(`name="id" value="(ses_[a-z0-9]+)"`)
