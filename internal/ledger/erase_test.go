package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
	"github.com/united24media/support/internal/testenv"
	"github.com/united24media/support/internal/world"
)

// TestErasedWorlds erases somebody at random from random histories: no sum and
// no count moves, nothing of them is left in any column, and whatever is told
// of them again, as news and in any order, leaves nothing either.
func TestErasedWorlds(t *testing.T) {
	t.Parallel()
	templates := newTemplates(t)
	worlds := 0
	rapid.Check(t, func(r *rapid.T) {
		if worlds++; worlds > 12 || raceDetector && worlds > raceWorlds {
			return
		}
		p := &player{
			TB: r, w: world.Many(drawTapes(r), drawTape(r, "payouts"), world.Options{Name: "w", Murky: true}),
			rand: rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "order"), 1)), size: 16, Ledger: templates.open(r),
		}
		defer p.Store.Close()
		p.mixed()
		people := p.people()
		if len(people) == 0 {
			return
		}
		db, err := sql.Open("sqlite", filepath.Join(templates.folder, fmt.Sprint(templates.next.Load(), ".db")))
		if err != nil {
			r.Fatal(err)
		}
		defer db.Close()
		p.erases(db, people[rapid.IntRange(0, len(people)-1).Draw(r, "person")])
	})
}

func TestErasedOnPostgreSQL(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p := &player{
		TB: t, w: world.Many(seededTapes(3), world.Seeded(3, tapeLength), world.Options{Name: "w", Murky: true}),
		rand: rand.New(rand.NewPCG(3, 1)), size: 16, Ledger: atTheEnd(migrated(t, address), kyiv(t)),
	}
	p.mixed()
	for _, person := range p.people()[:3] {
		p.erases(db, person)
	}
}

// people returns the addresses that have gifts, sorted.
func (p *player) people() []string {
	found := map[string]bool{}
	err := p.Store.Look(context.Background(), func(tx *store.Tx) error {
		all, err := tx.DonationsAfter(context.Background(), "", 1<<20)
		for _, d := range all {
			if d.Email != "" {
				found[strings.ToLower(d.Email)] = true
			}
		}
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return slices.Sorted(maps.Keys(found))
}

func (p *player) erases(db *sql.DB, address string) {
	if left := left(p, db, address); len(left) == 0 {
		p.Fatalf("%s is nowhere before it is erased", address)
	}
	before := p.figures()
	entry := store.Entry{At: p.Now(), Who: "test", Action: "supporter.erase"}
	done, err := p.Erase(context.Background(), strings.ToUpper(address), entry)
	if err != nil || done.Donations == 0 {
		p.Fatalf("erase: %+v, %v", done, err)
	}
	check := func(when string) {
		if lines := left(p, db, address); len(lines) > 0 {
			p.Fatalf("%s %s is still in\n%s", when, address, strings.Join(lines, "\n"))
		}
		for what, figure := range p.figures() {
			if figure != before[what] {
				p.Fatalf("%s %s is %v, was %v", when, what, figure, before[what])
			}
		}
		if now := p.figures(); len(now) != len(before) {
			p.Fatalf("%s there are %d figures, were %d", when, len(now), len(before))
		}
		if drifts, err := p.Verify(context.Background()); err != nil || len(drifts) > 0 {
			p.Fatalf("%s verify: %v, %v", when, drifts, err)
		}
		was, is, err := p.Rebuild(context.Background(), func(int) {})
		if err != nil || was != is {
			p.Fatalf("%s rebuild: from %s to %s, %v", when, was, is, err)
		}
	}
	check("erased,")
	if _, err := p.Erase(context.Background(), address, entry); !errors.Is(err, fault.NotFound) {
		p.Fatalf("erased twice: %v", err)
	}
	var news [][]byte
	for _, body := range world.Bodies(p.w.Events) {
		if bytes.Contains(body, []byte(`"object":"customer"`)) { // which may be somebody else's by now
			continue
		}
		news = append(news, bytes.Replace(body, []byte(`"evt_`), []byte(`"evt_again_`), 1))
	}
	p.shuffled(append(p.deliveries(news), p.answers(p.w.Sweep())...))
	check("told again,")
}

// figures returns every sum and count.
func (p *player) figures() map[string]any {
	all := map[string]any{}
	err := p.Store.Look(context.Background(), func(tx *store.Tx) error {
		err := tx.Scopes(context.Background(), func(c store.ScopeCount) {
			if c.Supporters != 0 || c.Members != 0 {
				all["count "+c.Scope] = [2]int64{c.Supporters, c.Members}
			}
		})
		return errors.Join(err, tx.Sums(context.Background(), func(c giving.Cell, f giving.Figures) { all[fmt.Sprint(c)] = f }))
	})
	if err != nil {
		p.Fatal(err)
	}
	return all
}

// left returns the places of a database where a text still stands, whatever its
// case.
func left(t rapid.TB, db *sql.DB, text string) (found []string) {
	list := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if strings.Contains(fmt.Sprintf("%T", db.Driver()), "stdlib") {
		list = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
	}
	var tables []string
	each(t, db, list, func(_ []string, row []any) { tables = append(tables, fmt.Sprint(row[0])) })
	if len(tables) < 10 {
		t.Fatalf("only %d tables are searched", len(tables))
	}
	for _, table := range tables {
		each(t, db, `SELECT * FROM "`+table+`"`, func(columns []string, row []any) {
			for i, value := range row {
				said := fmt.Sprint(value)
				if raw, ok := value.([]byte); ok {
					said = string(raw)
					if body, err := Unpack(raw); err == nil {
						said = string(body)
					}
				}
				if strings.Contains(strings.ToLower(said), text) {
					found = append(found, fmt.Sprintf("%s.%s of %v: %.300s", table, columns[i], row[0], said))
				}
			}
		})
	}
	return found
}

func each(t rapid.TB, db *sql.DB, query string, f func(columns []string, row []any)) {
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		f(columns, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestScrubbed: a scrubbed body says of everything but people what it said.
func TestScrubbed(t *testing.T) {
	t.Parallel()
	w := world.Many(seededTapes(7), world.Seeded(7, tapeLength), world.Options{Name: "w", Murky: true})
	for _, body := range world.Bodies(w.Events) {
		said := decoded(t, body)
		for _, s := range said {
			objects.Forget(s.Register)
		}
		scrubbed := objects.Scrub(body)
		if bytes.Contains(scrubbed, []byte("@")) || bytes.Contains(scrubbed, []byte("Jenny")) {
			t.Fatalf("scrubbed is %s", scrubbed)
		}
		is := decoded(t, scrubbed)
		if len(is) != len(said) {
			t.Fatalf("%s\nsays %d things, scrubbed %d", body, len(said), len(is))
		}
		for i, s := range is {
			if got, want := objects.Encode(s.Register), objects.Encode(said[i].Register); s.Ref != said[i].Ref || got != want {
				t.Fatalf("%s says\n%s, want\n%s", s.Ref, got, want)
			}
		}
	}
}

func decoded(t *testing.T, body []byte) []objects.Said {
	t.Helper()
	e, err := objects.DecodeEvent(body)
	if err != nil {
		t.Fatal(err)
	}
	said, err := objects.Decode(e.Object, objects.Source{At: e.Created, Event: e.Type})
	if err != nil && !errors.Is(err, objects.ErrKind) {
		t.Fatal(err)
	}
	return said
}
