package wall_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff/desk"
	screen "github.com/united24media/support/internal/staff/wall"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/wall"
)

// A newsroom is the screen over a wall.
type newsroom struct {
	*testing.T
	db    *store.Store
	wall  *wall.Wall
	pages *gin.Engine
}

func (n *newsroom) ok(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

func newNewsroom(t *testing.T) *newsroom {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	n := &newsroom{T: t, pages: gin.New()}
	var err error
	n.db, err = store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	n.ok(err)
	t.Cleanup(func() { n.db.Close() })
	_, err = n.db.Migrate(t.Context())
	n.ok(err)
	log := slog.New(slog.DiscardHandler)
	d := desk.New(desk.Options{
		Store: n.db, Keys: signin.New([][]byte{[]byte(strings.Repeat("s", 32))}), PublicURL: "http://staff.example", Zone: time.UTC, Now: time.Now, Log: log,
	})
	n.wall = wall.New(wall.Options{Store: n.db, PublicURL: "http://staff.example", SiteURL: "/", Now: time.Now, Log: log})
	for _, m := range d.Mount(screen.New(screen.Options{Desk: d, Wall: n.wall}).Routes()...) {
		n.pages.Handle(m.Method, m.Path, func(c *gin.Context) {
			if err := m.Handle(c); err != nil {
				c.String(http.StatusBadRequest, "%v", err)
			}
		})
	}
	n.pages.GET("/v1/wall", func(c *gin.Context) { _ = n.wall.JSON(c) })
	for _, role := range desk.Roles() {
		who := store.Staff{ID: "mem_" + string(role), Email: string(role) + "@example.org", Role: string(role), Created: time.Now()}
		n.ok(n.db.AddStaff(t.Context(), who, store.Entry{Who: "test", Action: "staff.add", At: time.Now()}))
		n.ok(n.db.AddStaffSession(t.Context(), store.StaffSession{ID: "ses_" + string(role), Staff: who, Method: store.ByLink, Created: time.Now()},
			desk.Hash(string(role)), "", time.Time{}, store.Entry{Who: "test", Action: "staff.sign-in", At: time.Now()}))
	}
	return n
}

// give records gifts of so many people who may be thanked.
func (n *newsroom) give(people int) {
	n.Helper()
	for i := range people {
		id := fmt.Sprint(i)
		email, now := "r"+id+"@example.org", time.Now()
		n.ok(n.db.AddCheckouts(n.Context(), []store.Checkout{{
			ID: "co_" + id, Attempt: id, Status: store.CheckoutOpen, Session: "cs_" + id, Currency: "EUR", AmountMinor: 100, Interval: "once", UTM: "{}",
			Name: "Reader " + id, Message: "<i>Hello " + id, ShowMessage: true, CreatedAt: now, ExpiresAt: now,
		}}))
		n.ok(n.db.Ledger(n.Context(), func(tx *store.Tx) error {
			state := map[string]string{"checkout.session/cs_" + id: objects.Encode(&objects.Session{Status: "complete", Intent: "pi_" + id})}
			if err := tx.PutRegisters(n.Context(), state); err != nil {
				return err
			}
			return tx.PutDonations(n.Context(), []*giving.Donation{{
				Key: "pi_" + id, Email: email, Supporter: giving.SupporterKey(email, "", ""), Created: now.Unix(), Gross: 123456, Currency: "EUR",
				Attribution: giving.Attribution{Checkout: "co_" + id},
			}})
		}))
	}
}

func (n *newsroom) ask(role desk.Role, address string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	if form != nil {
		r = httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.AddCookie(&http.Cookie{Name: "support_staff", Value: string(role)})
	w := httptest.NewRecorder()
	n.pages.ServeHTTP(w, r)
	return w
}

var pickField = regexp.MustCompile(`name="pick" value="([^"]+)"`)

// picks returns what can be ticked on a page.
func (n *newsroom) picks(state string) []string {
	n.Helper()
	w := n.ask(desk.Finance, "/staff/wall?state="+state, nil)
	if w.Code != http.StatusOK {
		n.Fatalf("%s answers %d: %s", state, w.Code, w.Body)
	}
	var picks []string
	for _, m := range pickField.FindAllStringSubmatch(w.Body.String(), -1) {
		picks = append(picks, m[1])
	}
	return picks
}

func TestModeration(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.give(6)
	for role, path := range map[desk.Role]string{desk.Viewer: "/staff/wall", desk.Finance: "/staff/wall/switch"} {
		form := url.Values{"to": {"on"}}
		if role == desk.Viewer {
			form = nil
		}
		if w := n.ask(role, path, form); w.Code != http.StatusBadRequest || n.wall.On() {
			t.Errorf("%s at %s is answered %d", role, path, w.Code)
		}
	}
	if w := n.ask(desk.Admin, "/staff/wall/switch", url.Values{"to": {"on"}}); w.Code != http.StatusSeeOther || !n.wall.On() {
		t.Fatalf("turning it on answers %d: %s", w.Code, w.Body)
	}
	waiting := n.picks("waiting")
	if len(waiting) != 6 {
		t.Fatalf("waiting: %v", waiting)
	}
	if page := n.ask(desk.Finance, "/staff/wall", nil).Body.String(); strings.Contains(page, "<i>") || !strings.Contains(page, "&lt;i&gt;Hello 0") || !strings.Contains(page, "€1,234.56") {
		t.Errorf("the page: %s", page)
	}
	decide := func(do, state string, picks ...string) {
		t.Helper()
		if w := n.ask(desk.Finance, "/staff/wall/decide", url.Values{"do": {do}, "state": {state}, "pick": picks}); w.Code != http.StatusSeeOther {
			t.Fatalf("%s answers %d: %s", do, w.Code, w.Body)
		}
	}
	shown := func(want int) {
		t.Helper()
		if got := strings.Count(n.ask("", "/v1/wall", nil).Body.String(), `"name"`); got != want {
			t.Errorf("%d are shown; want %d", got, want)
		}
	}
	shown(0)
	decide("reject", "waiting", waiting[0])
	decide("accept", "waiting", waiting[1:4]...)
	shown(0)
	if page := n.ask(desk.Finance, "/staff/wall?state=accepted", nil).Body.String(); !strings.Contains(page, "once 2 more people are") {
		t.Errorf("it does not say how many lack: %s", page)
	}
	decide("accept", "waiting", waiting[4:]...)
	shown(5)
	decide("reject", "shown", n.picks("shown")[0])
	shown(4)
	decide("accept", "rejected", n.picks("rejected")...)
	shown(4) // two, who wait for three others
	for name, form := range map[string]url.Values{
		"no such deed":  {"do": {"praise"}, "pick": waiting},
		"a broken tick": {"do": {"accept"}, "pick": {"co_1"}},
	} {
		if w := n.ask(desk.Finance, "/staff/wall/decide", form); w.Code != http.StatusBadRequest {
			t.Errorf("%s answers %d", name, w.Code)
		}
	}
	entries, err := n.db.AuditBefore(t.Context(), store.AuditFilter{}, 0, 100)
	n.ok(err)
	deeds := map[string]int{}
	for _, e := range entries {
		if deeds[e.Action]++; strings.Contains(fmt.Sprint(e), "Hello") || strings.Contains(fmt.Sprint(e), "Reader") {
			t.Errorf("the audit log has words of a supporter: %+v", e)
		}
	}
	if deeds["wall.on"] != 1 || deeds["wall.accept"] != 3 || deeds["wall.reject"] != 2 {
		t.Errorf("audited: %v", deeds)
	}
	n.ask(desk.Admin, "/staff/wall/switch", url.Values{"to": {"off"}})
	shown(0)
}
