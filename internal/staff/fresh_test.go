package staff_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff/desk"
)

// Who may come in is changed only by somebody who signed in a short time ago.
func TestFreshSignIn(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	olha, petro := b.employ(t, "olha@news.example", desk.Admin), b.employ(t, "petro@news.example", desk.Viewer)
	c := b.enter(t, olha)
	his := "/staff/team/" + petro.ID
	forms := []struct{ path, form string }{
		{"/staff/team", "/staff/team"}, {his + "/role", his}, {his + "/link", his}, {his + "/remove", his}, {"/staff/tokens", "/staff/tokens"},
	}
	send := func(path string) answer {
		return c.post(t, path, "email", "new@news.example", "name", "sheet", "role", "finance", "sure", "yes")
	}
	b.later(2 * desk.FreshFor)
	for _, f := range forms {
		if got := send(f.path); got.to != desk.Again(f.form)+"&sent=1" {
			t.Errorf("%s: %+v", f.path, got)
		}
	}
	if got := c.do(t, http.MethodPost, "/staff/account/passkeys/begin", nil, "Accept", "application/json"); got.status != http.StatusForbidden || !strings.Contains(got.body, "15 minutes") {
		t.Errorf("a passkey: %+v", got)
	}
	if page := c.get(t, "/staff/account").body; !strings.Contains(page, "Sign in again to add one") {
		t.Errorf("the account page offers what it refuses:\n%s", page)
	}
	if list, err := b.store.StaffList(t.Context()); err != nil || len(list) != 2 || list[1].Role != "viewer" {
		t.Errorf("something was changed: %+v, %v", list, err)
	} else if tokens, err := b.store.Tokens(t.Context()); err != nil || len(tokens) != 0 {
		t.Errorf("a token was made: %+v, %v", tokens, err)
	}

	page := c.get(t, desk.Again(his))
	for _, want := range []string{"Yours was 30 minutes ago", `data-to="` + his + `"`, `value="olha@news.example"`} {
		if page.status != http.StatusOK || !strings.Contains(page.body, want) {
			t.Errorf("the page that asks lacks %s:\n%s", want, page.body)
		}
	}
	before := c.cookie(t)
	if got := c.post(t, signin.StaffPath, "token", tokenOf(t, b.address(t, olha))); got.to != his {
		t.Errorf("after another sign-in: %+v", got)
	}
	if c.cookie(t) == before {
		t.Error("the session is the one of before")
	}
	if got := c.get(t, desk.Again(his)); got.to != his {
		t.Errorf("asked twice: %+v", got)
	}
	b.later(2*desk.FreshFor - time.Second)
	for _, f := range forms {
		if got := send(f.path); strings.HasPrefix(got.to, desk.AgainPath) {
			t.Errorf("%s: %+v", f.path, got)
		}
	}
	if got := c.post(t, signin.StaffPath, "token", tokenOf(t, b.address(t, olha))); got.to != "/staff" {
		t.Errorf("where it came back to is remembered for ever: %+v", got)
	}
}

// Who was led to the door comes back to the page by a mailed link too.
func TestMailLeadsBack(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	olha := b.employ(t, "olha@news.example", desk.Admin)
	c := b.browser()
	door := c.get(t, "/staff/audit?who=x")
	if page := c.get(t, door.to).body; !strings.Contains(page, `name="to" value="/staff/audit?who=x"`) {
		t.Fatalf("%s:\n%s", door.to, page)
	}
	c.post(t, desk.SignInPath, "email", olha.Email, "to", "/staff/audit?who=x")
	if got := c.post(t, signin.StaffPath, "token", tokenOf(t, b.address(t, olha))); got.to != "/staff/audit?who=x" {
		t.Errorf("%+v", got)
	}
	c = b.browser()
	c.post(t, desk.SignInPath, "email", olha.Email, "to", "//evil.example/staff")
	if got := c.post(t, signin.StaffPath, "token", tokenOf(t, b.address(t, olha))); got.to != "/staff" {
		t.Errorf("%+v", got)
	}
}

// A sign-on that was open already proves nothing; one that is asked again has
// to say when somebody showed who they are.
func TestFreshSingleSignOn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := newBench(t, p.URL)
	b.employ(t, "olha@news.example", desk.Admin)
	const to = "/staff/team"
	for _, tt := range []struct {
		name  string
		again bool
		told  time.Duration // how long ago the provider says; 0 if it says nothing
		fresh bool
	}{
		{"plain", false, 0, false},
		{"plain, of a provider that tells", false, time.Minute, true},
		{"again, of a provider that does not tell", true, 0, true},
		{"again", true, time.Minute, true},
		{"again, and let in without being asked", true, desk.FreshFor + time.Minute, false},
		{"again, its clock ahead", true, -time.Hour, true},
	} {
		b.later(10 * time.Minute) // attempts are limited
		p.mu.Lock()
		p.wrong = nil
		if tt.told != 0 {
			p.wrong = map[string]any{"auth_time": b.desk.Now().Add(-tt.told).Unix()}
		}
		p.mu.Unlock()
		c := b.browser()
		address := "/staff/sso?to=" + to
		if tt.again {
			address += "&again=1"
		}
		begun := c.get(t, address)
		if asked := strings.Contains(begun.to, "max_age=900"); asked != tt.again {
			t.Errorf("%s: the provider is asked: %s", tt.name, begun.to)
		}
		c.get(t, c.get(t, begun.to).to)
		if got := c.get(t, desk.Again(to)); (got.to == to) != tt.fresh {
			t.Errorf("%s: %d to %q; fresh is %v", tt.name, got.status, got.to, tt.fresh)
		}
	}
}
