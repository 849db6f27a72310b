package sandbox_test

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/united24media/support/internal/sandbox"
)

func TestDeliveriesAreSigned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *sandbox.Options) { o.Now = time.Now }) // stripe-go takes the real time only
	w.gift("1000", "eur")
	w.DeliverAll(t.Context())
	if len(w.inbox.bodies) == 0 {
		t.Fatal("nothing came")
	}
	for i, body := range w.inbox.bodies {
		head := w.inbox.heads[i].Get("Stripe-Signature")
		event, err := webhook.ConstructEvent(body, head, "whsec_test")
		if err != nil {
			t.Fatalf("stripe-go refuses the delivery: %v", err)
		}
		if event.APIVersion != stripe.APIVersion || event.Livemode {
			t.Errorf("event of version %s, livemode %v", event.APIVersion, event.Livemode)
		}
		if _, err := webhook.ConstructEvent(append(slices.Clone(body), ' '), head, "whsec_test"); err == nil {
			t.Error("a changed body passes")
		}
		if _, err := webhook.ConstructEvent(body, head, "whsec_other"); err == nil {
			t.Error("another secret passes")
		}
	}
}

func TestDeliveryOutcomeIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.inbox.answer(http.StatusServiceUnavailable)
	w.gift("1000", "eur")
	sent := w.DeliverAll(t.Context())
	undelivered := func(success string) int {
		return len(w.must("GET", "/events", "delivery_success", success, "limit", "100").list("data"))
	}
	if sent == 0 || undelivered("false") != sent || undelivered("true") != 0 {
		t.Errorf("%d sent in vain, %d listed as undelivered", sent, undelivered("false"))
	}
	w.inbox.answer(http.StatusOK)
	w.DeliverAll(t.Context())
	if undelivered("false") != 0 || undelivered("true") != sent {
		t.Errorf("after the retry %d are listed as undelivered", undelivered("false"))
	}
	if n := w.DeliverAll(t.Context()); n != 0 {
		t.Errorf("%d were sent again after they arrived", n)
	}
	charges := w.must("GET", "/events", "type", "charge.*").list("data")
	both := w.must("GET", "/events", "types[]", "charge.succeeded", "types[]", "checkout.session.completed").list("data")
	if len(charges) != 1 || len(both) != 2 {
		t.Errorf("filters: %v, %v", types(charges), types(both))
	}
	w.ok(w.Redeliver(charges[0].str("id")))
	if n := w.DeliverAll(t.Context()); n != 1 || undelivered("false") != 0 {
		t.Errorf("sent again by hand: %d, undelivered %d", n, undelivered("false"))
	}
}

// answers is a transport that answers with a status, and keeps when it was asked.
type answers struct {
	status atomic.Int64
	at     chan time.Time
}

func (a *answers) RoundTrip(*http.Request) (*http.Response, error) {
	a.at <- time.Now()
	return &http.Response{StatusCode: int(a.status.Load()), Status: "answer", Body: http.NoBody, Header: http.Header{}}, nil
}

func TestRunRetriesWithBackoff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &answers{at: make(chan time.Time, 1000)}
		a.status.Store(500)
		s, err := sandbox.New(sandbox.Options{BaseURL: "http://sandbox.example", WebhookURL: "http://hook.example", Seed: 1, Transport: a})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		if _, err := s.TakeFee(100, "no event"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ManualPayout(100); err != nil { // one event: payout.created
			t.Fatal(err)
		}
		var waits []time.Duration
		last := <-a.at
		for range 7 {
			next := <-a.at
			waits = append(waits, next.Sub(last).Round(time.Second))
			last = next
		}
		want := []time.Duration{1, 2, 4, 8, 16, 32, 60}
		for i := range want {
			if waits[i] != want[i]*time.Second {
				t.Errorf("waits %v, want doubling from 1 s up to a minute", waits)
				break
			}
		}
		a.status.Store(204)
		<-a.at
		synctest.Wait()
		time.Sleep(5 * time.Minute)
		if len(a.at) != 0 {
			t.Errorf("%d deliveries after it arrived", len(a.at))
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestChaos(t *testing.T) {
	t.Parallel()
	count := func(events []object) (all, ids, kinds int) {
		seen, types := map[string]bool{}, map[string]bool{}
		for _, e := range events {
			seen[e.str("id")], types[e.str("type")] = true, true
		}
		return len(events), len(seen), len(types)
	}
	const changes = 6 // events of a one-time gift
	tests := map[string]struct {
		chaos       sandbox.Chaos
		all, ids    int
		undelivered int
	}{
		"calm":    {sandbox.Chaos{}, changes, changes, 0},
		"doubled": {sandbox.Chaos{Double: 100}, 2 * changes, changes, 0},
		"twice":   {sandbox.Chaos{Twice: 100}, 2 * changes, 2 * changes, 0},
		"lost":    {sandbox.Chaos{Lose: 100}, 0, 0, changes},
		"vanish":  {sandbox.Chaos{Vanish: 100}, 0, 0, 0},
		"extra":   {sandbox.Chaos{Extra: true}, changes, changes, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.ok(w.SetChaos(tt.chaos))
			w.gift("1000", "eur")
			w.DeliverAll(t.Context())
			events := w.inbox.events(t)
			all, ids, kinds := count(events)
			if all != tt.all || ids != tt.ids || (all > 0 && kinds != changes) {
				t.Errorf("%d deliveries of %d events of %d types, want %d of %d", all, ids, kinds, tt.all, tt.ids)
			}
			if got := len(w.must("GET", "/events", "delivery_success", "false", "limit", "100").list("data")); got != tt.undelivered {
				t.Errorf("%d are listed as undelivered, want %d", got, tt.undelivered)
			}
			for _, e := range events {
				if (e.get("data.object.sandbox_surprise.of") != nil) != tt.chaos.Extra {
					t.Errorf("unknown fields: %v", e)
				}
			}
		})
	}
	t.Run("late and reordered", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.ok(w.SetChaos(sandbox.Chaos{Late: time.Hour}))
		w.gift("1000", "eur")
		w.DeliverAll(t.Context()) // in the order in which they are due
		var made []string
		for _, e := range w.must("GET", "/events", "limit", "100").list("data") {
			made = slices.Insert(made, 0, e.str("id"))
		}
		var came []string
		for _, e := range w.inbox.events(t) {
			came = append(came, e.str("id"))
		}
		if slices.Equal(came, made) {
			t.Error("everything came in order")
		}
		slices.Sort(came)
		slices.Sort(made)
		if !slices.Equal(came, made) {
			t.Error("something is missing")
		}
	})
	t.Run("the API refuses", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.ok(w.SetChaos(sandbox.Chaos{Limit: 100}))
		if a := w.call("GET", "/charges"); a.status != http.StatusTooManyRequests || a.str("error.code") != "rate_limit" || a.header.Get("Retry-After") == "" {
			t.Errorf("answered %d %v", a.status, a.object)
		}
		w.ok(w.SetChaos(sandbox.Chaos{Refuse: 100}))
		if a := w.call("GET", "/charges"); a.status != http.StatusInternalServerError || a.str("error.type") != "api_error" {
			t.Errorf("answered %d %v", a.status, a.object)
		}
	})
}

func TestEndpointsOfTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *sandbox.Options) { o.WebhookURL = "" })
	other := newInbox(t)
	made := w.must("POST", "/webhook_endpoints", "url", other.server.URL, "enabled_events[]", "charge.succeeded", "api_version", sandbox.Version)
	if made.str("secret") == "" || made.str("status") != "enabled" {
		t.Fatalf("made: %v", made)
	}
	if shown := w.must("GET", "/webhook_endpoints/"+made.str("id")); shown.get("secret") != nil {
		t.Error("the secret is shown a second time")
	}
	if a := w.call("POST", "/webhook_endpoints", "url", other.server.URL, "enabled_events[]", "refund.failed"); a.status != 400 {
		t.Errorf("refund.failed does not exist at this version, but is answered %d", a.status)
	}
	w.gift("1000", "eur")
	w.DeliverAll(t.Context())
	if got := types(other.events(t)); !slices.Equal(got, []string{"charge.succeeded"}) {
		t.Errorf("got %v", got)
	}
	if got := other.heads[0].Get("Stripe-Signature"); got != sandbox.Sign(other.bodies[0], made.str("secret"), start) {
		t.Error("not signed with the endpoint's own secret")
	}
	w.must("POST", "/webhook_endpoints/"+made.str("id"), "disabled", "true")
	w.gift("1000", "eur")
	w.must("DELETE", "/webhook_endpoints/"+made.str("id"))
	if n := w.DeliverAll(t.Context()); n != 0 {
		t.Errorf("%d deliveries to a disabled endpoint", n)
	}
}

func TestOnlySomeEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *sandbox.Options) { o.Events = []string{"charge.succeeded"} })
	w.gift("1000", "eur")
	w.DeliverAll(t.Context())
	if got := types(w.inbox.events(t)); !slices.Equal(got, []string{"charge.succeeded"}) {
		t.Errorf("got %v", got)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	w := newWorld(t, func(o *sandbox.Options) { o.Folder = folder })
	paid := w.paid(monthly("500", "eur"), sandbox.Paid)
	open := w.must("POST", "/checkout/sessions", once("1000", "usd")...)
	w.advance(33 * aDay)
	w.inbox.answer(500)
	before := w.DeliverAll(t.Context())
	events := w.must("GET", "/events", "limit", "100")
	now := w.Now()

	w.ok(w.Close())
	w.open()
	if !w.Now().Equal(now) {
		t.Errorf("the clock is at %s, was at %s", w.Now(), now)
	}
	if again := w.must("GET", "/events", "limit", "100"); string(mustEncode(t, again["data"])) != string(mustEncode(t, events["data"])) {
		t.Error("the events are not what they were")
	}
	if invoices := w.invoices(paid.str("subscription")); len(invoices) != 2 {
		t.Errorf("%d invoices, want 2", len(invoices))
	}
	w.inbox.answer(200)
	if n := w.DeliverAll(t.Context()); n != before {
		t.Errorf("%d undelivered events survive, want %d", n, before)
	}
	if s := w.must("GET", "/checkout/sessions/"+open.str("id")); s.str("status") != "expired" {
		t.Errorf("the open session is %s after 33 days", s.str("status"))
	}
	w.advance(31 * aDay)
	if invoices := w.invoices(paid.str("subscription")); len(invoices) != 3 {
		t.Errorf("after the restart renewals stop: %d invoices", len(invoices))
	}
	if w.gift("777", "usd").str("status") != "succeeded" {
		t.Error("no gift after the restart")
	}
}
