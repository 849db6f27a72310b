package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/united24media/support/internal/giving"
)

// A JournalRow is what moved the sums in one transaction of the ledger. The
// journal is appended to and never changed.
type JournalRow struct {
	At                time.Time // no two rows have one instant, and later ones a later one
	FirstDay, LastDay int64     // the days that it moved, such as 20260131
	Body              []byte
}

const addJournal = `
	INSERT INTO journal (moved_at, first_day, last_day, body)
	SELECT CASE WHEN last.moved_at < $1 THEN $1 ELSE last.moved_at + 1 END, CAST($2 AS BIGINT), CAST($3 AS BIGINT), $4
	FROM (SELECT COALESCE(MAX(moved_at), 0) AS moved_at FROM journal) AS last`

// Journal appends a row. Its instant is the row's, or as soon as may be after
// the row before.
func (t *Tx) Journal(ctx context.Context, r JournalRow) error {
	if err := t.later(ctx, addJournal, []any{Micros(r.At), r.FirstDay, r.LastDay, r.Body}, nil); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// LastMoved returns the instant of the journal's last row, the zero time if
// there is none.
func (t *Tx) LastMoved(ctx context.Context) (last time.Time, err error) {
	err = t.query(ctx, `SELECT COALESCE(MAX(moved_at), 0) FROM journal`, nil, func(r row) error {
		var at int64
		err := r.Scan(&at)
		last = Time(at)
		return err
	})
	return last, err
}

// JournalAfter calls f with the journal's rows after an instant that moved a
// day from one to, but without, another.
func (t *Tx) JournalAfter(ctx context.Context, after time.Time, from, to int64, f func(JournalRow) error) error {
	err := t.query(ctx, `
		SELECT moved_at, first_day, last_day, body FROM journal
		WHERE moved_at > $1 AND first_day < $3 AND last_day >= $2 ORDER BY moved_at`, []any{Micros(after), from, to},
		func(r row) error {
			var j JournalRow
			var at int64
			if err := r.Scan(&at, &j.FirstDay, &j.LastDay, &j.Body); err != nil {
				return err
			}
			j.At = Time(at)
			return f(j)
		})
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
}

// Days are days, such as 20260131, from a first one to a last.
type Days struct{ First, Last int64 }

// EveryDay returns all days there can be.
func EveryDay() Days { return Days{0, 99991231} }

// Add has the days reach from a first one to a last, too.
func (d *Days) Add(first, last int64) {
	if *d == (Days{}) {
		*d = Days{first, last}
	}
	d.First, d.Last = min(d.First, first), max(d.Last, last)
}

// CountedOtherwise calls f with the cells of the sums, of some days, that a
// rebuild counts otherwise, and by how much. It is called within
// [Store.Adopt], and holds the cells of one dimension and month at a time.
func (t *Tx) CountedOtherwise(ctx context.Context, days Days, f func(giving.Cell, giving.Figures) error) error {
	var months []int64
	err := t.query(ctx, `
		SELECT period FROM sums WHERE dimension = $1 AND period >= $2 AND period <= $3
		UNION SELECT period FROM `+scratchSchema+`.sums WHERE dimension = $1 AND period >= $2 AND period <= $3`,
		[]any{giving.DimensionAll, days.First / 100, days.Last / 100}, func(r row) error {
			var month int64
			err := r.Scan(&month)
			months = append(months, month)
			return err
		})
	if err != nil {
		return fmt.Errorf("find the months that are counted otherwise: %w", err)
	}
	for _, dimension := range giving.Dimensions() {
		for _, month := range months {
			if err := t.countedOtherwise(ctx, dimension, max(days.First, month*100), min(days.Last, month*100+99), f); err != nil {
				return fmt.Errorf("find what is counted otherwise: %w", err)
			}
		}
	}
	return nil
}

// countedOtherwise is [Tx.CountedOtherwise] of one dimension, from one day to
// another.
func (t *Tx) countedOtherwise(ctx context.Context, dimension string, first, last int64, f func(giving.Cell, giving.Figures) error) error {
	sums, differ := addedUp()
	plus, minus := strings.Join(sumFigures, ", "), ""
	for i, figure := range sumFigures {
		if i > 0 {
			minus += ", "
		}
		minus += "-" + figure + " AS " + figure
	}
	type cell struct {
		giving.Cell
		by giving.Figures
	}
	var cells []cell
	const columns, which = `period, value, currency, settlement_currency`, `dimension = $1 AND period >= $2 AND period <= $3`
	err := t.query(ctx, `SELECT `+columns+`, `+sums+` FROM (
			SELECT `+columns+`, `+plus+` FROM `+scratchSchema+`.sums WHERE `+which+`
			UNION ALL SELECT `+columns+`, `+minus+` FROM sums WHERE `+which+`
		) AS both_sums GROUP BY `+columns+` HAVING `+differ, []any{dimension, first, last}, func(r row) error {
		c := cell{Cell: giving.Cell{Dimension: dimension}}
		n := &c.by
		err := r.Scan(&c.Period, &c.Value, &c.Currency, &c.Settlement,
			&n.Donations, &n.NewSupporters, &n.Won, &n.Kept, &n.Gross, &n.Refunded, &n.Disputed, &n.Fee, &n.Net)
		cells = append(cells, c)
		return err
	})
	for _, c := range cells {
		if err == nil {
			err = f(c.Cell, c.by)
		}
	}
	return err
}

// A Statement is a month as it was when it was closed.
type Statement struct {
	Month    int64     // 202601
	ClosedAt time.Time // by our clock
	AsOf     time.Time // of the figures
	ClosedBy string    // who closed it; "" if nobody did by hand
	Timezone string    // of its days
	Body     string    // JSON
}

// PutStatement keeps a month's statement, and reports whether it did: false
// where the month was closed before.
func (s *Store) PutStatement(ctx context.Context, m Statement) (added bool, err error) {
	result, err := s.write.ExecContext(ctx, `
		INSERT INTO statements (month, closed_at, as_of, closed_by, timezone, body) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (month) DO NOTHING`, m.Month, Micros(m.ClosedAt), Micros(m.AsOf), m.ClosedBy, m.Timezone, m.Body)
	if err != nil {
		return false, fmt.Errorf("close month %d: %w", m.Month, err)
	}
	return oneRow(result)
}

// Statements returns the closed months from one to, but without, another,
// newest first.
func (s *Store) Statements(ctx context.Context, from, to int64) ([]Statement, error) {
	var found []Statement
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT month, closed_at, as_of, closed_by, timezone, body FROM statements
		WHERE month >= $1 AND month < $2 ORDER BY month DESC`, from, to))(func(r *sql.Rows) error {
		var m Statement
		var closed, asOf int64
		err := r.Scan(&m.Month, &closed, &asOf, &m.ClosedBy, &m.Timezone, &m.Body)
		m.ClosedAt, m.AsOf = Time(closed), Time(asOf)
		found = append(found, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read closed months: %w", err)
	}
	return found, nil
}

// MonthsToClose returns the months before one that have donations but no
// statement, earliest first.
func (s *Store) MonthsToClose(ctx context.Context, before int64) ([]int64, error) {
	var months []int64
	err := scanAll(s.read.QueryContext(ctx, `
		SELECT DISTINCT period FROM sums
		WHERE dimension = 'all' AND period < $1 AND NOT EXISTS (SELECT 1 FROM statements WHERE month = sums.period)
		ORDER BY period`, before))(func(r *sql.Rows) error {
		var month int64
		err := r.Scan(&month)
		months = append(months, month)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read months to close: %w", err)
	}
	return months, nil
}
