package ledger

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

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
	again           = 8 // one world in so many is also verified and rebuilt
	raceWorlds      = 4

	storiesAtOnce = 48
	tapeLength    = 200 // at most; most stories take fewer decisions
)

// TestWorlds plays random histories into the ledger and compares donations,
// memberships, sums and counts with the book that the world kept of itself.
func TestWorlds(t *testing.T) {
	t.Parallel()
	templates := newTemplates(t)
	var histories, hold atomic.Int64
	began := time.Now()
	properties := map[string]struct {
		deliver func(*player)
		murky   bool
	}{
		"every event in order, then answers":     {(*player).inOrder, false},
		"every event in any order, then answers": {(*player).anyOrder, false},
		"answers among events":                   {(*player).mixed, true},
		"a third of events lost":                 {(*player).lossy, true},
		"answers of the past":                    {(*player).outdated, true},
	}
	t.Cleanup(func() {
		t.Logf("%d histories in %s", histories.Load(), time.Since(began).Round(time.Millisecond))
		checks := flag.Lookup("rapid.checks")
		all := int(hold.Load()) == len(properties) && checks.Value.String() == checks.DefValue && !raceDetector
		if all && histories.Load() < fewestHistories {
			t.Errorf("only %d histories were played, want %d", histories.Load(), fewestHistories)
		}
	})
	for name, play := range properties {
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
					size: rapid.IntRange(1, maxBatch).Draw(r, "batch"), Ledger: templates.open(r), movements: !play.murky,
				}
				defer p.Store.Close()
				play.deliver(p)
				if rapid.IntRange(0, again-1).Draw(r, "again") == again-1 {
					p.again()
				}
				histories.Add(int64(len(tapes)))
			})
			hold.Add(1)
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
			p.Ledger.chunk = 23 // so that what belongs together is spread over many
			if before, after, err := p.Rebuild(t.Context(), func(int) {}); err != nil || before != after {
				t.Errorf("the rebuild ends with %v, hash %s before and %s after", err, before, after)
			}
			p.compare("rebuilt", p.w.AfterFetches)
			p.thanked("at the end")
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
