package reportpages

import (
	"cmp"
	"context"
	_ "embed" // the page
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/chart"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
	"github.com/united24media/support/internal/staff/tally"
)

//go:embed sums.html
var sumsHTML string

// rowsOnPage is how many rows a page has at most.
const rowsOnPage = 100

// A sumsQuestion is which sums, and how they are shown.
type sumsQuestion struct {
	question
	by, across string
	show       string // settled, or currencies side by side
	sort       string
	in         string // settlement currency
	page       int
}

// sorts are what rows can be ordered by.
var sorts = []string{"received", "donations", "new", "net", "key"}

func (p *Pages) askSums(v *desk.Visit) (sumsQuestion, error) {
	base, err := p.ask(v)
	q := sumsQuestion{question: base}
	if err != nil {
		return q, err
	}
	get := func(name, usual string, known []string) string {
		value := cmp.Or(q.values.Get(name), usual)
		if err == nil && !slices.Contains(known, value) {
			err = fault.Field(name, "Choose one of the page's own.")
		}
		return value
	}
	q.by = get("by", "article", reports.Dimensions())
	q.show = get("show", "settled", []string{"settled", "currencies"})
	usual := "received"
	if q.by == "day" || q.by == "month" || q.values.Get("across") != "" {
		usual = "key"
	}
	q.sort = get("sort", usual, sorts)
	q.across = get("across", "", append([]string{""}, reports.Across(q.by)...))
	q.in = q.values.Get("in")
	if err == nil {
		q.page, err = number(q.values, "page")
	}
	return q, err
}

// A sumsView is what the page shows.
type sumsView struct {
	Frame      frame
	By         string // in words: "Article"
	Dimensions []period.Choice
	Pairs      []period.Choice
	Shows      []period.Choice
	Ins        []period.Choice
	In         string
	Across     string // in words; "" without
	Chart      template.HTML
	Currencies []string // the columns, where currencies stand side by side
	Columns    []column
	Rows       []sumsRow
	Total      sumsRow
	Pager      pager
	Compared   bool
}

// A column is the head of one, and orders the rows by it.
type column struct {
	Name, URL, Sort string // Sort is aria-sort's; "" where rows are ordered by another
}

// A pager leads to other pages.
type pager struct{ Newer, Older, Text string }

type sumsRow struct {
	Key, Across      string
	Name, AcrossName template.HTML // of an article, with its slug
	Share            template.HTML
	Donations, New   int64
	Settled          tally.Settled
	Given            []tally.Given // in the order of Currencies
	Change           template.HTML
}

// showSums handles GET /staff/reports.
func (p *Pages) showSums(v *desk.Visit) error {
	q, err := p.askSums(v)
	if err != nil {
		return err
	}
	body, err := p.sumsView(v.Request.Context(), q)
	if err != nil {
		return err
	}
	if err := p.mark(v.Request.Context(), &body.Frame, q.period); err != nil {
		return err
	}
	return p.Desk.Render(v, p.sums, desk.Page{Title: body.Frame.Title, Body: body})
}

func (p *Pages) sumsView(ctx context.Context, q sumsQuestion) (sumsView, error) {
	ask := reports.Query{From: q.period.From, To: q.period.To, By: q.by}
	report, err := p.Reports.Report(ctx, ask)
	if err != nil {
		return sumsView{}, err
	}
	total := tally.Of(report.Rows)
	if q.in == "" {
		q.in = total.Main()
	}
	body := sumsView{
		Frame: p.frame("Reports", "", q.question), By: dimensionName(q.by), In: q.in, Compared: q.period.Compared() && q.across == "",
		Total: sumsRow{Donations: total.Donations, New: total.NewSupporters, Settled: total.Settled(q.in)},
	}
	if q.show == "currencies" {
		for _, g := range total.Given() {
			body.Currencies = append(body.Currencies, g.Currency)
		}
	}
	body.Total.Given = given(total, body.Currencies)
	p.choices(&body, q, total)
	if q.across == "" {
		err = p.plainRows(ctx, &body, q, report)
	} else {
		err = p.crossRows(ctx, &body, q, ask)
	}
	if err == nil {
		err = p.nameRows(ctx, &body, q)
	}
	return body, err
}

// plainRows fills the table, and the chart of days or months.
func (p *Pages) plainRows(ctx context.Context, body *sumsView, q sumsQuestion, report reports.Report) error {
	then := map[string]*tally.Tally{}
	past := &tally.Tally{}
	if body.Compared {
		before, err := p.Reports.Report(ctx, reports.Query{From: q.period.BeforeFrom, To: q.period.BeforeTo, By: q.by})
		if err != nil {
			return err
		}
		past = tally.Of(before.Rows)
		if q.by != "day" && q.by != "month" { // no day comes twice
			then = tally.ByKey(before.Rows)
		}
		body.Total.Change = figure.Delta(body.Total.Settled.Received, past.Settled(q.in).Received, q.period.BeforeName(), figure.Better)
	}
	byPeriod := q.by == "day" || q.by == "month"
	var rows []sumsRow
	for key, t := range tally.ByKey(report.Rows) {
		r := sumsRow{Key: key, Donations: t.Donations, New: t.NewSupporters, Settled: t.Settled(q.in), Given: given(t, body.Currencies)}
		if body.Compared && !byPeriod {
			was := int64(0)
			if then[key] != nil {
				was = then[key].Settled(q.in).Received
			}
			r.Change = figure.Delta(r.Settled.Received, was, q.period.BeforeName(), figure.Better)
		}
		rows = append(rows, r)
	}
	body.order(rows, q)
	if !byPeriod {
		return nil
	}
	var err error
	body.Chart, err = p.periodChart(q, report)
	return err
}

// crossRows fills the table with a row for each pair, and draws the keys that
// brought most over days or months.
func (p *Pages) crossRows(ctx context.Context, body *sumsView, q sumsQuestion, ask reports.Query) error {
	cross, err := p.Reports.Cross(ctx, ask, q.across)
	if err != nil {
		return err
	}
	type pair struct{ key, across string }
	sums := map[pair]*tally.Tally{}
	for _, c := range cross.Cells {
		at := pair{c.Key, c.Across}
		if sums[at] == nil {
			sums[at] = &tally.Tally{}
		}
		sums[at].Add(c.Figures)
	}
	var rows []sumsRow
	for at, t := range sums {
		rows = append(rows, sumsRow{
			Key: at.key + "\x00" + at.across, Across: at.across,
			Donations: t.Donations, New: t.NewSupporters, Settled: t.Settled(q.in), Given: given(t, body.Currencies),
		})
	}
	body.order(rows, q)
	if q.across == "day" || q.across == "month" {
		body.Chart, err = p.crossChart(ctx, q, cross)
	}
	return err
}

// given returns what was given in each of some currencies.
func given(t *tally.Tally, currencies []string) []tally.Given {
	all := make([]tally.Given, len(currencies))
	for i, c := range currencies {
		all[i] = t.In(c)
	}
	return all
}

// order sorts rows and keeps those of the page.
func (body *sumsView) order(rows []sumsRow, q sumsQuestion) {
	value := map[string]func(r sumsRow) int64{
		"received":  func(r sumsRow) int64 { return r.Settled.Received },
		"donations": func(r sumsRow) int64 { return r.Donations },
		"new":       func(r sumsRow) int64 { return r.New },
		"net":       func(r sumsRow) int64 { return r.Settled.Net },
		"key":       func(sumsRow) int64 { return 0 },
	}[q.sort]
	sign := 1
	if q.by == "day" || q.by == "month" {
		sign = -1 // the newest first
	}
	shown := func(r sumsRow) string { return r.Key }
	if q.by == "country" { // its code is not what people read
		shown = func(r sumsRow) string {
			code, rest, _ := strings.Cut(r.Key, "\x00")
			return figure.Country(code) + "\x00" + rest
		}
	}
	slices.SortFunc(rows, func(a, b sumsRow) int {
		return cmp.Or(-cmp.Compare(value(a), value(b)), sign*cmp.Compare(shown(a), shown(b)))
	})
	most := int64(0)
	for _, r := range rows {
		most = max(most, r.Settled.Received)
	}
	all := len(rows)
	from := min((q.page-1)*rowsOnPage, all)
	to := min(from+rowsOnPage, all)
	body.Rows = rows[from:to]
	for i := range body.Rows {
		body.Rows[i].Share = chart.Share(body.Rows[i].Settled.Received, most)
	}
	body.Pager = pages(q.question, path, q.page, from > 0, to < all, fmt.Sprintf("%s to %s of %s", figure.Count(int64(from+1)), figure.Count(int64(to)), figure.Count(int64(all))))
}

// pages returns what leads to the pages before and after.
func pages(q question, to string, page int, before, after bool, text string) pager {
	at := pager{Text: text}
	if before {
		at.Newer = period.With(to, q.values, "page", fmt.Sprint(page-1))
	}
	if after {
		at.Older = period.With(to, q.values, "page", fmt.Sprint(page+1))
	}
	return at
}

// periodChart draws days, weeks or months of the whole period.
func (p *Pages) periodChart(q sumsQuestion, report reports.Report) (template.HTML, error) {
	byKey := tally.ByKey(report.Rows)
	c := p.timeChart(q, "Received", q.by)
	c.Series = []chart.Series{{Name: "Received, " + q.in, Values: fold(q, q.by, func(key string) int64 {
		if byKey[key] == nil {
			return 0
		}
		return byKey[key].Settled(q.in).Received
	})}}
	return c.HTML()
}

// series is how many keys are drawn by themselves.
const series = 5

// crossChart stacks the keys that brought most, and all others.
func (p *Pages) crossChart(ctx context.Context, q sumsQuestion, cross reports.Cross) (template.HTML, error) {
	total := tally.ByKey(cross.Rows)
	var keys []string
	for key := range total {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(-cmp.Compare(total[a].Settled(q.in).Received, total[b].Settled(q.in).Received), cmp.Compare(a, b))
	})
	byKey := map[string]map[string]*tally.Tally{}
	for _, cell := range cross.Cells {
		name := cell.Key
		if i := slices.Index(keys, name); i >= series {
			name = "\x00others"
		}
		if byKey[name] == nil {
			byKey[name] = map[string]*tally.Tally{}
		}
		if byKey[name][cell.Across] == nil {
			byKey[name][cell.Across] = &tally.Tally{}
		}
		byKey[name][cell.Across].Add(cell.Figures)
	}
	c := p.timeChart(q, "Received by "+q.by+" and "+q.across, q.across)
	c.Stacked = true
	add := func(name string, cells map[string]*tally.Tally) {
		c.Series = append(c.Series, chart.Series{Name: name, Values: fold(q, q.across, func(key string) int64 {
			if cells[key] == nil {
				return 0
			}
			return cells[key].Settled(q.in).Received
		})})
	}
	drawn := keys[:min(series, len(keys))]
	names, err := p.keyNames(ctx, q.by, drawn)
	if err != nil {
		return "", err
	}
	for _, key := range drawn {
		add(names(key), byKey[key])
	}
	if others := byKey["\x00others"]; others != nil {
		add(fmt.Sprintf("%d others", len(keys)-series), others)
	}
	return c.HTML()
}

// timeChart returns a chart over the period without series.
func (p *Pages) timeChart(q sumsQuestion, title, by string) chart.Chart {
	g := grain(q, by)
	c := chart.Chart{
		ID: "chart", Title: title, Along: map[period.Grain]string{period.ByDay: "Day", period.ByWeek: "Week", period.ByMonth: "Month"}[g],
		Desc:  q.period.Name() + ".",
		Short: func(n int64) string { return figure.Brief(n, q.in) }, Full: func(n int64) string { return figure.Money(n, q.in) },
	}
	for _, start := range q.period.Points(g) {
		c.Points = append(c.Points, period.Label(start, g))
		c.Names = append(c.Names, period.Short(start, g))
	}
	return c
}

func grain(q sumsQuestion, by string) period.Grain {
	if by == "month" {
		return period.ByMonth
	}
	return q.period.Grain()
}

// fold adds the days or months of a report up to the points of its chart.
func fold(q sumsQuestion, by string, of func(key string) int64) []int64 {
	g := grain(q, by)
	starts := q.period.Points(g)
	at := make(map[time.Time]int, len(starts))
	for i, start := range starts {
		at[start] = i
	}
	values := make([]int64, len(starts))
	if by == "month" {
		for i, start := range starts {
			values[i] = of(start.Format("2006-01"))
		}
		return values
	}
	for d := q.period.From; d.Before(q.period.To); d = d.AddDate(0, 0, 1) {
		values[at[q.period.Start(d, g)]] += of(d.Format(time.DateOnly))
	}
	return values
}

// dimensionName is what people call a dimension.
func dimensionName(by string) string {
	return map[string]string{
		"day": "Day", "month": "Month", "article": "Article", "placement": "Placement", "campaign": "Campaign", "variant": "Variant",
		"country": "Country", "currency": "Currency", "interval": "Interval", "tier": "Tier",
	}[by]
}

// unit returns a column's name with what its amounts are in.
func unit(name string, q sumsQuestion) string {
	if q.show != "settled" || q.in == "" {
		return name
	}
	return name + ", " + q.in
}

// choices fills what the view can be changed to.
func (p *Pages) choices(body *sumsView, q sumsQuestion, total *tally.Tally) {
	with := func(name, value string) string {
		values := period.With(path, q.values, name, value)
		return values
	}
	for _, by := range reports.Dimensions() {
		keep := q.values
		body.Dimensions = append(body.Dimensions, period.Choice{
			Name: dimensionName(by), URL: period.With(path, without(keep, "across", "sort", "page"), "by", by), Current: by == q.by,
		})
	}
	if pairs := reports.Across(q.by); len(pairs) > 0 {
		body.Pairs = append(body.Pairs, period.Choice{Name: "alone", URL: with("across", ""), Current: q.across == ""})
		for _, across := range pairs {
			body.Pairs = append(body.Pairs, period.Choice{Name: "and " + across, URL: period.With(path, without(q.values, "page"), "across", across), Current: across == q.across})
		}
	}
	body.Shows = []period.Choice{
		{Name: "Settled", URL: with("show", ""), Current: q.show == "settled"},
		{Name: "Currencies as given", URL: with("show", "currencies"), Current: q.show == "currencies"},
	}
	if all := total.Settlements(); len(all) > 1 {
		for _, s := range all {
			body.Ins = append(body.Ins, period.Choice{Name: s.Currency, URL: with("in", s.Currency), Current: s.Currency == q.in})
		}
	}
	if q.across != "" {
		body.Across = dimensionName(q.across)
	}
	for _, c := range [...][2]string{{"key", body.By}, {"donations", "Donations"}, {"new", "New supporters"}, {"received", unit("Received", q)}, {"net", unit("Net", q)}} {
		one := column{Name: c[1], URL: period.With(path, without(q.values, "page"), "sort", c[0])}
		if c[0] == q.sort {
			one.Sort = "descending"
			if c[0] == "key" && q.by != "day" && q.by != "month" {
				one.Sort = "ascending"
			}
		}
		body.Columns = append(body.Columns, one)
	}
}
