package reportpages

import (
	_ "embed" // the page
	"html/template"
	"io"
	"slices"
	"time"

	"github.com/united24media/support/internal/chart"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/money"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
)

//go:embed members.html
var membersHTML string

// Limits of the members' page.
const (
	failingShown = 50
	mostDays     = 40 // that movements are shown by; by weeks from then on, or the page grows long and heavy
	mostCohorts  = 24 // months
)

// A membersView is what the page shows.
type membersView struct {
	Frame      frame
	In         string // currency of what is drawn and of the movements
	Ins        []period.Choice
	Start, End int64 // members
	Total      flow  // over all currencies, members alone
	Worth      []reports.Recurring
	Chart      template.HTML
	Moves      template.HTML
	Flows      []flow
	Cohorts    []cohort
	Months     []int // after the first
	Failing    []*giving.Membership
	Fails      int64
	Links      bool
	CohortCSV  string
	ListCSV    string // of who began; "" for who may not see names
	Recovered  recovery
}

// A flow is one period's movements.
type flow struct {
	Name string
	reports.Flow
	Net giving.Moved
}

// A cohort is how many of a month's new memberships were kept.
type cohort struct {
	Name  string
	Began int64
	Cells []cell
}

type cell struct {
	Text  string
	Class string // how deep its colour is
	Kept  int64
}

func (p *Pages) askMembers(v *desk.Visit) (question, error) {
	q := question{values: v.Request.URL.Query()}
	var err error
	q.period, err = period.ParseOr(q.values, p.Reports.Today(), "12m") // memberships move slowly
	return q, err
}

// by is how the movements of a period are divided.
func (q question) by() string {
	if q.period.Grain() == period.ByDay {
		return "day"
	}
	return "month"
}

// showMembers handles GET /staff/reports/members.
func (p *Pages) showMembers(v *desk.Visit) error {
	q, err := p.askMembers(v)
	if err != nil {
		return err
	}
	ctx := v.Request.Context()
	report, err := p.Reports.Memberships(ctx, reports.Query{From: q.period.From, To: q.period.To, By: q.by()})
	if err != nil {
		return err
	}
	body := membersView{Frame: p.frame("Members", "/members", q), Worth: report.End, Links: v.Member.Role.Allows(desk.Finance)}
	for _, r := range report.Start {
		body.Start += r.Members
	}
	for _, r := range report.End {
		body.End += r.Members
	}
	for _, f := range report.Totals {
		body.Total.New.Members += f.New.Members
		body.Total.Churned.Members -= f.Churned.Members
		body.Total.Reactivated.Members += f.Reactivated.Members
	}
	slices.SortStableFunc(body.Worth, func(a, b reports.Recurring) int { return int(b.Members - a.Members) })
	if body.In = q.values.Get("in"); body.In == "" && len(body.Worth) > 0 {
		body.In = body.Worth[0].Currency
	}
	for _, r := range body.Worth {
		body.Ins = append(body.Ins, period.Choice{Name: r.Currency, URL: period.With(path+"/members", q.values, "in", r.Currency), Current: r.Currency == body.In})
	}
	if err := body.movements(q, report); err != nil {
		return err
	}
	if body.Links {
		body.ListCSV = period.Address("/staff/memberships.csv", nil, q.period)
	}
	body.CohortCSV = period.Address(path+"/cohorts.csv", nil, q.period)
	if err := p.cohorts(v, &body, q); err != nil {
		return err
	}
	if body.Recovered, err = p.recovery(ctx, q); err != nil {
		return err
	}
	if body.Failing, body.Fails, err = p.Desk.Store.FailingMemberships(ctx, failingShown); err != nil {
		return err
	}
	if err := p.mark(v.Request.Context(), &body.Frame, q.period); err != nil {
		return err
	}
	return p.Desk.Render(v, p.members, desk.Page{Title: "Members", Body: body})
}

// movements draws what memberships are worth in one currency, and how that
// moved.
func (body *membersView) movements(q question, report reports.MembershipReport) error {
	g, along, layout := period.ByMonth, "Month", "2006-01"
	switch {
	case q.by() == "day" && q.period.Days() > mostDays:
		g, along, layout = period.ByWeek, "Week", time.DateOnly
	case q.by() == "day":
		g, along, layout = period.ByDay, "Day", time.DateOnly
	}
	flows := map[string]reports.Flow{} // by the first day of a point
	for _, f := range report.Flows {
		if f.Currency != body.In {
			continue
		}
		day, err := time.Parse(layout, f.Period)
		if err != nil {
			return err
		}
		start := q.period.Start(day, g).Format(time.DateOnly)
		sum := flows[start]
		sum.Plus(f)
		flows[start] = sum
	}
	worth := int64(0)
	for _, r := range report.Start {
		if r.Currency == body.In {
			worth = r.Monthly
		}
	}
	base := chart.Chart{
		Desc: q.period.Name() + ".", Along: along,
		Short: func(n int64) string { return figure.Brief(n, body.In) }, Full: func(n int64) string { return figure.Money(n, body.In) },
	}
	kinds := make([][]int64, 5)
	var line []int64
	for _, start := range q.period.Points(g) {
		f := flow{Name: period.Label(start, g), Flow: flows[start.Format(time.DateOnly)]}
		f.Net = f.Flow.Net()
		worth += f.Net.Monthly
		line = append(line, worth)
		base.Points, base.Names = append(base.Points, f.Name), append(base.Names, period.Short(start, g))
		for i, m := range [...]giving.Moved{f.New, f.Expansion, f.Reactivated, f.Churned, f.Contraction} {
			kinds[i] = append(kinds[i], m.Monthly)
		}
		body.Flows = append(body.Flows, f)
	}
	slices.Reverse(body.Flows)
	worthChart, moves := base, base
	worthChart.ID, worthChart.Title = "worth", "Monthly recurring revenue in "+body.In
	worthChart.Series = []chart.Series{{Name: "Monthly recurring revenue", Kind: chart.Line, Values: line}}
	moves.ID, moves.Title, moves.Stacked = "moves", "How it moved", true
	for i, name := range [...]string{"New", "Give more", "Came back", "Left", "Give less"} {
		moves.Series = append(moves.Series, chart.Series{Name: name, Values: kinds[i]})
	}
	var err error
	if body.Chart, err = worthChart.HTML(); err == nil {
		body.Moves, err = moves.HTML()
	}
	return err
}

// cohorts fills how many of each month's new memberships were kept.
func (p *Pages) cohorts(v *desk.Visit, body *membersView, q question) error {
	to := q.period.To.AddDate(0, 1, 1-q.period.To.Day())
	from := q.period.From.AddDate(0, 0, 1-q.period.From.Day())
	if least := to.AddDate(0, -mostCohorts, 0); from.Before(least) {
		from = least
	}
	found, err := p.Reports.Cohorts(v.Request.Context(), from, to)
	if err != nil {
		return err
	}
	for _, c := range found {
		month, err := time.Parse("2006-01", c.Month)
		if err != nil {
			return err
		}
		row := cohort{Name: month.Format("January 2006"), Began: c.Began}
		for i, kept := range c.Kept {
			row.Cells = append(row.Cells, cell{figure.Percent(kept, c.Began), depth(kept, c.Began), kept})
			if i >= len(body.Months) {
				body.Months = append(body.Months, i)
			}
		}
		body.Cohorts = append(body.Cohorts, row)
	}
	return nil
}

// depth is how deep a share is coloured, in five steps.
func depth(part, whole int64) string {
	return "depth-" + string('0'+rune(min(max(money.Share(5, part, whole), 0), 5)))
}

// membersCSV handles GET /staff/reports/members.csv: the movements.
func (p *Pages) membersCSV(v *desk.Visit) error {
	q, err := p.askMembers(v)
	if err != nil {
		return err
	}
	report, err := p.Reports.Memberships(v.Request.Context(), reports.Query{From: q.period.From, To: q.period.To, By: q.by()})
	if err != nil {
		return err
	}
	return sendCSV(v, p.fileName("memberships", q), func(w io.Writer) error {
		s := reports.NewSheet(w, "period", "currency", "new", "new_monthly_minor", "expansion_monthly_minor", "contraction_monthly_minor",
			"churned", "churned_monthly_minor", "reactivated", "reactivated_monthly_minor", "net", "net_monthly_minor", "timezone")
		for _, f := range report.Flows {
			net := f.Net()
			s.Row(f.Period, f.Currency, f.New.Members, f.New.Monthly, f.Expansion.Monthly, f.Contraction.Monthly,
				f.Churned.Members, f.Churned.Monthly, f.Reactivated.Members, f.Reactivated.Monthly, net.Members, net.Monthly, p.Reports.Timezone())
		}
		return s.End()
	})
}

// cohortsCSV handles GET /staff/reports/cohorts.csv.
func (p *Pages) cohortsCSV(v *desk.Visit) error {
	q, err := p.askMembers(v)
	if err != nil {
		return err
	}
	from, to := q.period.From.AddDate(0, 0, 1-q.period.From.Day()), q.period.To.AddDate(0, 1, 1-q.period.To.Day())
	found, err := p.Reports.Cohorts(v.Request.Context(), from, to)
	if err != nil {
		return err
	}
	return sendCSV(v, p.fileName("cohorts", q), func(w io.Writer) error {
		s := reports.NewSheet(w, "began", "memberships", "months_after", "kept", "timezone")
		for _, c := range found {
			for i, kept := range c.Kept {
				s.Row(c.Month, c.Began, int64(i), kept, p.Reports.Timezone())
			}
		}
		return s.End()
	})
}
