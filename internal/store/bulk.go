package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
)

// A bulk statement writes many rows at once. Its head names the table and
// columns, its tail says what to do about rows that are there already.
//
// Here the databases differ: PostgreSQL takes a whole batch as one array a
// column, so that one prepared statement serves every size; SQLite has no
// arrays, but a row costs it no round trip.
type bulk struct {
	table   string
	columns []column
	tail    string // where it returns rows, then with all columns in their order
}

type column struct{ name, kind string } // kind is TEXT, BIGINT, BOOLEAN or BYTEA

// columnsOf returns columns of one kind.
func columnsOf(kind string, names ...string) []column {
	all := make([]column, len(names))
	for i, name := range names {
		all[i] = column{name, kind}
	}
	return all
}

func (b *bulk) names() string {
	names := make([]string, len(b.columns))
	for i, c := range b.columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// rows is a batch of rows, column by column: add takes string, int64, bool or
// []byte, as the columns say.
type rows struct {
	*bulk
	count  int
	values []any // a pointer to one typed slice a column: to append costs no memory besides
}

// rows returns no rows, with room for some.
func (b *bulk) rows(room int) *rows {
	r := &rows{bulk: b, values: make([]any, len(b.columns))}
	for i, c := range b.columns {
		switch c.kind {
		case "TEXT":
			r.values[i] = sized[string](room)
		case "BIGINT":
			r.values[i] = sized[int64](room)
		case "BOOLEAN":
			r.values[i] = sized[bool](room)
		case "BYTEA":
			r.values[i] = sized[[]byte](room)
		}
	}
	return r
}

func sized[T any](room int) *[]T {
	column := make([]T, 0, room)
	return &column
}

// add appends one row, a value a column.
func (r *rows) add(row ...any) {
	r.count++
	for i, v := range row {
		switch column := r.values[i].(type) {
		case *[]string:
			*column = append(*column, v.(string))
		case *[]int64:
			*column = append(*column, v.(int64))
		case *[]bool:
			*column = append(*column, v.(bool))
		case *[][]byte:
			*column = append(*column, v.([]byte))
		}
	}
}

// pick returns some of the rows; all of them in place.
func (r *rows) pick(which []int) *rows {
	if len(which) == r.count {
		return r
	}
	some := r.bulk.rows(len(which))
	for _, n := range which {
		some.add(r.row(n)...)
	}
	return some
}

func (r *rows) row(n int) []any {
	row := make([]any, len(r.values))
	for i, column := range r.values {
		switch column := column.(type) {
		case *[]string:
			row[i] = (*column)[n]
		case *[]int64:
			row[i] = (*column)[n]
		case *[]bool:
			row[i] = (*column)[n]
		case *[][]byte:
			row[i] = (*column)[n]
		}
	}
	return row
}

// texts returns a column of type TEXT.
func (r *rows) texts(column int) []string { return *r.values[column].(*[]string) }

// write runs the statement over all rows; scan, if there is one, is called for
// each row that the tail returns.
func (t *Tx) write(ctx context.Context, r *rows, scan func(row) error) error {
	r, err := t.take(r, scan)
	if err != nil || r.count == 0 {
		return err
	}
	if t.pg == nil {
		if err := t.writeLite(ctx, r, scan); err != nil {
			return fmt.Errorf("write %s: %w", r.table, err)
		}
		return nil
	}
	arrays := make([]string, len(r.columns))
	for i, c := range r.columns {
		arrays[i] = fmt.Sprintf("$%d::%s[]", i+1, c.kind)
	}
	query := `INSERT INTO ` + r.table + ` (` + r.names() + `) SELECT * FROM unnest(` + strings.Join(arrays, ", ") + `) ` + r.tail
	err = t.later(ctx, query, r.values, scan) // pgx follows the pointers
	if err == nil && scan != nil {
		err = t.flush(ctx)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", r.table, err)
	}
	return nil
}

func (t *Tx) writeLite(ctx context.Context, r *rows, scan func(row) error) error {
	places := make([]string, len(r.columns))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	query := `INSERT INTO ` + r.table + ` (` + r.names() + `) VALUES (` + strings.Join(places, ", ") + `) ` + r.tail
	statement, err := t.lite.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer statement.Close()
	for n := range r.count {
		if scan == nil {
			_, err = statement.ExecContext(ctx, r.row(n)...)
		} else {
			err = scanAll(statement.QueryContext(ctx, r.row(n)...))(func(r *sql.Rows) error { return scan(r) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// any returns the test that a column is one of the values in parameter n, and
// list the argument for it.
func (t *Tx) any(column string, n int) string {
	if t.pg != nil {
		return fmt.Sprintf("%s = ANY($%d)", column, n)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n)
}

// among is [Tx.any] for a long list of texts. Of that one PostgreSQL may think
// that it is short, and compare each row with each; these it looks for by an
// index or a hash.
func (t *Tx) among(column string, n int) string {
	if t.pg != nil {
		return fmt.Sprintf("%s IN (SELECT unnest($%d::TEXT[]))", column, n)
	}
	return t.any(column, n)
}

func (t *Tx) list(values any) any {
	if t.pg != nil {
		return values
	}
	return listed(values)
}

// scanAll calls scan for each row of a query.
func scanAll(rows *sql.Rows, err error) func(scan func(*sql.Rows) error) error {
	return func(scan func(*sql.Rows) error) error {
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := scan(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// anyOf is [Tx.any] outside the ledger's transactions; kind is the column's.
func (s *Store) anyOf(column string, n int, kind string) string {
	if s.postgres {
		return fmt.Sprintf("%s = ANY($%d::%s[])", column, n, kind)
	}
	return fmt.Sprintf("%s IN (SELECT value FROM json_each($%d))", column, n)
}

// listOf returns the argument for [Store.anyOf]: of strings or of numbers.
func (s *Store) listOf(values any) any {
	if s.postgres {
		return values
	}
	return listed(values)
}

// listed returns strings or numbers as a list in JSON.
func listed(values any) any {
	text, _ := json.Marshal(values) // strings and numbers always encode
	if string(text) == "null" {
		return "[]"
	}
	return string(text)
}
