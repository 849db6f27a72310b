package reportpages

import (
	"context"
	"io"
	"strings"

	"github.com/united24media/support/internal/reports"
	"github.com/united24media/support/internal/staff/articles"
	"github.com/united24media/support/internal/staff/desk"
)

// sumsCSV handles GET /staff/reports.csv.
func (p *Pages) sumsCSV(v *desk.Visit) error {
	q, err := p.askSums(v)
	if err != nil {
		return err
	}
	ctx, ask := v.Request.Context(), reports.Query{From: q.period.From, To: q.period.To, By: q.by}
	if q.across == "" {
		report, err := p.Reports.Report(ctx, ask)
		if err != nil {
			return err
		}
		name := p.fileName("donations-by-"+q.by, q.question)
		if q.by != "article" {
			return sendCSV(v, name, report.WriteCSV)
		}
		keys := make([]string, len(report.Rows))
		for i, r := range report.Rows {
			keys[i] = r.Key
		}
		names, err := articles.Named(ctx, p.Desk.Store, q.by, keys)
		if err != nil {
			return err
		}
		return sendCSV(v, name, func(w io.Writer) error { return writeArticles(w, report, names) })
	}
	cross, err := p.Reports.Cross(ctx, ask, q.across)
	if err != nil {
		return err
	}
	names := articles.Names{}
	if cross.By == "article" || cross.Across == "article" {
		var keys []string
		for _, cell := range cross.Cells {
			keys = append(keys, articleOf(cross, cell))
		}
		if names, err = articles.Named(ctx, p.Desk.Store, "article", keys); err != nil {
			return err
		}
	}
	return sendCSV(v, p.fileName("donations-by-"+q.by+"-and-"+q.across, q.question), func(w io.Writer) error { return writeCross(w, cross, names) })
}

// articleOf is the article of a cell of a report by articles and something else.
func articleOf(c reports.Cross, cell reports.CrossCell) string {
	if c.By == "article" {
		return cell.Key
	}
	return cell.Across
}

// writeArticles writes a report by article, with what they are called.
func writeArticles(w io.Writer, r reports.Report, names articles.Names) error {
	s := reports.NewSheet(w, "article", "title", "address", "currency", "settlement_currency", "donations", "new_supporters",
		"gross_minor", "refunded_minor", "disputed_minor", "received_minor", "fee_minor", "net_minor", "timezone")
	for _, row := range r.Rows {
		s.Row(row.Key, names.Get(row.Key).Title, names.Get(row.Key).Address, row.Currency, row.SettlementCurrency, row.Donations, row.NewSupporters,
			row.Gross, row.Refunded, row.Disputed, row.Received, row.Fee, row.Net, r.Timezone)
	}
	return s.End()
}

// writeCross writes the cells of a report by two dimensions, of articles with
// what they are called.
func writeCross(w io.Writer, c reports.Cross, names articles.Names) error {
	columns := []string{
		c.By, c.Across, "currency", "settlement_currency", "donations", "new_supporters",
		"gross_minor", "refunded_minor", "disputed_minor", "received_minor", "fee_minor", "net_minor", "timezone",
	}
	byArticle := c.By == "article" || c.Across == "article"
	if byArticle {
		columns = append(columns, "title", "address")
	}
	s := reports.NewSheet(w, columns...)
	for _, cell := range c.Cells {
		cells := []any{
			cell.Key, cell.Across, cell.Currency, cell.SettlementCurrency, cell.Donations, cell.NewSupporters,
			cell.Gross, cell.Refunded, cell.Disputed, cell.Received, cell.Fee, cell.Net, c.Timezone,
		}
		if byArticle {
			is := names.Get(articleOf(c, cell))
			cells = append(cells, is.Title, is.Address)
		}
		s.Row(cells...)
	}
	return s.End()
}

// nameRows names what the rows of the page are of.
func (p *Pages) nameRows(ctx context.Context, body *sumsView, q sumsQuestion) error {
	var keys []string
	for _, r := range body.Rows {
		key, _, _ := strings.Cut(r.Key, "\x00")
		keys = append(keys, key, r.Across)
	}
	down, err := articles.Named(ctx, p.Desk.Store, q.by, keys)
	if err != nil {
		return err
	}
	across, err := articles.Named(ctx, p.Desk.Store, q.across, keys)
	if err != nil {
		return err
	}
	for i := range body.Rows {
		body.Rows[i].Name = down.HTML(keys[2*i])
		if q.across != "" {
			body.Rows[i].AcrossName = across.HTML(keys[2*i+1])
		}
	}
	return nil
}

// keyNames returns what keys of a dimension are called in a chart.
func (p *Pages) keyNames(ctx context.Context, by string, keys []string) (func(key string) string, error) {
	names, err := articles.Named(ctx, p.Desk.Store, by, keys)
	return names.Of, err
}
