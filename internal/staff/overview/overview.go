// Package overview is the first of the staff pages: what came in over a period
// beside the one before, what won it, and what needs a hand.
package overview

import (
	"context"
	"crypto/sha256"
	_ "embed" // the page and its script
	"encoding/hex"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/united24media/support/internal/look"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
	"github.com/united24media/support/internal/staff/tally"
)

var (
	//go:embed overview.html
	overviewHTML string
	//go:embed live.js
	liveJS []byte
)

// path is the screen's address; pulsePath answers whether it has changed.
const (
	path      = "/staff"
	pulsePath = "/staff/pulse"
)

// Script keeps the screen up to date where a browser runs it.
var Script = look.NewAsset("staff-live.js", "text/javascript; charset=utf-8", liveJS)

// Options are what the screen needs.
type Options struct {
	Desk    *desk.Desk
	Reports *reports.Service
}

// An Overview is the screen.
type Overview struct {
	Options
	page *look.Template
}

// New returns the screen.
func New(o Options) *Overview {
	return &Overview{Options: o, page: look.MustParse(figure.Funcs(o.Desk.Funcs()), overviewHTML, period.HTML)}
}

// Routes returns the screen's addresses.
func (o *Overview) Routes() []desk.Route {
	return []desk.Route{
		{Method: http.MethodGet, Path: path, Need: desk.Viewer, Nav: "Overview", Handle: o.show},
		{Method: http.MethodGet, Path: pulsePath, Need: desk.Viewer, Quiet: true, Handle: o.pulse},
	}
}

// A question is what a visit asks for, as its address says.
type question struct {
	values url.Values
	period period.Period
	chart  string // a key of charts
	in     string // settlement currency; "" is that of most donations
}

// charts are what the chart can show.
var charts = [...][2]string{{"received", "Received"}, {"donations", "Donations"}, {"new", "New supporters"}}

func (o *Overview) ask(v *desk.Visit) (question, error) {
	q := question{values: v.Request.URL.Query()}
	q.chart, q.in = q.values.Get("chart"), q.values.Get("in")
	var err error
	q.period, err = period.Parse(q.values, o.Reports.Today())
	return q, err
}

// show handles GET /staff.
func (o *Overview) show(v *desk.Visit) error {
	q, err := o.ask(v)
	if err != nil {
		return err
	}
	ctx := v.Request.Context()
	days, err := o.days(ctx, q.period)
	if err != nil {
		return err
	}
	body, err := o.view(ctx, v, q, days)
	if err != nil {
		return err
	}
	return o.Desk.Render(v, o.page, desk.Page{Title: "Overview", Body: body, Scripts: []string{Script.Path}})
}

// pulse handles GET /staff/pulse: a short text that is another one as soon as
// the sums of the period are.
func (o *Overview) pulse(v *desk.Visit) error {
	q, err := o.ask(v)
	if err != nil {
		return err
	}
	days, err := o.days(v.Request.Context(), q.period)
	if err != nil {
		return err
	}
	v.String(http.StatusOK, beat(days))
	return nil
}

// beat is a hash of what the sums are, and of the day it is.
func beat(days reports.Report) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s", days.From, days.To)
	for _, r := range days.Rows {
		settled, fee, net := "", int64(0), int64(0)
		if r.SettlementCurrency != nil {
			settled, fee, net = *r.SettlementCurrency, *r.Fee, *r.Net
		}
		fmt.Fprintf(sum, "|%s %s %s %d %d %d %d %d", r.Key, r.Currency, settled, r.Donations, r.NewSupporters, r.Received, fee, net)
	}
	return hex.EncodeToString(sum.Sum(nil)[:12])
}

// days returns the sums of each day.
func (o *Overview) days(ctx context.Context, p period.Period) (reports.Report, error) {
	return o.Reports.Report(ctx, reports.Query{From: p.From, To: p.To, By: "day"})
}

// A view is what the page shows.
type view struct {
	Picker         period.Picker
	Pulse          string // where and what [Overview.pulse] answers
	Beat           string
	In             string
	Than           string // names the period before
	Others         []period.Choice
	Charts         []period.Choice
	Now            *tally.Tally
	Before         *tally.Tally
	Settled        tally.Settled
	Then           tally.Settled
	Chart          template.HTML
	ChartName      string
	Needs          []need
	Members        *members
	Columns        [][]table
	CSV            string
	CurrencyReport string
	Demo           bool // nothing was ever given in the sandbox
}
