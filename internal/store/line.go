package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"strings"
)

// Lines calls f with a text for each row of what follows from the stored facts,
// in no order: equal rows have equal texts on one kind of database. Sums and
// counts that come to nothing are left out, since they may as well not be there.
// f must not keep the text.
func (t *Tx) Lines(ctx context.Context, f func(line []byte)) error {
	if err := t.alone(ctx); err != nil {
		return err
	}
	var line []byte
	for _, query := range []string{
		`SELECT 'donation', ` + donationColumns + ` FROM donations`,
		`SELECT 'membership', ` + membershipColumns + ` FROM memberships`,
		`SELECT 'sum', ` + sumRows.names() + ` FROM sums WHERE ` + strings.Join(sumFigures, ` <> 0 OR `) + ` <> 0`,
		`SELECT 'movement', ` + movementRows.names() + ` FROM membership_sums WHERE members <> 0 OR monthly_minor <> 0`,
		`SELECT 'count', scope, supporters, members FROM scopes WHERE scope <> '' AND (supporters <> 0 OR members <> 0)`,
	} {
		err := t.query(ctx, query, nil, func(r row) (err error) {
			if line, err = appendLine(line[:0], r); err == nil {
				f(line)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("read the derived state: %w", err)
		}
	}
	return nil
}

// appendLine appends the values of a row as the database sends them, each
// after its length.
func appendLine(line []byte, r row) ([]byte, error) {
	if pg, ok := r.(interface{ RawValues() [][]byte }); ok {
		return appendValues(line, pg.RawValues()), nil
	}
	rows := r.(*sql.Rows)
	columns, err := rows.Columns()
	if err != nil {
		return line, err
	}
	values, to := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range values {
		to[i] = &values[i]
	}
	err = rows.Scan(to...)
	return appendValues(line, values), err
}

func appendValues[T ~[]byte](line []byte, values []T) []byte {
	for _, v := range values {
		line = append(binary.AppendUvarint(line, uint64(len(v))), v...)
	}
	return line
}
