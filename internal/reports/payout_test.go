package reports_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
	"github.com/united24media/support/internal/testenv"
)

// An office is reports over a ledger, and Stripe's stand-in that delivers to it.
type office struct {
	*reports.Service
	t      *testing.T
	box    *sandbox.Sandbox
	book   *ledger.Ledger
	store  *store.Store
	stripe *stripeapi.Client
	gifts  int
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, o *office)) {
	for name, address := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "support.db") },
		"PostgreSQL": func(t *testing.T) string { return testenv.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newOffice(t, address(t)))
		})
	}
}

func newOffice(t *testing.T, address string) *office {
	t.Helper()
	o := &office{t: t}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	var err error
	begin := time.Date(2026, time.January, 7, 12, 0, 0, 0, time.UTC)
	o.box, err = sandbox.New(sandbox.Options{
		BaseURL: server.URL + "/sandbox", WebhookURL: server.URL + "/webhooks", WebhookSecret: "whsec_test", Seed: 7,
		Now: func() time.Time { return begin },
	})
	ok(t, err)
	t.Cleanup(func() { o.box.Close() })
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", o.box.Handler()))
	mux.HandleFunc("/webhooks", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = o.book.Deliver(r.Context(), body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	o.stripe = stripeapi.New(stripeapi.Options{Key: "sk_test_1", BaseURL: server.URL + "/sandbox"})
	o.store, err = store.Open(address)
	ok(t, err)
	t.Cleanup(func() { o.store.Close() })
	_, err = o.store.Migrate(t.Context())
	ok(t, err)
	o.book = ledger.New(ledger.Options{Store: o.store, Now: o.box.Now, Timezone: time.UTC, Grace: 14 * 24 * time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- o.book.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	o.Service = reports.New(reports.Options{Store: o.store, Timezone: time.UTC, Now: o.box.Now})
	return o
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// give lets somebody give once and returns the donation's key and the charge.
func (o *office) give(amount int64, currency string) (key, charge string) {
	o.t.Helper()
	o.gifts++
	s, err := o.stripe.CreateSession(o.t.Context(), stripeapi.SessionParams{
		IdempotencyKey: "gift-" + strconv.Itoa(o.gifts), Reference: "co_1", Amount: money.Amount{Minor: amount, Currency: currency}, Interval: "once",
		ProductName: "Gift", Lang: "en", Without: []string{"product", "expires_at"},
		Metadata:   map[string]string{"support_v": "1", "checkout": "co_1", "article": "troops", "attribution": "signed"},
		SuccessURL: "https://site.example/thanks", CancelURL: "https://site.example/support",
	})
	ok(o.t, err)
	_, err = o.box.Pay(s.ID, sandbox.Payer{Email: "olena@example.org", Name: "Olena", Country: "UA"}, sandbox.Paid)
	ok(o.t, err)
	o.box.DeliverAll(o.t.Context())
	for _, c := range o.all(stripeapi.PathCharges, nil) {
		return c["payment_intent"].(string), c["id"].(string)
	}
	o.t.Fatal("no charge")
	return "", ""
}

// all returns all objects of a list of Stripe's, newest first.
func (o *office) all(path string, params url.Values) []map[string]any {
	o.t.Helper()
	var all []map[string]any
	for page, err := range o.stripe.List(o.t.Context(), path, params) {
		ok(o.t, err)
		for _, object := range page.Objects {
			var decoded map[string]any
			ok(o.t, json.Unmarshal(object, &decoded))
			all = append(all, decoded)
		}
	}
	return all
}

// apply tells the ledger what Stripe lists.
func (o *office) apply(path string, params url.Values, more func(page stripeapi.Page) []ledger.Answer) {
	o.t.Helper()
	for page, err := range o.stripe.List(o.t.Context(), path, params) {
		ok(o.t, err)
		var answers []ledger.Answer
		for _, object := range page.Objects {
			answers = append(answers, ledger.Answer{Object: object, At: page.At})
		}
		ok(o.t, o.book.Apply(o.t.Context(), append(answers, more(page)...)...))
	}
}

// listLines tells the ledger what a payout consists of, but for some lines.
func (o *office) listLines(payout string, without ...string) {
	o.t.Helper()
	var at time.Time
	o.apply(stripeapi.PathTransactions, url.Values{"payout": {payout}}, func(page stripeapi.Page) []ledger.Answer {
		at = page.At
		var facts []ledger.Answer
		for _, id := range page.IDs {
			if !slices.Contains(without, id) {
				facts = append(facts, said(objects.KindTransaction, id, &objects.Transaction{Payout: payout}, at))
			}
		}
		return facts
	})
	ok(o.t, o.book.Apply(o.t.Context(), said(objects.KindPayout, payout, &objects.Payout{Listed: at.Unix()}, at)))
}

func said(kind objects.Kind, id string, r objects.Register, at time.Time) ledger.Answer {
	return ledger.Answer{Object: objects.Fact(objects.NewRef(kind, id), r), At: at}
}

// advance moves the clock and delivers what happened.
func (o *office) advance(d time.Duration) {
	o.t.Helper()
	ok(o.t, o.box.Advance(d))
	o.box.DeliverAll(o.t.Context())
}

const day = 24 * time.Hour

// TestPayoutsAddUp plays a month with every kind of line and holds each
// deposit to what the sandbox booked.
func TestPayoutsAddUp(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o *office) {
		gift, charge := o.give(10_000, "EUR")
		o.give(5_000, "USD")
		lost, disputed := o.give(2_000, "EUR")
		_, err := o.box.ForeignCharge(7_000, "eur", "shop@example.org")
		ok(t, err)
		_, err = o.box.TakeFee(150, "Radar")
		ok(t, err)
		o.advance(10 * day) // paid out
		refund, err := o.box.Refund(charge, 1_200)
		ok(t, err)
		_, err = o.box.Refund(charge, 300)
		ok(t, err)
		complaint, err := o.box.Dispute(disputed, sandbox.Complaint{})
		ok(t, err)
		ok(t, o.box.CloseDispute(complaint, "lost", false))
		o.give(30_000, "EUR")
		o.advance(10 * day)
		ok(t, o.box.FailRefund(refund))
		o.give(8_000, "EUR")
		_, err = o.box.ManualPayout(500)
		ok(t, err)
		o.advance(10 * day)
		payouts := o.all(stripeapi.PathPayouts, nil)
		ok(t, o.box.FailPayout(payouts[0]["id"].(string))) // the newest
		o.give(9_000, "EUR")
		o.advance(10 * day)
		o.apply(stripeapi.PathRefunds, nil, func(stripeapi.Page) []ledger.Answer { return nil })
		o.apply(stripeapi.PathDisputes, nil, func(stripeapi.Page) []ledger.Answer { return nil })
		o.apply(stripeapi.PathPayouts, nil, func(stripeapi.Page) []ledger.Answer { return nil })
		for _, p := range o.all(stripeapi.PathPayouts, nil) {
			if p["automatic"] == true {
				o.listLines(p["id"].(string))
			}
		}

		from, to, err := reports.ParsePayoutDays("2026-01-01", "2026-04-01")
		ok(t, err)
		report, err := o.PayoutReport(t.Context(), from, to)
		ok(t, err)
		if whole := o.all(stripeapi.PathPayouts, nil); len(report.Payouts) != len(whole) || len(whole) < 4 {
			t.Fatalf("%d payouts are reported; Stripe made %d, and 4 or more are needed here", len(report.Payouts), len(whole))
		}
		kinds, deposits := map[string]int64{}, int64(0)
		for _, p := range report.Payouts {
			of := map[string]any{}
			for _, theirs := range o.all(stripeapi.PathPayouts, nil) {
				if theirs["id"] == p.ID {
					of = theirs
				}
			}
			if float64(p.Amount) != of["amount"] || p.Status != of["status"] || p.Currency != "EUR" {
				t.Errorf("payout %+v; Stripe's: %v", p, of)
			}
			if p.Status != "failed" {
				deposits += p.Amount
			}
			if of["automatic"] == false {
				if p.State != reports.PayoutManual || p.Itemised != nil || len(p.Parts) != 0 || !strings.Contains(p.Note, "does not itemise") {
					t.Errorf("a manual payout: %+v", p)
				}
				continue
			}
			if p.State != reports.PayoutComplete || p.Itemised == nil || *p.Itemised != p.Amount {
				t.Errorf("payout %+v does not add up", p)
			}
			if failed := p.Status == "failed"; failed != strings.Contains(p.Note, "did not reach the bank (account_closed)") {
				t.Errorf("payout %s is %s, and noted: %q", p.ID, p.Status, p.Note)
			}
			sum := int64(0)
			for _, part := range p.Parts {
				kinds[part.Kind] += part.Net
				sum += part.Net
			}
			if sum != p.Amount {
				t.Errorf("the parts of %s come to %d of %d", p.ID, sum, p.Amount)
			}
		}
		if want := []reports.PayoutTotal{{Currency: "EUR", Payouts: int64(len(report.Payouts) - 1), Amount: deposits}}; !slices.Equal(report.Totals, want) {
			t.Errorf("totals %+v, want %+v", report.Totals, want)
		}
		// Of what the sandbox booked, kind by kind.
		booked := map[string]int64{}
		foreign := ""
		for _, c := range o.all(stripeapi.PathCharges, nil) {
			if c["amount"] == 7_000.0 {
				foreign = c["id"].(string)
			}
		}
		for _, txn := range o.all(stripeapi.PathTransactions, nil) {
			kind := map[string]string{
				"charge": reports.LineDonation, "refund": reports.LineRefund, "refund_failure": reports.LineRefund,
				"adjustment": reports.LineDispute, "stripe_fee": reports.LineFee, "payout_failure": reports.LineAdjustment,
			}[txn["type"].(string)]
			if txn["source"] == foreign {
				kind = reports.LineForeign
			}
			if txn["type"] == "payout" { // the manual one lessens a later deposit
				kind = reports.LineAdjustment
				for _, p := range report.Payouts {
					if p.ID == txn["source"] && p.Automatic {
						kind = ""
					}
				}
			}
			booked[kind] += int64(txn["net"].(float64))
		}
		delete(booked, "")
		for kind, sum := range booked {
			if kinds[kind] != sum || sum == 0 {
				t.Errorf("%s lines come to %d, want %d", kind, kinds[kind], sum)
			}
		}
		if len(booked) != 6 {
			t.Errorf("the story has lines of the kinds %v, and should have all six", booked)
		}
		o.checkLines(report, gift, charge, refund, lost, complaint)
	})
}

// checkLines looks whether lines name the gifts they belong to.
func (o *office) checkLines(report reports.PayoutReport, gift, charge, refund, lost, complaint string) {
	o.t.Helper()
	donations, wanted := map[string]string{}, map[string]string{charge: gift, refund: gift, complaint: lost}
	for _, p := range report.Payouts {
		_, lines, err := o.Payout(o.t.Context(), p.ID)
		ok(o.t, err)
		for _, line := range lines {
			donations[line.Source] = line.Donation
			if (line.Kind == reports.LineForeign || line.Kind == reports.LineFee) && line.Donation != "" {
				o.t.Errorf("a %s line names a gift: %+v", line.Kind, line)
			}
		}
	}
	for source, key := range wanted {
		if donations[source] != key {
			o.t.Errorf("the line of %s names the gift %q, want %q", source, donations[source], key)
		}
	}
}

// TestPayoutsSayWhatTheyDoNotKnow takes a payout's lines away.
func TestPayoutsSayWhatTheyDoNotKnow(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o *office) {
		o.give(10_000, "EUR")
		_, charge := o.give(2_000, "EUR")
		o.advance(10 * day)
		id := o.all(stripeapi.PathPayouts, nil)[0]["id"].(string)
		state := func(want, note string) reports.Payout {
			t.Helper()
			p, _, err := o.Payout(t.Context(), id)
			ok(t, err)
			if p.State != want || !strings.Contains(p.Note, note) {
				t.Errorf("payout %+v; want %s and a note with %q", p, want, note)
			}
			return p
		}
		if p := state(reports.PayoutWaiting, "not listed yet"); p.Itemised != nil {
			t.Errorf("lines that were never listed come to %d", *p.Itemised)
		}
		missing := ""
		for _, txn := range o.all(stripeapi.PathTransactions, nil) {
			if txn["source"] == charge {
				missing = txn["id"].(string)
			}
		}
		o.listLines(id, missing)
		state(reports.PayoutDiffers, "EUR, which is not its amount")
		o.listLines(id)
		state(reports.PayoutComplete, "")
		if _, _, err := o.Payout(t.Context(), "po_0"); !errors.Is(err, fault.NotFound) {
			t.Errorf("a payout that is not there: %v", err)
		}
	})
}

// TestPayoutAddresses asks as the accountant's program does.
func TestPayoutAddresses(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "sqlite:"+filepath.Join(t.TempDir(), "support.db"))
	gift, charge := o.give(10_000, "EUR")
	o.advance(10 * day)
	id := o.all(stripeapi.PathPayouts, nil)[0]["id"].(string)
	o.listLines(id)
	ask := func(role, address, accept string, h func(*gin.Context) error) (string, error) {
		token, err := o.CreateToken(t.Context(), rand.Text(), role, store.Entry{})
		ok(t, err)
		w := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(w)
		c.Params = gin.Params{{Key: "id", Value: id}}
		c.Request = httptest.NewRequest(http.MethodGet, address, nil)
		c.Request.Header.Set("Authorization", "Bearer "+token)
		c.Request.Header.Set("Accept", accept)
		err = h(c)
		return w.Body.String(), err
	}
	const period = "/?from=2026-01-10&to=2026-01-20"
	text, err := ask("viewer", period, "application/json", o.Payouts)
	ok(t, err)
	for _, want := range []string{`"timezone":"UTC"`, `"id":"` + id + `"`, `"state":"complete"`, `"amount_minor":9680`, `"itemised_minor":9680`,
		`"parts":[{"kind":"donation","lines":1,"amount_minor":10000,"fee_minor":320,"net_minor":9680}]`,
		`"totals":[{"currency":"EUR","payouts":1,"amount_minor":9680}]`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	text, err = ask("viewer", period, "text/csv", o.Payouts)
	ok(t, err)
	if lines := strings.Split(text, "\r\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], id+",2026-01-1") ||
		!strings.HasSuffix(lines[1], ",true,complete,EUR,9680,donation,1,10000,320,9680,,UTC") {
		t.Errorf("CSV: %q", text)
	}
	if _, err = ask("viewer", "/?from=2026-01-10&to=2026-01-10", "application/json", o.Payouts); !errors.Is(err, fault.Invalid) {
		t.Errorf("an empty period: %v", err)
	}
	if text, err = ask("viewer", "/?from=2026-02-10&to=2026-03-10", "application/json", o.Payouts); err != nil || !strings.Contains(text, `"payouts":[]`) {
		t.Errorf("another month: %s, %v", text, err)
	}
	for role, sees := range map[string]bool{"viewer": false, "finance": true} {
		text, err = ask(role, "/", "application/json", o.PayoutByID)
		ok(t, err)
		if strings.Contains(text, charge) != sees || !strings.Contains(text, `"donation":"`+gift+`"`) {
			t.Errorf("%s gets %s", role, text)
		}
	}
	text, err = ask("finance", "/", "text/csv", o.PayoutByID)
	ok(t, err)
	if !strings.Contains(text, ",donation,charge,"+charge+","+gift+",EUR,10000,320,9680\r\n") {
		t.Errorf("CSV: %q", text)
	}
	if !bytes.HasPrefix([]byte(text), []byte("payout,transaction,created_at,")) {
		t.Errorf("CSV without its head: %q", text)
	}
}
