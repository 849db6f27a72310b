package account_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/giving"
)

// stands waits for nothing: what a page did is shown by the next at once.
func stands(t *testing.T, w *town, address string) *giving.Membership {
	t.Helper()
	members, err := w.Store.MembershipsOf(t.Context(), address)
	if err != nil || len(members) == 0 {
		t.Fatal(members, err)
	}
	return members[0]
}

func TestMembership(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "month", 1000, "tier", "camera", "article", "troops")
	b := w.signIn(t, ann)
	page := "/account/memberships/" + w.member(t, ann)
	for _, want := range []string{"€10 a month", "Camera", "Active", "Visa ending in 4242", "Next charge"} {
		if got := b.get("/account"); !strings.Contains(got.text, want) {
			t.Errorf("the first page does not say %q: %s", want, got.text)
		}
	}

	t.Run("change the amount", func(t *testing.T) {
		press := b.press(page)
		for range 2 { // a double press
			w.tick(t)
			got := b.post(page+"/change", "press", press, "interval", "month", "amount_month", "2000")
			if got.status != http.StatusSeeOther || got.location != page+"?done=changed" {
				t.Fatalf("answers %d to %q: %s", got.status, got.location, got.text)
			}
		}
		if m := stands(t, w, ann); m.Amount != 2000 || m.Tier != "expedition" || m.Article != "troops" || m.Status != "active" {
			t.Errorf("it is %+v", m)
		}
		if got := b.get(page + "?done=changed"); !strings.Contains(got.text, "€20 a month") || !strings.Contains(got.text, "Your membership is changed") {
			t.Errorf("the page shows %s", got.text)
		}
		w.tick(t)
		b.post(page+"/change", "press", "x", "interval", "month", "amount_month", "own", "own_month", "€ 7.50")
		if m := stands(t, w, ann); m.Amount != 750 || m.Tier != "notebook" {
			t.Errorf("an amount of one's own: %+v", m)
		}
	})
	t.Run("amounts that can't be", func(t *testing.T) {
		for own, want := range map[string]string{"0.5": "at least", "99999": "at most", "many": "figures", "": "Choose an amount"} {
			w.tick(t)
			got := b.post(page+"/change", "press", "y", "interval", "month", "amount_month", "own", "own_month", own)
			if got.status != http.StatusUnprocessableEntity || !strings.Contains(got.text, want) {
				t.Errorf("%q: %d, without %q", own, got.status, want)
			}
		}
		w.tick(t)
		if got := b.post(page+"/change", "press", "y", "interval", "once", "amount_once", "2000"); got.status != http.StatusBadRequest {
			t.Errorf("a membership once: %d", got.status)
		}
	})
	t.Run("pause and resume", func(t *testing.T) {
		w.tick(t)
		if got := b.post(page+"/pause", "press", "p", "months", "4"); got.status != http.StatusBadRequest {
			t.Errorf("four months: %d", got.status)
		}
		w.tick(t)
		got := b.post(page+"/pause", "press", "p", "months", "3")
		if got.location != page+"?done=paused" || stands(t, w, ann).Live {
			t.Fatalf("pausing answers %d: %s", got.status, got.text)
		}
		if got := b.get(page); !strings.Contains(got.text, "Resume now") || strings.Contains(got.text, "Save the change") {
			t.Errorf("the page of a paused one: %s", got.text)
		}
		w.tick(t)
		if got := b.post(page+"/resume", "press", "r"); got.location != page+"?done=resumed" || !stands(t, w, ann).Live {
			t.Errorf("resuming answers %d: %s", got.status, got.text)
		}
		w.tick(t)
		if got := b.post(page+"/resume", "press", "r"); got.location != page {
			t.Errorf("resuming what runs leads to %q", got.location)
		}
	})
	t.Run("cancel and keep", func(t *testing.T) {
		if got := b.get(page + "/cancel"); !strings.Contains(got.text, `value="too_expensive"`) {
			t.Errorf("the page to cancel: %s", got.text)
		}
		w.tick(t)
		if got := b.post(page+"/cancel", "press", "c", "when", "end", "reason", "unused"); got.location != page+"?done=canceled" || !stands(t, w, ann).CancelAtEnd {
			t.Fatalf("canceling answers %d: %s", got.status, got.text)
		}
		w.tick(t)
		if got := b.post(page+"/keep", "press", "k"); got.location != page+"?done=kept" || stands(t, w, ann).CancelAtEnd {
			t.Errorf("keeping answers %d: %s", got.status, got.text)
		}
		w.tick(t)
		if got := b.post(page+"/cancel", "press", "n", "when", "now"); got.location != page+"?done=ended" || stands(t, w, ann).Status != "canceled" {
			t.Errorf("canceling now answers %d: %s", got.status, got.text)
		}
		if got := b.get("/account"); !strings.Contains(got.text, "Past memberships") {
			t.Errorf("an ended one is not among the past: %s", got.text)
		}
	})
	w.deliver(t) // the events of all that say nothing new
	if m := stands(t, w, ann); m.Status != "canceled" || m.Amount != 750 {
		t.Errorf("after the events it is %+v", m)
	}
}

// Another interval is charged first when what is paid ends.
func TestAnotherInterval(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.give(t, "ann@example.org", "month", 500)
	b := w.signIn(t, "ann@example.org")
	before := stands(t, w, "ann@example.org")
	page := "/account/memberships/" + before.Subscription
	w.tick(t)
	b.post(page+"/change", "press", b.press(page), "interval", "year", "amount_year", "10000")
	after := stands(t, w, "ann@example.org")
	if after.Interval != giving.Year || after.Amount != 10000 || after.PeriodEnd != before.PeriodEnd || !after.Live || after.Tier != "camera" {
		t.Fatalf("it is %+v", after)
	}
	if gifts, err := w.Store.GiftsOf(t.Context(), "ann@example.org"); err != nil || len(gifts) != 1 {
		t.Errorf("it was charged at once: %v, %v", gifts, err)
	}
	if err := w.box.Advance(32 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	w.deliver(t)
	if gifts, err := w.Store.GiftsOf(t.Context(), "ann@example.org"); err != nil || len(gifts) != 2 || gifts[0].Gross != 10000 {
		t.Errorf("on its day: %v, %v", gifts, err)
	}
}

// A payment that failed is paid by another card, on Stripe's page.
func TestRecover(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "month", 1000)
	id := w.member(t, ann)
	if err := w.box.FailPayments(id, true); err != nil {
		t.Fatal(err)
	}
	if err := w.box.Advance(32 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	w.deliver(t)
	b, page := w.signIn(t, ann), "/account/memberships/"+id
	got := b.get("/account")
	if !strings.Contains(got.text, "A payment did not go through") || !strings.Contains(got.text, "/sandbox/invoices/") {
		t.Fatalf("the first page: %s", got.text)
	}
	w.tick(t)
	got = b.post(page+"/card", "press", b.press(page))
	if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, w.URL+"/sandbox/portal/") {
		t.Fatalf("the card leads to %q: %s", got.location, got.text)
	}
	portal := strings.TrimPrefix(got.location, w.URL)
	got = b.post(portal, "subscription", id, "action", "card")
	back, err := url.Parse(got.location)
	if err != nil || back.Path != page+"/card" || back.Query().Get("state") == "" {
		t.Fatalf("Stripe's page leads back to %q", got.location)
	}
	if got := b.get(page + "/card?state=forged"); got.location != page {
		t.Errorf("a forged way back leads to %q", got.location)
	}
	if got := b.get(back.RequestURI()); got.location != page+"?done=card" || stands(t, w, ann).Status != "active" {
		t.Errorf("the way back leads to %q, %+v", got.location, stands(t, w, ann))
	}
}

func TestSecondMembership(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "month", 1000)
	w.give(t, ann, "month", 500)
	b := w.signIn(t, ann)
	text := b.get("/account").text
	if !strings.Contains(text, "more than one membership") || strings.Count(text, "Cancel this one") != 1 {
		t.Fatalf("two memberships: %s", text)
	}
	action := text[strings.Index(text, `action="/account/memberships/`)+len(`action="`):]
	action, _, _ = strings.Cut(action, `"`)
	w.tick(t)
	b.post(action, "press", "x")
	if text := b.get("/account").text; strings.Contains(text, "more than one membership") || !strings.Contains(text, "Canceled") {
		t.Errorf("after one press: %s", text)
	}
}

func TestWithoutStripe(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "month", 1000)
	b, page := w.signIn(t, ann), "/account/memberships/"+w.member(t, ann)
	w.down.Store(true)
	if got := b.get("/account"); got.status != http.StatusOK || !strings.Contains(got.text, "€10 a month") || strings.Contains(got.text, "4242") {
		t.Errorf("the first page: %d %s", got.status, got.text)
	}
	w.tick(t)
	if got := b.post(page+"/pause", "press", "p", "months", "1"); got.status != http.StatusServiceUnavailable || !strings.Contains(got.text, "look again") {
		t.Errorf("pausing answers %d: %s", got.status, got.text)
	}
	if m := stands(t, w, ann); !m.Live {
		t.Errorf("it is %+v", m)
	}
}

// Whatever one asks for with somebody else's id is not there, and changes
// nothing of theirs. What stands for a parameter of a route is said here, so that
// a new one is not forgotten.
func TestNobodyElse(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.give(t, "ann@example.org", "month", 1000)
	w.give(t, "bob@example.org", "once", 2500)
	gifts, err := w.Store.GiftsOf(t.Context(), "ann@example.org")
	if err != nil || len(gifts) != 1 {
		t.Fatal(gifts, err)
	}
	ids := map[string]string{":key": gifts[0].Key, ":id": stands(t, w, "ann@example.org").Subscription}
	own := map[string]string{":year": fmt.Sprint(w.now().Year())} // of everybody's, one's own
	kept := func() string {
		record, err := w.people.Record(t.Context(), giving.SupporterKey("ann@example.org", "", ""))
		if err != nil {
			t.Fatal(err)
		}
		record.MadeAt = time.Time{}
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	ann, bob, stranger := w.signIn(t, "ann@example.org"), w.signIn(t, "bob@example.org"), w.browser(t)
	before := kept()
	if !strings.Contains(before, ids[":id"]) {
		t.Fatalf("what is kept of her lacks her membership: %s", before)
	}
	checked := 0
	for _, r := range w.Routes() {
		path, theirs := r.Path, false
		for _, parameter := range regexp.MustCompile(`:[a-z]+`).FindAllString(r.Path, -1) {
			switch {
			case ids[parameter] != "":
				path, theirs = strings.Replace(path, parameter, ids[parameter], 1), true
			case own[parameter] != "":
				path = strings.Replace(path, parameter, own[parameter], 1)
			default:
				t.Fatalf("%s: say what stands for %s", r.Path, parameter)
			}
		}
		form := url.Values{
			"press": {"x"}, "months": {"1"}, "interval": {"month"}, "amount_month": {"2000"}, "when": {"now"},
			"id": {ids[":id"]}, "key": {ids[":key"]}, "address": {"ann@example.org"},
		}
		if r.Method == http.MethodGet {
			form = nil
		}
		switch {
		case theirs:
			checked++
			if got := bob.send(r.Method, path, form); got.status != http.StatusNotFound || strings.Contains(got.text, "ann@") {
				t.Errorf("%s %s by somebody else: %d to %q", r.Method, path, got.status, got.location)
			}
			if got := stranger.send(r.Method, path, form); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/account") || strings.HasPrefix(got.location, "/account/m") {
				t.Errorf("%s %s by nobody: %d to %q", r.Method, path, got.status, got.location)
			}
		case !slices.Contains([]string{"/account/sign-in", "/account/sign-out", "/account/sign-out-everywhere"}, path):
			if got := bob.send(r.Method, path, form); strings.Contains(got.text, "ann@") || strings.Contains(got.text, "€10 ") {
				t.Errorf("%s %s shows somebody else's", r.Method, path)
			}
		}
		if after := kept(); after != before {
			t.Fatalf("%s %s changes what is somebody else's: it was\n%s\nand is\n%s", r.Method, path, before, after)
		}
	}
	if checked < 9 {
		t.Errorf("only %d addresses have an id", checked)
	}
	bob.post("/account/sign-out-everywhere")
	if got := ann.get("/account"); got.status != http.StatusOK || !strings.Contains(got.text, "ann@example.org") {
		t.Errorf("somebody else signed her out: %d", got.status)
	}
}

func TestReceiptAndStatement(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500, "article", "troops")
	w.give(t, ann, "once", 5000)
	gifts, err := w.Store.GiftsOf(t.Context(), ann)
	if err != nil || len(gifts) != 2 {
		t.Fatal(gifts, err)
	}
	partly := gifts[0]
	if _, err := w.box.Refund(partly.Charge, 1000); err != nil {
		t.Fatal(err)
	}
	w.deliver(t)
	b := w.signIn(t, ann)
	receipt := b.get("/account/gifts/" + partly.Key)
	for _, want := range []string{"Refunded", "€10", "Remaining", "Ann Example", ann, partly.Key} {
		if !strings.Contains(receipt.text, want) {
			t.Errorf("the receipt does not say %q: %s", want, receipt.text)
		}
	}
	if got := b.get("/account/gifts/" + gifts[1].Key); !strings.Contains(got.text, "interval=month") || !strings.Contains(got.text, "utm_source=account") {
		t.Errorf("a gift can't be made monthly: %s", got.text)
	}
	year := time.Unix(partly.Created, 0).UTC().Format("2006")
	statement := b.get("/account/statements/" + year)
	for _, want := range []string{"Statement " + year, "Given", "€75", "Returned", "€10 returned", "€65"} {
		if !strings.Contains(statement.text, want) {
			t.Errorf("the statement does not say %q: %s", want, statement.text)
		}
	}
	for _, none := range []string{"1999", "x", "-1"} {
		if got := b.get("/account/statements/" + none); got.status != http.StatusNotFound {
			t.Errorf("the statement of %s: %d", none, got.status)
		}
	}
}

func TestChoicesOfASupporter(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	const ann = "ann@example.org"
	w.give(t, ann, "once", 2500)
	b := w.signIn(t, ann)
	got := b.post("/account/choices", "public", "1", "name", "  Оля \u202e Ш. ", "lang", "uk", "renewals", "1")
	if got.location != "/account?done=saved" {
		t.Fatalf("saving answers %d: %s", got.status, got.text)
	}
	c, _, err := w.Store.ChoicesOf(t.Context(), ann)
	if err != nil || !c.Public || c.Name != "Оля Ш." || c.Locale != "uk" || !c.Renewals || c.Statement {
		t.Errorf("chosen: %+v, %v", c, err)
	}
	if got := b.get("/account?done=saved"); !strings.Contains(got.text, `<html lang="uk"`) || !strings.Contains(got.text, "Ваш вибір збережено") {
		t.Errorf("the first page is not Ukrainian: %s", got.text)
	}
	if got := b.get("/account?lang=de"); !strings.Contains(got.text, `<html lang="de"`) {
		t.Error("a link to another language does not count")
	}
	if got := b.get("/account/choices"); !strings.Contains(got.text, `<html lang="de"`) || !strings.Contains(got.text, "Оля Ш.") {
		t.Error("the next page has forgotten the language")
	}
	if got := b.post("/account/choices", "name", strings.Repeat("x", 101)); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a name of 101 characters: %d", got.status)
	}
}
