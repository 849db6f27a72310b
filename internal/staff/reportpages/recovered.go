package reportpages

import (
	"cmp"
	"context"
	_ "embed" // the page
	"io"
	"slices"
	"time"

	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/period"
)

//go:embed recovered.html
var recoveredHTML string

// A recoveredRow is what came of the failed renewals of one month and currency.
type recoveredRow struct {
	Name string // of the month
	reports.Recovered
}

// A recovery is what came of the failed renewals of a period.
type recovery struct {
	URL   string              // of the report
	Rows  []recoveredRow      // by month, the newest first, and currency
	Sums  []reports.Recovered // by currency, the one of most renewals first
	Total reports.Recovered   // over all currencies: counts alone
}

// recovery reads the failed renewals that were first mailed about in a period.
func (p *Pages) recovery(ctx context.Context, q question) (recovery, error) {
	r := recovery{URL: period.Address(path+"/recovered", nil, q.period)}
	midnight := func(d time.Time) time.Time {
		return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, p.Desk.Zone)
	}
	found, err := p.Reports.Recovered(ctx, midnight(q.period.From), midnight(q.period.To))
	if err != nil {
		return r, err
	}
	at := map[string]int{}
	for _, f := range found {
		month, err := reports.ParseMonth(f.Month)
		if err != nil {
			return r, err
		}
		r.Rows = append(r.Rows, recoveredRow{month.Format("January 2006"), f})
		i, known := at[f.Currency]
		if !known {
			i = len(r.Sums)
			at[f.Currency] = i
			r.Sums = append(r.Sums, reports.Recovered{Currency: f.Currency})
		}
		r.Sums[i].Plus(f)
		r.Total.Plus(f)
	}
	slices.SortStableFunc(r.Sums, func(a, b reports.Recovered) int { return cmp.Compare(b.Failed, a.Failed) })
	r.Total.Minor = 0 // of several currencies
	return r, nil
}

// A recoveredView is what the page shows.
type recoveredView struct {
	Frame frame
	recovery
}

// showRecovered handles GET /staff/reports/recovered.
func (p *Pages) showRecovered(v *desk.Visit) error {
	q, err := p.askMembers(v)
	if err != nil {
		return err
	}
	body := recoveredView{Frame: p.frame("Recovered", "/recovered", q)}
	if body.recovery, err = p.recovery(v.Request.Context(), q); err != nil {
		return err
	}
	if err := p.mark(v.Request.Context(), &body.Frame, q.period); err != nil {
		return err
	}
	return p.Desk.Render(v, p.recovered, desk.Page{Title: "Recovered", Body: body})
}

// recoveredCSV handles GET /staff/reports/recovered.csv.
func (p *Pages) recoveredCSV(v *desk.Visit) error {
	q, err := p.askMembers(v)
	if err != nil {
		return err
	}
	r, err := p.recovery(v.Request.Context(), q)
	if err != nil {
		return err
	}
	return sendCSV(v, p.fileName("recovered", q), func(w io.Writer) error {
		s := reports.NewSheet(w, "month", "currency", "failed", "mails", "attempts", "recovered", "recovered_minor", "by_attempt", "by_supporter",
			"elsewhere", "open", "timezone")
		for _, f := range r.Rows {
			s.Row(f.Month, f.Currency, f.Failed, f.Mails, f.Attempts, f.Recovered.Recovered, f.Minor, f.ByAttempt, f.BySupporter, f.Elsewhere, f.Open,
				p.Reports.Timezone())
		}
		return s.End()
	})
}
