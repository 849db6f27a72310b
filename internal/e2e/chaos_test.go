package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/sandbox"
	"github.com/united24media/support/internal/testenv"
)

var chaosFor = flag.Duration("chaos", 15*time.Second, "how long TestChaos plays, besides some 30 s of setting right")

const (
	players  = 3
	replicas = 2
	people   = 60
	months   = 3 // that pass while it plays
)

// TestChaos lets two replicas on one database be killed and started again at
// random while Stripe's stand-in delivers late, doubled, out of order, twice
// under two ids, or never, and refuses calls. Then it is quiet: one
// reconciliation later the books must be those of the stand-in, to the cent,
// and verify must find nothing.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, for %s", seed, *chaosFor)
	c := newChaos(t, seed)
	for i := range c.replicas {
		c.replicas[i] = launch(t, c.folder, c.settingsOf(i)...)
	}
	for _, p := range c.replicas {
		p.wait(t)
	}
	c.must(c.box.SetChaos(sandbox.Chaos{
		Late: 2 * time.Second, Double: 15, Twice: 10, Lose: 10, Vanish: 10, Extra: true, Unbooked: true, Refuse: 5, Limit: 5,
	}))
	ctx, stop := context.WithTimeout(t.Context(), *chaosFor)
	defer stop()
	var playing, running sync.WaitGroup
	delivering, silent := context.WithCancel(t.Context())
	defer silent()
	running.Go(func() { _ = c.box.Run(delivering) }) // it ends with its context
	for i := range players {
		playing.Go(func() { c.play(ctx, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	playing.Go(func() { c.passMonths(ctx) })
	lives := c.killAtRandom(ctx, rand.New(rand.NewPCG(seed, players)))
	playing.Wait()
	c.must(c.box.SetChaos(sandbox.Chaos{}))
	silent()
	running.Wait()

	c.must(c.box.Advance(2 * time.Minute)) // what is booked late is booked
	c.deliverRest()
	found := c.reconcile()
	c.compare(lives, found)
	if drifts := command(t, c.folder, c.settings, "verify"); drifts != "" {
		t.Errorf("verify: %s", drifts)
	}
	for _, p := range c.replicas {
		if code := p.end(t); code != 0 {
			t.Errorf("SIGTERM: exit %d; want 0", code)
		}
	}
}

// A chaos is Stripe's stand-in and the replicas it delivers to.
type chaos struct {
	t        *testing.T
	box      *sandbox.Sandbox
	folder   string
	settings []string
	addrs    []string
	own      map[int][]string // further settings, by replica
	replicas []*program
	pause    time.Duration // between two things that a player lets happen, at most
	enough   func() bool   // players wait while it is so; nil: never

	mu      sync.Mutex
	luck    *rand.Rand      // which replica a delivery goes to
	foreign map[string]bool // charges of another system
	erased  map[string]bool // addresses whose gifts are nobody's
	kept    string          // a charge of which nothing is given back, so that there is a supporter at any time
	done    map[string]int  // how often something was played
}

func newChaos(t *testing.T, seed uint64) *chaos {
	t.Helper()
	c := &chaos{
		t: t, folder: t.TempDir(), luck: rand.New(rand.NewPCG(seed, players+1)), foreign: map[string]bool{}, done: map[string]int{},
		replicas: make([]*program, replicas), pause: 120 * time.Millisecond,
	}
	server := c.playStripe(seed, c)
	c.serveFrom(server, testenv.Postgres(t), testenv.Redis(t))
	return c
}

// serveFrom says what the replicas work with.
func (c *chaos) serveFrom(stripe, database, redis string) {
	c.addrs = nil
	for range c.replicas {
		c.addrs = append(c.addrs, freeAddr(c.t))
	}
	c.settings = []string{
		"DATABASE_URL=" + database, "REDIS_URL=" + redis, "SUPPORT_SECRET=" + secret, "STRIPE_SECRET_KEY=sk_test_chaos",
		"STRIPE_WEBHOOK_SECRET=" + webhookSecret, "STRIPE_API_URL=" + stripe,
	}
}

// playStripe starts Stripe's stand-in, which delivers by way of balancer, and
// returns the address of its API.
func (c *chaos) playStripe(seed uint64, balancer http.RoundTripper) string {
	c.t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	c.t.Cleanup(server.Close)
	var err error
	c.box, err = sandbox.New(sandbox.Options{
		BaseURL: server.URL + "/sandbox", WebhookURL: "http://balancer/webhooks/stripe", WebhookSecret: webhookSecret, Seed: seed, Transport: balancer,
	})
	c.must(err)
	c.t.Cleanup(func() { c.box.Close() })
	mux.Handle("/sandbox/", http.StripPrefix("/sandbox", c.box.Handler()))
	return server.URL + "/sandbox"
}

func (c *chaos) settingsOf(replica int) []string {
	return append(append(slices.Clone(c.settings), "SUPPORT_ADDR="+c.addrs[replica]), c.own[replica]...)
}

// RoundTrip carries a delivery to one of the replicas, as a balancer does that
// has not noticed which of them is down.
func (c *chaos) RoundTrip(r *http.Request) (*http.Response, error) {
	addr := c.addrs[c.anyReplica()]
	r = r.Clone(r.Context())
	r.URL.Host, r.Host = addr, addr
	return http.DefaultTransport.RoundTrip(r)
}

func (c *chaos) anyReplica() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.luck.IntN(len(c.replicas))
}

func (c *chaos) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// killAtRandom takes replicas' power, each after a random time, until ctx ends,
// and returns how many lives they had. All run in the end.
func (c *chaos) killAtRandom(ctx context.Context, random *rand.Rand) (lives int) {
	lives = replicas
	for ctx.Err() == nil {
		pause := time.NewTimer(time.Duration(200+random.IntN(2800)) * time.Millisecond)
		select {
		case <-ctx.Done():
		case <-pause.C:
			i := random.IntN(replicas)
			c.replicas[i].kill()
			c.replicas[i] = launch(c.t, c.folder, c.settingsOf(i)...)
			lives++
		}
		pause.Stop()
	}
	for _, p := range c.replicas {
		p.wait(c.t)
	}
	return lives
}

// play lets things happen at Stripe until ctx ends. What Stripe refuses, since
// chance asked for something impossible, does not happen.
func (c *chaos) play(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		if c.enough == nil || !c.enough() {
			if name, err := c.act(ctx, random); err == nil {
				c.mu.Lock()
				c.done[name]++
				c.mu.Unlock()
			}
		}
		pause := time.NewTimer(c.pause/8 + time.Duration(random.Int64N(int64(c.pause))))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// act does one thing and says what it was.
func (c *chaos) act(ctx context.Context, random *rand.Rand) (string, error) {
	charge := func() string {
		if id := c.any(ctx, random, "/v1/charges"); id != c.kept {
			return id
		}
		return "" // which Stripe does not have
	}
	dispute := func() string { return c.any(ctx, random, "/v1/disputes") }
	switch n := random.IntN(100); {
	case n < 45:
		return "gift", c.give(ctx, random, "")
	case n < 58:
		return "membership", c.give(ctx, random, []string{"month", "month", "year"}[random.IntN(3)])
	case n < 66:
		_, err := c.box.Refund(charge(), 0)
		return "refund", err
	case n < 74:
		_, err := c.box.Refund(charge(), int64(1+random.IntN(300)))
		return "part of a refund", err
	case n < 78:
		return "failing refund", c.box.FailRefund(c.any(ctx, random, "/v1/refunds"))
	case n < 85:
		_, err := c.box.Dispute(charge(), sandbox.Complaint{Inquiry: random.IntN(4) == 0})
		return "dispute", err
	case n < 89:
		return "closed dispute", c.box.CloseDispute(dispute(), []string{"won", "lost"}[random.IntN(2)], random.IntN(2) == 0)
	case n < 91:
		return "reversed dispute", c.box.ReverseDispute(dispute(), random.IntN(2) == 0)
	case n < 93:
		return "escalated inquiry", c.box.EscalateDispute(dispute())
	case n < 95:
		return "failing member", c.box.FailPayments(c.any(ctx, random, "/v1/subscriptions"), random.IntN(3) > 0)
	case n < 96:
		_, err := c.box.TakeFee(int64(1+random.IntN(200)), "Radar")
		return "fee", err
	case n < 98:
		_, err := c.box.WarnOfFraud(charge())
		return "warning", err
	}
	c.mu.Lock()
	defer c.mu.Unlock() // so that nobody counts it before it is known to be foreign
	id, err := c.box.ForeignCharge(int64(100+random.IntN(9000)), "eur", "shop@example.org")
	c.foreign[id] = true
	return "foreign charge", err
}

// give opens a session as our checkout does, and pays it or fails to.
func (c *chaos) give(ctx context.Context, random *rand.Rand, interval string) error {
	session, err := c.open(ctx, random, interval)
	if err != nil {
		return err
	}
	outcomes := []sandbox.Outcome{sandbox.Paid, sandbox.Paid, sandbox.Paid, sandbox.Paid, sandbox.Declined, sandbox.DelayedPaid, sandbox.DelayedFailed}
	if interval != "" {
		outcomes = outcomes[:5]
	}
	payer := sandbox.Payer{Email: fmt.Sprintf("reader%d@example.org", random.IntN(people)), Name: "Reader", Country: "UA"}
	outcome := outcomes[random.IntN(len(outcomes))]
	if _, err = c.box.Pay(session, payer, outcome); err == nil && outcome == sandbox.Declined {
		_, err = c.box.Pay(session, payer, sandbox.Paid) // with another card
	}
	return err
}

// giveAs lets somebody give once.
func (c *chaos) giveAs(ctx context.Context, email string) error {
	session, err := c.open(ctx, rand.New(rand.NewPCG(1, 1)), "")
	if err != nil {
		return err
	}
	_, err = c.box.Pay(session, sandbox.Payer{Email: email, Name: "Reader", Country: "UA"}, sandbox.Paid)
	return err
}

// open opens a session as our checkout does.
func (c *chaos) open(ctx context.Context, random *rand.Rand, interval string) (id string, err error) {
	const item = "line_items[0]"
	marks := map[string]string{
		"support_v": "1", "checkout": "co_" + strconv.Itoa(random.Int()), "attribution": "signed",
		"article": []string{"troops", "harvest", "winter-power"}[random.IntN(3)], "placement": []string{"mid", "end"}[random.IntN(2)],
	}
	form := url.Values{
		"mode": {"payment"}, "success_url": {"https://site.example/thanks"}, "cancel_url": {"https://site.example/support"},
		item + "[quantity]": {"1"}, item + "[price_data][currency]": {[]string{"eur", "usd", "uah", "jpy"}[random.IntN(4)]},
		item + "[price_data][unit_amount]":        {strconv.Itoa(400 + random.IntN(20_000))},
		item + "[price_data][product_data][name]": {"Gift"},
	}
	data := "payment_intent_data"
	if interval != "" {
		data = "subscription_data"
		form.Set("mode", "subscription")
		form.Set(item+"[price_data][recurring][interval]", interval)
	}
	for name, value := range marks {
		form.Set("metadata["+name+"]", value)
		form.Set(data+"[metadata]["+name+"]", value)
	}
	answer, err := c.box.Call(ctx, http.MethodPost, "/v1/checkout/sessions", form)
	if err != nil {
		return "", err
	}
	var session struct {
		ID string `json:"id"`
	}
	err = json.Unmarshal(answer, &session)
	return session.ID, err
}

// any returns the id of one of the newest objects of a list, or "".
func (c *chaos) any(ctx context.Context, random *rand.Rand, path string) string {
	form := url.Values{"limit": {"100"}}
	if path == "/v1/subscriptions" {
		form.Set("status", "all")
	}
	answer, err := c.box.Call(ctx, http.MethodGet, path, form)
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if errors.Join(err, json.Unmarshal(answer, &list)) != nil || len(list.Data) == 0 {
		return ""
	}
	return list.Data[random.IntN(len(list.Data))].ID
}

// passMonths moves Stripe's clock a few times: memberships renew or fail to,
// and the bank is paid.
func (c *chaos) passMonths(ctx context.Context) {
	every := time.NewTicker(*chaosFor / (months + 1))
	defer every.Stop()
	for range months {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if err := c.box.Advance(31 * 24 * time.Hour); err != nil {
				c.t.Error(err)
			}
		}
	}
}

// deliverRest delivers whatever is still under way.
func (c *chaos) deliverRest() {
	c.t.Helper()
	for range 100 {
		if c.box.DeliverAll(c.t.Context()) == 0 {
			return
		}
	}
	c.t.Fatal("deliveries never arrive, though both replicas run")
}

// reconcile runs `support reconcile` until it finds nothing, and returns how
// many lines of differences it printed.
func (c *chaos) reconcile() (lines int) {
	c.t.Helper()
	const most = 3
	for range most {
		printed, code := c.run("reconcile")
		lines += strings.Count(printed, "\n")
		switch code {
		case 0:
			return lines
		case 1: // it found something, and repaired it
		default:
			c.t.Fatalf("support reconcile: exit %d\n%s", code, tail(printed, 4000))
		}
	}
	c.t.Fatalf("support reconcile still finds something after %d runs", most)
	return lines
}

// run runs a command of the program and returns what it printed, and its exit
// code.
func (c *chaos) run(args ...string) (printed string, code int) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), binary, args...)
	cmd.Dir, cmd.Env = c.folder, environment(c.settings)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if _, exited := errors.AsType[*exec.ExitError](err); !exited {
			c.t.Fatal(err)
		}
		c.t.Logf("support %s: %s", strings.Join(args, " "), tail(stderr.String(), 400))
	}
	return stdout.String(), cmd.ProcessState.ExitCode()
}
