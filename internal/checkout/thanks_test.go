package checkout

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

func TestThanks(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	form := b.view(t, "lang=de&article=troops&return_url="+url.QueryEscape(site+"/troops")).form()
	form.Set("name", "Geheim")
	b.send(form)
	look := func(query string) page {
		w := b.do(http.MethodGet, "/thanks?"+query, "", "")
		if w.Code != http.StatusOK {
			t.Errorf("/thanks?%s: %d", query, w.Code)
		}
		p := parsePage(t, w)
		if strings.Contains(p.text, "Geheim") || !strings.Contains(p.text, "noindex") {
			t.Errorf("/thanks?%s tells too much", query)
		}
		return p
	}
	const mine = "session_id=cs_test_1"
	tests := []struct{ name, status, query, want, refresh string }{
		{"not paid", "open unpaid", mine, "Ihre Zahlung ist nicht abgeschlossen", ""},
		{"expired", "expired unpaid", mine, "Ihre Zahlung ist nicht abgeschlossen", ""},
		{"just paid", "complete paid", mine, "Wir bestätigen gerade Ihre Spende", "3; url=/thanks?look=1&session_id=cs_test_1"},
		{"a bank needs days", "complete unpaid", mine, "Ihre Zahlung ist unterwegs", ""},
		{"Stripe is not asked each time", "open unpaid", mine + "&look=7", "Wir bestätigen gerade", "3; url=/thanks?look=8&session_id=cs_test_1"},
		{"after many looks", "complete paid", mine + "&look=12", "Es dauert länger", "20; url=/thanks?look=13&session_id=cs_test_1"},
		{"at last it stops looking", "complete paid", mine + "&look=31", "Es dauert länger", ""},
		{"a stranger's guess", "", "session_id=cs_test_2", "show this gift", ""},
		{"markup", "", "session_id=%3Cscript%3E", "show this gift", ""},
		{"nothing", "", "", "show this gift", ""},
	}
	for _, tt := range tests {
		b.stripe.status["cs_test_1"] = tt.status
		p := look(tt.query)
		refresh := ""
		for _, n := range p.each("meta") {
			if attr(n, "http-equiv") == "refresh" {
				refresh = attr(n, "content")
			}
		}
		if !strings.Contains(p.text, tt.want) || refresh != tt.refresh {
			t.Errorf("%s: refresh %q, without %q: %s", tt.name, refresh, tt.want, p.text[strings.Index(p.text, "<main"):])
		}
	}
	if strings.ReplaceAll(look("session_id=cs_test_2").text, "cs_test_2", "") != strings.ReplaceAll(look("session_id=cs_live_x").text, "cs_live_x", "") {
		t.Error("two unknown sessions look different")
	}
}

// Recorded is what the books say, not what the checkout asked for.
func TestThanksRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := answer(t, b.post(`{"amount_minor":1000,"currency":"EUR","interval":"once","locale":"uk","return_url":"`+site+`/troops"}`)).ID
	addDonation(t, b.Store, id, b.clock.Add(time.Minute), 1200)
	w := b.do(http.MethodGet, "/thanks?session_id=cs_test_1", "", "")
	p := parsePage(t, w)
	for _, want := range []string{"Дякуємо, що ви з нами", "12\u00a0€", "1 березня 2026", site + "/troops", `<html lang="uk"`} {
		if !strings.Contains(p.text, want) {
			t.Errorf("the page lacks %q: %s", want, p.text[strings.Index(p.text, "<main"):])
		}
	}
	if strings.Contains(p.text, "http-equiv") {
		t.Error("it looks again, though all is known")
	}
}

// What is recorded of a session's end is said, whatever Stripe's answer of the
// moment looks like.
func TestThanksAfterTheEnd(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		session objects.Session
		status  string // at Stripe
		want    string
	}{
		"a promise kept back": {objects.Session{Status: "complete", PaymentStatus: "unpaid", Failed: true}, "complete unpaid", "failed"},
		"a promise kept":      {objects.Session{Status: "complete", PaymentStatus: "paid", Failed: true}, "complete paid", "pending"},
		"a promise":           {objects.Session{Status: "complete", PaymentStatus: "unpaid"}, "complete unpaid", "promised"},
		"expired":             {objects.Session{Status: "expired", PaymentStatus: "unpaid"}, "", "open"},
	}
	for name, tt := range tests {
		for _, lang := range i18n.Languages() {
			t.Run(name+" "+lang, func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				answer(t, b.post(`{"amount_minor":1000,"currency":"EUR","interval":"once","attempt":"a","article":"troops","locale":"`+lang+`"}`))
				b.stripe.status["cs_test_1"] = tt.status
				err := b.Store.Ledger(t.Context(), func(tx *store.Tx) error {
					return tx.PutRegisters(t.Context(), map[string]string{"checkout.session/cs_test_1": objects.Encode(&tt.session)})
				})
				if err != nil {
					t.Fatal(err)
				}
				p := parsePage(t, b.do(http.MethodGet, "/thanks?session_id=cs_test_1", "", ""))
				for _, part := range []string{"h1", "lead"} {
					if want := i18n.T(lang, "thanks."+tt.want+"."+part); !strings.Contains(p.text, want) {
						t.Errorf("without %q: %s", want, p.text[strings.Index(p.text, "<main"):])
					}
				}
				again := slices.ContainsFunc(p.each("a"), func(n *html.Node) bool {
					return attr(n, "class") == "button" && strings.Contains(attr(n, "href"), "/support?amount=10") && !strings.Contains(attr(n, "href"), "attempt=")
				})
				if ended := tt.want == "failed" || tt.want == "open"; again != ended {
					t.Errorf("a way to try again: %v, want %v", again, ended)
				}
			})
		}
	}
}

func TestThanksWithoutDatabase(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_ = b.Store.Close()
	w := b.do(http.MethodGet, "/thanks?session_id=cs_test_1", "", "")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "We are confirming your gift") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// addDonation stores a donation of a checkout, in euros.
func addDonation(t *testing.T, db *store.Store, checkout string, at time.Time, minor int64) {
	t.Helper()
	err := db.Ledger(t.Context(), func(tx *store.Tx) error {
		return tx.PutDonations(t.Context(), []*giving.Donation{{
			Key: "pi_1", Charge: "ch_1", Created: at.Unix(), Interval: giving.Once, Currency: "EUR", Gross: minor,
			Attribution: giving.Attribution{Checkout: checkout},
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
}
