package reportpages

import (
	_ "embed" // the pages
	"io"
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
}

// showMonths handles GET /staff/reports/months.
func (p *Pages) showMonths(v *desk.Visit) error {
	statements, err := p.Reports.Statements(v.Request.Context())
	if err != nil {
		return err
	}
	q := question{values: v.Request.URL.Query()}
	if q.period, err = period.Parse(nil, p.Reports.Today()); err != nil {
		return err
	}
	body := monthsView{Frame: p.frame("Closed months", "/months", q)}
	body.Frame.Picker, body.Frame.CSV = nil, ""
	for _, s := range statements {
		row, err := monthOf(s)
		if err != nil {
			return err
		}
		body.Rows = append(body.Rows, row)
	}
	return p.Desk.Render(v, p.months, desk.Page{Title: "Closed months", Body: body})
}

func monthOf(s reports.Statement) (monthRow, error) {
	month, err := time.Parse("2006-01", s.Month)
	t := tally.Of(s.Report.Rows)
	return monthRow{s.Month, month.Format("January 2006"), s, t.Donations, t.Settlements()}, err
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
