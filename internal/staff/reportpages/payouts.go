package reportpages

import (
	_ "embed" // the pages
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/chart"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
)

var (
	//go:embed payouts.html
	payoutsHTML string
	//go:embed payout.html
	payoutHTML string
)

// A payoutsView is what the list shows.
type payoutsView struct {
	Frame  frame
	Report reports.PayoutReport
	Chart  template.HTML
	Grain  string   // Week or Month: of a bar of the chart
	Kinds  []string // of parts, the columns
	Rows   []payoutRow
}

type payoutRow struct {
	reports.Payout
	Parts  []*reports.Part // in the order of Kinds; nil where there is none
	Status badge
}

// A badge is a state in a word, and how it looks.
type badge struct{ Text, Class string }

// statusOf returns a payout's state as staff read it.
func statusOf(p reports.Payout) badge {
	switch p.Status {
	case "paid":
		if p.State == reports.PayoutDiffers {
			return badge{"does not add up", "badge-bad"}
		}
		return badge{"paid", "badge-good"}
	case "failed", "canceled":
		return badge{p.Status, "badge-bad"}
	}
	return badge{strings.ReplaceAll(p.Status, "_", " "), "badge-wait"}
}

// kinds are the parts of payouts in the order in which they stand.
var kinds = []string{
	reports.LineDonation, reports.LineRefund, reports.LineDispute, reports.LineFee, reports.LineAdjustment, reports.LineForeign,
}

// kindName is what a kind of line is called over a column.
func kindName(kind string) string {
	return map[string]string{
		reports.LineDonation: "Donations", reports.LineRefund: "Refunds", reports.LineDispute: "Disputes", reports.LineFee: "Fees",
		reports.LineAdjustment: "Adjustments", reports.LineForeign: "Not ours",
	}[kind]
}

// showPayouts handles GET /staff/reports/payouts.
func (p *Pages) showPayouts(v *desk.Visit) error {
	q, err := p.ask(v)
	if err != nil {
		return err
	}
	report, err := p.Reports.PayoutReport(v.Request.Context(), q.period.From, q.period.To)
	if err != nil {
		return err
	}
	body := payoutsView{Frame: p.frame("Payouts", "/payouts", q), Report: report}
	for _, kind := range kinds {
		if slices.ContainsFunc(report.Payouts, func(one reports.Payout) bool { return partOf(one, kind) != nil }) {
			body.Kinds = append(body.Kinds, kind)
		}
	}
	for _, one := range slices.Backward(report.Payouts) {
		r := payoutRow{Payout: one, Status: statusOf(one)}
		for _, kind := range body.Kinds {
			r.Parts = append(r.Parts, partOf(one, kind))
		}
		body.Rows = append(body.Rows, r)
	}
	grain, name := payoutGrain(q.period)
	body.Grain = name
	if body.Chart, err = payoutChart(q, grain, name, report); err != nil {
		return err
	}
	if err := p.mark(v.Request.Context(), &body.Frame, q.period); err != nil {
		return err
	}
	return p.Desk.Render(v, p.payouts, desk.Page{Title: "Payouts", Body: body})
}

func partOf(p reports.Payout, kind string) *reports.Part {
	for i := range p.Parts {
		if p.Parts[i].Kind == kind {
			return &p.Parts[i]
		}
	}
	return nil
}

// payoutGrain returns how long a bar of deposits is, and its name: they come each
// day at the most, and mostly each week.
func payoutGrain(p period.Period) (period.Grain, string) {
	if p.Days() > 200 || p.Grain() == period.ByMonth {
		return period.ByMonth, "Month"
	}
	return period.ByWeek, "Week"
}

// payoutChart draws what reached the bank in the currency of most deposits, or
// nothing where there are fewer than two.
func payoutChart(q question, g period.Grain, along string, report reports.PayoutReport) (template.HTML, error) {
	var main reports.PayoutTotal
	for _, total := range report.Totals {
		if total.Payouts > main.Payouts {
			main = total
		}
	}
	if main.Payouts < 2 {
		return "", nil
	}
	starts := q.period.Points(g)
	c := chart.Chart{
		ID: "chart", Title: "Deposits in " + main.Currency, Along: along,
		Desc:  fmt.Sprintf("%s: %s in %s deposits.", q.period.Name(), figure.Money(main.Amount, main.Currency), figure.Count(main.Payouts)),
		Short: func(n int64) string { return figure.Brief(n, main.Currency) }, Full: func(n int64) string { return figure.Money(n, main.Currency) },
	}
	values := make([]int64, len(starts))
	for i, start := range starts {
		c.Points, c.Names = append(c.Points, period.Label(start, g)), append(c.Names, period.Short(start, g))
		for _, one := range report.Payouts {
			day, err := time.Parse(time.DateOnly, one.Arrival)
			if err == nil && one.Currency == main.Currency && one.Status != "failed" && one.Status != "canceled" && q.period.Start(day, g).Equal(start) {
				values[i] += one.Amount
			}
		}
	}
	c.Series = []chart.Series{{Name: "Deposits, " + main.Currency, Values: values}}
	return c.HTML()
}

// payoutsCSV handles GET /staff/reports/payouts.csv.
func (p *Pages) payoutsCSV(v *desk.Visit) error {
	q, err := p.ask(v)
	if err != nil {
		return err
	}
	report, err := p.Reports.PayoutReport(v.Request.Context(), q.period.From, q.period.To)
	if err != nil {
		return err
	}
	return sendCSV(v, fmt.Sprintf("payouts_%s_%s_UTC.csv", q.period.FromText(), q.period.ThroughText()), report.WriteCSV)
}

// A payoutView is what one payout's page shows.
type payoutView struct {
	Frame  frame
	Payout reports.Payout
	Status badge
	Lines  []payoutLine
	Sum    int64 // of all lines
	Pager  pager
	Links  bool // lines lead to their donations
}

type payoutLine struct {
	reports.PayoutLine
	Name string
}

// linesOnPage is how many lines of a payout a page has at most.
const linesOnPage = 100

// showPayout handles GET /staff/reports/payouts/ID, and the same with .csv.
func (p *Pages) showPayout(v *desk.Visit) error {
	id, csv := strings.CutSuffix(v.Param("id"), ".csv")
	one, lines, err := p.Reports.Payout(v.Request.Context(), id)
	if err != nil {
		return err
	}
	if !v.Member.Role.Allows(desk.Finance) {
		for i := range lines {
			lines[i].Source = ""
		}
	}
	if csv {
		return sendCSV(v, "payout_"+one.ID+".csv", func(w io.Writer) error {
			return reports.PayoutDetail{Payout: one, Lines: lines}.WriteCSV(w)
		})
	}
	q := question{values: v.Request.URL.Query()}
	page, err := number(q.values, "page")
	if err != nil {
		return err
	}
	at := path + "/payouts/" + one.ID
	body := payoutView{Payout: one, Status: statusOf(one), Links: v.Member.Role.Allows(desk.Finance)}
	if q.period, err = period.Parse(nil, p.Reports.Today()); err != nil {
		return err
	}
	body.Frame = p.frame("Payout of "+figure.Money(one.Amount, one.Currency), "/payouts", q)
	body.Frame.Picker, body.Frame.CSV = nil, at+".csv"
	for _, line := range lines {
		body.Sum += line.Net
	}
	from := min((page-1)*linesOnPage, len(lines))
	to := min(from+linesOnPage, len(lines))
	for _, line := range lines[from:to] {
		body.Lines = append(body.Lines, payoutLine{line, strings.TrimSuffix(kindName(line.Kind), "s")})
	}
	body.Pager = pages(q, at, page, from > 0, to < len(lines), fmt.Sprintf("%d to %d of %d lines", from+1, to, len(lines)))
	return p.Desk.Render(v, p.payout, desk.Page{Title: body.Frame.Title, Body: body})
}
