package main

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/campaign"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
)

// owner is the member of staff whose things the others try to get at. They are
// an admin: nobody has a higher role.
var owner = store.Staff{ID: "mem_owner", Email: "owner@news.example", Role: store.RoleAdmin}

// giver is in nothing that a viewer, or nobody, is answered.
const giver = "olena.with-a-rather-long-address@a-mail-service-of-hers.example"

// theirs are words that stand in what is owner's alone.
var theirs = []string{"Ownersview", "ownersearch", "Ownerskey", "ses_owner", "Ownersdraft"}

// ids says what stands in a route for each of its parameters: something that is
// there, and that was made by none of who asks.
var ids = map[string]string{
	"/staff/donations/:id":                        "pi_1",
	"/staff/donations/:id/do/:kind":               "note",
	"/staff/memberships/:id":                      "sub_1",
	"/staff/memberships/:id/do/:kind":             "note",
	"/staff/supporters/:id":                       "pi_1",
	"/staff/mail/letter/:id":                      store.MailID("receipt", "pi_1"),
	"/staff/team/:id":                             owner.ID,
	"/staff/asks/versions/:number":                "1",
	"/staff/campaigns/one/:slug":                  "winter",
	"/staff/campaigns/one/:slug/versions/:number": "1",
	"/staff/reports/payouts/:id":                  "po_1",
	"/staff/reports/months/:month":                "2026-03",
}

// queries are what the GET routes are asked that are nothing without.
var queries = map[string]string{
	"/staff/articles/edit": "?article=grain", "/staff/campaigns/review": "?slug=winter", "/staff/campaigns/edit": "?slug=winter",
	"/staff/audit/export": "?format=csv",
}

// A deed is a form that a POST route takes, about what is there.
type deed struct {
	path, form string
	owned      int    // not 0: it is about what is owner's alone, and others get this status
	idle       string // why it changes nothing here; "" if it does
}

// deeds are forms for every POST route that needs a role, in an order in which
// each finds something to do.
func deeds(words string) []deed {
	note := "key=" + strings.Repeat("A", 26) + "&reason=Thanked+by+phone"
	return []deed{
		{path: "/staff/account/sessions/end", form: "id=ses_owner", owned: http.StatusNotFound},
		{path: "/staff/account/passkeys/remove", form: "id=key_owner", owned: http.StatusNotFound},
		{path: "/staff/donations/views/drop", form: "id=view_owner", owned: http.StatusNotFound},
		{path: "/staff/donations/:id/do/:kind", form: "key=" + strings.Repeat("O", 26) + "&reason=Thanked+by+phone", owned: http.StatusConflict},

		{path: "/staff/account/sessions/end-others"},
		{path: "/staff/account/passkeys/begin"},
		{path: "/staff/account/passkeys", idle: "a device would have to answer"},
		{path: "/staff/donations/find", form: "text=pi_1"},
		{path: "/staff/donations/views", form: "name=Mine&status=received"},
		{path: "/staff/donations/:id/do/:kind", form: note},
		{path: "/staff/memberships/:id/do/:kind", form: strings.Replace(note, "AAAA", "BBBB", 1)},
		{path: "/staff/supporters/find", form: "text=olena"},
		{path: "/staff/asks/publish", form: "base=1&reason=Tried"},
		{path: "/staff/asks/restore", form: "number=1&base=2&reason=Tried"},
		{path: "/staff/asks/edit", form: "part=json&json=%7B%7D"},
		{path: "/staff/asks/discard"},
		{path: "/staff/asks/switch", form: "to=off&reason=Tried"},
		{path: "/staff/campaigns/publish", form: "slug=winter&base=1&reason=Tried"},
		{path: "/staff/campaigns/restore", form: "slug=winter&number=1&base=2&reason=Tried"},
		{path: "/staff/campaigns/edit", form: "slug=winter&name.en=Winter"},
		{path: "/staff/campaigns/discard", form: "slug=winter"},
		{path: "/staff/health/retry", form: "id=evt_parked"},
		{path: "/staff/quarantine/accept", form: "subject=pi_1"},
		{path: "/staff/quarantine/reject", form: "subject=pi_2&sure=yes&reason=A+thief", idle: "Stripe is not there to give it back"},
		{path: "/staff/mail/retry", form: "id=" + store.MailID("receipt", "pi_1")},
		{path: "/staff/wall/decide", form: url.Values{"do": {"accept"}, "pick": {"co_1:" + words}, "state": {"waiting"}}.Encode()},
		{path: "/staff/wall/switch", form: "to=on"},
		{path: "/staff/articles/edit", form: "article=grain&title=Grain&reason=Tried"},
		{path: "/staff/articles/release", form: "article=grain"},
		{path: "/staff/tokens", form: "name=mine&role=viewer"},
		{path: "/staff/tokens/revoke", form: "name=owners"},
		{path: "/staff/team", form: "email=new%40news.example&role=viewer"},
		{path: "/staff/team/:id/link"},
		{path: "/staff/team/:id/sign-out"},
		{path: "/staff/team/:id/role", form: "role=viewer"},
		{path: "/staff/team/:id/remove", form: "sure=yes"},
		{path: "/staff/supporters/:id/erase", form: "ground=asked&sure=yes", idle: "Stripe is not there to be asked for the customer"},
		{path: "/staff/sign-out"},
	}
}

// address puts ids in the place of a route's parameters.
func address(t *testing.T, path string) string {
	t.Helper()
	parts := strings.Split(path, "/")
	filled := slices.Clone(parts)
	for i, part := range parts {
		if !strings.ContainsAny(part, ":*") {
			continue
		}
		if filled[i] = ids[strings.Join(parts[:i+1], "/")]; filled[i] == "" {
			t.Fatalf("%s: say in ids what stands for %s", path, part)
		}
	}
	return strings.Join(filled, "/")
}

// furnish puts into the database what ids and deeds are about, and returns the
// words on the wall.
func furnish(t *testing.T, db *store.Store) string {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	owner := owner
	owner.Created = now
	by := commandLine("test", "")
	ok(db.AddStaff(ctx, owner, by))
	ok(db.AddStaffSession(ctx, store.StaffSession{ID: "ses_owner", Staff: owner, Method: store.ByLink, Created: now, Proved: now}, desk.Hash("owner"), "", time.Time{}, by))
	ok(db.AddPasskey(ctx, store.Passkey{ID: "key_owner", Staff: owner.ID, Name: "Ownerskey", Credential: `{}`, Created: now}, by))
	ok(db.AddView(ctx, store.SavedView{ID: "view_owner", Staff: owner.ID, Name: "Ownersview", Filters: "text=ownersearch", Created: now}))
	ok(db.AddToken(ctx, store.Token{Name: "owners", Role: "viewer", Created: now}, desk.Hash("token"), by))
	_, err := db.BeginAction(ctx, store.Action{
		ID: strings.Repeat("O", 26), Subject: "pi_1", Kind: "note", Who: owner.Email, Reason: "Thanked by phone", Detail: "{}", State: store.ActionAsked, Created: now,
	})
	ok(err)

	ok(db.AddCheckouts(ctx, []store.Checkout{{
		ID: "co_1", Attempt: "1", Status: store.CheckoutOpen, Session: "cs_1", Currency: "EUR", AmountMinor: 2500, Interval: "once", UTM: "{}",
		Name: "Olena", Message: "Hold on", ShowMessage: true, CreatedAt: now, ExpiresAt: now,
	}}))
	gift := func(key, checkout, subscription string) *giving.Donation {
		return &giving.Donation{
			Key: key, Source: "stripe", Charge: "ch_" + key, Email: giver, Supporter: giving.SupporterKey(giver, "", ""), Created: now.Unix(), Gross: 2500,
			Currency: "EUR", Subscription: subscription, Attribution: giving.Attribution{Checkout: checkout, Article: "grain"},
		}
	}
	body := []byte(`{"id":"evt_parked","object":"event","api_version":"2023-10-16","created":1700000000,"livemode":false,"type":"charge.succeeded",` +
		`"data":{"object":{"id":"ch_odd","object":"charge","created":"soon","metadata":{"support_v":"1"}}}}`)
	ok(db.Ledger(ctx, func(tx *store.Tx) error {
		err := tx.PutRegisters(ctx, map[string]string{
			"checkout.session/cs_1": objects.Encode(&objects.Session{Status: "complete", Intent: "pi_1"}),
			"payout/po_1":           objects.Encode(&objects.Payout{Created: now.Unix(), Arrival: now.Unix(), Currency: "EUR", Amount: 2300, Status: "paid"}),
		})
		if err == nil {
			err = tx.PutDonations(ctx, []*giving.Donation{gift("pi_1", "co_1", "sub_1"), gift("pi_2", "", "")})
		}
		if err == nil {
			err = tx.PutMemberships(ctx, []*giving.Membership{{
				Subscription: "sub_1", Email: giver, Supporter: giving.SupporterKey(giver, "", ""), Status: "active", Live: true, Created: now.Unix(),
				Currency: "EUR", Amount: 2500, Interval: giving.Month,
			}})
		}
		if err == nil {
			err = tx.PutEvents(ctx, []store.Event{{ID: "evt_parked", Type: "charge.succeeded", Created: now, Received: now, State: store.Parked, Body: ledger.Pack(body)}}, []int64{1})
		}
		return err
	}))
	ok(db.HoldSuspects(ctx, []store.Suspect{
		{Subject: "pi_1", Kind: store.SuspectGift, Reason: "odd", Found: now}, {Subject: "pi_2", Kind: store.SuspectGift, Reason: "odd", Found: now},
	}))
	ok(db.QueueMail(ctx, store.Mail{Kind: "receipt", Subject: "pi_1", To: giver, Locale: "en", Due: now.Add(time.Hour)}))
	ok(db.AddWall(ctx, []store.WallGift{{Checkout: "co_1", Donation: "pi_1"}}, now))
	ok(db.AddArticles(ctx, []store.Article{{Slug: "grain", Title: "Grain and Bread: How the Corridor Was Opened, Closed and Opened Again", Address: "https://news.example/grain"}}))
	publish := func(kind, body string, row *store.Campaign) {
		_, err := db.Publish(ctx, store.Version{Kind: kind, Body: body, Who: owner.Email, Reason: "begun", At: now}, 0, row, by)
		ok(err)
	}
	winter := campaign.Document{Names: map[string]string{"en": "Winter"}}
	row, err := winter.Row("winter")
	ok(err)
	publish(policy.KindAsks, `{}`, nil)
	publish(campaign.Kind("winter"), row.Body, &row)
	draft := func(who, kind, body string) {
		ok(db.PutDraft(ctx, store.Draft{Kind: kind, Who: who, Base: 1, Body: body, At: now}))
	}
	rule := `{"rules":[{"name":%q,"show":"quiet","tags":{"include":["obituary"]}}]}`
	draft(owner.Email, policy.KindAsks, fmt.Sprintf(rule, "Ownersdraft"))
	draft(owner.Email, campaign.Kind("winter"), `{"names":{"en":"Ownersdraft"}}`)
	draft(member(desk.Admin).Email, policy.KindAsks, fmt.Sprintf(rule, "Mine"))
	draft(member(desk.Admin).Email, campaign.Kind("winter"), `{"names":{"en":"Mine"}}`)
	_, err = db.PutStatement(ctx, store.Statement{Month: 202603, ClosedAt: now, AsOf: now, Timezone: "UTC", Body: `{"timezone":"UTC"}`})
	ok(err)
	waiting, err := db.Wall(ctx, store.WallWaiting, 10)
	ok(err)
	if len(waiting) != 1 {
		t.Fatal("nobody waits for the wall:", waiting)
	}
	return waiting[0].Words()
}

// contents returns what is in each table of an SQLite database.
func contents(t *testing.T, db *sql.DB) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, table := range column(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`) {
		var text strings.Builder
		eachRow(t, db, table, func(row []any) { fmt.Fprintln(&text, row...) })
		all[table] = text.String()
	}
	return all
}

// TestStaffAndWhatIsOthers has every role, and nobody, ask every route of the
// staff pages for what is there and is others': gifts, supporters, mails, members
// of the team and what those keep for themselves. What a role may not do is
// refused and changes nothing in the database; what is one member's own is not
// there for the others, whatever their role.
func TestStaffAndWhatIsOthers(t *testing.T) {
	t.Parallel()
	v, settings := staffed(t)
	words := furnish(t, v.s.store)
	db, err := sql.Open("sqlite", strings.TrimPrefix(settings.DatabaseURL.Reveal(), "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })

	// try sends a request of a member who signed in before, and returns which
	// tables it changed.
	try := func(who store.Staff, method, path, form string) (w *httptest.ResponseRecorder, moved []string) {
		t.Helper()
		var headers []string
		if who.ID != "" {
			who.Created = time.Now()
			headers = []string{"Cookie", v.signIn(t, who).String()}
		}
		before := contents(t, db)
		w = v.sendBody(t, "", method, path, form, headers...)
		for table, now := range contents(t, db) {
			if now != before[table] {
				moved = append(moved, table)
			}
		}
		slices.Sort(moved)
		return w, moved
	}
	as := func(role desk.Role) store.Staff {
		if role == "" {
			return store.Staff{}
		}
		return member(role)
	}
	// silent fails where an answer says what its reader may not know.
	silent := func(name string, role desk.Role, w *httptest.ResponseRecorder) {
		t.Helper()
		secret := slices.Clone(theirs)
		if !role.Allows(desk.Finance) {
			secret = append(secret, giver, "Olena")
		}
		for _, word := range secret {
			if strings.Contains(w.Body.String(), word) || strings.Contains(fmt.Sprint(w.Header()), word) {
				t.Errorf("%s: the answer says %q", name, word)
			}
		}
	}

	need := map[string]desk.Role{}
	for _, r := range v.s.staff.Routes {
		need[r.Method+" "+r.Path] = r.Need
	}
	forms := map[string][]deed{}
	for _, d := range deeds(words) {
		if _, known := need["POST "+d.path]; !known {
			t.Errorf("there is a form for %s, which is no route", d.path)
		}
		forms[d.path] = append(forms[d.path], d)
	}
	for _, r := range v.s.staff.Routes {
		if r.Need == "" { // the door, which knows nobody
			continue
		}
		asked := []deed{{path: queries[r.Path]}}
		if r.Method == http.MethodPost {
			if asked = forms[r.Path]; len(asked) == 0 {
				t.Errorf("say in deeds what is posted to %s", r.Path)
			}
		}
		for _, role := range append([]desk.Role{""}, desk.Roles()...) {
			for _, d := range asked {
				name := fmt.Sprintf("%s %s %s as %q", r.Method, r.Path, d.form, role)
				may := role.Allows(r.Need)
				if may && r.Method == http.MethodPost && d.owned == 0 {
					continue // see below
				}
				to := address(t, r.Path)
				if r.Method == http.MethodGet {
					to += d.path
				}
				w, moved := try(as(role), r.Method, to, d.form)
				silent(name, role, w)
				switch {
				case role == "" && (w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), desk.SignInPath)):
					t.Errorf("%s: %d, want the sign-in page", name, w.Code)
				case role != "" && !may && w.Code != http.StatusForbidden:
					t.Errorf("%s: %d, want it refused", name, w.Code)
				case may && d.owned != 0 && w.Code != d.owned:
					t.Errorf("%s: %d, want %d", name, w.Code, d.owned)
				case may && d.owned == 0 && w.Code != http.StatusOK && w.Code != http.StatusSeeOther:
					t.Errorf("%s: %d; it should be there", name, w.Code)
				}
				if may && r.Method == http.MethodGet { // that somebody looked is audited, and the wall fills by itself
					moved = slices.DeleteFunc(moved, func(table string) bool { return strings.HasPrefix(table, "audit") || table == "wall" })
				}
				if len(moved) > 0 {
					t.Errorf("%s: it changes %v", name, moved)
				}
			}
		}
	}
	for _, path := range []string{"/staff/donations", "/staff/donations.csv", "/staff/supporters"} {
		for _, role := range desk.Roles() {
			w, _ := try(as(role), http.MethodGet, path+"?view=view_owner", "")
			silent(path, role, w)
			if role.Allows(need["GET "+path]) && w.Code != http.StatusNotFound {
				t.Errorf("%s in somebody else's view as %q: %d", path, role, w.Code)
			}
		}
	}

	// The forms are good: who may, does what they say.
	for _, d := range deeds(words) {
		who := as(need["POST "+d.path])
		if d.owned != 0 {
			who = owner
		}
		w, moved := try(who, http.MethodPost, address(t, d.path), d.form)
		if d.idle != "" { // its answer is kept for the next page
			moved = slices.DeleteFunc(moved, func(table string) bool { return table == "staff_sessions" })
		}
		if (len(moved) == 0) != (d.idle != "") {
			t.Errorf("POST %s %s: %d, and it changes %v", d.path, d.form, w.Code, moved)
		}
		if d.path == "/staff/account/sessions/end-others" {
			if keys, err := v.s.store.StaffSessions(t.Context(), owner.ID); err != nil || len(keys) == 0 {
				t.Errorf("it ended somebody else's: %v", err)
			}
		}
	}
}
