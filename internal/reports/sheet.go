package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"time"
)

// A Sheet writes CSV as RFC 4180 wants it, row by row. Texts that a spreadsheet
// would run as a formula are defused; numbers stay numbers, whatever their sign.
type Sheet struct {
	out *csv.Writer
	err error
}

// NewSheet returns a sheet with its first line, the names of its columns.
func NewSheet(w io.Writer, columns ...string) *Sheet {
	s := &Sheet{out: csv.NewWriter(w)}
	s.out.UseCRLF = true
	s.err = s.out.Write(columns)
	return s
}

// Row writes one row: strings, int64s, instants, and nil for a cell that is
// empty, as that of a zero instant is. After an error, which [Sheet.End] returns,
// it writes no more.
func (s *Sheet) Row(cells ...any) {
	if s.err != nil {
		return
	}
	row := make([]string, len(cells))
	for i, cell := range cells {
		switch cell := cell.(type) {
		case nil:
		case string:
			row[i] = Defused(cell)
		case int64:
			row[i] = number(cell)
		case time.Time:
			if !cell.IsZero() {
				row[i] = cell.UTC().Format(time.RFC3339)
			}
		case *int64:
			if cell != nil {
				row[i] = number(*cell)
			}
		case *string:
			if cell != nil {
				row[i] = Defused(*cell)
			}
		default:
			s.err = fmt.Errorf("write CSV: a cell of type %T", cell)
			return
		}
	}
	s.err = s.out.Write(row)
}

// End writes what is left, and returns the first error.
func (s *Sheet) End() error {
	s.out.Flush()
	if s.err == nil {
		s.err = s.out.Error()
	}
	if s.err != nil {
		return fmt.Errorf("write CSV: %w", s.err)
	}
	return nil
}
