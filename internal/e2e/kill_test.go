package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/world"
)

const (
	lives         = 60 // on each database
	endEvery      = 6  // of which this one is asked to end, and the others are killed: a hundred times in all
	callers       = 16 // deliveries in flight at a time
	mostLife      = 40 // deliveries answered before its end, at most
	stories       = 300
	webhookSecret = "whsec_0123456789abcdef0123456789abcdef"
)

// databases return the address of a new database of each kind.
func databases() map[string]func(t *testing.T) string {
	return map[string]func(t *testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "support.db") },
		"PostgreSQL": func(t *testing.T) string { return testenv.Postgres(t) },
	}
}

// TestKilledUnderLoad takes the program's power a hundred times while events
// arrive, wherever it is between reading one and answering it. What was
// answered with 200 is not delivered again: if it was not durable it is missing
// in the end. What was not answered is delivered again: if it was recorded all
// the same, it must not be there twice.
func TestKilledUnderLoad(t *testing.T) {
	t.Parallel()
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			killUnderLoad(t, database(t), seed)
		})
	}
}

func killUnderLoad(t *testing.T, database string, seed uint64) {
	folder, addr := t.TempDir(), freeAddr(t)
	settings := []string{
		"SUPPORT_ADDR=" + addr, "DATABASE_URL=" + database, "SUPPORT_SECRET=" + secret, "STRIPE_SECRET_KEY=sk_test_none",
		"STRIPE_WEBHOOK_SECRET=" + webhookSecret, "STRIPE_API_URL=http://127.0.0.1:1", // no one answers there
	}
	random := rand.New(rand.NewPCG(seed, 1))
	tapes := make([]world.Tape, stories)
	for i := range tapes {
		tapes[i] = world.Seeded(random.Uint64(), 2000)
	}
	w := world.Many(tapes, world.Seeded(random.Uint64(), 2000), world.Options{Name: "k"})
	bodies := world.Bodies(w.Events)
	random.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	if len(bodies) < lives*mostLife {
		t.Fatalf("%d events are too few for %d lives", len(bodies), lives)
	}

	load := newLoad("http://"+addr+"/webhooks/stripe", bodies)
	ctx, stop := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	for range callers {
		sending.Go(func() { load.send(ctx) })
	}
	for life := range lives {
		p := start(t, folder, settings...)
		enough := load.answered.Load() + 1 + random.Int64N(mostLife)
		eventually(t, "deliveries are answered", func() bool { return load.answered.Load() >= enough })
		if life%endEvery != 0 {
			p.kill()
		} else if code := p.end(t); code != 0 {
			t.Errorf("SIGTERM under load: exit %d; want 0", code)
		}
	}
	stop()
	sending.Wait()
	t.Logf("%d events, %d of them answered with 200 in %d lives", len(bodies), load.answered.Load(), lives)

	p := start(t, folder, settings...)
	load.finish(t)
	compareReports(t, folder, settings, w.AfterEvents)
	if drifts := command(t, folder, settings, "verify"); drifts != "" {
		t.Errorf("verify: %s", drifts)
	}
	if code := p.end(t); code != 0 {
		t.Errorf("SIGTERM: exit %d; want 0", code)
	}
}

// A load is events on their way.
type load struct {
	url      string
	bodies   [][]byte
	next     atomic.Int64
	answered atomic.Int64
	done     []atomic.Bool // by index of bodies: answered with 200
	client   *http.Client
}

func newLoad(url string, bodies [][]byte) *load {
	return &load{
		url: url, bodies: bodies, done: make([]atomic.Bool, len(bodies)),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: callers}},
	}
}

// send delivers one event after the other, each once, until ctx is done.
func (l *load) send(ctx context.Context) {
	for ctx.Err() == nil {
		if !l.up(ctx) { // the program is being started again
			time.Sleep(time.Millisecond)
			continue
		}
		i := int(l.next.Add(1)) - 1
		if i >= len(l.bodies) {
			return
		}
		if status, err := l.deliver(ctx, i); err == nil && status == http.StatusOK {
			l.done[i].Store(true)
			l.answered.Add(1)
		}
	}
}

// up reports whether someone listens, so that events are not spent on nobody.
func (l *load) up(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url[:len(l.url)-len("/webhooks/stripe")]+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := l.client.Do(request)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
	return answer.StatusCode == http.StatusOK
}

// deliver sends event i as Stripe does and returns the answer's status.
func (l *load) deliver(ctx context.Context, i int) (int, error) {
	signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{
		Payload: l.bodies[i], Secret: webhookSecret, Timestamp: time.Now(), Scheme: "v1",
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(l.bodies[i]))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Stripe-Signature", signed.Header)
	answer, err := l.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// finish delivers, as Stripe would, whatever was not answered with 200.
func (l *load) finish(t *testing.T) {
	t.Helper()
	var rest sync.WaitGroup
	todo := make(chan int)
	for range callers {
		rest.Go(func() {
			for i := range todo {
				if status, err := l.deliver(t.Context(), i); err != nil || status != http.StatusOK {
					t.Errorf("delivered again, an event is answered %d, %v", status, err)
				}
			}
		})
	}
	for i := range l.bodies {
		if !l.done[i].Load() {
			todo <- i
		}
	}
	close(todo)
	rest.Wait()
}

// A cell is a row of a report, whatever it was settled in.
type cell struct{ dimension, key, currency string }

// compareReports holds the program's reports to the book.
func compareReports(t *testing.T, folder string, settings []string, book world.Book) {
	t.Helper()
	want, got := map[cell]world.Sums{}, map[cell]world.Sums{}
	dimensions := []string{"article", "interval", "day"}
	for row, sums := range book.Daily {
		at := cell{row.Dimension, row.Value, row.Currency}
		if row.Dimension == "all" {
			at = cell{"day", row.Day, row.Currency}
		}
		want[at] = add(want[at], sums)
	}
	for _, by := range dimensions {
		printed := command(t, folder, settings, "report", "--from", "2020-01-01", "--to", "2120-01-01", "--by", by, "--format", "json")
		var report struct {
			Rows []struct {
				Key, Currency string
				Donations     int64
				New           int64 `json:"new_supporters"`
				Gross         int64 `json:"gross_minor"`
				Refunded      int64 `json:"refunded_minor"`
				Disputed      int64 `json:"disputed_minor"`
			}
		}
		if err := json.Unmarshal([]byte(printed), &report); err != nil {
			t.Fatalf("%v: %s", err, printed)
		}
		for _, row := range report.Rows {
			at := cell{by, row.Key, row.Currency}
			got[at] = add(got[at], world.Sums{
				Donations: row.Donations, NewSupporters: row.New, Gross: row.Gross, Refunded: row.Refunded, Disputed: row.Disputed,
			})
		}
	}
	compared := 0
	for at, sums := range want {
		if at.dimension != dimensions[0] && at.dimension != dimensions[1] && at.dimension != dimensions[2] {
			continue
		}
		compared++
		if got[at] != sums {
			t.Errorf("%s %q in %s: got %+v, want %+v", at.dimension, at.key, at.currency, got[at], sums)
		}
		delete(got, at)
	}
	for at, sums := range got {
		t.Errorf("%s %q in %s is not in the book: %+v", at.dimension, at.key, at.currency, sums)
	}
	if compared < 10 {
		t.Errorf("only %d rows were compared", compared)
	}
}

// add returns a and b together, without what reports tell by settlement.
func add(a, b world.Sums) world.Sums {
	return world.Sums{
		Donations: a.Donations + b.Donations, NewSupporters: a.NewSupporters + b.NewSupporters, Gross: a.Gross + b.Gross,
		Refunded: a.Refunded + b.Refunded, Disputed: a.Disputed + b.Disputed,
	}
}

// freeAddr returns an address of this machine that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return fmt.Sprint(listener.Addr())
}
