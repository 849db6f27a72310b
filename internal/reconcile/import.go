package reconcile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
	"github.com/united24media/support/internal/store"
)

// Limits of an import.
const (
	maxImport   = 256 << 20 // bytes of a file
	maxBadRows  = 200       // that are named
	importBatch = 10_000    // rows recorded in one transaction
)

// An Import is a file of gifts that reached us in another way, or at Stripe
// through an earlier system. Every row of it was understood.
type Import struct {
	Format  string // whose it is: "ours", "GiveWP's" or "Stripe's"
	Gifts   int    // rows that are gifts outside Stripe
	Adopted int    // rows that name payments or subscriptions at Stripe
	Skipped int    // rows that brought no money, such as declined ones

	answers []ledger.Answer
	refs    []objects.Ref // at Stripe, to be fetched
}

// A BadRow is a row that can't be imported.
type BadRow struct {
	Line   int // in the file, from 1
	Reason string
}

// A row is one row of a file by the names of its columns, in lower case.
type row map[string]string

// A format reads the rows of one system's files.
type format struct {
	name   string
	needs  []string // columns that tell the format
	knows  []string // the only other columns it may have; nil is any
	reads  func(r row, c calendar) (gift, error)
	unique bool // an id stands in one row only
}

// A gift is what one row says: an offline gift, or an object at Stripe. Its id
// is "" where the row brought no money.
type gift struct {
	id      string
	offline objects.OfflineGift
	adopted objects.Ref
}

// ReadImport reads a file. Where any row is bad nothing can be imported, and
// all of them are returned, up to a limit. Days without a time are days in
// zone. now is when what the file says was said.
func ReadImport(file io.Reader, zone *time.Location, now time.Time) (*Import, []BadRow, error) {
	rows, columns, err := openCSV(file)
	if err != nil {
		return nil, nil, err
	}
	f, err := formatOf(columns)
	if err != nil {
		return nil, nil, err
	}
	m := &Import{Format: f.name}
	var bad []BadRow
	seen := map[string]int{}
	for {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return m, bad, nil
		}
		line := 0
		if err == nil {
			line, _ = rows.FieldPos(0)
			err = m.add(f, cells, columns, calendar{zone, now}, seen)
		} else if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			line, err = broken.Line, broken.Err
		} else {
			return nil, nil, fmt.Errorf("read the file: %w", err)
		}
		if err != nil {
			if bad = append(bad, BadRow{line, err.Error()}); len(bad) == maxBadRows {
				return m, bad, nil
			}
		}
	}
}

// openCSV reads the head of a file: columns separated by commas or semicolons.
func openCSV(file io.Reader) (rows *csv.Reader, columns []string, err error) {
	in := bufio.NewReader(io.LimitReader(file, maxImport))
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = in.Discard(3) // was there a moment ago
	}
	head, _ := in.Peek(in.Size())
	line, _, _ := bytes.Cut(head, []byte("\n"))
	rows = csv.NewReader(in)
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		rows.Comma = ';'
	}
	columns, err = rows.Read()
	if err != nil {
		return nil, nil, errors.New("the file has no line that names its columns")
	}
	for i, name := range columns {
		columns[i] = strings.ToLower(strings.TrimSpace(name))
	}
	rows.FieldsPerRecord = len(columns)
	return rows, columns, nil
}

// formatOf tells a file's format by its columns.
func formatOf(columns []string) (format, error) {
	has := func(name string) bool { return slices.Contains(columns, name) }
	for _, f := range formats() {
		if !slices.ContainsFunc(f.needs, func(name string) bool { return !has(name) }) {
			for _, name := range columns {
				if f.knows != nil && !slices.Contains(f.knows, name) && !slices.Contains(f.needs, name) {
					return format{}, fmt.Errorf("the column %q is not known; take it out, or name it one of %s", name, strings.Join(append(f.needs, f.knows...), ", "))
				}
			}
			return f, nil
		}
	}
	return format{}, errors.New("the columns are not those of an import (date, amount, currency), nor of GiveWP's or Stripe's exports")
}

// add reads one row and adds what it says.
func (m *Import) add(f format, cells, columns []string, c calendar, seen map[string]int) error {
	r := row{}
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return fmt.Errorf("%s: not UTF-8; save the file as UTF-8", columns[i])
		}
		r[columns[i]] = strings.TrimSpace(cell)
	}
	g, err := f.reads(r, c)
	if err != nil {
		return err
	}
	if g.id == "" {
		m.Skipped++
		return nil
	}
	if seen[g.id]++; seen[g.id] > 1 {
		if f.unique || r["reference"] != "" {
			return fmt.Errorf("%s stands in the file twice", g.id)
		}
		g.id = fmt.Sprintf("%s_%d", g.id, seen[g.id]) // two gifts that look the same
	}
	stamp := objects.Stamp{At: c.now.Unix()}
	if g.adopted != "" {
		m.Adopted++
		m.refs = append(m.refs, g.adopted)
		m.answers = append(m.answers, fact(objects.KindAdopted, g.id, &objects.Adopted{
			Object: g.adopted, Won: latest(stamp, g.offline.Won),
		}, c.now))
		return nil
	}
	m.Gifts++
	m.answers = append(m.answers, fact(objects.KindOffline, g.id, &objects.Offline{Gift: latest(stamp, g.offline)}, c.now))
	return nil
}

func latest[T any](stamp objects.Stamp, value T) objects.Latest[T] {
	return objects.Latest[T]{Stamp: stamp, Value: value}
}

// Record records an import and returns how many of its rows said something
// new. What it adopted is asked of Stripe by the worker. A file of more than
// importBatch rows is recorded in parts; after a failure importing it again
// completes it.
func (s *Service) Record(ctx context.Context, m *Import) (news int, err error) {
	for batch := range slices.Chunk(m.answers, importBatch) {
		outcome, err := s.Ledger.Would(ctx, batch...)
		if err != nil {
			return news, err
		}
		fresh := make([]ledger.Answer, len(outcome.News))
		for i, n := range outcome.News {
			fresh[i] = batch[n]
		}
		if err := s.Ledger.Apply(ctx, fresh...); err != nil {
			return news, err
		}
		news += len(fresh)
	}
	for batch := range slices.Chunk(m.refs, importBatch) {
		wishes := make([]store.Wish, len(batch))
		for i, ref := range batch {
			wishes[i] = store.Wish{Ref: string(ref), Priority: objects.PriorityContact, Due: s.Now()}
		}
		err := s.Store.Ledger(ctx, func(tx *store.Tx) error { return tx.PutWishes(ctx, s.Now(), wishes) })
		if err != nil {
			return news, err
		}
	}
	return news, nil
}
