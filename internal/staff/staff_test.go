package staff_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

func TestOneTimeAddress(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	olha := b.employ(t, "olha@news.example", desk.Admin)
	address := b.address(t, olha)
	for range 5 { // scanners, previews, the Back button
		if got := b.browser().get(t, address); got.status != http.StatusOK || !strings.Contains(got.body, olha.Email) {
			t.Fatalf("a GET: %+v", got)
		}
	}
	if got := b.browser().do(t, http.MethodHead, address, nil); got.status != http.StatusOK {
		t.Errorf("a HEAD: %d", got.status)
	}
	var entered atomic.Int64
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if got := b.browser().post(t, signin.StaffPath, "token", tokenOf(t, address)); got.status == http.StatusSeeOther {
				entered.Add(1)
			}
		})
	}
	all.Wait()
	if entered.Load() != 1 {
		t.Errorf("%d came in by one address", entered.Load())
	}
	if got := b.browser().get(t, address); got.status != http.StatusNotFound {
		t.Errorf("after it was used: %d", got.status)
	}
	address = b.address(t, olha)
	b.later(desk.LinkLife)
	if got := b.browser().post(t, signin.StaffPath, "token", tokenOf(t, address)); got.status != http.StatusNotFound {
		t.Errorf("when its time is over: %d", got.status)
	}
	for _, token := range []string{"", "x", tokenOf(t, address) + "x", "sup_abc"} {
		if got := b.browser().post(t, signin.StaffPath, "token", token); got.status != http.StatusNotFound {
			t.Errorf("token %q: %d", token, got.status)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	olha := b.employ(t, "olha@news.example", desk.Admin)

	t.Run("a cookie that somebody planted is not taken over", func(t *testing.T) {
		c := b.browser()
		u, _ := url.Parse(b.url)
		c.Jar.SetCookies(u, []*http.Cookie{{Name: "support_staff", Value: "planted", Path: "/"}})
		c.post(t, signin.StaffPath, "token", tokenOf(t, b.address(t, olha)))
		first := c.cookie(t)
		if first == "planted" || first == "" || !c.inside(t) {
			t.Fatalf("the cookie is %q", first)
		}
		c.post(t, signin.StaffPath, "token", tokenOf(t, b.address(t, olha)))
		thief := b.browser()
		thief.Jar.SetCookies(u, []*http.Cookie{{Name: "support_staff", Value: first, Path: "/"}})
		if c.cookie(t) == first || thief.inside(t) {
			t.Error("signing in again leaves the session before open")
		}
	})
	t.Run("ended one by one, and all", func(t *testing.T) {
		a, other, third := b.enter(t, olha), b.enter(t, olha), b.enter(t, olha)
		page := a.get(t, "/staff/account").body
		ids := sessionIDs.FindAllStringSubmatch(page, -1)
		if len(ids) < 2 || !strings.Contains(page, "this one") {
			t.Fatalf("%d sessions can be ended:\n%s", len(ids), page)
		}
		for _, id := range ids {
			if got := a.post(t, "/staff/account/sessions/end", "id", id[1]); got.status != http.StatusSeeOther {
				t.Errorf("ending %s: %+v", id[1], got)
			}
		}
		if other.inside(t) || third.inside(t) || !a.inside(t) {
			t.Error("ended sessions are open, or the one that ended them is not")
		}
		fourth := b.enter(t, olha)
		a.post(t, "/staff/account/sessions/end-others")
		if fourth.inside(t) || !a.inside(t) {
			t.Error("ending all others")
		}
		a.post(t, "/staff/sign-out")
		if a.cookie(t) != "" || a.inside(t) {
			t.Error("signed out, and still in")
		}
	})
	t.Run("not somebody else's", func(t *testing.T) {
		petro := b.employ(t, "petro@news.example", desk.Viewer)
		his, hers := b.enter(t, petro), b.enter(t, olha)
		sessions, err := b.store.StaffSessions(t.Context(), olha.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sessions {
			if got := his.post(t, "/staff/account/sessions/end", "id", s.ID); got.status != http.StatusNotFound {
				t.Errorf("%+v", got)
			}
		}
		if !hers.inside(t) {
			t.Error("a viewer ended an admin's session")
		}
		if err := b.store.RemoveStaff(t.Context(), petro.ID, store.Entry{Action: "staff.remove"}); err != nil {
			t.Fatal(err)
		}
		if his.inside(t) {
			t.Error("who was removed is still in")
		}
	})
	t.Run("limits of time", func(t *testing.T) {
		c := b.enter(t, olha)
		b.later(desk.Idle)
		if c.inside(t) {
			t.Error("a session that nobody used is open")
		}
		c = b.enter(t, olha)
		for range int(desk.Absolute / (desk.Idle / 2)) {
			if !c.inside(t) {
				t.Fatal("a session in use ended early")
			}
			b.later(desk.Idle / 2)
		}
		if c.inside(t) {
			t.Error("a session is open for ever if it is used")
		}
	})
}

func TestSignInByMail(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	olha := b.employ(t, "Olha@news.example", desk.Viewer)
	mailed := func(want int) []store.QueuedMail {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; {
			found, err := b.store.MailBefore(t.Context(), "", time.Time{}, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			if len(found) >= want {
				return found
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d mails were queued, want %d", len(found), want)
			}
			time.Sleep(time.Millisecond)
		}
	}
	c := b.browser()
	known, unknown := c.post(t, desk.SignInPath, "email", "olha@NEWS.example"), b.browser().post(t, desk.SignInPath, "email", "eve@news.example")
	if known.status != http.StatusOK || known != unknown {
		t.Errorf("known and unknown are told apart:\n%+v\n%+v", known, unknown)
	}
	m := mailed(1)[0]
	if m.To != olha.Email || m.Kind != "staff_sign_in" || strings.Contains(string(m.Data), "token") {
		t.Fatalf("%+v", m)
	}
	token := b.keys.Token(signin.Staff, m.Subject)
	other := b.browser()
	page := other.get(t, signin.StaffPath+"?token="+token)
	if page.status != http.StatusOK || strings.Contains(strings.ToLower(page.body), "olha@") || !strings.Contains(page.body, `name="email"`) {
		t.Errorf("another browser is not asked for the address:\n%s", page.body)
	}
	if got := other.post(t, signin.StaffPath, "token", token); got.status != http.StatusBadRequest {
		t.Errorf("a program that presses the button: %+v", got)
	}
	if got := b.browser().post(t, desk.SignInPath+"/code", "code", b.keys.Code(signin.Staff, m.Subject)); got.status != http.StatusBadRequest {
		t.Errorf("the code in another browser: %d", got.status)
	}
	for range 5 {
		if got := c.post(t, desk.SignInPath+"/code", "code", "000 000"); got.status != http.StatusBadRequest {
			t.Errorf("a wrong code: %d", got.status)
		}
	}
	if got := c.post(t, desk.SignInPath+"/code", "code", b.keys.Code(signin.Staff, m.Subject)); got.status != http.StatusBadRequest {
		t.Errorf("the right code after too many tries: %d", got.status)
	}
	if got := other.post(t, signin.StaffPath, "token", token, "email", " olha@news.example"); got.status != http.StatusSeeOther || !other.inside(t) {
		t.Errorf("another browser with the address: %+v", got)
	}
	if got := c.post(t, desk.SignInPath, "email", olha.Email); got.status != http.StatusOK {
		t.Fatal(got.status)
	}
	var second store.QueuedMail
	for _, found := range mailed(2) {
		if found.Subject != m.Subject {
			second = found
		}
	}
	if got := c.post(t, desk.SignInPath+"/code", "code", b.keys.Code(signin.Staff, second.Subject)); got.status != http.StatusSeeOther || !c.inside(t) {
		t.Errorf("the code in the browser that asked: %+v", got)
	}
	if got := c.post(t, signin.StaffPath, "token", b.keys.Token(signin.Staff, second.Subject)); got.status != http.StatusNotFound {
		t.Errorf("the link after its code: %d", got.status)
	}
}

// Strangers can neither try without end nor flood a mailbox.
func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	b.employ(t, "olha@news.example", desk.Viewer)
	limited := 0
	for range 30 {
		switch got := b.browser().post(t, desk.SignInPath, "email", "olha@news.example"); got.status {
		case http.StatusOK:
		case http.StatusTooManyRequests:
			limited++
		default:
			t.Fatalf("%+v", got)
		}
	}
	if limited != 10 {
		t.Errorf("%d of 30 attempts were refused, want 10", limited)
	}
	// The mails are queued after the answers.
	count := 0
	for deadline := time.Now().Add(10 * time.Second); count < 3 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		found, err := b.store.MailBefore(t.Context(), "", time.Time{}, "", 40)
		if err != nil {
			t.Fatal(err)
		}
		count = len(found)
	}
	if count != 3 {
		t.Errorf("%d mails to one address, want 3", count)
	}
}

// TestFailedSignInsAreAudited: what did not open is in the audit log, with the
// member it was tried as where that is known, nothing that a stranger wrote, and
// few entries of a flood.
func TestFailedSignInsAreAudited(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	b.employ(t, "olha@news.example", desk.Viewer)
	c := b.browser()
	for range 4 {
		c.post(t, signin.StaffPath, "token", "stranger@evil.example")
	}
	c.post(t, desk.SignInPath+"/code", "code", "000000")
	for range 20 {
		c.post(t, desk.SignInPath, "email", "stranger@evil.example")
	}
	// What an address leads to is looked up after the answer.
	want := map[string]bool{
		"somebody  by a link that is over, or none of ours": true, "somebody  by a code": true,
		"somebody  asked for a mail to an address that is not on the team":                        true,
		"somebody  asked for a mail to an address that is not on the team: 10 times in this hour": true,
		"somebody  too many attempts from a network":                                              true,
	}
	got := map[string]bool{}
	for deadline := time.Now().Add(10 * time.Second); len(got) < len(want) && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got = b.failures(t)
	}
	if !maps.Equal(got, want) {
		t.Errorf("the audit log has %v; want %v", got, want)
	}
}

// failures returns what the audit log has of sign-ins that failed: who, the
// member it was tried as, and how.
func (b *bench) failures(t *testing.T) map[string]bool {
	t.Helper()
	log, err := b.store.AuditAfter(t.Context(), store.AuditFilter{Action: "staff.sign-in.failed"}, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, e := range log {
		found[e.Who+" "+e.Subject+" "+e.Detail] = true
	}
	return found
}

func TestTeam(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	olha := b.employ(t, "olha@news.example", desk.Admin)
	c := b.enter(t, olha)
	if got := c.post(t, "/staff/team", "email", "not an address", "role", "viewer"); got.status != http.StatusBadRequest || !strings.Contains(got.body, "Write an e-mail address") {
		t.Errorf("%d", got.status)
	}
	if got := c.post(t, "/staff/team", "email", "OLHA@news.example", "role", "viewer"); got.status != http.StatusBadRequest || !strings.Contains(got.body, "a member already") {
		t.Errorf("somebody who is there: %d", got.status)
	}
	added := c.post(t, "/staff/team", "email", "petro@news.example", "role", "finance")
	if added.status != http.StatusSeeOther || !strings.HasPrefix(added.to, "/staff/team/mem_") {
		t.Fatalf("%+v", added)
	}
	if page := c.get(t, added.to).body; !strings.Contains(page, "petro@news.example is a member now.") {
		t.Errorf("the page does not say what was done:\n%s", page)
	} else if again := c.get(t, added.to).body; strings.Contains(again, "is a member now.") {
		t.Error("it says so twice")
	}
	made := c.post(t, added.to+"/link")
	_, rest, ok := strings.Cut(made.body, "<code>"+b.url+signin.StaffPath+"?token=")
	token, _, _ := strings.Cut(rest, "<")
	petro := b.browser()
	if got := petro.post(t, signin.StaffPath, "token", token); !ok || got.status != http.StatusSeeOther {
		t.Fatalf("the address that was made: %v, %+v", ok, got)
	}
	if got := petro.get(t, "/staff/team"); got.status != http.StatusForbidden {
		t.Errorf("finance sees the team: %d", got.status)
	}
	if got := c.post(t, added.to+"/role", "role", "admin"); got.status != http.StatusSeeOther {
		t.Errorf("%+v", got)
	}
	if got := petro.get(t, "/staff/team"); got.status != http.StatusOK {
		t.Errorf("an admin's role does not count at once: %d", got.status)
	}
	if got := c.post(t, added.to+"/role", "role", "root"); got.status != http.StatusBadRequest {
		t.Errorf("a role that is none: %d", got.status)
	}
	if got := c.post(t, added.to+"/remove"); got.status != http.StatusBadRequest {
		t.Errorf("removed without being sure: %d", got.status)
	}
	if got := c.post(t, added.to+"/remove", "sure", "yes"); got.status != http.StatusSeeOther || petro.inside(t) {
		t.Errorf("%+v", got)
	}
	if got := c.post(t, "/staff/team/"+olha.ID+"/remove", "sure", "yes"); got.status != http.StatusConflict || !strings.Contains(got.body, "last admin") {
		t.Errorf("the last admin: %+v", got)
	}
	log := c.get(t, "/staff/audit?check=1").body
	for _, want := range []string{"staff.add", "staff.link", "staff.role", "finance → admin", "staff.remove", "staff.sign-in", "follow one another, unchanged"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log lacks %s", want)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	olha := b.employ(t, "olha@news.example", desk.Admin)
	c := b.enter(t, olha)
	for _, wrong := range [][2]string{{"two words", "viewer"}, {"sheet", "admin"}, {"", "viewer"}} {
		if got := c.post(t, "/staff/tokens", "name", wrong[0], "role", wrong[1]); got.status != http.StatusBadRequest || !strings.Contains(got.body, `class="error"`) {
			t.Errorf("%q: %d", wrong, got.status)
		}
	}
	made := c.post(t, "/staff/tokens", "name", "sheet", "role", "finance")
	_, rest, ok := strings.Cut(made.body, "<code>sup_")
	text, _, _ := strings.Cut(rest, "<")
	if made.status != http.StatusOK || !ok {
		t.Fatalf("%+v", made)
	}
	if known, err := b.store.TokenByHash(t.Context(), desk.Hash("sup_"+text)); err != nil || known.Name != "sheet" || known.Role != "finance" {
		t.Errorf("%+v, %v", known, err)
	}
	if page := c.get(t, "/staff/tokens").body; strings.Contains(page, text) || !strings.Contains(page, ">sheet<") {
		t.Errorf("the list:\n%s", page)
	}
	if got := c.post(t, "/staff/tokens", "name", "sheet", "role", "viewer"); got.status != http.StatusBadRequest || !strings.Contains(got.body, "another name") {
		t.Errorf("a name that is taken: %d", got.status)
	}
	b.later(time.Hour) // to end a token takes no fresh sign-in
	if got := c.post(t, "/staff/tokens/revoke", "name", "sheet"); got.status != http.StatusSeeOther {
		t.Errorf("%+v", got)
	}
	if got := c.post(t, "/staff/tokens/revoke", "name", "sheet"); got.status != http.StatusNotFound {
		t.Errorf("revoked twice: %+v", got)
	}
	log := c.get(t, "/staff/audit").body
	for _, want := range []string{"token.create", "role finance", "token.revoke"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log lacks %s", want)
		}
	}
}

func TestAuditExport(t *testing.T) {
	t.Parallel()
	b := newBench(t, "")
	olha := b.employ(t, "olha@news.example", desk.Admin)
	c := b.enter(t, olha)
	for range 60 {
		if err := b.store.Audit(t.Context(), store.Entry{At: b.desk.Now(), Who: "=HYPERLINK(1)", Action: "test.done", Detail: "a \"quoted\", line"}); err != nil {
			t.Fatal(err)
		}
	}
	first := c.get(t, "/staff/audit?action=test")
	if strings.Count(first.body, "<code>test.done</code>") != 50 || !strings.Contains(first.body, "rel=\"next\"") {
		t.Errorf("the first page: %d entries", strings.Count(first.body, "<code>test.done</code>"))
	}
	_, rest, _ := strings.Cut(first.body, `<span><a href="/staff/audit?`)
	query, _, _ := strings.Cut(rest, `"`)
	if second := c.get(t, "/staff/audit?"+strings.ReplaceAll(query, "&amp;", "&")); strings.Count(second.body, "<code>test.done</code>") != 10 {
		t.Errorf("the second page: %d entries", strings.Count(second.body, "<code>test.done</code>"))
	}
	csv := c.get(t, "/staff/audit/export?format=csv&action=test")
	if lines := strings.Split(strings.TrimSpace(csv.body), "\r\n"); len(lines) != 61 || !strings.Contains(lines[1], `,'=HYPERLINK(1),test.done,,,"a ""quoted"", line",`) {
		t.Errorf("%d lines; the second is %q", len(lines), lines[min(1, len(lines)-1)])
	}
	if lines := strings.Split(strings.TrimSpace(c.get(t, "/staff/audit/export?format=jsonl&who=olha@news.example").body), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], `{"number":3,"at":"`) {
		t.Errorf("%q", lines)
	}
	for _, bad := range []string{"?format=xls", "?format=csv&from=today"} {
		if got := c.get(t, "/staff/audit/export"+bad); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, got.status)
		}
	}
}
