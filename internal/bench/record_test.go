package bench

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/web"
	"github.com/united24media/support/webhooks"
)

const secret = "whsec_bench_0123456789abcdef0123456789"

const (
	rounds   = 5    // pairs of floor and ours, of which the median ratio counts
	perRound = 6000 // gifts
)

// BenchmarkRecord drives the webhook endpoint, with the middleware it is served
// with, from 32 and 64 callers, and in turn the floor: one INSERT of the same
// payload a transaction through pgx (database/sql on SQLite) from as many
// callers on the same server.
func BenchmarkRecord(b *testing.B) {
	for _, callers := range []int{32, 64} {
		b.Run(fmt.Sprintf("PostgreSQL/callers=%d", callers), func(b *testing.B) {
			address := testenv.Postgres(b)
			compareWith(b, address, floorPostgres(b, address), callers)
		})
		b.Run(fmt.Sprintf("SQLite/callers=%d", callers), func(b *testing.B) {
			folder := b.TempDir()
			compareWith(b, "sqlite:"+filepath.Join(folder, "support.db"), floorSQLite(b, filepath.Join(folder, "floor.db")), callers)
		})
	}
}

// BenchmarkRecordWholeGifts delivers all events of each gift, one after the
// other as Stripe's checkout does, gifts beside each other.
func BenchmarkRecordWholeGifts(b *testing.B) {
	e := serve(b, testenv.Postgres(b))
	for b.Loop() {
		rate := e.record(b, 64, 0, chargeEvent, intentEvent, sessionEvent)
		b.ReportMetric(rate, "gifts/s")
		b.ReportMetric(3*rate, "events/s")
	}
	e.check(b, perRound)
}

func compareWith(b *testing.B, address string, floor func(payload []byte, n int) error, callers int) {
	e := serve(b, address)
	for b.Loop() {
		var ours, bare, ratios []float64
		for round := range rounds {
			first := round * perRound
			payloads := prepare(first, func(n int) []byte { return event(chargeEvent, n) })
			bare = append(bare, throughput(b, callers, func(int) func(n int) error {
				return func(n int) error { return floor(payloads[n], first+n) }
			}))
			ours = append(ours, e.record(b, callers, first, chargeEvent))
			ratios = append(ratios, ours[round]/bare[round])
		}
		b.ReportMetric(median(ours), "donations/s")
		b.ReportMetric(median(bare), "floor/s")
		b.ReportMetric(median(ratios), "ratio")
		b.ReportMetric(0, "ns/op") // a round says nothing
	}
	e.check(b, rounds*perRound)
}

// record delivers gifts from first on, each with all of templates, and returns
// how many a second were recorded.
func (e *endpoint) record(b *testing.B, callers, first int, templates ...string) float64 {
	b.Helper()
	var requests [][][]byte
	for _, template := range templates {
		requests = append(requests, prepare(first, func(n int) []byte { return request(event(template, n)) }))
	}
	connections := make([]*caller, callers)
	for i := range connections {
		connections[i] = e.dial(b)
		defer connections[i].Close()
	}
	return throughput(b, callers, func(by int) func(n int) error {
		return func(n int) error {
			for _, r := range requests {
				if err := connections[by].deliver(r[n]); err != nil {
					return err
				}
			}
			return nil
		}
	})
}

func prepare(first int, make func(n int) []byte) [][]byte {
	var all [][]byte
	for n := range perRound {
		all = append(all, make(first+n))
	}
	return all
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// throughput has several callers do one round together, and returns how many
// a second they did.
func throughput(b *testing.B, callers int, as func(caller int) func(n int) error) float64 {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	start := time.Now()
	for by := range callers {
		group.Go(func() {
			f := as(by)
			for n := int(next.Add(1)) - 1; n < perRound; n = int(next.Add(1)) - 1 {
				if err := f(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return perRound / time.Since(start).Seconds()
}

// An endpoint is the webhook endpoint as it is served, on loopback.
type endpoint struct {
	address string
	ledger  *ledger.Ledger
	store   *store.Store
}

func serve(b *testing.B, address string) *endpoint {
	b.Helper()
	s, err := store.Open(address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		b.Fatal(err)
	}
	l := ledger.New(ledger.Options{Store: s, Now: time.Now, Timezone: zone, Grace: 14 * 24 * time.Hour})
	hook := webhooks.New(webhooks.Options{
		Ledger: l, Secrets: []config.Secret{config.NewSecret(secret)}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) }) //nolint:errcheck // it returns nil
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	public := web.New(web.Options{
		Handlers: web.Handlers{Webhook: hook.Stripe}, PublicURL: "http://" + listener.Addr().String(),
		Ready: func() bool { return true }, Log: slog.New(slog.DiscardHandler),
	})
	running.Go(func() { web.Serve(ctx, listener, public, time.Second, slog.New(slog.DiscardHandler)) }) //nolint:errcheck // as above
	b.Cleanup(func() { cancel(); running.Wait() })
	return &endpoint{listener.Addr().String(), l, s}
}

// request returns a signed delivery, ready to be sent.
func request(body []byte) []byte {
	now := time.Now()
	mac := webhook.ComputeSignature(now, body, secret)
	return fmt.Appendf(nil, "POST /webhooks/stripe HTTP/1.1\r\nHost: support.example\r\nContent-Type: application/json\r\n"+
		"Stripe-Signature: t=%d,v1=%s\r\nContent-Length: %d\r\n\r\n%s", now.Unix(), hex.EncodeToString(mac), len(body), body)
}

// A caller is one connection that Stripe keeps open. It does as little as can
// be done, so that the measure is of the server.
type caller struct {
	net.Conn
	answers *bufio.Reader
}

func (e *endpoint) dial(b *testing.B) *caller {
	b.Helper()
	conn, err := net.Dial("tcp", e.address)
	if err != nil {
		b.Fatal(err)
	}
	return &caller{conn, bufio.NewReader(conn)}
}

func (c *caller) deliver(request []byte) error {
	if _, err := c.Write(request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(c.answers, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// check fails unless every gift counts and the ledger's own check finds nothing.
func (e *endpoint) check(b *testing.B, gifts int64) {
	b.Helper()
	e.count(b, gifts)
	drifts, err := e.ledger.Verify(b.Context())
	if err != nil || len(drifts) > 0 {
		b.Errorf("verify: %v, %v", drifts, err)
	}
}

// count fails unless every gift counts.
func (e *endpoint) count(b *testing.B, gifts int64) {
	b.Helper()
	counts, err := e.store.ScopesSince(b.Context(), 0)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range counts {
		if c.Scope == "all" && c.Supporters == gifts {
			return
		}
	}
	b.Errorf("after %d gifts the counts are %v", gifts, counts)
}

// floorPostgres returns one INSERT of an event's payload as jsonb, committed.
func floorPostgres(b *testing.B, address string) func(payload []byte, n int) error {
	b.Helper()
	pool, err := pgxpool.New(b.Context(), address+"&pool_max_conns=64")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if _, err := pool.Exec(b.Context(), `CREATE TABLE floor (id TEXT PRIMARY KEY, payload JSONB NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	return func(payload []byte, n int) error {
		_, err := pool.Exec(context.Background(), `INSERT INTO floor (id, payload) VALUES ($1, $2)`, fmt.Sprint("evt_", n), payload)
		return err
	}
}

// floorSQLite is the same on SQLite: one INSERT a commit, fsync included.
func floorSQLite(b *testing.B, file string) func(payload []byte, n int) error {
	b.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { db.Close() })
	if _, err := db.ExecContext(b.Context(), `CREATE TABLE floor (id TEXT PRIMARY KEY, payload TEXT NOT NULL)`); err != nil {
		b.Fatal(err)
	}
	return func(payload []byte, n int) error {
		_, err := db.ExecContext(context.Background(), `INSERT INTO floor (id, payload) VALUES ($1, $2)`, fmt.Sprint("evt_", n), string(payload))
		return err
	}
}
