package account_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/privacy"
	"github.com/united24media/support/internal/signin"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv/chromium"
)

// TestDataIsComplete: the file has what each part of the house keeps of
// somebody, and nothing of anybody else.
func TestDataIsComplete(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	checkout := store.Checkout{
		ID: "co_" + signin.NewID(), Attempt: "a", Status: store.CheckoutOpen, Currency: "EUR", AmountMinor: 2500, Interval: "once",
		UTM: `{"utm_source":"letter"}`, Name: "Ann of the note", Message: "Keep going", CreatedAt: w.now(), ExpiresAt: w.now().Add(time.Hour),
	}
	if _, err := w.Store.AddCheckout(t.Context(), checkout); err != nil {
		t.Fatal(err)
	}
	w.give(t, ann, "once", 2500, "article", "troops", "checkout", checkout.ID)
	w.give(t, ann, "month", 1000, "tier", "camera")
	w.give(t, "bob@example.org", "once", 7700)
	b := w.signIn(t, ann)
	b.post("/account/choices", "public", "1", "name", "A. Reader", "lang", "de")
	id := w.member(t, ann)
	b.post("/account/memberships/"+id+"/pause", "press", signin.NewID(), "months", "1")
	gifts, err := w.Store.GiftsOf(t.Context(), ann)
	if err != nil {
		t.Fatal(err)
	}
	note := store.Action{ID: signin.NewID(), Subject: gifts[0].Key, Kind: "note", Who: "editor@example.org", Reason: "Met her in Lviv.", Detail: "{}", State: "done", Created: w.now()}
	if _, err := w.Store.BeginAction(t.Context(), note); err != nil {
		t.Fatal(err)
	}

	got := b.get("/account/data.json")
	if got.status != http.StatusOK || got.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("the file: %d, %v", got.status, got.header)
	}
	var r privacy.Record
	if err := json.Unmarshal([]byte(got.text), &r); err != nil {
		t.Fatal(err)
	}
	for what, n := range map[string]int{
		"donations": len(r.Donations) - 2, "memberships": len(r.Memberships) - 1, "checkouts": len(r.Checkouts) - 1,
		"sessions": len(r.Sessions) - 1, "sign-ins": len(r.SignIns) - 1, "acts": len(r.Acts) - 2,
	} {
		if n != 0 {
			t.Errorf("of %s there are %d too many", what, n)
		}
	}
	if r.Choices == nil || r.Choices.Name != "A. Reader" {
		t.Errorf("choices: %+v", r.Choices)
	}
	for _, kind := range []string{"receipt", "membership_started", "sign_in"} {
		if !slices.ContainsFunc(r.Mails, func(m privacy.Mail) bool { return m.Kind == kind }) {
			t.Errorf("no mail of kind %s: %v", kind, r.Mails)
		}
	}
	for _, kind := range []string{"charge.succeeded", "checkout.session.completed", "customer.subscription.created", "invoice.paid"} {
		if !slices.ContainsFunc(r.Events, func(e privacy.Event) bool { return e.Type == kind }) {
			t.Errorf("no event of type %s among %d", kind, len(r.Events))
		}
	}
	if !slices.Equal(r.Addresses, []string{ann}) || !slices.Equal(r.Names, []string{"A. Reader", "Ann Example", "Ann of the note"}) {
		t.Errorf("addresses %q, names %q", r.Addresses, r.Names)
	}
	for _, foreign := range []string{"bob@example.org", "7700", "editor@example.org"} {
		if strings.Contains(got.text, foreign) {
			t.Errorf("the file has %s in it", foreign)
		}
	}
	for _, lang := range i18n.Languages() {
		page := b.get("/account/data?lang=" + lang)
		for _, want := range append([]string{"Keep going", "Ann of the note", "Met her in Lviv.", "A. Reader", gifts[0].Key, id, r.Events[0].ID}, ann) {
			if page.status != http.StatusOK || !strings.Contains(page.text, want) {
				t.Errorf("the page in %s (%d) lacks %q", lang, page.status, want)
			}
		}
		for _, wrong := range []string{"data.", "&lt;no value", "mail.", ">account."} {
			if body := page.text[strings.Index(page.text, "<main"):]; strings.Contains(strings.ReplaceAll(body, "/account/data.json", ""), wrong) {
				t.Errorf("the page in %s has the raw key %q", lang, wrong)
			}
		}
	}
	if got := w.browser(t).get("/account/data.json"); got.status != http.StatusSeeOther {
		t.Errorf("a stranger gets %d", got.status)
	}
}

// TestEraseMyself: one press ends the membership and removes everything, here
// and at Stripe, and signs out.
func TestEraseMyself(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500)
	w.give(t, ann, "month", 1000)
	id := w.member(t, ann)
	b, other := w.signIn(t, ann), w.signIn(t, ann)
	page := b.get("/account/erase")
	for _, want := range []string{"€10 a month", "End my membership and delete my data", "six to ten years"} {
		if !strings.Contains(page.text, want) {
			t.Errorf("the page lacks %q: %s", want, page.text)
		}
	}
	if got := b.post("/account/erase"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text, `href="#sure"`) {
		t.Errorf("without the box: %d", got.status)
	}
	w.down.Store(true)
	if got := b.post("/account/erase", "sure", "1"); got.status != http.StatusBadGateway || !strings.Contains(got.text, "nothing was deleted") {
		t.Errorf("without Stripe: %d, %s", got.status, got.text)
	}
	w.down.Store(false)
	if known, err := w.Store.KnownAddress(t.Context(), ann); err != nil || !known {
		t.Fatalf("erased without Stripe: %v", err)
	}
	got := b.post("/account/erase", "sure", "1")
	if got.status != http.StatusSeeOther || got.location != "/account?done=erased" || !strings.Contains(got.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Fatalf("erasing: %d to %q, %s", got.status, got.location, got.text)
	}
	if got := b.get(got.location); !strings.Contains(got.text, "Your data is deleted") || !strings.Contains(got.text, `name="address"`) {
		t.Errorf("afterwards: %s", got.text)
	}
	if got := other.get("/account"); !strings.Contains(got.text, `name="address"`) {
		t.Error("the other browser is still in")
	}
	w.deliver(t)
	if known, err := w.Store.KnownAddress(t.Context(), ann); err != nil || known {
		t.Errorf("known afterwards: %v, %v", known, err)
	}
	m, err := w.Store.MembershipBySubscription(t.Context(), id)
	if err != nil || m.Status != "canceled" || m.Email != "" {
		t.Errorf("the membership is %+v, %v", m, err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		left, err := w.Store.ErasedCustomers(t.Context(), "", 10)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := w.box.Call(t.Context(), http.MethodGet, "/v1/customers/"+m.Customer, nil)
		if len(left) == 0 && strings.Contains(string(body), `"deleted": true`) {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the customer stays at Stripe: %v, %s", left, body)
		}
	}
	entries, err := w.Store.AuditBefore(t.Context(), store.AuditFilter{Action: "supporter.erase"}, 0, 10)
	if err != nil || len(entries) != 1 || entries[0].Who != store.TheSupporter || strings.Contains(entries[0].Subject+entries[0].Detail+entries[0].Reason, "ann") {
		t.Errorf("the audit log has %+v, %v", entries, err)
	}
}

// TestDataWalk looks at the pages as a supporter meets them.
func TestDataWalk(t *testing.T) {
	w, b := newTown(t), newTab(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500, "article", "troops")
	w.give(t, ann, "month", 1000, "tier", "camera")
	b.Open(w.URL + "/account")
	b.Do(chromedp.SendKeys("#address", ann))
	b.press("form button", "Look into your mail")
	b.Do(chromedp.SendKeys("#code", w.keys.Code(signin.Account, w.mailed(t, ann))))
	b.press("form button", "Thank you for standing with us")
	b.press(`a[href="/account/data"]`, "Everything that is kept about you")
	b.inspect("20-data")
	b.Open(w.URL + "/account/erase?lang=en")
	b.inspect("22-erase")
	chromium.Eval[bool](b.Tab, `(document.querySelector("#sure").click(), true)`)
	b.press(`form[action="/account/erase"] button`, "Your data is deleted")
}
