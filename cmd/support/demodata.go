package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/united24media/support/internal/config"
	"github.com/united24media/support/internal/demo"
	"github.com/united24media/support/internal/i18n"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
)

// factDemo names the fact that holds which demo data is there, as JSON.
const factDemo = "demo_data"

// A demoMade is which demo data is there. It ends when it was first made, so
// that making it again makes the same.
type demoMade struct {
	Seed uint64    `json:"seed"`
	End  time.Time `json:"end"`
	Done bool      `json:"done"`

	Years int `json:"years,omitzero"` // 0 is three
}

// runDemoData is `support demo-data`.
func runDemoData(ctx context.Context, p *program, args []string) error {
	set, parse := p.flags("demo-data")
	seed := set.Uint64("seed", 1, "which of the invented histories")
	rest, err := parse(args)
	if err != nil {
		return err
	}
	if err := none("demo-data", rest); err != nil {
		return err
	}
	settings, err := p.settings()
	if err != nil {
		return err
	}
	if !settings.Sandbox() {
		return errors.New("demo-data is for the sandbox alone: STRIPE_SECRET_KEY is set, and invented gifts have no place among real ones")
	}
	return p.withMigrated(ctx, func(db *store.Store) error {
		made, err := begunDemo(ctx, db, *seed)
		if err != nil {
			return err
		}
		if made.Done {
			fmt.Fprintf(p.stdout, "The demo data is here already, up to %s, of seed %d; nothing was changed.\n", made.End.Format(time.DateOnly), made.Seed)
			return nil
		}
		return p.makeDemo(ctx, settings, db, made)
	})
}

// begunDemo returns which demo data is there or begun, and begins it otherwise.
func begunDemo(ctx context.Context, db *store.Store, seed uint64) (demoMade, error) {
	made := demoMade{Seed: seed, End: time.Now().UTC().Truncate(time.Second)}
	text, err := db.Fact(ctx, factDemo)
	if err != nil {
		return made, err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &made); err != nil {
			return made, fmt.Errorf("read which demo data is there: %w", err)
		}
		return made, nil
	}
	return made, putDemo(ctx, db, made)
}

func putDemo(ctx context.Context, db *store.Store, made demoMade) error {
	text, err := json.Marshal(made)
	if err != nil {
		return err
	}
	return db.PutFact(ctx, factDemo, string(text))
}

// makeDemo tells a story to the database. What was told before is passed over.
func (p *program) makeDemo(ctx context.Context, settings config.Settings, db *store.Store, made demoMade) error {
	if p.watched() {
		fmt.Fprint(p.stderr, "inventing what happened …")
	}
	story := demo.Tell(demo.Options{Seed: made.Seed, End: made.End, Zone: settings.Timezone, Years: made.Years})
	var clock demo.Clock
	clock.Set(story.Begin)
	desk, err := newDemoDesk(settings, db, story, &clock)
	if err != nil {
		return err
	}
	book := newBook(settings, db)
	book.Now = clock.Now
	err = story.Store(ctx, db)
	if err == nil {
		err = recording(ctx, book, func(book *ledger.Ledger) error {
			return story.Record(ctx, book, &clock, func(at time.Time, done int) error {
				if p.watched() {
					fmt.Fprintf(p.stderr, "\r\x1b[K%d of %d told to the ledger", done, len(story.Answers))
				}
				return desk.met(ctx, at)
			})
		})
		p.endProgress()
	}
	if err != nil {
		return fmt.Errorf("%w\ndemo-data again completes it", err)
	}
	made.Done = true
	if err := putDemo(ctx, db, made); err != nil {
		return err
	}
	number := func(n int) string { return i18n.Number(i18n.Default, int64(n)) }
	fmt.Fprintf(p.stdout, "From %s to %s: %s gifts, %s memberships, %s articles. All of it is invented,\nand unknown to the sandbox: to try a refund or a cancellation, give something yourself first.\n",
		story.Begin.Format(time.DateOnly), story.End.Format(time.DateOnly), number(story.Gifts), number(story.Members), number(len(story.Articles)))
	return nil
}
