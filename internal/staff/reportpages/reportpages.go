// Package reportpages are the reports among the staff pages: sums by every
// dimension and pair of them, articles from seen to kept, experiments, members,
// payouts and closed months, each also as CSV.
package reportpages

import (
	_ "embed" // the frame
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
)

//go:embed frame.html
var frameHTML string

// path is the screens' address; each has its own below it.
const path = "/staff/reports"

// Options are what the screens need.
type Options struct {
	Desk    *desk.Desk
	Reports *reports.Service
}

// Pages are the screens.
type Pages struct {
	Options
	sums, articles, experiments, members, recovered, payouts, payout, months, month *look.Template
}

// New returns the screens.
func New(o Options) *Pages {
	parse := func(text string) *look.Template {
		funcs := figure.Funcs(o.Desk.Funcs())
		funcs["kind"] = kindName
		funcs["key"] = func(by string, key giving.Interval) string { return figure.Key(by, string(key)) }
		funcs["day"] = dayInWords
		funcs["at"] = func(seconds int64) time.Time { return time.Unix(seconds, 0) }
		return look.MustParse(funcs, frameHTML, period.HTML, text)
	}
	return &Pages{
		Options: o, sums: parse(sumsHTML), articles: parse(articlesHTML), experiments: parse(experimentsHTML),
		members: parse(membersHTML), recovered: parse(recoveredHTML), payouts: parse(payoutsHTML), payout: parse(payoutHTML), months: parse(monthsHTML), month: parse(monthHTML),
	}
}

// dayInWords writes a day such as 2026-01-31 as pages write days.
func dayInWords(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return t.Format("2 Jan 2006")
}

// Routes returns the screens' addresses.
func (p *Pages) Routes() []desk.Route {
	get := func(below string, handle func(*desk.Visit) error) desk.Route {
		return desk.Route{Method: http.MethodGet, Path: path + below, Need: desk.Viewer, Long: strings.HasSuffix(below, ".csv"), Handle: handle}
	}
	home := get("", p.showSums)
	home.Nav = "Reports"
	return []desk.Route{
		home, get(".csv", p.sumsCSV),
		get("/articles", p.showArticles), get("/articles.csv", p.articlesCSV),
		get("/experiments", p.showExperiments), get("/experiments.csv", p.experimentsCSV),
		get("/members", p.showMembers), get("/members.csv", p.membersCSV), get("/cohorts.csv", p.cohortsCSV),
		get("/recovered", p.showRecovered), get("/recovered.csv", p.recoveredCSV),
		get("/months", p.showMonths), get("/months.csv", p.monthsCSV), get("/months/:month", p.showMonth),
		get("/payouts", p.showPayouts), get("/payouts.csv", p.payoutsCSV), get("/payouts/:id", p.showPayout),
	}
}

// A frame is what all screens show around their own.
type frame struct {
	Title  string
	Tabs   []period.Choice
	Picker *period.Picker
	CSV    string
	Marks  []string // what is to be known of the days: attacks on the checkout
}

// tabs are the screens.
var tabs = [...][2]string{
	{"", "Sums"}, {"/articles", "Articles"}, {"/experiments", "Experiments"}, {"/members", "Members"}, {"/recovered", "Recovered"},
	{"/payouts", "Payouts"}, {"/months", "Closed months"},
}

// A question is what every screen is asked: the days, and the rest of its
// address.
type question struct {
	values url.Values
	period period.Period
}

func (p *Pages) ask(v *desk.Visit) (question, error) {
	q := question{values: v.Request.URL.Query()}
	var err error
	q.period, err = period.Parse(q.values, p.Reports.Today())
	return q, err
}

// frame returns the frame of the screen below path.
func (p *Pages) frame(title, below string, q question) frame {
	f := frame{Title: title}
	for _, tab := range tabs {
		f.Tabs = append(f.Tabs, period.Choice{Name: tab[1], URL: period.Address(path+tab[0], nil, q.period), Current: tab[0] == below})
	}
	picker := period.NewPicker(q.period, path+below, q.values, p.Reports.Timezone())
	f.Picker = &picker
	f.CSV = period.Address(path+below+".csv", q.values, q.period)
	return f
}

// number reads a number of an address, from 1 on.
func number(values url.Values, name string) (int, error) {
	text := values.Get(name)
	if text == "" {
		return 1, nil
	}
	const most = 100_000
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, fault.Field(name, "Give a number from 1 to %d.", most)
	}
	return n, nil
}

// sendCSV answers with a file, as it is written.
func sendCSV(v *desk.Visit, name string, write func(io.Writer) error) error {
	v.Header("Content-Disposition", fmt.Sprintf("attachment; filename=%q", strings.NewReplacer("/", "-", "+", "").Replace(name)))
	v.Header("Content-Type", "text/csv; charset=utf-8; header=present")
	v.Status(http.StatusOK)
	return write(v.File())
}

// fileName names a file by what it holds and its days.
func (p *Pages) fileName(what string, q question) string {
	return fmt.Sprintf("%s_%s_%s_%s.csv", what, q.period.FromText(), q.period.ThroughText(), p.Reports.Timezone())
}

// without returns values without some.
func without(values url.Values, names ...string) url.Values {
	left := maps.Clone(values)
	for _, name := range names {
		left.Del(name)
	}
	return left
}
