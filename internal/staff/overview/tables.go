package overview

import (
	"cmp"
	"context"
	"html/template"
	"net/url"
	"slices"

	"github.com/united24media/support/internal/chart"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/articles"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
	"github.com/united24media/support/internal/staff/tally"
)

// A table is the most of one dimension.
type table struct {
	Title, Of string // "By article", "Article"
	More      string // the report with all of them
	Rows      []row
}

type row struct {
	Name      template.HTML // of an article, with its slug
	key       string
	Share     template.HTML
	Donations int64
	Received  int64
	Change    template.HTML
}

// most is how many rows a table has.
const most = 8

// tables returns what won most in the period, in the columns in which it is
// shown.
func (o *Overview) tables(ctx context.Context, q question) ([][]table, error) {
	all := make([][]table, 3)
	for _, t := range [...]struct {
		by, title, of string
		column        int
	}{
		{"article", "By article", "Article", 0}, {"placement", "By placement", "Placement", 1}, {"interval", "By interval", "Interval", 1},
		{"country", "By country", "Country", 2},
	} {
		now, err := o.Reports.Report(ctx, reports.Query{From: q.period.From, To: q.period.To, By: t.by})
		if err != nil {
			return nil, err
		}
		before := reports.Report{}
		if q.period.Compared() {
			past := reports.Query{From: q.period.BeforeFrom, To: q.period.BeforeTo, By: t.by}
			if before, err = o.Reports.Report(ctx, past); err != nil {
				return nil, err
			}
		}
		one := table{Title: t.title, Of: t.of, Rows: rows(now, before, q)}
		one.More = period.Address("/staff/reports", url.Values{"by": {t.by}}, q.period)
		if len(one.Rows) > most {
			one.Rows = one.Rows[:most]
		}
		if err := o.nameRows(ctx, t.by, one.Rows); err != nil {
			return nil, err
		}
		all[t.column] = append(all[t.column], one)
	}
	return all, nil
}

// rows returns a report's keys, the one that brought most first.
func rows(now, before reports.Report, q question) []row {
	then := tally.ByKey(before.Rows)
	var all []row
	whole := int64(0)
	for key, t := range tally.ByKey(now.Rows) {
		r := row{key: key, Donations: t.Donations, Received: t.Settled(q.in).Received}
		if q.period.Compared() {
			was := int64(0)
			if then[key] != nil {
				was = then[key].Settled(q.in).Received
			}
			r.Change = figure.Delta(r.Received, was, q.period.BeforeName(), figure.Better)
		}
		whole = max(whole, r.Received)
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b row) int {
		return cmp.Or(-cmp.Compare(a.Received, b.Received), -cmp.Compare(a.Donations, b.Donations), cmp.Compare(a.key, b.key))
	})
	for i := range all {
		all[i].Share = chart.Share(all[i].Received, whole)
	}
	return all
}

// nameRows names what rows are of.
func (o *Overview) nameRows(ctx context.Context, by string, rows []row) error {
	keys := make([]string, len(rows))
	for i, r := range rows {
		keys[i] = r.key
	}
	names, err := articles.Named(ctx, o.Desk.Store, by, keys)
	for i, key := range keys {
		rows[i].Name = names.HTML(key)
	}
	return err
}
