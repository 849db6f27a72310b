package gifts

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

// A newsroom is the screens over a ledger and Stripe's stand-in.
type newsroom struct {
	t      *testing.T
	box    *sandbox.Sandbox
	store  *store.Store
	ledger *ledger.Ledger
	stripe *stripeapi.Client
	pages  *gin.Engine
	gifts  int
	silent atomic.Bool // Stripe does what it is asked for, and its answers get lost
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newNewsroom(t *testing.T) *newsroom { return newNewsroomIn(t, time.UTC) }

// newNewsroomIn opens a newsroom whose days are those of a zone.
func newNewsroomIn(t *testing.T, zone *time.Location) *newsroom {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	n := &newsroom{t: t}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	var err error
	n.box, err = sandbox.New(sandbox.Options{BaseURL: server.URL + "/sandbox", WebhookURL: server.URL + "/webhooks", WebhookSecret: "whsec_test", Seed: 7})
	ok(t, err)
	t.Cleanup(func() { n.box.Close() })
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", n.box.Handler()))
	mux.HandleFunc("/webhooks", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = n.ledger.Deliver(r.Context(), body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	n.stripe = stripeapi.New(stripeapi.Options{
		Key: "sk_test_1", BaseURL: server.URL + "/sandbox", HTTP: &http.Client{Transport: n}, Log: slog.New(slog.DiscardHandler),
	})
	n.store, err = store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	ok(t, err)
	t.Cleanup(func() { n.store.Close() })
	_, err = n.store.Migrate(t.Context())
	ok(t, err)
	n.ledger = ledger.New(ledger.Options{Store: n.store, Now: n.box.Now, Timezone: zone, Grace: 14 * 24 * time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- n.ledger.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	n.open(zone)
	return n
}

// RoundTrip asks Stripe, whose answers to changes may get lost.
func (n *newsroom) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && n.silent.Load() && r.Method != http.MethodGet {
		answer.Body.Close()
		return nil, errors.New("the answer got lost")
	}
	return answer, err
}

func (n *newsroom) open(zone *time.Location) {
	d := desk.New(desk.Options{
		Store: n.store, Keys: signin.New([][]byte{[]byte(strings.Repeat("s", 32))}), PublicURL: "http://staff.example", Zone: zone, Now: n.box.Now, Log: slog.New(slog.DiscardHandler),
	})
	people := privacy.New(privacy.Options{Store: n.store, Ledger: n.ledger, Stripe: n.stripe, Secret: []byte("s"), Now: n.box.Now, Log: slog.New(slog.DiscardHandler)})
	screens := New(Options{
		Desk: d, Store: n.store, Reports: reports.New(reports.Options{Store: n.store, Timezone: zone, Now: n.box.Now}),
		Ledger: n.ledger, Privacy: people, Stripe: n.stripe, Zone: zone, Now: n.box.Now,
	})
	n.pages = gin.New()
	for _, m := range d.Mount(screens.Routes()...) {
		n.pages.Handle(m.Method, m.Path, func(c *gin.Context) {
			if err := m.Handle(c); err != nil {
				status := http.StatusInternalServerError
				f, known := errors.AsType[*fault.Error](err)
				if known {
					status = map[fault.Kind]int{fault.Invalid: 400, fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409}[f.Kind]
				}
				c.String(status, "%v", err)
			}
		})
	}
	for _, role := range desk.Roles() {
		who := store.Staff{ID: "mem_" + string(role), Email: string(role) + "@example.org", Role: string(role), Created: n.box.Now()}
		ok(n.t, n.store.AddStaff(n.t.Context(), who, store.Entry{Who: "test", Action: "staff.add", At: n.box.Now()}))
		ok(n.t, n.store.AddStaffSession(n.t.Context(), store.StaffSession{ID: "ses_" + string(role), Staff: who, Method: store.ByLink, Created: n.box.Now(), Proved: n.box.Now()},
			desk.Hash(string(role)), "", time.Time{}, store.Entry{Who: "test", Action: "staff.sign-in", At: n.box.Now()}))
	}
}

// ask sends a request as a role, with a form if there is one.
func (n *newsroom) ask(role desk.Role, address string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, address, nil)
	if form != nil {
		r = httptest.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if role != "" {
		r.AddCookie(&http.Cookie{Name: "support_staff", Value: string(role)})
		r.Header.Set("Accept", "text/html")
	}
	w := httptest.NewRecorder()
	n.pages.ServeHTTP(w, r)
	return w
}

// give makes a gift and returns the donation's key, its charge and, for one
// that repeats, its subscription.
func (n *newsroom) give(amount int64, currency, interval, email string) (key, charge, subscription string) {
	n.t.Helper()
	n.gifts++
	s, err := n.stripe.CreateSession(n.t.Context(), stripeapi.SessionParams{
		IdempotencyKey: fmt.Sprint("gift-", n.gifts), Reference: "co_1", Amount: money.Amount{Minor: amount, Currency: currency}, Interval: interval,
		ProductName: "Gift", Lang: "en", Without: []string{"product", "expires_at"},
		Metadata:   map[string]string{"support_v": "1", "checkout": "co_1", "article": "troops", "placement": "mid", "attribution": "signed"},
		SuccessURL: "https://site.example/thanks", CancelURL: "https://site.example/support",
	})
	ok(n.t, err)
	_, err = n.box.Pay(s.ID, sandbox.Payer{Email: email, Name: "Olena Kovalenko", Country: "UA"}, sandbox.Paid)
	ok(n.t, err)
	n.box.DeliverAll(n.t.Context())
	page, err := n.store.DonationList(n.t.Context(), store.DonationFilter{Limit: 100})
	ok(n.t, err)
	for _, d := range page.Donations {
		if d.Email == email && d.Gross == amount && d.Currency == currency {
			return d.Key, d.Charge, d.Subscription
		}
	}
	n.t.Fatal("the gift is not there")
	return "", "", ""
}

var keyField = regexp.MustCompile(`name="key" value="([A-Z2-7]{26})"`)

// form returns a form's values, with the key that its page gives it.
func (n *newsroom) form(address string, pairs ...string) url.Values {
	n.t.Helper()
	w := n.ask(desk.Finance, address, nil)
	key := keyField.FindStringSubmatch(w.Body.String())
	if key == nil {
		n.t.Fatalf("%s answers %d: %s", address, w.Code, w.Body)
	}
	form := url.Values{"key": {key[1]}, "reason": {"asked by mail"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

func (n *newsroom) refunds(charge string) (count int, sum int64) {
	n.t.Helper()
	for page, err := range n.stripe.List(n.t.Context(), stripeapi.PathRefunds, url.Values{"charge": {charge}}) {
		ok(n.t, err)
		count += len(page.Objects)
	}
	d, err := n.store.DonationList(n.t.Context(), store.DonationFilter{Limit: 100})
	ok(n.t, err)
	for _, d := range d.Donations {
		if d.Charge == charge {
			sum = d.Refunded
		}
	}
	return count, sum
}

func TestRefund(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	key, charge, _ := n.give(1000, "EUR", "once", "olena@example.org")
	address := giftsPath + "/" + key + "/do/refund"
	form := n.form(address, "amount", "2,50", "why", "requested_by_customer")
	for press := range 3 {
		if w := n.ask(desk.Finance, address, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != giftsPath+"/"+key {
			t.Fatalf("press %d answers %d: %s", press, w.Code, w.Body)
		}
	}
	// At once: Stripe's events have not been delivered.
	if count, sum := n.refunds(charge); count != 1 || sum != 250 {
		t.Errorf("%d refunds, %d given back", count, sum)
	}
	n.box.DeliverAll(t.Context())
	if count, sum := n.refunds(charge); count != 1 || sum != 250 {
		t.Errorf("after the events %d refunds, %d given back", count, sum)
	}
	form.Set("amount", "3")
	if w := n.ask(desk.Finance, address, form); w.Code != http.StatusConflict {
		t.Errorf("the same form with another amount answers %d", w.Code)
	}
	for amount, want := range map[string]string{
		"7.51": "Only €7.50 is left", "0": "Give an amount in EUR", "x": "Give an amount in EUR", "-1": "Give an amount in EUR", "1.234": "Give an amount in EUR",
	} {
		w := n.ask(desk.Finance, address, n.form(address, "amount", amount, "why", "duplicate"))
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s answers %d without %q", amount, w.Code, want)
		}
	}
	if w := n.ask(desk.Finance, address, n.form(address, "amount", "1", "why", "duplicate", "reason", " ")); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("no reason answers %d", w.Code)
	}
	if _, err := n.box.Dispute(charge, sandbox.Complaint{}); err != nil {
		t.Fatal(err)
	}
	n.box.DeliverAll(t.Context())
	if w := n.ask(desk.Finance, address, nil); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "dispute is open") {
		t.Errorf("with an open dispute it answers %d: %s", w.Code, w.Body)
	}
	if drifts, err := n.ledger.Verify(t.Context()); err != nil || len(drifts) > 0 {
		t.Errorf("%v, %v", drifts, err)
	}
}

// Money goes back, and names leave, only for somebody who signed in a short
// time ago; a form that was opened in time may be sent a little later.
func TestFreshSignIn(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	key, charge, _ := n.give(1000, "EUR", "once", "olena@example.org")
	refund := giftsPath + "/" + key + "/do/refund"
	opened := n.form(refund, "amount", "1", "why", "duplicate")
	proved := n.box.Now()
	at := func(d time.Duration) { ok(t, n.box.Advance(proved.Add(d).Sub(n.box.Now()))) }
	leads := func(w *httptest.ResponseRecorder) string {
		if w.Code != http.StatusSeeOther {
			return fmt.Sprint(w.Code)
		}
		return w.Header().Get("Location")
	}
	at(desk.FreshFor)
	for role, tests := range map[desk.Role]map[string]string{
		desk.Finance: {
			refund: desk.Again(refund), giftsPath + ".csv?status=received": desk.Again(giftsPath + "?status=received"),
			giftsPath + "/" + key + "/do/note": "200", supportersPath + "/" + key + "/data.json": desk.Again(supportersPath + "/" + key + "/data"),
			supportersPath + "/" + key + "/data": "200",
		},
		desk.Admin:  {supportersPath + "/" + key + "/erase": desk.Again(supportersPath + "/" + key + "/erase")},
		desk.Viewer: {giftsPath + ".csv": "200"}, // no names in it
	} {
		for address, want := range tests {
			if got := leads(n.ask(role, address, nil)); got != want {
				t.Errorf("%s as %s leads to %s; want %s", address, role, got, want)
			}
		}
	}
	if got := leads(n.ask(desk.Finance, refund, opened)); got != giftsPath+"/"+key {
		t.Errorf("a form that was opened in time leads to %s", got)
	}
	at(2 * desk.FreshFor)
	opened.Set("key", rand.Text())
	if got := leads(n.ask(desk.Finance, refund, opened)); got != desk.Again(refund)+"&sent=1" {
		t.Errorf("a form that was open for long leads to %s", got)
	}
	if count, sum := n.refunds(charge); count != 1 || sum != 100 {
		t.Errorf("%d refunds, %d given back", count, sum)
	}
}

// A currency without cents has none here either.
func TestRefundOfYen(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	key, charge, _ := n.give(5000, "JPY", "once", "aiko@example.org")
	address := giftsPath + "/" + key + "/do/refund"
	if w := n.ask(desk.Finance, address, n.form(address, "amount", "1500.5", "why", "duplicate")); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("half a yen answers %d", w.Code)
	}
	n.ask(desk.Finance, address, n.form(address, "amount", "1500", "why", "duplicate"))
	if count, sum := n.refunds(charge); count != 1 || sum != 1500 {
		t.Errorf("%d refunds, %d given back", count, sum)
	}
}

// Nobody knows what became of a call without an answer; the same form asks
// again and does nothing twice.
func TestRefundWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	key, charge, _ := n.give(1000, "EUR", "once", "olena@example.org")
	address := giftsPath + "/" + key + "/do/refund"
	form := n.form(address, "amount", "10", "why", "fraudulent")
	n.silent.Store(true)
	w := n.ask(desk.Finance, address, form)
	if w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), form.Get("key")) {
		t.Fatalf("it answers %d: %s", w.Code, w.Body)
	}
	n.silent.Store(false)
	if w := n.ask(desk.Finance, address, form); w.Code != http.StatusSeeOther {
		t.Fatalf("again it answers %d: %s", w.Code, w.Body)
	}
	if count, sum := n.refunds(charge); count != 1 || sum != 1000 {
		t.Errorf("%d refunds, %d given back", count, sum)
	}
}

func TestMembershipDeeds(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	_, _, sub := n.give(2500, "EUR", "month", "taras@example.org")
	page := membershipsPath + "/" + sub
	for _, step := range []struct{ kind, field, value, says string }{
		{"pause", "until", "", "paused"},
		{"resume", "", "", "active"},
		{"cancel", "when", "end", "ends with its period"},
		{"keep", "", "", "active"},
		{"correction", "article", "grain", "grain"},
		{"note", "reason", "Called us twice.\nVery kind.", "Very kind."},
		{"cancel", "when", "now", "ended"},
	} {
		ok(t, n.box.Advance(2*time.Second)) // within one, an event overrules an answer
		address := page + "/do/" + step.kind
		form := n.form(address)
		if step.field != "" {
			form.Set(step.field, step.value)
		}
		for range 2 {
			if w := n.ask(desk.Finance, address, form); w.Code != http.StatusSeeOther {
				t.Fatalf("%s answers %d: %s", step.kind, w.Code, w.Body)
			}
		}
		if w := n.ask(desk.Finance, page, nil); !strings.Contains(w.Body.String(), step.says) {
			t.Errorf("after %s the page does not say %q", step.kind, step.says)
		}
		if w := n.ask(desk.Viewer, page, nil); strings.Contains(w.Body.String(), "taras@") || strings.Contains(w.Body.String(), "Very kind") {
			t.Errorf("after %s a viewer sees who it is", step.kind)
		}
	}
	if w := n.ask(desk.Finance, page+"/do/pause", nil); w.Code != http.StatusConflict {
		t.Errorf("pausing what has ended answers %d", w.Code)
	}
	n.box.DeliverAll(t.Context())
	drifts, err := n.ledger.Verify(t.Context())
	if err != nil || len(drifts) > 0 {
		t.Errorf("%v, %v", drifts, err)
	}
	// What was corrected stays corrected, and moved the gift of the membership too.
	before, after, err := n.ledger.Rebuild(t.Context(), func(int) {})
	if err != nil || before != after {
		t.Errorf("rebuilt from %s to %s, %v", before, after, err)
	}
	list, err := n.store.DonationList(t.Context(), store.DonationFilter{Equal: map[string]string{"article": "grain"}, Limit: 9})
	if err != nil || len(list.Donations) != 1 {
		t.Errorf("%d gifts of the corrected article, %v", len(list.Donations), err)
	}
}

// TestWhoSeesWhom asks for every address as every role.
func TestWhoSeesWhom(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	key, charge, sub := n.give(2500, "EUR", "month", "taras@example.org")
	for _, r := range (&Gifts{}).Routes() {
		id := key
		if strings.HasPrefix(r.Path, membershipsPath) {
			id = sub
		}
		address := strings.NewReplacer(":id", id, ":kind", "note").Replace(r.Path)
		var form url.Values
		if r.Method == http.MethodPost {
			form = url.Values{"text": {"taras@example.org"}, "name": {"mine"}}
		}
		for _, role := range append([]desk.Role{""}, desk.Roles()...) {
			w := n.ask(role, address, form)
			refused := w.Code == http.StatusForbidden || w.Code == http.StatusUnauthorized
			if refused == role.Allows(r.Need) {
				t.Errorf("%s %s as %q answers %d", r.Method, address, role, w.Code)
			}
			for _, who := range []string{"taras@", "Kovalenko", charge} {
				if !role.Allows(desk.Finance) && strings.Contains(w.Body.String(), who) {
					t.Errorf("%s %s shows %q %s", r.Method, address, role, who)
				}
			}
		}
	}
}

// A search is kept out of the address, and is its owner's alone.
func TestSearch(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	key, charge, _ := n.give(1000, "EUR", "once", "olena@example.org")
	for text, want := range map[string]map[desk.Role]bool{
		"OLENA@": {desk.Finance: true, desk.Viewer: false}, "olena kov": {desk.Finance: true, desk.Viewer: false},
		charge: {desk.Finance: true, desk.Viewer: false}, key: {desk.Finance: true, desk.Viewer: true}, key[:9]: {desk.Finance: true, desk.Viewer: true},
		"kovalenko": {desk.Finance: false, desk.Viewer: false},
	} {
		for role, finds := range want {
			w := n.ask(role, giftsPath+"/find", url.Values{"text": {text}})
			at := w.Header().Get("Location")
			if w.Code != http.StatusSeeOther || strings.Contains(at, "olena") {
				t.Fatalf("searching for %q leads to %d %s", text, w.Code, at)
			}
			if found := strings.Contains(n.ask(role, at, nil).Body.String(), "<tbody>"); found != finds {
				t.Errorf("%s finds %q: %v", role, text, found)
			}
			if other := n.ask(desk.Admin, at, nil); other.Code != http.StatusNotFound {
				t.Errorf("somebody else's search answers %d", other.Code)
			}
		}
	}
}

func TestSavedViews(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.give(1000, "EUR", "once", "olena@example.org")
	n.give(700, "USD", "once", "taras@example.org")
	w := n.ask(desk.Viewer, giftsPath+"/views", url.Values{"currency": {"USD"}, "name": {"Dollars"}})
	page := n.ask(desk.Viewer, w.Header().Get("Location"), nil).Body.String()
	if !strings.Contains(page, "$7") || strings.Contains(page, "€10") || !strings.Contains(page, "Dollars") {
		t.Errorf("the view shows:\n%s", page)
	}
	if strings.Contains(n.ask(desk.Finance, giftsPath, nil).Body.String(), "Dollars") {
		t.Error("somebody else sees the view")
	}
	id := regexp.MustCompile(`view=([A-Z2-7]{26})`).FindStringSubmatch(w.Header().Get("Location"))[1]
	n.ask(desk.Finance, giftsPath+"/views/drop", url.Values{"id": {id}})
	if !strings.Contains(n.ask(desk.Viewer, giftsPath, nil).Body.String(), "Dollars") {
		t.Error("somebody else removed the view")
	}
	n.ask(desk.Viewer, giftsPath+"/views/drop", url.Values{"id": {id}})
	if strings.Contains(n.ask(desk.Viewer, giftsPath, nil).Body.String(), "Dollars") {
		t.Error("the view was not removed")
	}
}

func TestCSV(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	n.give(1000, "EUR", "once", "olena@example.org")
	n.give(700, "USD", "once", "=taras@example.org")
	for role, columns := range map[desk.Role]int{desk.Viewer: 27, desk.Finance: 35} {
		w := n.ask(role, giftsPath+".csv?currency=USD", nil)
		rows, err := csv.NewReader(w.Body).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[0]) != columns {
			t.Errorf("%s gets %d rows of %d columns, %v", role, len(rows), len(rows[0]), err)
		}
		if text := fmt.Sprint(rows); strings.Contains(text, "taras") != (role == desk.Finance) || strings.Contains(text, " =taras") {
			t.Errorf("%s gets %s", role, text)
		}
	}
}

func TestWrongFilters(t *testing.T) {
	t.Parallel()
	n := newNewsroom(t)
	for query, says := range map[string]string{
		"from=yesterday": "From: Give a day", "from=2026-02-02&to=2026-02-01": "To: The last day is before the first",
		"status=paid": "Status: A status is one of", "amount_from=5": "Currency: Choose the currency", "amount_from=x&currency=EUR": "At least: Give an amount in EUR",
		"amount_from=5&amount_to=4&currency=EUR": "At most: The amount is less", "colour=red": "There is no such filter", "cursor=x": "The cursor is not one",
	} {
		w := n.ask(desk.Viewer, giftsPath+"?"+query, nil)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%s answers %d without %q", query, w.Code, says)
		}
	}
}
