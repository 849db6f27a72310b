package reportpages

import (
	"context"
	_ "embed" // the pages
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/period"
	"github.com/united24media/support/internal/staff/tally"
)

var (
	//go:embed months.html
	monthsHTML string
	//go:embed month.html
	monthHTML string
)

// A monthsView is what the list of closed months shows.
type monthsView struct {
	Frame frame
	Rows  []monthRow
}

type monthRow struct {
	Month, Name string
	reports.Statement
	Donations int64
	Settled   []tally.Settled
	Changed   bool // since it was closed
}

// showMonths handles GET /staff/reports/months.
func (p *Pages) showMonths(v *desk.Visit) error {
	var err error
	q := question{values: v.Request.URL.Query()}
	if q.period, err = period.Parse(nil, p.Reports.Today()); err != nil {
		return err
	}
	body := monthsView{Frame: p.frame("Closed months", "/months", q)}
	body.Frame.Picker, body.Frame.CSV = nil, path+"/months.csv"
	if body.Rows, err = p.closedMonths(v.Request.Context()); err != nil {
		return err
	}
	return p.Desk.Render(v, p.months, desk.Page{Title: "Closed months", Body: body})
}

// monthsCSV handles GET /staff/reports/months.csv: a row for each closed month
// and currency that Stripe settled in, with the donations that were settled in it.
func (p *Pages) monthsCSV(v *desk.Visit) error {
	rows, err := p.closedMonths(v.Request.Context())
	if err != nil {
		return err
	}
	return sendCSV(v, "closed_months.csv", func(w io.Writer) error {
		s := reports.NewSheet(w, "month", "closed_at", "closed_by", "changed_since", "donations", "settlement_currency", "received_minor", "fee_minor", "net_minor", "timezone")
		for _, r := range rows {
			for _, in := range r.Settled {
				s.Row(r.Month, r.ClosedAt.UTC().Format(time.RFC3339), r.ClosedBy, strconv.FormatBool(r.Changed), in.Donations,
					in.Currency, in.Received, in.Fee, in.Net, r.Report.Timezone)
			}
		}
		return s.End()
	})
}

// closedMonths returns all closed months, the newest first.
func (p *Pages) closedMonths(ctx context.Context) ([]monthRow, error) {
	statements, err := p.Reports.Statements(ctx)
	if err != nil {
		return nil, err
	}
	rows := make([]monthRow, len(statements))
	for i, s := range statements {
		if rows[i], err = monthOf(s); err != nil {
			return nil, err
		}
	}
	return rows, p.compareMonths(ctx, rows)
}

// compareMonths marks the months, the newest first, of which reports now say
// something else than their statements.
func (p *Pages) compareMonths(ctx context.Context, rows []monthRow) error {
	if len(rows) == 0 {
		return nil
	}
	first, err := reports.ParseMonth(rows[len(rows)-1].Month)
	if err != nil {
		return err
	}
	last, err := reports.ParseMonth(rows[0].Month)
	if err != nil {
		return err
	}
	report, err := p.Reports.Report(ctx, reports.Query{From: first, To: last.AddDate(0, 1, 0), By: "month"})
	if err != nil {
		return err
	}
	now := tally.ByKey(report.Rows)
	for i := range rows {
		r, is := &rows[i], now[rows[i].Month]
		if is == nil {
			is = new(tally.Tally)
		}
		was := tally.Of(r.Report.Rows)
		r.Changed = was.Donations != is.Donations || !slices.Equal(was.Given(), is.Given()) || !slices.Equal(was.Settlements(), is.Settlements())
	}
	return nil
}

func monthOf(s reports.Statement) (monthRow, error) {
	month, err := time.Parse("2006-01", s.Month)
	t := tally.Of(s.Report.Rows)
	return monthRow{s.Month, month.Format("January 2006"), s, t.Donations, t.Settlements(), false}, err
}

// A monthView is what one closed month's page shows.
type monthView struct {
	Frame       frame
	Row         monthRow
	Given       []tally.Given
	Adjustments []reports.Adjustment
	Links       bool
	Now         string // the report of the month as it is now
}

// showMonth handles GET /staff/reports/months/2026-01, and the same with .csv:
// the statement as it was when the month was closed.
func (p *Pages) showMonth(v *desk.Visit) error {
	text, csv := strings.CutSuffix(v.Param("month"), ".csv")
	month, err := reports.ParseMonth(text)
	if err != nil {
		return err
	}
	statement, adjustments, err := p.Reports.Adjustments(v.Request.Context(), month)
	if err != nil {
		return err
	}
	if csv {
		return sendCSV(v, "statement_"+statement.Month+".csv", func(w io.Writer) error { return statement.Report.WriteCSV(w) })
	}
	row, err := monthOf(statement)
	if err != nil {
		return err
	}
	q := question{values: v.Request.URL.Query()}
	if q.period, err = period.Parse(nil, p.Reports.Today()); err != nil {
		return err
	}
	body := monthView{
		Frame: p.frame(row.Name, "/months", q), Row: row, Given: tally.Of(statement.Report.Rows).Given(), Adjustments: adjustments,
		Links: v.Member.Role.Allows(desk.Finance),
	}
	body.Frame.Picker, body.Frame.CSV = nil, path+"/months/"+statement.Month+".csv"
	end := month.AddDate(0, 1, -1)
	if err := p.mark(v.Request.Context(), &body.Frame, period.Period{From: month, To: end.AddDate(0, 0, 1)}); err != nil {
		return err
	}
	body.Now = path + "?by=day&from=" + month.Format(time.DateOnly) + "&through=" + end.Format(time.DateOnly)
	return p.Desk.Render(v, p.month, desk.Page{Title: row.Name, Body: body})
}
