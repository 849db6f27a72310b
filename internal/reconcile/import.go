package reconcile

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/objects"
)

// Limits of an import.
const (
	maxImport  = 256 << 20 // bytes of a file
	maxBadRows = 200       // that are named
)

// An Import is a file of gifts that reached us in another way, or at Stripe
// through an earlier system. Every row of it was understood.
type Import struct {
	Format  string // whose it is: "ours", "GiveWP's" or "Stripe's"
	Gifts   int    // rows that are gifts outside Stripe
	Adopted int    // rows that name payments or subscriptions at Stripe
	Skipped int    // rows that brought no money, such as declined ones
	More    bool   // bad rows than are named, perhaps

	file io.ReadSeeker
	when calendar
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

// ReadImport checks a file, which is read again by [Service.Record]. Where any
// row is bad nothing can be imported, and all of them are returned, up to a
// limit. Days without a time are days in zone. now is when what the file says
// was said.
func ReadImport(file io.ReadSeeker, zone *time.Location, now time.Time) (*Import, []BadRow, error) {
	m := &Import{file: file, when: calendar{zone, now}}
	var bad []BadRow
	err := m.read(func(g gift, row *BadRow) bool {
		switch {
		case row != nil:
			bad = append(bad, *row)
		case g.id == "":
			m.Skipped++
		case g.adopted != "":
			m.Adopted++
		default:
			m.Gifts++
		}
		m.More = len(bad) == maxBadRows
		return !m.More
	})
	if err != nil {
		return nil, nil, err
	}
	return m, bad, nil
}

// read reads the file from its start and calls f for each row with what it
// says or what is wrong with it, until f returns false. It holds one row, and
// some bytes for each id.
func (m *Import) read(f func(gift, *BadRow) bool) error {
	if _, err := m.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	rows, columns, err := openCSV(m.file)
	if err != nil {
		return err
	}
	format, err := formatOf(columns)
	if err != nil {
		return err
	}
	m.Format = format.name
	ids := counter{maphash.MakeSeed(), map[uint64]int{}}
	for {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var g gift
		line := 0
		if err == nil {
			if !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" }) {
				continue // as spreadsheets leave at the end
			}
			line, _ = rows.FieldPos(0)
			g, err = m.understand(format, cells, columns, ids)
		} else if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			line, err = broken.StartLine, broken.Err
			switch {
			case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
				err = errors.New("a quotation mark where none can be: inside a cell it is written twice, and the cell stands in quotation marks")
			case errors.Is(err, csv.ErrFieldCount):
				err = fmt.Errorf("%d cells, where the first line names %d columns; a cell with a %q in it stands in quotation marks", len(cells), len(columns), rows.Comma)
			}
		} else {
			return fmt.Errorf("read the file: %w", err)
		}
		var bad *BadRow
		if err != nil {
			bad = &BadRow{line, err.Error()}
		}
		if !f(g, bad) {
			return nil
		}
	}
}

// A counter counts how often each id came, without keeping the ids.
type counter struct {
	seed  maphash.Seed
	times map[uint64]int
}

func (c counter) count(id string) int {
	hash := maphash.String(c.seed, id)
	c.times[hash]++
	return c.times[hash]
}

// openCSV reads the head of a file: columns separated by commas, semicolons or
// tabs, whichever there are most of.
func openCSV(file io.Reader) (rows *csv.Reader, columns []string, err error) {
	in := bufio.NewReader(io.LimitReader(file, maxImport))
	if mark, _ := in.Peek(3); bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = in.Discard(3) // was there a moment ago
	}
	head, _ := in.Peek(in.Size())
	line, _, _ := bytes.Cut(head, []byte("\n"))
	rows = csv.NewReader(in)
	for _, sign := range ";\t" {
		if strings.Count(string(line), string(sign)) > strings.Count(string(line), string(rows.Comma)) {
			rows.Comma = sign
		}
	}
	columns, err = rows.Read()
	if bytes.ContainsRune(line, 0) {
		return nil, nil, errors.New("the file is UTF-16; save it as CSV in UTF-8")
	}
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
	return format{}, errors.New("the columns are not those of an import (date, amount, currency), nor of GiveWP's export of donations, nor of Stripe's of payments or subscriptions")
}

// understand reads one row. What it returns has no id where the row brought no
// money.
func (m *Import) understand(f format, cells, columns []string, ids counter) (gift, error) {
	r := row{}
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return gift{}, fmt.Errorf("%s: not UTF-8; save the file as UTF-8", columns[i])
		}
		r[columns[i]] = strings.TrimSpace(cell)
	}
	g, err := f.reads(r, m.when)
	if err != nil || g.id == "" {
		return g, err
	}
	if n := ids.count(g.id); n > 1 {
		if f.unique || r["reference"] != "" {
			return gift{}, fmt.Errorf("%s stands in the file twice", g.id)
		}
		g.id = fmt.Sprintf("%s_%d", g.id, n) // two gifts that look the same
	}
	return g, nil
}

// fact returns what a row says as a fact of ours.
func (m *Import) fact(g gift) ledger.Answer {
	stamp := objects.Stamp{At: m.when.now.Unix()}
	if g.adopted != "" {
		return fact(objects.KindAdopted, g.id, &objects.Adopted{Object: g.adopted, Won: latest(stamp, g.offline.Won)}, m.when.now)
	}
	return fact(objects.KindOffline, g.id, &objects.Offline{Gift: latest(stamp, g.offline)}, m.when.now)
}

func latest[T any](stamp objects.Stamp, value T) objects.Latest[T] {
	return objects.Latest[T]{Stamp: stamp, Value: value}
}

// Record records an import, all of its rows or none, and returns how many said
// something new. What it adopted is asked of Stripe by the worker.
func (s *Service) Record(ctx context.Context, m *Import) (news int, err error) {
	return s.Ledger.Import(ctx, func(yield func(ledger.Answer, error) bool) {
		err := m.read(func(g gift, bad *BadRow) bool {
			switch {
			case bad != nil: // the file has changed since it was checked
				return yield(ledger.Answer{}, fmt.Errorf("line %d: %s", bad.Line, bad.Reason))
			case g.id == "":
				return true
			}
			return yield(m.fact(g), nil)
		})
		if err != nil {
			yield(ledger.Answer{}, err)
		}
	})
}
