package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5/stdlib"
)

// freshTables are the tables that a rebuild fills most. Others it writes as
// anybody does.
var freshTables = map[string]freshTable{
	"registers": {0, "registers"}, "donations": {0, "donations"}, "memberships": {0, "memberships"},
	"links":            {1, "registers"}, // whoever names others is stored after its links
	"supporter_scopes": {1, "supporter_scopes"},
	"sums_parts":       {},
}

// A freshTable says by what it is known that a row is new: a text of its key,
// and where that is noted, once for all rows that have it. A row that comes with
// a text which was there before may be new all the same, and is written as
// anybody would.
type freshTable struct {
	column int    // of the text
	noted  string // "" where every row is new
}

// A fresh database was empty when it was opened, and nobody else writes to it.
// What was never written there need not be looked for; and on PostgreSQL new
// rows go by COPY, on a connection of their own, while the next ones are made.
type fresh struct {
	seen    seen
	waiting copying      // to be handed over
	count   int          // rows that wait
	copies  chan copying // to be copied; nil on SQLite
	emptied chan copying // for the next ones
	left    sync.WaitGroup
	failed  atomic.Pointer[error]

	indexes []string // the statements that make those that were dropped
	addedUp bool     // see [Store.AddUp]
}

// copying are rows as COPY takes them, for each table.
type copying map[*bulk][]byte

// maxWaiting is how many rows wait for each other at the most: to begin a COPY
// costs the server as much as some hundred rows.
const maxWaiting = 32_000

// copyTo starts to copy what is handed over, until the channel is closed.
func (f *fresh) copyTo(ctx context.Context, db *sql.DB) {
	f.waiting, f.copies, f.emptied = copying{}, make(chan copying, 1), make(chan copying, 2)
	f.emptied <- copying{}
	go func() {
		for all := range f.copies {
			for table, rows := range all {
				if f.failed.Load() == nil && len(rows) > 0 {
					if err := copyRows(ctx, db, table, append(rows, copyEnd...)); err != nil {
						err = fmt.Errorf("copy into %s: %w", table.table, err)
						f.failed.Store(&err)
					}
				}
				all[table] = rows[:0]
			}
			f.emptied <- all
			f.left.Done()
		}
	}()
}

// handOver has the rows copied that wait.
func (f *fresh) handOver() {
	if f.count > 0 {
		f.left.Add(1)
		f.copies <- f.waiting
		f.waiting, f.count = <-f.emptied, 0
	}
}

// settle waits until everything that was written is in the database.
func (f *fresh) settle() error {
	f.handOver()
	f.left.Wait()
	if err := f.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// known returns those of several values that may stand in a column.
func (t *Tx) known(column string, values []string) []string {
	if t.fresh == nil {
		return values
	}
	of := t.fresh.seen.hash(column)
	var known []string
	for _, v := range values {
		if t.fresh.seen.has(t.fresh.seen.key(of, v)) {
			known = append(known, v)
		}
	}
	return known
}

// note says that a value stands in a column from now on.
func (t *Tx) note(column, value string) {
	if t.fresh != nil {
		t.fresh.seen.add(t.fresh.seen.key(t.fresh.seen.hash(column), value))
	}
}

// take takes those of several rows that are new, to be copied, and returns the
// rest. No two have the same key. scan is called for each that it takes.
func (t *Tx) take(r *rows, scan func(row) error) (rest *rows, err error) {
	table, ok := freshTables[r.table]
	if t.fresh == nil || !ok {
		return r, nil
	}
	f, noted := t.fresh, t.fresh.seen.hash(table.noted)
	first, texts := r.texts(0), r.texts(table.column)
	var old, new []int // rows that may be there already, and that are not
	for n := range r.count {
		if f.copies == nil || table.noted != "" && f.seen.has(f.seen.key(noted, texts[n])) {
			old = append(old, n)
			continue
		}
		new = append(new, n)
		if scan != nil {
			if err := scan(unwritten{r, n}); err != nil {
				return nil, err
			}
		}
	}
	if table.noted == r.table {
		for _, text := range texts {
			f.seen.add(f.seen.key(noted, text))
		}
	}
	// The server finds the places of rows that come in the order of their keys
	// beside each other.
	slices.SortFunc(new, func(a, b int) int {
		if c := strings.Compare(first[a], first[b]); c != 0 {
			return c
		}
		return strings.Compare(texts[a], texts[b])
	})
	if len(new) > 0 {
		t.taken = append(t.taken, taken{r, new})
	}
	return r.pick(old), nil
}

// handOver lets the rows that [Tx.take] took wait to be copied.
func (t *Tx) handOver() {
	for _, some := range t.taken {
		rows := t.fresh.waiting[some.bulk]
		if len(rows) == 0 {
			rows = append(rows, copyStart...)
		}
		for _, n := range some.which {
			rows = some.binary(rows, n)
		}
		t.fresh.waiting[some.bulk] = rows
		t.fresh.count += len(some.which)
	}
	t.taken = nil
	if t.fresh != nil && t.fresh.count >= maxWaiting {
		t.fresh.handOver()
	}
}

// unwritten is a row that was not written yet, as a result.
type unwritten struct {
	*rows
	n int
}

func (u unwritten) Scan(dest ...any) error {
	for i := range dest {
		switch to := dest[i].(type) {
		case *string:
			*to = u.texts(i)[u.n]
		case *int64:
			*to = (*u.values[i].(*[]int64))[u.n]
		default:
			return fmt.Errorf("scan %s.%s: a row not written yet has no %T", u.table, u.columns[i].name, to)
		}
	}
	return nil
}

// taken are some of several rows, to be copied in an order.
type taken struct {
	*rows
	which []int
}

// Rows are copied in PostgreSQL's binary format, between two texts:
// https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
const (
	copyStart = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	copyEnd   = "\xff\xff"
)

func copyRows(ctx context.Context, db *sql.DB, to *bulk, rows []byte) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(raw any) error {
		pg := raw.(*stdlib.Conn).Conn().PgConn()
		_, err := pg.CopyFrom(ctx, bytes.NewReader(rows), `COPY `+to.table+` (`+to.names()+`) FROM STDIN (FORMAT binary)`)
		return err
	})
}

// binary appends a row in that format.
func (r *rows) binary(out []byte, n int) []byte {
	order := binary.BigEndian
	out = order.AppendUint16(out, uint16(len(r.values)))
	for _, column := range r.values {
		switch column := column.(type) {
		case *[]string:
			out = append(order.AppendUint32(out, uint32(len((*column)[n]))), (*column)[n]...)
		case *[]int64:
			out = order.AppendUint64(order.AppendUint32(out, 8), uint64((*column)[n]))
		case *[]bool:
			out = order.AppendUint32(out, 1)
			if (*column)[n] {
				out = append(out, 1)
			} else {
				out = append(out, 0)
			}
		case *[][]byte:
			out = append(order.AppendUint32(out, uint32(len((*column)[n]))), (*column)[n]...)
		}
	}
	return out
}

// A seen set remembers strings in the same memory however many there are. It
// may say so of one that it never saw (once in millions while they are ten
// million, often when they are some hundred millions), but not the other way
// round: a Bloom filter, all of whose bits of a string share a cache line.
type seen struct {
	seed  maphash.Seed
	pages []*[seenPage]seenLine // nil until it is needed
}

type seenLine [seenBits / 64]uint64

const (
	seenLines = 1 << 20 // 64 MiB
	seenPage  = 64      // lines
	seenBits  = 512     // in a line
	seenMarks = 7       // for one string
)

func newSeen() seen { return seen{maphash.MakeSeed(), make([]*[seenPage]seenLine, seenLines/seenPage)} }

func (s *seen) hash(text string) uint64 { return maphash.String(s.seed, text) }

// A seenKey is where a string has its bits.
type seenKey struct{ line, marks uint64 }

// key returns the key of a text that stands in a place. All that is about one
// object, whose id is what follows the slash, shares a line: memory is slow,
// and what is asked of an object is asked in a row.
func (s *seen) key(place uint64, text string) seenKey {
	const spread = 0x9e3779b97f4a7c15 // 2^64 over the golden ratio
	marks := place ^ s.hash(text)
	return seenKey{s.hash(text[strings.LastIndexByte(text, '/')+1:]), (marks ^ marks>>32) * spread}
}

// add notes a key and reports whether it may have been there already.
func (s *seen) add(key seenKey) bool {
	page, marks := s.page(key), key.marks
	if *page == nil {
		*page = new([seenPage]seenLine)
	}
	line, was := &(*page)[key.line%seenPage], true
	for range seenMarks {
		bit := uint64(1) << (marks % 64)
		was = was && line[marks%seenBits/64]&bit != 0
		line[marks%seenBits/64] |= bit
		marks /= seenBits
	}
	return was
}

// has reports whether a key may be there.
func (s *seen) has(key seenKey) bool {
	page, marks := s.page(key), key.marks
	if *page == nil {
		return false
	}
	line := &(*page)[key.line%seenPage]
	for range seenMarks {
		if line[marks%seenBits/64]&(1<<(marks%64)) == 0 {
			return false
		}
		marks /= seenBits
	}
	return true
}

func (s *seen) page(key seenKey) **[seenPage]seenLine {
	return &s.pages[key.line/seenPage%(seenLines/seenPage)]
}
