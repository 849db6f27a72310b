package mail

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/notice"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/testenv/chromium"
)

// A sample is one mail of each kind, with what it looks up.
type sample struct {
	name string
	mail store.QueuedMail
}

// samples returns a service whose database holds what every kind of mail is
// about, and those mails.
func samples(t *testing.T) (*Service, []sample) {
	t.Helper()
	db := sqlite(t)
	at := began.Unix()
	won := giving.Attribution{Locale: "en"}
	gift := func(key string, refunded int64, interval giving.Interval) *giving.Donation {
		return &giving.Donation{
			Key: key, Source: "stripe", Email: "reader@example.org", Created: at, Gross: 125000, Refunded: refunded,
			Currency: "EUR", Interval: interval, Method: "card", Attribution: won,
		}
	}
	member := func(id, status string, ended int64) *giving.Membership {
		return &giving.Membership{
			Subscription: id, Email: "reader@example.org", Status: status, Live: status == "active" || status == "past_due", Created: at,
			Ended: ended, PeriodEnd: at + 30*24*3600, Currency: "EUR", Amount: 1000, Interval: giving.Month, Attribution: won,
		}
	}
	yearly := member("sub_yearly", "active", 0)
	yearly.Interval, yearly.Amount, yearly.PeriodEnd = giving.Year, 9000, at+14*24*3600
	sub := func(change objects.SubState) objects.Register {
		return &objects.Subscription{Created: at, State: objects.Latest[objects.SubState]{Value: change}}
	}
	visit := func(failed bool) objects.Register {
		return &objects.Session{Created: at, Status: "complete", PaymentStatus: "unpaid", Failed: failed, Intent: "pi_none"}
	}
	owed := func(attempts, next int64) objects.Register {
		return &objects.Invoice{Status: "open", Attempts: attempts, Billing: objects.Latest[objects.InvoiceState]{Value: objects.InvoiceState{NextAttempt: next}}}
	}
	registers := map[string]objects.Register{
		"checkout.session/cs_promised": visit(false), "checkout.session/cs_failed": visit(true),
		"subscription/sub_active": sub(objects.SubState{Status: "active"}), "subscription/sub_yearly": sub(objects.SubState{Status: "active"}),
		"subscription/sub_paused": sub(objects.SubState{Status: "active", Paused: true}), "subscription/sub_ending": sub(objects.SubState{Status: "active", CancelAtEnd: true}),
		"subscription/sub_back":  sub(objects.SubState{Status: "active", Paused: true, Resumes: at + 60*24*3600}),
		"subscription/sub_ended": sub(objects.SubState{Status: "canceled"}), "subscription/sub_late": sub(objects.SubState{Status: "past_due"}),
		"invoice/in_1": owed(1, at+3*24*3600), "invoice/in_2": owed(4, 0),
		"dispute/dp_1": &objects.Dispute{Currency: "eur", Amount: 1000, State: objects.Latest[objects.DisputeState]{Value: objects.DisputeState{
			Status: "needs_response", Reason: "fraudulent", DueBy: at + 7*24*3600,
		}}},
	}
	states := map[string]string{}
	for ref, r := range registers {
		states[ref] = objects.Encode(r)
	}
	err := db.Ledger(t.Context(), func(tx *store.Tx) error {
		return errors.Join(
			tx.PutDonations(t.Context(), []*giving.Donation{gift("pi_once", 0, giving.Once), gift("pi_refunded", 50000, giving.Month)}),
			tx.PutMemberships(t.Context(), []*giving.Membership{
				member("sub_active", "active", 0), member("sub_paused", "active", 0), member("sub_back", "active", 0), member("sub_ending", "active", 0),
				member("sub_ended", "canceled", at), member("sub_late", "past_due", 0), yearly,
			}),
			tx.PutRegisters(t.Context(), states))
	})
	if err != nil {
		t.Fatal(err)
	}
	return start(t, db, nil, &clock{now: began}, new(bytes.Buffer)), []sample{
		{SignIn, queued(SignIn, "x", map[string]string{"id": "id1"})},
		{StaffSignIn, queued(StaffSignIn, "x", map[string]string{"id": "id1"})},
		{notice.Receipt, queued(notice.Receipt, "pi_once", nil)},
		{notice.Refund, queued(notice.Refund, "pi_refunded/50000", notice.Data{Donation: "pi_refunded", Amount: 50000, Currency: "EUR"})},
		{notice.Promise, queued(notice.Promise, "cs_promised", notice.Data{Amount: 2500, Currency: "eur"})},
		{notice.PromiseFailed, queued(notice.PromiseFailed, "cs_failed", notice.Data{Amount: 2500, Currency: "eur"})},
		{notice.Started, queued(notice.Started, "sub_active", nil)},
		{notice.Changed, queued(notice.Changed, "sub_active/1", notice.Data{Membership: "sub_active", Amount: 1000, Currency: "EUR", Interval: "month", OldAmount: 500, OldMoney: "EUR"})},
		{notice.Paused, queued(notice.Paused, "sub_paused/1", notice.Data{Membership: "sub_paused"})},
		{notice.Paused + " until", queued(notice.Paused, "sub_back/1", notice.Data{Membership: "sub_back"})},
		{notice.Resumed, queued(notice.Resumed, "sub_active/1", notice.Data{Membership: "sub_active"})},
		{notice.Cancelled, queued(notice.Cancelled, "sub_ending/1", notice.Data{Membership: "sub_ending", At: at + 30*24*3600})},
		{notice.Cancelled + " at once", queued(notice.Cancelled, "sub_ended/1", notice.Data{Membership: "sub_ended", At: at})},
		{notice.Cancelled + " unpaid", queued(notice.Cancelled, "sub_ended/2", notice.Data{Membership: "sub_ended", At: at, Reason: "payment_failed"})},
		{notice.RenewalFailed, queued(notice.RenewalFailed, "in_1/1", notice.Data{Membership: "sub_late", Attempt: 1})},
		{notice.RenewalFailed + " last", queued(notice.RenewalFailed, "in_2/4", notice.Data{Membership: "sub_late", Attempt: 4})},
		{CardExpiring, queued(CardExpiring, "sub_active/12-2026", cardData{"sub_active", "4242", 12, 2026})},
		{RenewalReminder, queued(RenewalReminder, "sub_yearly/2026-12-11", nil)},
		{Statement, queued(Statement, "2026/x", map[string]int{"year": 2026})},
		{notice.Dispute, queued(notice.Dispute, "dp_1/x", notice.Data{Donation: "pi_once"})},
		{Differences, queued(Differences, "2026-11-27/x", StaffNews{"3 differences from Stripe were found and mended", []string{"The sweep compared 1,204 objects."}, "/staff/health"})},
	}
}

func queued(kind, subject string, about any) store.QueuedMail {
	data := []byte(`{}`)
	if about != nil {
		data, _ = json.Marshal(about) // plain structs
	}
	return store.QueuedMail{
		Mail: store.Mail{Kind: kind, Subject: subject, To: "reader@example.org", Data: data}, ID: store.MailID(kind, subject), Queued: began,
	}
}

// TestLetters compares every mail in every language with the one of testdata.
// `go test ./internal/mail -run Letters -update` writes them anew.
func TestLetters(t *testing.T) {
	t.Parallel()
	s, all := samples(t)
	kinds := map[string]bool{Silence: true, Attack: true} // worded as differences are
	for _, lang := range i18n.Languages() {
		var text strings.Builder
		for _, one := range all {
			m := one.mail
			kinds[m.Kind] = true
			if m.Locale = lang; strings.HasPrefix(m.Kind, "staff_") && lang != i18n.Default {
				continue
			}
			l, err := s.Compose(t.Context(), m)
			if err != nil {
				t.Fatalf("%s in %s: %v", one.name, lang, err)
			}
			html, err := l.HTML()
			if err != nil {
				t.Fatal(err)
			}
			plain := l.Plain()
			for _, unfinished := range []string{"mail.", "{{", "<no value>", "%!", "ZgotmplZ"} {
				if strings.Contains(plain+l.Subject+html, unfinished) && unfinished != "mail." || strings.Contains(plain+l.Subject, "mail."+m.Kind) {
					t.Errorf("%s in %s holds %s", one.name, lang, unfinished)
				}
			}
			for _, foreign := range []string{"<img", "<script", "<link", "url(", "@import", "http://"} {
				if strings.Contains(html, foreign) && !strings.Contains(html, `xmlns="http://`) {
					t.Errorf("%s in %s needs something from elsewhere: %s", one.name, lang, foreign)
				}
			}
			text.WriteString("=== " + one.name + "\nSubject: " + l.Subject + "\n\n" + plain + "\n")
		}
		testenv.Golden(t, lang+".txt", []byte(text.String()))
	}
	for kind := range composers {
		if !kinds[kind] {
			t.Errorf("no sample of %s", kind)
		}
	}
}

// A mail whose matter has passed is not sent.
func TestMoot(t *testing.T) {
	t.Parallel()
	s, all := samples(t)
	wrong := map[string]store.QueuedMail{
		"a receipt for no gift":      queued(notice.Receipt, "pi_gone", nil),
		"another sum refunded":       queued(notice.Refund, "pi_refunded/1", notice.Data{Donation: "pi_refunded"}),
		"a promise that failed":      queued(notice.Promise, "cs_failed", nil),
		"a membership that ended":    queued(notice.Started, "sub_ended", nil),
		"changed again":              queued(notice.Changed, "sub_active/1", notice.Data{Membership: "sub_active", Amount: 1, Currency: "EUR", Interval: "month"}),
		"not paused":                 queued(notice.Paused, "sub_active/1", notice.Data{Membership: "sub_active"}),
		"paused again":               queued(notice.Resumed, "sub_paused/1", notice.Data{Membership: "sub_paused"}),
		"goes on":                    queued(notice.Cancelled, "sub_active/1", notice.Data{Membership: "sub_active"}),
		"an attempt that is over":    queued(notice.RenewalFailed, "in_2/3", notice.Data{Membership: "sub_late", Attempt: 3}),
		"the card of an ended one":   queued(CardExpiring, "sub_ended/1", cardData{Membership: "sub_ended"}),
		"the reminder of an end":     queued(RenewalReminder, "sub_ending/1", nil),
		"nothing known of a dispute": queued(notice.Dispute, "dp_gone/x", nil),
	}
	for name, m := range wrong {
		if _, err := s.Compose(t.Context(), m); !errors.As(err, new(moot)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, one := range all { // and a broken row stops, for staff to see
		m := one.mail
		m.Data = []byte(`{`)
		if _, err := s.Compose(t.Context(), m); one.mail.Kind != notice.Receipt && one.mail.Kind != notice.Started && one.mail.Kind != RenewalReminder && !errors.As(err, new(refusal)) && !errors.As(err, new(moot)) {
			t.Errorf("%s with a broken row: %v", one.name, err)
		}
	}
}

// TestInABrowser looks for barriers in each mail, in light and dark, on a
// phone. With SUPPORT_ARTIFACTS it leaves pictures there.
func TestInABrowser(t *testing.T) {
	t.Parallel()
	s, all := samples(t)
	pages := map[string]string{}
	folder := os.Getenv("SUPPORT_ARTIFACTS")
	for _, one := range all {
		// Barriers are the layout's: these four have all its parts.
		if folder == "" && !slices.Contains([]string{SignIn, notice.Receipt, notice.RenewalFailed, notice.Dispute}, one.name) {
			continue
		}
		for _, lang := range []string{"en", "uk", "de"} {
			if folder == "" && lang != "en" {
				continue
			}
			m := one.mail
			m.Locale = lang
			l, err := s.Compose(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if pages["/"+one.name+"/"+lang], err = l.HTML(); err != nil {
				t.Fatal(err)
			}
		}
	}
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(pages[r.URL.Path]))
	}))
	t.Cleanup(served.Close)
	b := chromium.New(t, 360, 700)
	for _, path := range slices.Sorted(maps.Keys(pages)) {
		for _, scheme := range []string{"light", "dark"} {
			b.Scheme(scheme)
			b.Open(served.URL + strings.ReplaceAll(path, " ", "%20"))
			if strings.HasSuffix(path, "/en") {
				for _, barrier := range b.Barriers("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa") {
					t.Errorf("%s, %s: %s", path, scheme, barrier)
				}
				for _, wide := range b.TooWide() {
					t.Errorf("%s, %s: %s is wider than a phone", path, scheme, wide)
				}
			}
			if folder != "" {
				b.Picture("mail" + path + "-" + scheme)
			}
		}
	}
}

// What supporters chose on their pages holds for their mail.
func TestChoices(t *testing.T) {
	t.Parallel()
	s, _ := samples(t)
	renewal := &giving.Donation{
		Key: "pi_renewal", Source: "stripe", Email: "reader@example.org", Subscription: "sub_active",
		Created: began.Unix() + 30*24*3600, Gross: 1000, Currency: "EUR", Interval: giving.Month,
	}
	first := *renewal
	first.Key, first.Created = "pi_first", began.Unix()+60
	err := errors.Join(
		s.Store.Ledger(t.Context(), func(tx *store.Tx) error {
			return tx.PutDonations(t.Context(), []*giving.Donation{renewal, &first})
		}),
		s.Store.PutChoices(t.Context(), store.Choices{Address: "reader@example.org", Locale: "uk"}, began))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []store.QueuedMail{queued(Statement, "2026/x", map[string]int{"year": 2026}), queued(notice.Receipt, "pi_renewal", nil)} {
		if _, err := s.Compose(t.Context(), m); !errors.As(err, new(moot)) {
			t.Errorf("%s: %v", m.Kind, err)
		}
	}
	if _, err := s.Compose(t.Context(), queued(notice.Receipt, "pi_renewal/action", nil)); err != nil {
		t.Errorf("a receipt that staff send again: %v", err)
	}
	l, err := s.Compose(t.Context(), queued(notice.Receipt, "pi_first", nil))
	if err != nil || l.Lang != "uk" {
		t.Errorf("the first receipt: %v, %v", l, err)
	}
}
