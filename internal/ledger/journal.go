package ledger

import (
	"context"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// journal writes down by what a booking moves the sums, in one row: so that any
// earlier state of them can be told.
func (l *Ledger) journal(ctx context.Context, b *booking) error {
	var all []giving.Change
	for key, now := range b.now {
		all = append(all, giving.Changes(b.old[key], now, l.Timezone)...)
	}
	row, err := journalRow(all)
	if err != nil || row.Body == nil {
		return err
	}
	row.At = l.Now()
	return b.tx.Journal(ctx, row)
}

// A line is a change as the journal has it.
type line struct {
	giving.Change
	Figures [9]int64 `json:"f"`
}

// journalRow returns a row of the journal, without a body for no changes.
func journalRow(changes []giving.Change) (store.JournalRow, error) {
	if len(changes) == 0 {
		return store.JournalRow{}, nil
	}
	row := store.JournalRow{FirstDay: changes[0].Day, LastDay: changes[0].Day}
	lines := make([]line, len(changes))
	for i, c := range changes {
		row.FirstDay, row.LastDay = min(row.FirstDay, c.Day), max(row.LastDay, c.Day)
		lines[i] = line{c, c.Figures.Numbers()}
	}
	text, err := json.Marshal(lines)
	if err != nil {
		return row, &projectionError{"write the journal: " + err.Error()}
	}
	row.Body = Pack(text)
	return row, nil
}

// ReadJournal returns the changes that a row of the journal holds.
func ReadJournal(row store.JournalRow) ([]giving.Change, error) {
	text, err := Unpack(row.Body)
	if err != nil {
		return nil, fmt.Errorf("the journal at %s: %w", row.At, err)
	}
	var lines []line
	if err := json.Unmarshal(text, &lines); err != nil {
		return nil, fmt.Errorf("the journal at %s: %w", row.At, err)
	}
	changes := make([]giving.Change, len(lines))
	for i, l := range lines {
		changes[i] = l.Change
		changes[i].Figures = giving.FiguresOf(l.Figures)
	}
	return changes, nil
}

// rebuiltRow is how many cells of a rebuild stand in one row of the journal.
const rebuiltRow = 1000

// journalRebuilt writes down where a rebuild counts some days otherwise, which
// is nothing unless the rules or the time zone changed: what was reported before
// stays known.
func (l *Ledger) journalRebuilt(ctx context.Context, tx *store.Tx, days store.Days) error {
	var changes []giving.Change
	write := func() error {
		row, err := journalRow(changes)
		changes = changes[:0]
		if err != nil || row.Body == nil {
			return err
		}
		row.At = l.Now()
		return tx.Journal(ctx, row)
	}
	err := tx.CountedOtherwise(ctx, days, func(cell giving.Cell, by giving.Figures) error {
		changes = append(changes, giving.Change{
			Day: cell.Period, Currency: cell.Currency, Settlement: cell.Settlement, Dimension: cell.Dimension, Value: cell.Value, Figures: by,
		})
		if len(changes) < rebuiltRow {
			return nil
		}
		return write()
	})
	if err != nil {
		return err
	}
	return write()
}
