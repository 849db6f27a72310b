// Package reports answers the questions that staff ask about money: sums over
// a period, from the kept sums and never from the donations themselves, and
// the donations one by one.
package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/limits"
	"github.com/united24media/support/internal/store"
)

// Options are what a [Service] needs.
type Options struct {
	Store    *store.Store
	Timezone *time.Location // of days and months
	Now      func() time.Time
}

// A Service answers reports.
type Service struct {
	store *store.Store
	zone  *time.Location
	now   func() time.Time
	heard heard

	atOnce *limits.AtOnce // requests of one token
}

// New returns a service.
func New(o Options) *Service {
	return &Service{store: o.Store, zone: o.Timezone, now: o.Now, atOnce: limits.NewAtOnce(maxAtOnce)}
}

// Dimensions returns what a report can be by.
func Dimensions() []string {
	return []string{"day", "month", "article", "placement", "campaign", "variant", "country", "currency", "interval", "tier"}
}

// A Query asks for a report.
type Query struct {
	From time.Time // the first day, at midnight UTC, whatever the time zone of the report
	To   time.Time // the day after the last
	By   string    // one of [Dimensions]
	AsOf time.Time // what was known then; zero is now
}

// ParseQuery reads a query as it comes from outside. It returns a
// [fault.Invalid] that names from, to or by.
func ParseQuery(from, to, by string) (Query, error) {
	var q Query
	var err error
	if q.From, err = parseDay("from", from); err != nil {
		return Query{}, err
	}
	if q.To, err = parseDay("to", to); err != nil {
		return Query{}, err
	}
	if !q.To.After(q.From) {
		return Query{}, fault.Field("to", "The day %s is not after from, %s; to is the day after the last one.", to, from)
	}
	if !slices.Contains(Dimensions(), by) {
		return Query{}, fault.Field("by", "A report is by one of: %s.", strings.Join(Dimensions(), ", "))
	}
	q.By = by
	return q, nil
}

// parseDay reads a day of no time zone. The sums tell days from months by the
// digits of their number, so a year has four.
func parseDay(field, text string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1000 {
		return time.Time{}, fault.Field(field, "Give a day such as 2026-01-31.")
	}
	return day, nil
}

// A Report is the answer to a [Query]. Its JSON is the contract's.
type Report struct {
	From     string    `json:"from"`
	To       string    `json:"to"`
	By       string    `json:"by"`
	Timezone string    `json:"timezone"`
	AsOf     time.Time `json:"as_of"` // UTC; asked for again, it brings the same figures
	Rows     []Row     `json:"rows"`
	Totals   []Figures `json:"totals"`
}

// A Row is the figures of one key.
type Row struct {
	Key string `json:"key"` // "" where unknown
	Figures
}

// Figures are sums in one pair of currencies, in minor units.
type Figures struct {
	Currency           string  `json:"currency"`            // of gross, refunded, disputed, received
	SettlementCurrency *string `json:"settlement_currency"` // of fee and net; nil while not settled
	Donations          int64   `json:"donations"`
	NewSupporters      int64   `json:"new_supporters"`
	Gross              int64   `json:"gross_minor"`
	Refunded           int64   `json:"refunded_minor"`
	Disputed           int64   `json:"disputed_minor"`
	Received           int64   `json:"received_minor"` // gross − refunded − disputed
	Fee                *int64  `json:"fee_minor"`      // nil while not settled
	Net                *int64  `json:"net_minor"`      // nil while not settled
}

// Report answers q.
func (s *Service) Report(ctx context.Context, q Query) (Report, error) {
	r := Report{
		From: q.From.Format(time.DateOnly), To: q.To.Format(time.DateOnly), By: q.By,
		Timezone: s.zone.String(),
	}
	dimension, byPeriod := q.By, false
	switch q.By {
	case "day", "month":
		dimension, byPeriod = giving.DimensionAll, true
	case "currency":
		dimension = giving.DimensionAll
	}
	sums, asOf, err := s.sums(ctx, q, dimension, byPeriod)
	if err != nil {
		return Report{}, fmt.Errorf("report by %s: %w", q.By, err)
	}
	r.AsOf = asOf
	rows, totals := map[cell]giving.Figures{}, map[cell]giving.Figures{}
	for _, sum := range sums {
		pair := cell{currency: strings.ToUpper(sum.Currency), settlement: strings.ToUpper(sum.Settlement)}
		totals[pair] = totals[pair].Plus(sum.Figures, 1)
		pair.key = key(q.By, sum.Cell)
		rows[pair] = rows[pair].Plus(sum.Figures, 1)
	}
	r.Rows, r.Totals = []Row{}, []Figures{}
	for _, c := range filled(rows) {
		r.Rows = append(r.Rows, Row{c.key, figures(c, rows[c])})
	}
	for _, c := range filled(totals) {
		r.Totals = append(r.Totals, figures(c, totals[c]))
	}
	return r, nil
}

// A cell is where figures stand: in a report's row, or, without a key, in its
// totals.
type cell struct{ key, currency, settlement string }

// filled returns the cells that hold anything, sorted.
func filled(figures map[cell]giving.Figures) []cell {
	var cells []cell
	for c, f := range figures {
		if f != (giving.Figures{}) {
			cells = append(cells, c)
		}
	}
	slices.SortFunc(cells, func(a, b cell) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.currency, b.currency), cmp.Compare(a.settlement, b.settlement))
	})
	return cells
}

func figures(c cell, f giving.Figures) Figures {
	out := Figures{
		Currency: c.currency, Donations: f.Donations, NewSupporters: f.NewSupporters,
		Gross: f.Gross, Refunded: f.Refunded, Disputed: f.Disputed, Received: f.Gross - f.Refunded - f.Disputed,
	}
	if c.settlement != "" {
		out.SettlementCurrency, out.Fee, out.Net = &c.settlement, &f.Fee, &f.Net
	}
	return out
}

// key returns the row's key of a sum, as the report by a dimension writes it.
func key(by string, c giving.Cell) string {
	switch by {
	case "day":
		return fmt.Sprintf("%04d-%02d-%02d", c.Period/10000, c.Period/100%100, c.Period%100)
	case "month":
		month := c.Period
		if month > 999999 { // a day at an end of the period
			month /= 100
		}
		return fmt.Sprintf("%04d-%02d", month/100, month%100)
	case "currency":
		return strings.ToUpper(c.Currency)
	}
	return c.Value
}

// spans returns the periods of the sums to read: whole months as months, the
// rest as days; by day, days alone.
func spans(q Query) []store.Span {
	firstMonth, endMonth := monthStart(q.From), monthStart(q.To)
	if firstMonth.Before(q.From) {
		firstMonth = firstMonth.AddDate(0, 1, 0)
	}
	if q.By == "day" || !firstMonth.Before(endMonth) {
		return []store.Span{{From: day(q.From), To: day(q.To)}}
	}
	var all []store.Span
	if q.From.Before(firstMonth) {
		all = append(all, store.Span{From: day(q.From), To: day(firstMonth)})
	}
	all = append(all, store.Span{From: day(firstMonth) / 100, To: day(endMonth) / 100})
	if endMonth.Before(q.To) {
		all = append(all, store.Span{From: day(endMonth), To: day(q.To)})
	}
	return all
}

func monthStart(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

func day(t time.Time) int64 { return giving.Day(t.Unix(), time.UTC) }
