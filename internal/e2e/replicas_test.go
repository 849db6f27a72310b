package e2e

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/world"
)

// shownWithin is how soon every replica shows a gift that one has recorded.
const shownWithin = time.Second

// twoReplicas starts two on one PostgreSQL and one Redis, without the sandbox.
func twoReplicas(t *testing.T) (settings []string, replicas [2]*program) {
	t.Helper()
	settings = []string{
		"DATABASE_URL=" + testenv.Postgres(t), "REDIS_URL=" + testenv.Redis(t), "SUPPORT_SECRET=" + secret,
		"STRIPE_SECRET_KEY=sk_test_none", "STRIPE_WEBHOOK_SECRET=" + webhookSecret, "STRIPE_API_URL=http://127.0.0.1:1",
	}
	for i := range replicas {
		replicas[i] = start(t, t.TempDir(), settings...)
	}
	return settings, replicas
}

// TestOneEventManyTimesAtOnce has many callers deliver one gift to two replicas
// at the same moment, and then another, which both must show.
func TestOneEventManyTimesAtOnce(t *testing.T) {
	t.Parallel()
	settings, replicas := twoReplicas(t)
	for gift := range 5 {
		want := gift + 1
		event := strings.NewReplacer("NUMBER", string(rune('a'+gift))).Replace(`{"id":"evt_NUMBER","object":"event","api_version":"2023-10-16",
			"created":1769850000,"livemode":false,"type":"charge.succeeded","data":{"object":{"id":"ch_NUMBER","object":"charge","amount":2500,
			"amount_captured":2500,"amount_refunded":0,"captured":true,"created":1769850000,"currency":"eur","livemode":false,"paid":true,
			"refunded":false,"disputed":false,"status":"succeeded","payment_intent":"pi_NUMBER","customer":null,"invoice":null,
			"billing_details":{"email":"reader-NUMBER@example.org","address":{"country":"FR"}},
			"metadata":{"support_v":"1","article":"uk-defense-secretary-troops","placement":"mid","attribution":"signed"}}}}`)
		var delivering sync.WaitGroup
		for i := range callers {
			to := newLoad(replicas[i%2].url+"/webhooks/stripe", [][]byte{[]byte(event)})
			delivering.Go(func() { to.finish(t) })
		}
		delivering.Wait()
		recorded := time.Now()
		for _, p := range replicas {
			eventually(t, "both replicas show the gift", func() bool { return supporters(t, p) == want })
		}
		// Twice as long where the machine is busy with other tests.
		if took := time.Since(recorded); took > 2*shownWithin {
			t.Errorf("both replicas showed gift %d after %v; want %v", want, took, shownWithin)
		}
	}
	printed := command(t, t.TempDir(), settings, "report", "--from", "2020-01-01", "--to", "2120-01-01", "--by", "article", "--format", "json")
	var report struct {
		Rows []struct {
			Donations int64
			Gross     int64 `json:"gross_minor"`
		}
	}
	if err := json.Unmarshal([]byte(printed), &report); err != nil {
		t.Fatalf("%v: %s", err, printed)
	}
	if len(report.Rows) != 1 || report.Rows[0].Donations != 5 || report.Rows[0].Gross != 5*2500 {
		t.Errorf("the report of five gifts: %s", printed)
	}
}

// TestWorldThroughTwoReplicas delivers a random history to two replicas at
// once, in any order and partly twice.
func TestWorldThroughTwoReplicas(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	tapes := make([]world.Tape, 60)
	for i := range tapes {
		tapes[i] = world.Seeded(random.Uint64(), 2000)
	}
	w := world.Many(tapes, world.Seeded(random.Uint64(), 2000), world.Options{Name: "r"})
	settings, replicas := twoReplicas(t)
	var delivering sync.WaitGroup
	for _, p := range replicas {
		// Each gets more than half of all: some events come to both at once.
		var part []world.Event
		for _, e := range w.Events {
			if random.IntN(10) < 7 {
				part = append(part, e)
			}
		}
		to := newLoad(p.url+"/webhooks/stripe", world.Shuffled(part, random))
		delivering.Go(func() { to.finish(t) })
	}
	delivering.Wait()
	rest := newLoad(replicas[0].url+"/webhooks/stripe", world.Shuffled(w.Events, random))
	rest.finish(t)
	compareReports(t, t.TempDir(), settings, w.AfterEvents)
	if drifts := command(t, t.TempDir(), settings, "verify"); drifts != "" {
		t.Errorf("verify: %s", drifts)
	}
	for _, p := range replicas {
		if status, _ := get(t, p.url+"/readyz"); status != http.StatusOK {
			t.Errorf("ready: %d", status)
		}
		if code := p.end(t); code != 0 {
			t.Errorf("SIGTERM: exit %d; want 0", code)
		}
	}
}
