package quarantine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/offer"
	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/stripeapi"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	gift := func(key, who string, minor int64, first bool) *giving.Donation {
		return &giving.Donation{Key: key, Supporter: who, Currency: "EUR", Interval: giving.Once, Gross: minor, First: first}
	}
	many := func(n int, minor int64) (all []*giving.Donation) {
		for i := range n {
			all = append(all, gift(fmt.Sprint("pi_", i), fmt.Sprint("person ", i), minor, true))
		}
		return all
	}
	from := func(domain string, gifts []*giving.Donation) []*giving.Donation {
		for i, d := range gifts {
			d.Email = fmt.Sprintf("%d@%s", i, domain)
		}
		return gifts
	}
	back := gift("pi_0", "a", 1000, true)
	back.Refunded = 1000
	tests := map[string]struct {
		gifts []*giving.Donation
		tries map[string]int
		held  int
		at    map[string]int // payments refused by mail domain
	}{
		"readers":                             {many(40, 1000), nil, 0, nil},
		"a reader whose card failed twice":    {many(1, 1000), map[string]int{"pi_0": 2}, 0, nil},
		"card after card":                     {many(2, 1000), map[string]int{"pi_0": 3}, 1, nil},
		"one who is known, card after card":   {[]*giving.Donation{gift("pi_0", "a", 1000, false)}, map[string]int{"pi_0": 3}, 1, nil},
		"twice by a newcomer":                 {[]*giving.Donation{gift("1", "a", 1000, true), gift("2", "a", 2500, false)}, nil, 0, nil},
		"three times by a newcomer":           {[]*giving.Donation{gift("1", "a", 1000, true), gift("2", "a", 2500, false), gift("3", "a", 500, false)}, nil, 3, nil},
		"three times by one who is known":     {[]*giving.Donation{gift("1", "a", 1000, false), gift("2", "a", 2500, false), gift("3", "a", 500, false)}, nil, 0, nil},
		"the least amount, twice":             {many(2, 100), nil, 0, nil},
		"the least amount, by many newcomers": {many(3, 100), nil, 3, nil},
		"an odd amount, by a few":             {many(4, 1337), nil, 0, nil},
		"an odd amount, by many":              {many(5, 1337), nil, 5, nil},
		"what was given back":                 {[]*giving.Donation{back}, map[string]int{"pi_0": 9}, 0, nil},
		"a domain of thieves":                 {from("thief.example", many(2, 1000)), nil, 2, map[string]int{"thief.example": 8}},
		"a domain with few refusals":          {from("thief.example", many(2, 1000)), nil, 0, map[string]int{"thief.example": 7}},
		"a large provider":                    {from("gmail.com", many(4, 1000)), nil, 0, map[string]int{"gmail.com": 11}},
		"the same payment refused and taken":  {from("thief.example", many(1, 1000)), map[string]int{"pi_0": 1}, 1, map[string]int{"thief.example": 8}},
		"another domain":                      {from("news.example", many(2, 1000)), nil, 0, map[string]int{"thief.example": 80}},
	}
	for name, tt := range tests {
		if got := judge(tt.gifts, refusals{tt.tries, tt.at}, offer.Suggestions{}); len(got) != tt.held {
			t.Errorf("%s: %v; want %d", name, got, tt.held)
		}
	}
}

// A shop is a ledger and a quarantine over Stripe's stand-in.
type shop struct {
	*Service
	t     *testing.T
	box   *sandbox.Sandbox
	gifts int
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	var err error
	s.box, err = sandbox.New(sandbox.Options{BaseURL: server.URL + "/sandbox", WebhookURL: server.URL + "/webhooks", WebhookSecret: "whsec_test", Seed: 7})
	ok(t, err)
	t.Cleanup(func() { s.box.Close() })
	db, err := store.Open("sqlite:" + filepath.Join(t.TempDir(), "support.db"))
	ok(t, err)
	t.Cleanup(func() { db.Close() })
	_, err = db.Migrate(t.Context())
	ok(t, err)
	log := slog.New(slog.DiscardHandler)
	book := ledger.New(ledger.Options{Store: db, Now: s.box.Now, Timezone: time.UTC, Grace: 14 * 24 * time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- book.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", s.box.Handler()))
	mux.HandleFunc("/webhooks", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = book.Deliver(r.Context(), body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	s.Service = New(Options{
		Store: db, Ledger: book, Now: s.box.Now, Log: log,
		Stripe: stripeapi.New(stripeapi.Options{Key: "sk_test_1", BaseURL: server.URL + "/sandbox", Log: log}),
	})
	return s
}

// open opens a checkout, with its row, and returns its id and session.
func (s *shop) open(interval string) (checkout, session string) {
	s.t.Helper()
	s.gifts++
	id, ends := fmt.Sprintf("co_%d", s.gifts), s.box.Now().Add(23*time.Hour)
	_, err := s.Store.AddCheckout(s.t.Context(), store.Checkout{
		ID: id, Attempt: id, IdempotencyKey: id, Status: store.CheckoutNew, Currency: "EUR", AmountMinor: 1000, Interval: interval,
		UTM: "{}", CreatedAt: s.box.Now(), ExpiresAt: ends,
	})
	ok(s.t, err)
	opened, err := s.Stripe.CreateSession(s.t.Context(), stripeapi.SessionParams{
		IdempotencyKey: id, Reference: id, Amount: money.Amount{Minor: 1000, Currency: "EUR"}, Interval: interval,
		ProductName: "Gift", Lang: "en", Without: []string{"product", "expires_at"},
		Metadata:   map[string]string{"support_v": "1", "checkout": id, "attribution": "unverified"},
		SuccessURL: "https://site.example/thanks", CancelURL: "https://site.example/support",
	})
	ok(s.t, err)
	ok(s.t, s.Store.OpenCheckout(s.t.Context(), id, id, opened.ID, opened.URL))
	return id, opened.ID
}

func (s *shop) pay(session, email string, outcomes ...sandbox.Outcome) {
	s.t.Helper()
	for _, outcome := range outcomes {
		_, err := s.box.Pay(session, sandbox.Payer{Email: email, Name: "Olena", Country: "UA"}, outcome)
		ok(s.t, err)
	}
	s.box.DeliverAll(s.t.Context())
}

func (s *shop) gift(email string) *giving.Donation {
	s.t.Helper()
	page, err := s.Store.DonationList(s.t.Context(), store.DonationFilter{Limit: 100})
	ok(s.t, err)
	for _, d := range page.Donations {
		if d.Email == email {
			return d
		}
	}
	s.t.Fatalf("no gift of %s", email)
	return nil
}

func (s *shop) held() map[string]string {
	s.t.Helper()
	ok(s.t, s.Look(s.t.Context()))
	found, err := s.Store.Suspects(s.t.Context(), store.SuspectHeld, 100)
	ok(s.t, err)
	reasons := map[string]string{}
	for _, q := range found {
		reasons[q.Subject] = q.Reason
	}
	return reasons
}

func (s *shop) attack() {
	s.t.Helper()
	_, err := s.Store.BeginAttack(s.t.Context(), store.Attack{ID: "atk_1", Why: "many tries", Began: s.box.Now()})
	ok(s.t, err)
}

var staff = store.Entry{Who: "olha@news.example", Reason: "a thief"}

// TestQuarantineOfAnAttack: what looks like a thief's is held, what staff decide
// is done at Stripe once, and a reader's gift is left alone.
func TestQuarantineOfAnAttack(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	ctx := t.Context()
	_, before := s.open("once")
	s.pay(before, "early@example.org", sandbox.Declined, sandbox.Declined, sandbox.Declined, sandbox.Paid)
	if held := s.held(); len(held) != 0 {
		t.Fatalf("held without an attack: %v", held)
	}
	s.attack()
	_, reader := s.open("once")
	s.pay(reader, "reader@example.org", sandbox.Declined, sandbox.Paid)
	_, thief := s.open("once")
	s.pay(thief, "thief@example.org", sandbox.Declined, sandbox.Declined, sandbox.Declined, sandbox.Declined, sandbox.Paid)
	page, trying := s.open("once")
	s.pay(trying, "other@example.org", sandbox.Declined, sandbox.Declined, sandbox.Declined)

	early, bad := s.gift("early@example.org"), s.gift("thief@example.org")
	held := s.held()
	if len(held) != 3 || !strings.HasPrefix(held[bad.Key], "4 cards") || held[early.Key] == "" || !strings.HasPrefix(held[page], "3 cards") {
		t.Fatalf("held: %v", held)
	}
	ok(t, s.Accept(ctx, early.Key, staff))
	outcome, err := s.Reject(ctx, bad.Key, staff)
	ok(t, err)
	if d := s.gift("thief@example.org"); d.Refunded != 1000 || !strings.Contains(outcome, "Given back") {
		t.Errorf("%+v, %s", d, outcome)
	}
	if d := s.gift("early@example.org"); d.Refunded != 0 {
		t.Errorf("an accepted gift was given back: %+v", d)
	}
	if _, err := s.Reject(ctx, bad.Key, staff); !errors.Is(err, fault.Conflict) {
		t.Errorf("rejected twice: %v", err)
	}
	if _, err := s.Reject(ctx, page, staff); err != nil {
		t.Errorf("a payment page: %v", err)
	}
	if session, err := s.Stripe.Session(ctx, trying); err != nil || session.Status != "expired" {
		t.Errorf("its session is %+v, %v", session, err)
	}
	if held := s.held(); len(held) != 0 {
		t.Errorf("held after all was decided: %v", held)
	}
	for action, want := range map[string]int{"quarantine.accept": 1, "quarantine.reject": 2} {
		entries, err := s.Store.AuditBefore(ctx, store.AuditFilter{Action: action}, 0, 9)
		if err != nil || len(entries) != want {
			t.Errorf("about %s: %+v, %v; want %d", action, entries, err, want)
		}
	}
	if drifts, err := s.Ledger.Verify(ctx); err != nil || len(drifts) > 0 {
		t.Errorf("%v, %v", drifts, err)
	}
}

// TestWarnedOfFraud: what a card's bank complains of is held, attack or none,
// and rejecting it ends the membership it began.
func TestWarnedOfFraud(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, session := s.open("month")
	s.pay(session, "member@example.org", sandbox.Paid)
	d := s.gift("member@example.org")
	_, err := s.box.WarnOfFraud(d.Charge)
	ok(t, err)
	s.box.DeliverAll(t.Context())
	if held := s.held(); held[d.Key] == "" {
		t.Fatalf("held: %v", held)
	}
	_, err = s.Reject(t.Context(), d.Key, staff)
	ok(t, err)
	m, err := s.Store.MembershipBySubscription(t.Context(), d.Subscription)
	if err != nil || m.Live || m.Status != "canceled" {
		t.Errorf("the membership: %+v, %v", m, err)
	}
	if left := s.gift("member@example.org"); left.Live() {
		t.Errorf("the gift: %+v", left)
	}
}

// TestSettledOtherwise: what is given back or has ended elsewhere is released.
func TestSettledOtherwise(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.attack()
	_, session := s.open("once")
	s.pay(session, "thief@example.org", sandbox.Declined, sandbox.Declined, sandbox.Declined, sandbox.Paid)
	page, trying := s.open("once")
	s.pay(trying, "other@example.org", sandbox.Declined, sandbox.Declined, sandbox.Declined)
	d := s.gift("thief@example.org")
	if held := s.held(); len(held) != 2 {
		t.Fatalf("held: %v", held)
	}
	_, err := s.box.Dispute(d.Charge, sandbox.Complaint{})
	ok(t, err)
	s.box.DeliverAll(t.Context())
	ok(t, s.box.Advance(24*time.Hour))
	s.box.DeliverAll(t.Context())
	if held := s.held(); len(held) != 0 {
		t.Errorf("held: %v", held)
	}
	if _, err := s.Reject(t.Context(), d.Key, staff); !errors.Is(err, fault.Conflict) {
		t.Errorf("rejecting what is disputed: %v", err)
	}
	if err := s.Accept(t.Context(), page, staff); !errors.Is(err, fault.Conflict) {
		t.Errorf("accepting what is gone: %v", err)
	}
}
