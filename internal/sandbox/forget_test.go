package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestWhatNobodyPaidIsForgotten: however many checkouts are opened, what is
// remembered of them is bounded; a checkout that somebody paid stays, with its
// gift, and so does an event that was not delivered, also after a restart.
func TestWhatNobodyPaidIsForgotten(t *testing.T) {
	t.Parallel()
	const sessions, events = 5, 40
	small := func(s *Sandbox) { s.mostOpened, s.mostEvents = sessions, events }
	keep := func(o *Options) {
		o.Folder, o.WebhookURL, o.Events = t.TempDir(), "http://nobody.example", []string{"checkout.session.completed"}
	}
	folder := ""
	s := open(t, func(o *Options) { keep(o); folder = o.Folder })
	small(s)
	opened := 0
	create := func(s *Sandbox) string {
		opened++
		form := url.Values{
			"mode": {"payment"}, "success_url": {"https://site.example/"}, "line_items[0][quantity]": {"1"},
			"line_items[0][price_data][currency]": {"eur"}, "line_items[0][price_data][unit_amount]": {"500"},
			"line_items[0][price_data][product_data][name]": {"A gift"},
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/checkout/sessions", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer sk_test_sandbox")
		r.Header.Set("Stripe-Version", Version)
		r.Header.Set("Idempotency-Key", fmt.Sprint("key", opened))
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatal(w.Code, w.Body)
		}
		o, err := decodeObject(w.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return o.id()
	}
	paid := create(s)
	if _, err := s.Pay(paid, Payer{Email: "a@b.example"}, Paid); err != nil {
		t.Fatal(err)
	}
	undelivered := 0
	s.st.each(kindEvent, func(e Object) bool {
		undelivered += int(e.int("pending_webhooks"))
		return true
	})
	check := func(s *Sandbox) {
		t.Helper()
		newest := ""
		for range 10 * sessions {
			newest = create(s)
		}
		for kind, most := range map[kind]int{
			kindSession: sessions + 1, kindPrice: sessions + 1, kindProduct: sessions + 1, kindIdempotency: sessions + 1,
			kindTask: sessions + 10, kindNote: sessions + 10, kindEvent: events + undelivered,
		} {
			if n := len(s.st.table(kind).ids); n > most {
				t.Errorf("%s: %d are remembered; want %d at most", kind, n, most)
			}
		}
		if s.st.get(kindSession, paid).str("payment_status") != "paid" || s.st.get(kindSession, newest) == nil || len(s.st.table(kindCharge).ids) != 1 {
			t.Error("what was paid, or what is new, was forgotten")
		}
		left := 0
		s.st.each(kindEvent, func(e Object) bool {
			left += int(e.int("pending_webhooks"))
			return true
		})
		if undelivered == 0 || left != undelivered {
			t.Errorf("of %d events that were not delivered %d are left", undelivered, left)
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, func(o *Options) { keep(o); o.Folder = folder })
	small(again)
	check(again)
}
