package reportpages

import (
	"context"
	_ "embed" // the page
	"fmt"
	"io"

	"github.com/united24media/support/internal/policy"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
)

//go:embed experiments.html
var experimentsHTML string

// An experiment is one that staff have set up, and how it stands.
type experiment struct {
	Name, Placement string // Placement is "" for all
	State           string // "running", or what ended it
	Outcome         reports.Outcome
	Rows            []variantRow
	Verdict, Advice string
}

type variantRow struct {
	reports.VariantOutcome
	Control      bool
	Rate         rate
	Best, Better string // probabilities in percent; Better "" for the control
	Leads        bool
}

// experimentsOf returns the experiments of the policy in force, each over the
// question's days; where there are none, all variants that were given by.
func (p *Pages) experimentsOf(ctx context.Context, q question) ([]experiment, error) {
	text, err := p.Desk.Store.Published(ctx, policy.KindAsks)
	if err != nil {
		return nil, err
	}
	var all []experiment
	if text != "" {
		set, err := policy.Parse([]byte(text))
		if err != nil {
			return nil, err
		}
		for _, x := range set.Experiments {
			one, err := p.experiment(ctx, q, x)
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return p.unplanned(ctx, q)
}

func (p *Pages) experiment(ctx context.Context, q question, x policy.Experiment) (experiment, error) {
	one := experiment{Name: x.ID, State: "running"}
	ask := reports.ExperimentQuery{From: q.period.From, To: q.period.To}
	for _, v := range x.Variants {
		if v.Show != policy.None { // a hold-back group sees no ask, and wins nothing here
			ask.Variants = append(ask.Variants, v.Name)
		}
	}
	if len(x.Placements) == 1 {
		one.Placement, ask.Placement = x.Placements[0], x.Placements[0]
	}
	switch {
	case x.Stopped != "":
		one.State = "stopped; everybody gets " + x.Stopped
	case x.Until != "":
		one.State = "until " + x.Until
	}
	err := p.fill(ctx, &one, ask)
	return one, err
}

// unplanned compares the variants that donations name, where no experiment is
// set up any more.
func (p *Pages) unplanned(ctx context.Context, q question) ([]experiment, error) {
	report, err := p.Reports.Report(ctx, reports.Query{From: q.period.From, To: q.period.To, By: "variant"})
	if err != nil {
		return nil, err
	}
	ask := reports.ExperimentQuery{From: q.period.From, To: q.period.To}
	for _, row := range report.Rows { // by key
		if row.Key != "" && (len(ask.Variants) == 0 || ask.Variants[len(ask.Variants)-1] != row.Key) {
			ask.Variants = append(ask.Variants, row.Key)
		}
	}
	if len(ask.Variants) < 2 {
		return nil, nil
	}
	one := experiment{Name: "Variants of these days", State: "no experiment is set up"}
	err = p.fill(ctx, &one, ask)
	return []experiment{one}, err
}

// fill asks how an experiment stands.
func (p *Pages) fill(ctx context.Context, one *experiment, ask reports.ExperimentQuery) error {
	out, err := p.Reports.Experiment(ctx, ask)
	if err != nil {
		return err
	}
	one.Outcome = out
	var funnels []reports.Funnel
	for _, v := range out.Variants {
		funnels = append(funnels, v.Funnel)
	}
	most := mostOf(funnels)
	for i, v := range out.Variants {
		r := variantRow{VariantOutcome: v, Control: i == 0, Rate: rateOf(v.Funnel.Rate, v.Seen, most), Best: chance(v.Best), Leads: v.Key == out.Best}
		if i > 0 {
			r.Better = chance(v.Better)
		}
		one.Rows = append(one.Rows, r)
	}
	one.Verdict, one.Advice = verdict(out)
	return nil
}

// verdict says in words whether an experiment can be ended.
func verdict(out reports.Outcome) (short, advice string) {
	switch {
	case out.Best == "":
		return "Nothing seen yet", "No reader has seen a variant in these days."
	case out.Verdict == reports.HasWinner:
		return out.Best + " is better", "The probability that it is the best is over 95%. It can be given to everybody."
	case out.Verdict == reports.TooEarly:
		return "Too early", "Wait for a whole week and a hundred donations that are kept; until then chance decides."
	}
	return "Undecided", "Nothing is likely enough to be the best. Let it run on, or end it and keep what is simpler."
}

// chance writes millionths as percent: never certain.
func chance(millionths int64) string {
	switch {
	case millionths < 1000:
		return "under 0.1%"
	case millionths > 999_000:
		return "over 99.9%"
	}
	return inPercent(millionths)
}

// An experimentsView is what the page shows.
type experimentsView struct {
	Frame       frame
	Experiments []experiment
}

// showExperiments handles GET /staff/reports/experiments.
func (p *Pages) showExperiments(v *desk.Visit) error {
	q, err := p.ask(v)
	if err != nil {
		return err
	}
	all, err := p.experimentsOf(v.Request.Context(), q)
	if err != nil {
		return err
	}
	body := experimentsView{p.frame("Experiments", "/experiments", q), all}
	if err := p.mark(v.Request.Context(), &body.Frame, q.period); err != nil {
		return err
	}
	return p.Desk.Render(v, p.experiments, desk.Page{Title: "Experiments", Body: body})
}

// experimentsCSV handles GET /staff/reports/experiments.csv.
func (p *Pages) experimentsCSV(v *desk.Visit) error {
	q, err := p.ask(v)
	if err != nil {
		return err
	}
	all, err := p.experimentsOf(v.Request.Context(), q)
	if err != nil {
		return err
	}
	return sendCSV(v, p.fileName("experiments", q), func(w io.Writer) error {
		s := reports.NewSheet(w, "experiment", "placement", "variant", "seen", "clicked", "checkouts", "paid", "kept",
			"kept_per_million_seen", "low", "high", "best_of_million", "better_than_control_of_million", "timezone")
		for _, x := range all {
			for _, r := range x.Rows {
				s.Row(x.Name, x.Placement, r.Key, r.Seen, r.Clicked, r.Checkouts, r.Paid, r.Kept,
					r.Funnel.Rate.Value, r.Funnel.Rate.Low, r.Funnel.Rate.High, r.VariantOutcome.Best, r.VariantOutcome.Better, p.Reports.Timezone())
			}
		}
		return s.End()
	})
}

// inPercent writes millionths in percent, to a tenth.
func inPercent(millionths int64) string {
	tenths := (millionths + 500) / 1000
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}
