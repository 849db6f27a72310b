package gifts

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// TestEverythingAboutASupporter: finance and admins see and take it, which is
// audited without naming anybody, and nobody else does.
func TestEverythingAboutASupporter(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	key, _, _ := n.give(1000, "EUR", "once", "olena@example.org")
	n.give(500, "EUR", "month", "taras@example.org")
	address := supportersPath + "/" + key + "/data"
	for _, path := range []string{address, address + ".json"} {
		for role, want := range map[desk.Role]int{"": 401, desk.Viewer: 403, desk.Finance: 200, desk.Admin: 200} {
			w := n.ask(role, path, nil)
			if w.Code != want {
				t.Errorf("%s as %q answers %d, want %d", path, role, w.Code, want)
			}
			if shown := strings.Contains(w.Body.String(), "olena@example.org"); shown != (want == 200) || strings.Contains(w.Body.String(), "taras@") {
				t.Errorf("%s as %q shows: %s", path, role, w.Body)
			}
		}
	}
	entries, err := n.store.AuditBefore(t.Context(), store.AuditFilter{Action: "supporter.data"}, 0, 10)
	ok(t, err)
	if len(entries) != 4 || entries[0].Subject != key {
		t.Errorf("the audit log has %+v", entries)
	}
}

// TestEraseASupporter: an admin erases, with what runs; the audit log does not
// say whom.
func TestEraseASupporter(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	_, _, subscription := n.give(500, "EUR", "month", "olena@example.org")
	key, _, _ := n.give(1000, "EUR", "once", "olena@example.org")
	address := supportersPath + "/" + key + "/erase"
	for role, want := range map[desk.Role]int{"": 401, desk.Viewer: 403, desk.Finance: 403, desk.Admin: 200} {
		if w := n.ask(role, address, nil); w.Code != want {
			t.Errorf("as %q the page answers %d, want %d", role, w.Code, want)
		}
		if shows := strings.Contains(n.ask(role, supportersPath+"/"+key, nil).Body.String(), address); shows != (role == desk.Admin) {
			t.Errorf("as %q the button is there: %v", role, shows)
		}
	}
	sure := url.Values{"ground": {"asked"}, "sure": {"1"}}
	for what, form := range map[string]url.Values{"nothing": {}, "no ground": {"sure": {"1"}}, "another ground": {"ground": {"Olena"}, "sure": {"1"}}, "not sure": {"ground": {"asked"}}} {
		if w := n.ask(desk.Admin, address, form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), `role="alert"`) {
			t.Errorf("%s: %d", what, w.Code)
		}
	}
	if w := n.ask(desk.Finance, address, sure); w.Code != http.StatusForbidden {
		t.Errorf("finance erases: %d", w.Code)
	}
	n.silent.Store(true)
	if w := n.ask(desk.Admin, address, sure); w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), "nothing was erased") {
		t.Errorf("while Stripe is silent: %d, %s", w.Code, w.Body)
	}
	n.silent.Store(false)
	if w := n.ask(desk.Admin, address, sure); w.Code != http.StatusSeeOther || w.Header().Get("Location") != supportersPath {
		t.Fatalf("erasing answers %d: %s", w.Code, w.Body)
	}
	if w := n.ask(desk.Admin, supportersPath, nil); !strings.Contains(w.Body.String(), "Donations that are nobody’s now: 2; memberships: 1.") {
		t.Errorf("it is not told: %s", w.Body)
	}
	n.box.DeliverAll(t.Context())
	m, err := n.store.MembershipBySubscription(t.Context(), subscription)
	ok(t, err)
	if m.Status != "canceled" || m.Email != "" || !giving.Erased(m.Supporter) {
		t.Errorf("the membership is %+v", m)
	}
	page := n.ask(desk.Admin, supportersPath+"/"+key, nil).Body.String()
	if strings.Contains(page, "olena@") || strings.Contains(page, address) || !strings.Contains(page, "A supporter who was erased") {
		t.Errorf("their page: %s", page)
	}
	if w := n.ask(desk.Admin, address, sure); w.Code != http.StatusConflict {
		t.Errorf("erased twice: %d", w.Code)
	}
	entries, err := n.store.AuditBefore(t.Context(), store.AuditFilter{Action: "supporter.erase"}, 0, 10)
	ok(t, err)
	if len(entries) != 1 || entries[0].Who != "admin@example.org" || entries[0].Reason != "They asked for it" || !strings.HasPrefix(entries[0].Subject, "address:") {
		t.Errorf("the audit log has %+v", entries)
	}
}

// TestEraseWithoutAnAddress: who gave cash and left a name can be forgotten too.
func TestEraseWithoutAnAddress(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	ok(t, n.ledger.Apply(t.Context(), cash("cash-1", "Mariia Petrenko")))
	ok(t, n.ledger.Apply(t.Context(), cash("cash-2", "Somebody Else")))
	if page := n.ask(desk.Finance, supportersPath+"/cash-1/data.json", nil).Body.String(); !strings.Contains(page, "Mariia Petrenko") || strings.Contains(page, "Somebody Else") {
		t.Errorf("the file: %s", page)
	}
	if w := n.ask(desk.Admin, supportersPath+"/cash-1/erase", url.Values{"ground": {"asked"}, "sure": {"1"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("erasing answers %d: %s", w.Code, w.Body)
	}
	for id, want := range map[string]string{"cash-1": "", "cash-2": "Somebody Else"} {
		d, err := n.store.DonationByKey(t.Context(), id)
		ok(t, err)
		if d.Name != want {
			t.Errorf("%s is from %q, want %q", id, d.Name, want)
		}
	}
	drifts, err := n.ledger.Verify(t.Context())
	ok(t, err)
	if len(drifts) > 0 {
		t.Errorf("verify: %v", drifts)
	}
}

// cash is a gift outside Stripe of which a name is known.
func cash(id, name string) ledger.Answer {
	gift := objects.OfflineGift{Received: 1_780_000_000, Currency: "EUR", Amount: 5000, Name: name, Method: "cash"}
	said := &objects.Offline{Gift: objects.Latest[objects.OfflineGift]{Stamp: objects.Stamp{At: gift.Received}, Value: gift}}
	return ledger.Answer{Object: objects.Fact(objects.NewRef(objects.KindOffline, id), said), At: time.Unix(gift.Received, 0)}
}
