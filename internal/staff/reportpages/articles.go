package reportpages

import (
	"cmp"
	_ "embed" // the page
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/united24media/support/internal/chart"
	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/articles"
	"github.com/united24media/support/internal/staff/desk"
	"github.com/united24media/support/internal/staff/figure"
	"github.com/united24media/support/internal/staff/period"
	"github.com/united24media/support/internal/staff/tally"
)

//go:embed articles.html
var articlesHTML string

// articlesOnPage is how many articles a page has at most.
const articlesOnPage = 50

// An articlesQuestion is which articles, in which order.
type articlesQuestion struct {
	question
	sort, in string
	page     int
}

// articleSorts are the columns that order articles, and what they are called.
var articleSorts = [...][2]string{
	{"seen", "Seen"}, {"clicked", "Clicked"}, {"checkout", "Checkouts"}, {"won", "Paid"}, {"kept", "Kept"},
}

func (p *Pages) askArticles(v *desk.Visit) (articlesQuestion, error) {
	base, err := p.ask(v)
	q := articlesQuestion{question: base}
	if err != nil {
		return q, err
	}
	q.sort = cmp.Or(q.values.Get("sort"), "net")
	if !slices.Contains(append(reports.Ranks(), "net"), q.sort) {
		return q, fault.Field("sort", "Choose one of the page's own.")
	}
	if q.page, err = number(q.values, "page"); err != nil {
		return q, err
	}
	// What most donations of the period were settled in orders them by money.
	if q.in = q.values.Get("in"); q.in == "" {
		all, err := p.Reports.Report(v.Request.Context(), reports.Query{From: q.period.From, To: q.period.To, By: "currency"})
		if err != nil {
			return q, err
		}
		q.in = tally.Of(all.Rows).Main()
	}
	if q.in == "" && q.sort == "net" {
		q.sort = "seen"
	}
	return q, nil
}

// articles returns a page of articles, and whether others follow.
func (p *Pages) articlesOf(v *desk.Visit, q articlesQuestion, limit, offset int) ([]reports.Funnel, bool, error) {
	return p.Reports.Articles(v.Request.Context(), reports.ArticleQuery{
		From: q.period.From, To: q.period.To, By: q.sort, Currency: q.in, Limit: limit, Offset: offset,
	})
}

// An articlesView is what the page shows.
type articlesView struct {
	Frame   frame
	In      string
	Columns []column
	Money   column
	Rows    []articleRow
	Pager   pager
}

type articleRow struct {
	reports.Funnel
	Name template.HTML // with its slug
	Edit string        // where it is corrected; "" for who may not
	Net  int64
	Rate rate
}

// A rate is how many of a thousand, with the interval it lies in.
type rate struct {
	Value, Low, High string
	Bar              template.HTML
	Known            bool // there was somebody to count
}

// rateOf writes a rate that is measured against the greatest of its table.
func rateOf(r reports.Rate, of, most int64) rate {
	out := rate{perThousand(r.Value), perThousand(r.Low), perThousand(r.High), "", of > 0}
	if out.Known {
		out.Bar = chart.Interval(r.Value, r.Low, r.High, most)
	}
	return out
}

// perThousand writes millionths as of a thousand, to two decimals.
func perThousand(millionths int64) string {
	hundredths := (millionths + 5) / 10
	return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
}

// mostOf is the greatest upper end of rates that are known, to measure them
// against; a few that are hardly known do not make all others small.
func mostOf(all []reports.Funnel) int64 {
	most := int64(1)
	for _, f := range all {
		if f.Seen > 0 {
			most = max(most, min(f.Rate.High, 4*max(f.Rate.Value, 1000)))
		}
	}
	return most
}

// showArticles handles GET /staff/reports/articles.
func (p *Pages) showArticles(v *desk.Visit) error {
	q, err := p.askArticles(v)
	if err != nil {
		return err
	}
	found, more, err := p.articlesOf(v, q, articlesOnPage, (q.page-1)*articlesOnPage)
	if err != nil {
		return err
	}
	names, err := articles.Named(v.Request.Context(), p.Desk.Store, "article", slugs(found))
	if err != nil {
		return err
	}
	const at = path + "/articles"
	body := articlesView{Frame: p.frame("Articles", "/articles", q.question), In: q.in}
	most := mostOf(found)
	for _, f := range found {
		r := articleRow{Funnel: f, Name: names.HTML(f.Key), Net: netIn(f.Settled, q.in), Rate: rateOf(f.Rate, f.Seen, most)}
		if f.Key != "" && v.Member.Role.Allows(desk.Finance) {
			r.Edit = articles.Edit(f.Key)
		}
		body.Rows = append(body.Rows, r)
	}
	for _, c := range articleSorts {
		body.Columns = append(body.Columns, p.articleColumn(q, c[0], c[1]))
	}
	body.Money = p.articleColumn(q, "net", "Net")
	first := (q.page-1)*articlesOnPage + 1
	body.Pager = pages(q.question, at, q.page, q.page > 1, more, fmt.Sprintf("%s to %s", figure.Count(int64(first)), figure.Count(int64(first+len(found)-1))))
	if err := p.mark(v.Request.Context(), &body.Frame, q.period); err != nil {
		return err
	}
	return p.Desk.Render(v, p.articles, desk.Page{Title: "Articles", Body: body})
}

func (p *Pages) articleColumn(q articlesQuestion, sort, name string) column {
	c := column{Name: name, URL: period.With(path+"/articles", without(q.values, "page"), "sort", sort)}
	if q.sort == sort {
		c.Sort = "descending"
	}
	return c
}

func netIn(settled []reports.Settled, currency string) int64 {
	for _, s := range settled {
		if s.Currency == currency {
			return s.Net
		}
	}
	return 0
}

// slugs are the keys of articles.
func slugs(found []reports.Funnel) []string {
	all := make([]string, len(found))
	for i, f := range found {
		all[i] = f.Key
	}
	return all
}

// articlesAtOnce is how many articles are read together for a file.
const articlesAtOnce = 500

// articlesCSV handles GET /staff/reports/articles.csv: all articles of the
// period.
func (p *Pages) articlesCSV(v *desk.Visit) error {
	q, err := p.askArticles(v)
	if err != nil {
		return err
	}
	return sendCSV(v, p.fileName("articles", q.question), func(w io.Writer) error {
		s := reports.NewSheet(w, "article", "title", "address", "seen", "clicked", "checkouts", "paid", "kept", "renewals",
			"kept_per_million_seen", "low", "high", "settlement_currency", "fee_minor", "net_minor", "timezone")
		for offset := 0; ; offset += articlesAtOnce {
			found, more, err := p.articlesOf(v, q, articlesAtOnce, offset)
			if err != nil {
				return err
			}
			names, err := articles.Named(v.Request.Context(), p.Desk.Store, "article", slugs(found))
			if err != nil {
				return err
			}
			for _, f := range found {
				writeFunnel(s, f, names, p.Reports.Timezone())
			}
			if !more {
				return s.End()
			}
		}
	})
}

// writeFunnel writes a row for each currency an article was settled in, or one
// where it was in none.
func writeFunnel(s *reports.Sheet, f reports.Funnel, names articles.Names, zone string) {
	is := names.Get(f.Key)
	settled := f.Settled
	if len(settled) == 0 {
		settled = []reports.Settled{{}}
	}
	for _, m := range settled {
		cells := []any{f.Key, is.Title, is.Address, f.Seen, f.Clicked, f.Checkouts, f.Paid, f.Kept, f.Renewals, nil, nil, nil, m.Currency, m.Fee, m.Net, zone}
		if f.Seen > 0 {
			cells[9], cells[10], cells[11] = f.Rate.Value, f.Rate.Low, f.Rate.High
		}
		if m.Currency == "" {
			cells[13], cells[14] = nil, nil
		}
		s.Row(cells...)
	}
}
