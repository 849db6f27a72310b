package overview

import (
	"context"
	"fmt"
	"html/template"
	"net/url"
	"time"

	"github.com/united24media/support/internal/chart"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
	"github.com/united24media/support/internal/staff/tally"
)

// view gathers what the page shows; days are the sums of the period.
func (o *Overview) view(ctx context.Context, v *desk.Visit, q question, days reports.Report) (view, error) {
	now, then := tally.Of(days.Rows), &tally.Tally{}
	var past reports.Report
	var err error
	if q.period.Compared() {
		if past, err = o.days(ctx, q.period.Before()); err != nil {
			return view{}, err
		}
		then = tally.Of(past.Rows)
	}
	if q.in == "" {
		q.in = now.Main()
	}
	if q.in == "" {
		q.in = then.Main()
	}
	body := view{
		Picker: period.NewPicker(q.period, path, q.values, o.Reports.Timezone()), Beat: beat(days), In: q.in,
		Pulse: period.Address(pulsePath, nil, q.period), Than: q.period.BeforeName(), Now: now, Before: then,
		Settled: now.Settled(q.in), Then: then.Settled(q.in),
	}
	for _, s := range now.Settlements() {
		if len(now.Settlements()) > 1 {
			body.Others = append(body.Others, period.Choice{Name: s.Currency, URL: period.With(path, q.values, "in", s.Currency), Current: s.Currency == q.in})
		}
	}
	if body.Chart, err = o.chart(&body, q, days, past); err != nil {
		return view{}, err
	}
	if body.Columns, err = o.tables(ctx, q); err != nil {
		return view{}, err
	}
	if body.Members, err = o.members(ctx, q.period); err != nil {
		return view{}, err
	}
	if body.Needs, err = o.needs(ctx, v.Member.Role); err != nil {
		return view{}, err
	}
	csv := url.Values{"by": {"day"}}
	body.CSV = period.Address("/staff/reports.csv", csv, q.period)
	body.CurrencyReport = period.Address("/staff/reports", url.Values{"by": {"currency"}}, q.period)
	body.Demo = o.Desk.Sandbox && now.Donations == 0 && then.Donations == 0
	return body, nil
}

// chart draws what came in over the period, and over the one before behind it.
func (o *Overview) chart(body *view, q question, days, past reports.Report) (template.HTML, error) {
	p, g := q.period, q.period.Grain()
	name, of, short, full := charts[0][1], received(q.in), amounts(q.in, figure.Brief), amounts(q.in, figure.Money)
	for _, c := range charts {
		current := c[0] == q.chart || q.chart == "" && c[0] == charts[0][0]
		body.Charts = append(body.Charts, period.Choice{Name: c[1], URL: period.With(path, q.values, "chart", c[0]), Current: current})
		if current {
			name = c[1]
		}
	}
	switch q.chart {
	case "donations":
		of, short, full = func(t *tally.Tally) int64 { return t.Donations }, figure.BriefCount, figure.Count
	case "new":
		of, short, full = func(t *tally.Tally) int64 { return t.NewSupporters }, figure.BriefCount, figure.Count
	}
	along := map[period.Grain]string{period.ByDay: "Day", period.ByWeek: "Week", period.ByMonth: "Month"}[g]
	body.ChartName = fmt.Sprintf("%s by %s", name, map[period.Grain]string{period.ByDay: "day", period.ByWeek: "week", period.ByMonth: "month"}[g])
	c := chart.Chart{ID: "chart", Title: body.ChartName, Along: along, Short: short, Full: full}
	starts := p.Points(g)
	values := points(p, g, days, of)
	sum := int64(0)
	for i, start := range starts {
		c.Points = append(c.Points, period.Label(start, g))
		c.Names = append(c.Names, period.Short(start, g))
		sum += values[i]
	}
	c.Desc = fmt.Sprintf("%s: %s in all.", p.Name(), full(sum))
	if p.Compared() {
		before := points(p.Before(), g, past, of)
		past := int64(0)
		for _, n := range before {
			past += n
		}
		c.Desc += fmt.Sprintf(" %s: %s.", p.BeforeName(), full(past))
		before = before[:min(len(before), len(starts))]
		c.Series = append(c.Series, chart.Series{Name: p.BeforeName(), Kind: chart.Line, Ghost: true, Values: before})
	}
	c.Series = append([]chart.Series{{Name: p.Name(), Values: values}}, c.Series...)
	return c.HTML()
}

// amounts writes amounts of one currency.
func amounts(currency string, write func(int64, string) string) func(int64) string {
	return func(n int64) string { return write(n, currency) }
}

// received returns what was received in a settlement currency.
func received(currency string) func(*tally.Tally) int64 {
	return func(t *tally.Tally) int64 { return t.Settled(currency).Received }
}

// points adds the days of a report up to the points of a chart.
func points(p period.Period, g period.Grain, days reports.Report, of func(*tally.Tally) int64) []int64 {
	starts := p.Points(g)
	at := make(map[time.Time]int, len(starts))
	for i, start := range starts {
		at[start] = i
	}
	values := make([]int64, len(starts))
	for key, t := range tally.ByKey(days.Rows) {
		day, err := time.Parse(time.DateOnly, key)
		if err != nil {
			continue // our own report has days alone
		}
		values[at[p.Start(day, g)]] += of(t)
	}
	return values
}
