package ledger

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/world"
)

// How much is played: each check of a property below is one world of about
// storiesAtOnce/2 histories on a database of its own, and the usual 100 checks
// of each are more than fewestHistories. More:
//
//	go test ./internal/ledger -run Worlds -rapid.checks=10000
//
// A failing world is printed shrunk, with the seed that plays it again. The
// race detector makes a history some twenty times slower, so that with it
// each property ends after raceWorlds.
const (
	fewestHistories = 10_000
	raceWorlds      = 4

	storiesAtOnce = 48
	tapeLength    = 200 // at most; most stories take fewer decisions
)

// TestWorlds plays random histories into the ledger and compares donations,
// memberships, sums and counts with the book that the world kept of itself.
func TestWorlds(t *testing.T) {
	t.Parallel()
	templates := newTemplates(t)
	var histories atomic.Int64
	began := time.Now()
	t.Cleanup(func() {
		t.Logf("%d histories in %s", histories.Load(), time.Since(began).Round(time.Millisecond))
		checks := flag.Lookup("rapid.checks")
		if !t.Failed() && !raceDetector && checks.Value.String() == checks.DefValue && histories.Load() < fewestHistories {
			t.Errorf("only %d histories were played, want %d", histories.Load(), fewestHistories)
		}
	})
	for name, play := range map[string]struct {
		deliver func(*player)
		murky   bool
	}{
		"every event in order, then answers":     {(*player).inOrder, false},
		"every event in any order, then answers": {(*player).anyOrder, false},
		"answers among events":                   {(*player).mixed, true},
		"a third of events lost":                 {(*player).lossy, true},
		"answers of the past":                    {(*player).outdated, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worlds := 0
			rapid.Check(t, func(r *rapid.T) {
				if worlds++; raceDetector && worlds > raceWorlds {
					return
				}
				tapes := drawTapes(r)
				p := &player{
					TB: r, w: world.Many(tapes, drawTape(r, "payouts"), world.Options{Name: "w", Murky: play.murky}),
					rand: rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "order"), 1)),
					size: rapid.IntRange(1, maxBatch).Draw(r, "batch"), Ledger: templates.open(r),
				}
				defer p.Store.Close()
				play.deliver(p)
				histories.Add(int64(len(tapes)))
			})
		})
	}
}

// TestWorldsOnTwoReplicas plays worlds into two ledgers on one PostgreSQL at
// once, as two replicas receive them: what belongs together reaches both.
func TestWorldsOnTwoReplicas(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			address := testenv.Postgres(t)
			p := &player{
				TB: t, w: world.Many(seededTapes(seed), world.Seeded(seed, tapeLength), world.Options{Name: "w", Murky: true}),
				rand: rand.New(rand.NewPCG(seed, 1)), Ledger: runningReplica(t, address),
			}
			replicas := []*Ledger{p.Ledger, runningReplica(t, address)}
			var all []call
			for _, p.Ledger = range replicas { // much is delivered to both, some to one
				all = append(all, p.deliveries(world.Bodies(p.w.Lose(0.2, p.rand)))...)
				all = append(all, p.answers(p.w.Sweep())...)
			}
			p.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			p.atOnce(all, 32)
			p.compare("at the end", p.w.AfterFetches)
		})
	}
}

func seededTapes(seed uint64) []world.Tape {
	tapes := make([]world.Tape, storiesAtOnce/2)
	for i := range tapes {
		tapes[i] = world.Seeded(seed<<16+uint64(i)+1, tapeLength)
	}
	return tapes
}

// atOnce makes all calls, a number of them at any time, and waits for them.
func (p *player) atOnce(all []call, callers int) {
	var wait sync.WaitGroup
	next := make(chan call)
	for range callers {
		wait.Go(func() {
			for call := range next {
				if err := call(context.Background()); err != nil {
					p.Errorf("deliver: %v", err)
				}
			}
		})
	}
	for _, call := range all {
		next <- call
	}
	close(next)
	wait.Wait()
}

// drawTapes draws the stories of a world: half of storiesAtOnce, more or less.
// A failing world shrinks to the stories it needs, and each of those to the
// decisions it needs.
func drawTapes(r *rapid.T) []world.Tape {
	var tapes []world.Tape
	for i, played := range rapid.SliceOfN(rapid.Bool(), storiesAtOnce, storiesAtOnce).Draw(r, "stories") {
		if played {
			tapes = append(tapes, drawTape(r, fmt.Sprint("story ", i)))
		}
	}
	return tapes
}

func drawTape(r *rapid.T, label string) world.Tape {
	decisions := min(tapeLength, int(rapid.Uint16().Draw(r, label+", decisions")))
	return world.Seeded(rapid.Uint64().Draw(r, label+", seed"), decisions)
}

// A player delivers one world to one ledger.
type player struct {
	rapid.TB
	*Ledger
	w    *world.World
	rand *rand.Rand
	size int // requests in one batch
}

// inOrder delivers every event once, as it was sent.
func (p *player) inOrder() { p.events(world.Bodies(p.w.Events)) }

// anyOrder delivers every event in any order, some twice.
func (p *player) anyOrder() { p.events(world.Shuffled(p.w.Events, p.rand)) }

func (p *player) events(bodies [][]byte) {
	p.deliver(p.deliveries(bodies))
	p.compare("after the events", p.w.AfterEvents)
	p.deliver(p.answers(p.w.Sweep()))
	p.compare("after the answers", p.w.AfterFetches)
}

// mixed lets Stripe's answers arrive before the events that they outdate.
func (p *player) mixed() {
	p.shuffled(append(p.deliveries(world.Shuffled(p.w.Events, p.rand)), p.answers(p.w.Sweep())...))
	p.compare("at the end", p.w.AfterFetches)
}

// lossy loses a third of the events, and sweeps Stripe's lists once.
func (p *player) lossy() {
	p.shuffled(p.deliveries(world.Bodies(p.w.Lose(1./3, p.rand))))
	p.deliver(p.answers(p.w.Sweep()))
	p.compare("after the sweep", p.w.AfterFetches)
}

// outdated adds answers given while the world still went on.
func (p *player) outdated() {
	all := append(p.deliveries(world.Bodies(p.w.Events)), p.answers(p.w.Sweep())...)
	for range 2 {
		all = append(all, p.answers(p.w.Glimpse(world.Begin+p.rand.Int64N(world.End-world.Begin)))...)
	}
	p.shuffled(all)
	p.compare("at the end", p.w.AfterFetches)
}

func (p *player) shuffled(all []call) {
	p.rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	p.deliver(all)
}

// A call says one thing to the ledger.
type call func(context.Context) error

func (p *player) deliveries(bodies [][]byte) []call {
	var all []call
	to := p.Ledger
	for _, body := range bodies {
		all = append(all, func(ctx context.Context) error { return to.Deliver(ctx, body) })
	}
	return all
}

// answers are applied page by page. That a list was whole, and which payout a
// transaction belongs to, are facts beside the objects.
func (p *player) answers(pages []world.Answer) []call {
	var all []call
	to := p.Ledger
	for _, page := range pages {
		var answers []Answer
		add := func(object []byte) { answers = append(answers, Answer{object, time.Unix(page.AsOf, 0)}) }
		for i, object := range page.Objects {
			add(object)
			if page.Of != "" && page.Type == "balance_transaction" {
				add(objects.Fact(objects.NewRef(objects.KindTransaction, page.IDs[i]), &objects.Transaction{Payout: page.Of}))
			}
		}
		if page.Of != "" && page.Type == "refund" {
			add(objects.Fact(objects.NewRef(objects.KindCharge, page.Of), &objects.Charge{RefundsListed: page.AsOf}))
		}
		all = append(all, func(ctx context.Context) error { return to.Apply(ctx, answers...) })
	}
	return all
}

// deliver makes calls in their order and commits them in batches. It stands in
// for [Ledger.Run], whose batches depend on the clock.
func (p *player) deliver(all []call) {
	out := make(chan error, p.size)
	for calls := range slices.Chunk(all, p.size) {
		for i, call := range calls {
			go func() { out <- call(context.Background()) }()
			for len(p.queue) <= i && len(out) == 0 {
				runtime.Gosched()
			}
		}
		if n := len(p.queue); n > 0 {
			p.commit(p.gather(<-p.queue))
		}
		for range calls {
			if err := <-out; err != nil {
				p.Fatalf("deliver: %v", err)
			}
		}
	}
}

// compare fails with what the ledger holds otherwise than the book.
func (p *player) compare(when string, want world.Book) {
	got := world.Book{
		Donations: map[string]world.Donation{}, Memberships: map[string]world.Membership{},
		Scopes: map[string]world.Scope{}, Daily: map[world.Row]world.Sums{},
	}
	months, days := map[world.Row]world.Sums{}, map[world.Row]world.Sums{}
	err := p.Store.Look(context.Background(), func(tx *store.Tx) error { return holds(tx, &got, months) })
	if err != nil {
		p.Fatalf("%s: %v", when, err)
	}
	lines := want.Diff(got)
	for row, sums := range got.Daily {
		row.Day = row.Day[:len("2026-01")]
		days[row] = days[row].Plus(sums)
	}
	lines = append(lines, world.Book{Daily: days}.Diff(world.Book{Daily: months})...)
	if len(lines) == 0 {
		return
	}
	more := max(0, len(lines)-20)
	p.Logf("what Stripe told:\n%s", p.told(60))
	p.Fatalf("%s the ledger differs from the book:\n%s\nand %d lines more", when, strings.Join(lines[:len(lines)-more], "\n"), more)
}

// told lists the world's first events, by day.
func (p *player) told(most int) string {
	var text strings.Builder
	for _, e := range p.w.Events[:min(most, len(p.w.Events))] {
		fmt.Fprintf(&text, "%s %-40s %s\n", time.Unix(e.Created, 0).UTC().Format(time.DateTime), e.Type, e.Object)
		if os.Getenv("WORLD_BODIES") != "" {
			fmt.Fprintf(&text, "\t%s\n", e.Body)
		}
	}
	return text.String()
}

// holds reads what the ledger derived, monthly sums apart.
func holds(tx *store.Tx, got *world.Book, months map[world.Row]world.Sums) error {
	ctx := context.Background()
	const all = 1 << 20
	donations, err := tx.DonationsAfter(ctx, "", all)
	if err != nil {
		return err
	}
	for _, d := range donations {
		got.Donations[d.Key] = donation(d)
	}
	memberships, err := tx.MembershipsAfter(ctx, "", all)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		got.Memberships[m.Subscription] = membership(m)
	}
	parked, err := tx.ParkedEvents(ctx, 1)
	if err != nil {
		return err
	}
	for _, e := range parked {
		return fmt.Errorf("event %s is parked: %s", e.ID, e.Error)
	}
	if err := tx.Scopes(ctx, func(c store.ScopeCount) {
		got.Scopes[c.Scope] = world.Scope{Supporters: int(c.Supporters), Members: int(c.Members)}
	}); err != nil {
		return err
	}
	return tx.Sums(ctx, func(c giving.Cell, f giving.Figures) {
		into, row := got.Daily, world.Row{Dimension: c.Dimension, Value: c.Value, Currency: c.Currency, Settlement: c.Settlement}
		if row.Day = fmt.Sprint(c.Period); len(row.Day) == len("202601") {
			into, row.Day = months, row.Day[:4]+"-"+row.Day[4:]
		} else {
			row.Day = row.Day[:4] + "-" + row.Day[4:6] + "-" + row.Day[6:]
		}
		into[row] = world.Sums{
			Donations: f.Donations, NewSupporters: f.NewSupporters, Gross: f.Gross, Refunded: f.Refunded,
			Disputed: f.Disputed, Fee: f.Fee, Net: f.Net,
		}
	})
}

func donation(d *giving.Donation) world.Donation {
	other := map[string][2]int64{}
	for _, b := range d.Elsewhere {
		other[b.Currency] = [2]int64{b.Fee, b.Net}
	}
	return world.Donation{
		Gross: d.Gross, Refunded: d.Refunded, Disputed: d.Disputed, Lost: d.Lost, Currency: d.Currency,
		Settlement: d.Settled.Currency, Fee: d.Settled.Fee, Net: d.Settled.Net, Other: world.Others(other),
		Day: world.Day(d.Created), Created: d.Created, Article: d.Article, Placement: d.Placement,
		Campaign: d.Campaign, Variant: d.Variant, Country: d.Country, Interval: string(d.Interval),
		Tier: d.Tier, Attribution: d.Status, Supporter: d.Supporter,
	}
}

func membership(m *giving.Membership) world.Membership {
	return world.Membership{
		Status: m.Status, Member: m.Live, Interval: string(m.Interval), Amount: m.Amount,
		Currency: m.Currency, Article: m.Article, Campaign: m.Campaign, Person: m.Supporter,
	}
}

// templates make databases quickly: they copy one that was migrated.
type templates struct {
	folder, migrated string
	zone             *time.Location
	next             atomic.Int64
}

// memory is where Linux keeps files in memory. The worlds are about sums, not
// about disks, which other tests pull the plug on.
const memory = "/dev/shm"

func newTemplates(t *testing.T) *templates {
	t.Helper()
	folder := t.TempDir()
	if in, err := os.MkdirTemp(memory, "worlds"); err == nil {
		folder = in
		t.Cleanup(func() { os.RemoveAll(in) })
	}
	made := &templates{folder: folder, migrated: filepath.Join(folder, "migrated.db"), zone: kyiv(t)}
	s := migrated(t, "sqlite:"+made.migrated)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return made
}

func migrated(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// runningReplica returns a ledger that commits by itself, as in a server.
func runningReplica(t *testing.T, address string) *Ledger {
	t.Helper()
	l := atTheEnd(migrated(t, address), kyiv(t))
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-stopped })
	return l
}

func kyiv(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// atTheEnd returns a ledger whose clock stands at the end of the world.
func atTheEnd(s *store.Store, zone *time.Location) *Ledger {
	return New(Options{
		Store: s, Now: func() time.Time { return time.Unix(world.End, 0) }, Timezone: zone, Grace: world.Grace,
	})
}

// open returns a ledger on a new database.
func (made *templates) open(r *rapid.T) *Ledger {
	path := filepath.Join(made.folder, fmt.Sprint(made.next.Add(1), ".db"))
	template, err := os.ReadFile(made.migrated)
	if err == nil {
		err = os.WriteFile(path, template, 0o600)
	}
	if err != nil {
		r.Fatal(err)
	}
	s, err := store.Open("sqlite:" + path)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { os.Remove(path) })
	return atTheEnd(s, made.zone)
}
