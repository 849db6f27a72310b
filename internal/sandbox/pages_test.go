package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/sandbox"
)

// visit sends a form, or gets a page for none, without following a redirect.
func (w *world) visit(address string, form url.Values) (status int, location, page string, header http.Header) {
	w.t.Helper()
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Get(address)
	if form != nil {
		res, err = browser.PostForm(address, form)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res.StatusCode, res.Header.Get("Location"), string(body), res.Header
}

func TestCheckoutPagePosts(t *testing.T) {
	t.Parallel()
	const thanks, back = "https://site.example/thanks?session_id=ID", "https://site.example/support"
	tests := map[string]struct {
		form     url.Values
		status   int
		location string // ID and PAGE stand for the session's
		payment  string // the session's payment_status then
	}{
		"paid":           {url.Values{"email": {"a@example.org"}, "outcome": {"paid"}}, 303, thanks, "paid"},
		"delayed_paid":   {url.Values{"email": {"a@example.org"}, "outcome": {"delayed_paid"}}, 303, thanks, "unpaid"},
		"delayed_failed": {url.Values{"email": {"a@example.org"}, "outcome": {"delayed_failed"}}, 303, thanks, "unpaid"},
		"declined":       {url.Values{"email": {"a@example.org"}, "outcome": {"declined"}}, 303, "PAGE?attempt=declined", "unpaid"},
		"canceled":       {url.Values{"outcome": {"canceled"}}, 303, back, "unpaid"},
		"3-D Secure":     {url.Values{"email": {"a@example.org"}, "outcome": {"requires_action"}}, 303, "PAGE/authenticate", "unpaid"},
		"no e-mail":      {url.Values{"outcome": {"paid"}}, 422, "", "unpaid"},
		"wrong e-mail":   {url.Values{"email": {"nobody"}, "outcome": {"paid"}}, 422, "", "unpaid"},
		"no outcome":     {url.Values{"email": {"a@example.org"}}, 422, "", "unpaid"},
		"other outcome":  {url.Values{"email": {"a@example.org"}, "outcome": {"frob"}}, 422, "", "unpaid"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			session := w.must("POST", "/checkout/sessions", once("1000", "eur", "submit_type", "donate")...)
			id, page := session.str("id"), session.str("url")
			status, location, body, _ := w.visit(page, tt.form)
			want := strings.ReplaceAll(strings.ReplaceAll(tt.location, "ID", id), "PAGE", page)
			if status != tt.status || location != want {
				t.Errorf("answered %d to %s, want %d to %s", status, location, tt.status, want)
			}
			if status == 422 && !strings.Contains(body, `role="alert"`) {
				t.Error("the page does not say what was wrong")
			}
			if got := w.must("GET", "/checkout/sessions/"+id).str("payment_status"); got != tt.payment {
				t.Errorf("payment_status %s, want %s", got, tt.payment)
			}
		})
	}
}

func TestCheckoutPageShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	product := w.must("POST", "/products", "name", "Gift <for> the team").str("id")
	session := w.must("POST", "/checkout/sessions", "mode", "payment", "success_url", "https://site.example/thanks", "cancel_url", "https://site.example/support",
		"line_items[0][price_data][currency]", "eur", "line_items[0][price_data][unit_amount]", "1050", "line_items[0][price_data][product]", product,
		"line_items[0][quantity]", "1", "submit_type", "donate", "customer_email", "a@example.org", "custom_fields[0][key]", "why", "custom_fields[0][type]", "text",
		"custom_fields[0][label][type]", "custom", "custom_fields[0][label][custom]", "Why do you give?", "custom_fields[0][optional]", "true")
	page := session.str("url")
	status, _, body, header := w.visit(page, nil)
	for _, want := range []string{"Sandbox: no money moves", "Donate €10.50", "Gift &lt;for&gt; the team", "Why do you give?", `value="a@example.org"`,
		`name="outcome" value="paid"`, `name="outcome" value="canceled"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	policy := header.Get("Content-Security-Policy")
	if status != 200 || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "form-action 'self' https://site.example") ||
		strings.Contains(policy, "unsafe") || strings.Contains(body, "<script") || strings.Contains(body, " style=") {
		t.Errorf("status %d, policy %s", status, policy)
	}
	if _, _, again, _ := w.visit(page+"?attempt=declined", nil); !strings.Contains(again, "Your card was declined") {
		t.Error("after a declined card the page does not say so")
	}
	w.visit(page, url.Values{"email": {"a@example.org"}, "outcome": {"paid"}, "field_why": {"Because."}})
	done := w.must("GET", "/checkout/sessions/"+session.str("id"))
	if done.str("custom_fields.0.text.value") != "Because." {
		t.Errorf("custom field: %v", done.get("custom_fields"))
	}
	if _, _, again, _ := w.visit(page, nil); !strings.Contains(again, "This payment is done") {
		t.Error("a paid session still shows its form")
	}
	if status, location, _, _ := w.visit(page, url.Values{"email": {"a@example.org"}, "outcome": {"paid"}}); status != 303 || !strings.HasPrefix(location, "https://site.example/thanks") {
		t.Errorf("a second press is answered %d to %s", status, location)
	}
	if status, _, _, _ := w.visit(w.opts.BaseURL+"/checkout/cs_test_none", nil); status != 404 {
		t.Errorf("no such session: %d", status)
	}
}

func TestThreeDSecure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.must("POST", "/checkout/sessions", once("1000", "eur")...)
	page := session.str("url")
	_, step, _, _ := w.visit(page, url.Values{"email": {"a@example.org"}, "outcome": {"requires_action"}})
	intent := w.must("GET", "/payment_intents").list("data")[0]
	if intent.str("status") != "requires_action" || intent.str("next_action.redirect_to_url.url") != step {
		t.Errorf("PaymentIntent: %v", intent)
	}
	if _, _, body, _ := w.visit(step, nil); !strings.Contains(body, "Complete the check") {
		t.Error("no step to take")
	}
	if _, to, _, _ := w.visit(step, url.Values{"outcome": {"declined"}}); to != page+"?attempt=declined" {
		t.Errorf("a failed check leads to %s", to)
	}
	w.visit(page, url.Values{"email": {"a@example.org"}, "outcome": {"requires_action"}})
	if _, to, _, _ := w.visit(step, url.Values{"outcome": {"paid"}}); to != "https://site.example/thanks?session_id="+session.str("id") {
		t.Errorf("a completed check leads to %s", to)
	}
	if charge := w.must("GET", "/charges").list("data")[0]; charge.str("billing_details.email") != "a@example.org" || charge.str("status") != "succeeded" {
		t.Errorf("charge: %v", charge)
	}
}

func TestExpiredSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.must("POST", "/checkout/sessions", once("1000", "eur")...)
	w.advance(24 * time.Hour)
	if _, _, body, _ := w.visit(session.str("url"), nil); !strings.Contains(body, "has expired") {
		t.Error("the page of an expired session does not say so")
	}
	if status, location, _, _ := w.visit(session.str("url"), url.Values{"email": {"a@example.org"}, "outcome": {"paid"}}); status != 303 || location != session.str("url") {
		t.Errorf("paying an expired session: %d to %s", status, location)
	}
	if charges := w.must("GET", "/charges").list("data"); len(charges) != 0 {
		t.Errorf("an expired session was charged: %v", charges)
	}
	if a := w.call("POST", "/checkout/sessions/"+session.str("id")+"/expire"); a.status != 400 {
		t.Errorf("expiring it again is answered %d", a.status)
	}
	open := w.must("POST", "/checkout/sessions", once("1000", "eur")...)
	if got := w.must("POST", "/checkout/sessions/"+open.str("id")+"/expire"); got.str("status") != "expired" || got.get("url") != nil {
		t.Errorf("expired: %v", got)
	}
}

func TestThePageWaitsForTheDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *sandbox.Options) { o.Now = time.Now })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	defer func() {
		cancel()
		w.ok(<-ended)
	}()
	session := w.must("POST", "/checkout/sessions", once("1000", "eur")...)
	<-w.inbox.came // product.created: Run delivers
	w.visit(session.str("url"), url.Values{"email": {"a@example.org"}, "outcome": {"paid"}})
	var found bool
	for _, e := range w.inbox.events(t) {
		found = found || e.str("type") == "checkout.session.completed"
	}
	if !found {
		t.Error("the donor is sent back before the site was told")
	}
}

func TestPortal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := portalConfig(w)
	if config.get("is_default") != true || config.get("features.subscription_cancel.cancellation_reason.enabled") != true {
		t.Errorf("configuration: %v", config)
	}
	paid := w.paid(monthly("500", "eur"), sandbox.Paid)
	id := paid.str("subscription")
	session := w.must("POST", "/billing_portal/sessions", "customer", paid.str("customer"), "return_url", "https://site.example/account")
	if _, _, body, _ := w.visit(session.str("url"), nil); !strings.Contains(body, "€5.00") || !strings.Contains(body, "Cancel at the end") {
		t.Errorf("portal: %s", body)
	}
	act := func(action string) {
		t.Helper()
		if status, _, _, _ := w.visit(session.str("url"), url.Values{"subscription": {id}, "action": {action}}); status != 303 {
			t.Errorf("%s is answered %d", action, status)
		}
	}
	act("cancel")
	if sub := w.subscription(id); sub.get("cancel_at_period_end") != true || sub.str("cancellation_details.reason") != "cancellation_requested" {
		t.Errorf("canceled in the portal: %v", sub)
	}
	act("keep")
	w.ok(w.FailPayments(id, true))
	w.advance(30 * aDay)
	open := w.invoices(id)[0]
	if _, _, body, _ := w.visit(open.str("hosted_invoice_url"), nil); !strings.Contains(body, "Pay with a card that works") {
		t.Error("the page of an open invoice offers no payment")
	}
	act("card")
	if sub := w.subscription(id); sub.str("status") != "active" || w.invoices(id)[0].str("status") != "paid" {
		t.Errorf("after a new card: %s", sub.str("status"))
	}
	if status, _, _, _ := w.visit(session.str("url"), url.Values{"subscription": {"sub_other"}, "action": {"cancel"}}); status != 404 {
		t.Errorf("another's subscription: %d", status)
	}
	flow := w.must("POST", "/billing_portal/sessions", "customer", paid.str("customer"), "flow_data[type]", "subscription_cancel",
		"flow_data[subscription_cancel][subscription]", id, "flow_data[after_completion][type]", "redirect",
		"flow_data[after_completion][redirect][return_url]", "https://site.example/bye")
	if _, to, _, _ := w.visit(flow.str("url"), url.Values{"subscription": {id}, "action": {"cancel"}}); to != "https://site.example/bye" {
		t.Errorf("the flow leads to %s", to)
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charge := w.gift("1000", "eur").str("id")
	sub := w.paid(monthly("500", "eur"), sandbox.Paid)
	turn := func(path string, form url.Values) object {
		t.Helper()
		status, _, body, _ := w.visit(w.opts.BaseURL+"/control/"+path, form)
		if status != 200 {
			t.Errorf("%s is answered %d: %s", path, status, body)
		}
		return decode(t, []byte(body))
	}
	refund := turn("charges/"+charge+"/refund", url.Values{"amount": {"100"}}).str("id")
	turn("refunds/"+refund+"/fail", url.Values{})
	dispute := turn("charges/"+charge+"/dispute", url.Values{"inquiry": {"true"}}).str("id")
	turn("disputes/"+dispute+"/escalate", url.Values{})
	turn("disputes/"+dispute+"/close", url.Values{"outcome": {"lost"}})
	turn("disputes/"+dispute+"/reverse", url.Values{"fee_back": {"true"}})
	turn("charges/"+charge+"/warn", url.Values{})
	turn("subscriptions/"+sub.str("subscription")+"/fail", url.Values{})
	turn("customers/"+sub.str("customer")+"/invoice", url.Values{"amount": {"700"}, "currency": {"eur"}})
	turn("foreign", url.Values{"amount": {"700"}, "currency": {"eur"}, "email": {"b@example.org"}})
	turn("fees", url.Values{"amount": {"70"}, "description": {"Radar"}})
	turn("payouts", url.Values{"amount": {"70"}})
	turn("clock", url.Values{"advance": {"960h"}})
	if got := w.must("GET", "/disputes/"+dispute).str("status"); got != "won" {
		t.Errorf("dispute %s", got)
	}
	if got := w.subscription(sub.str("subscription")).str("status"); got != "past_due" {
		t.Errorf("subscription %s", got)
	}
	open := w.must("POST", "/checkout/sessions", once("1000", "eur")...)
	if to := turn("sessions/"+open.str("id")+"/pay", url.Values{"email": {"c@example.org"}, "outcome": {"paid"}}).str("url"); !strings.HasPrefix(to, "https://site.example/thanks") {
		t.Errorf("paid by the switch: %s", to)
	}
	event := w.must("GET", "/events").list("data")[0].str("id")
	turn("events/"+event+"/redeliver", url.Values{})
	res, err := http.Post(w.opts.BaseURL+"/control/chaos", "application/json", strings.NewReader(`{"double":100}`))
	w.ok(err)
	res.Body.Close()
	if status, _, _, _ := w.visit(w.opts.BaseURL+"/control/clock", url.Values{"advance": {"-1h"}}); status == 200 {
		t.Error("the clock goes back")
	}
}

func TestHome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	charge := w.gift("2500", "eur").str("id")
	sub := w.paid(monthly("500", "eur"), sandbox.Paid).str("subscription")
	home := w.opts.BaseURL + "/"
	press := func(form url.Values) {
		t.Helper()
		if status, to, body, _ := w.visit(home, form); status != 303 || to != home {
			t.Errorf("%v is answered %d to %s: %s", form, status, to, body)
		}
	}
	if _, _, body, _ := w.visit(home, nil); !strings.Contains(body, "€25.00") || !strings.Contains(body, "olena@example.org") || !strings.Contains(body, `value="refund"`) {
		t.Errorf("home: %s", body)
	}
	press(url.Values{"action": {"refund"}, "id": {charge}})
	press(url.Values{"action": {"refund_fails"}, "id": {charge}})
	press(url.Values{"action": {"dispute"}, "id": {charge}})
	press(url.Values{"action": {"lost"}, "id": {charge}})
	press(url.Values{"action": {"fails"}, "id": {sub}})
	press(url.Values{"advance": {"744h"}})
	if got := w.subscription(sub).str("status"); got != "past_due" {
		t.Errorf("after 31 days: %s", got)
	}
	press(url.Values{"action": {"works"}, "id": {sub}})
	press(url.Values{"action": {"cancel"}, "id": {sub}})
	c := w.must("GET", "/charges/"+charge)
	d := w.must("GET", "/disputes", "charge", charge).list("data")[0]
	if c.int("amount_refunded") != 0 || d.str("status") != "lost" || w.subscription(sub).str("status") != "canceled" {
		t.Errorf("charge %v, dispute %v", c, d)
	}
	for _, wrong := range []url.Values{{"action": {"frob"}}, {"action": {"refund"}, "id": {charge}}, {"advance": {"-1h"}}, {"advance": {"soon"}}} {
		if status, _, body, _ := w.visit(home, wrong); status != 400 || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%v is answered %d", wrong, status)
		}
	}
}
