package reports

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/united24media/support/internal/fault"
	"github.com/united24media/support/internal/giving"
	"github.com/united24media/support/internal/store"
)

// exportPage is how many rows are read at a time. An export holds two pages in
// memory at the most.
const exportPage = 1000

// Exports returns what can be exported.
func Exports() []string { return []string{"donations", "supporters", "memberships"} }

// ExportFormats returns the formats of exports.
func ExportFormats() []string { return []string{"csv", "jsonl"} }

// An Export says what to write out.
type Export struct {
	What     string         // one of [Exports]
	From, To time.Time      // days, at midnight UTC whatever the time zone; To is the day after the last
	Format   string         // one of [ExportFormats]
	Progress func(rows int) // told after each page; may be nil
}

// ParseExport reads an export as it comes from outside. It returns a
// [fault.Invalid] that names what, from, to or format.
func ParseExport(what, from, to, format string) (Export, error) {
	e := Export{What: what, Format: format}
	if !slices.Contains(Exports(), what) {
		return Export{}, fault.Field("what", "An export is of one of: %s.", strings.Join(Exports(), ", "))
	}
	if !slices.Contains(ExportFormats(), format) {
		return Export{}, fault.Field("format", "An export's format is csv or jsonl.")
	}
	var err error
	e.From, e.To, err = ParsePayoutDays(from, to)
	return e, err
}

// Export writes donations, supporters or memberships of a period with what
// says who gave: donations by when they were given, supporters by the donations
// they gave in the period (a row for each currency), memberships by when they
// began. What comes in meanwhile may be in it.
func (s *Service) Export(ctx context.Context, w io.Writer, e Export) error {
	buffered := bufio.NewWriter(w)
	out := newExportWriter(buffered, e)
	from := time.Date(e.From.Year(), e.From.Month(), e.From.Day(), 0, 0, 0, 0, s.zone)
	to := time.Date(e.To.Year(), e.To.Month(), e.To.Day(), 0, 0, 0, 0, s.zone)
	write := map[string]func(context.Context, *exportWriter, time.Time, time.Time) error{
		"donations": s.exportDonations, "supporters": s.exportSupporters, "memberships": s.exportMemberships,
	}[e.What]
	err := write(ctx, out, from, to)
	if err == nil {
		err = out.page()
	}
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return fmt.Errorf("export %s: %w", e.What, err)
	}
	return nil
}

// An exportWriter writes rows in the format of an export. A value is a string,
// an int64, a bool, a time, or nil where it is not known.
type exportWriter struct {
	Export
	csv     *csv.Writer
	lines   io.Writer
	columns []string
	cells   []string // of the row before, to be used again
	rows    int
}

func newExportWriter(w io.Writer, e Export) *exportWriter {
	out := &exportWriter{Export: e, csv: csv.NewWriter(w), lines: w}
	out.csv.UseCRLF = true // RFC 4180
	return out
}

// head names the columns of all rows.
func (w *exportWriter) head(columns ...string) error {
	w.columns = columns
	if w.Format == "csv" {
		return w.csv.Write(columns)
	}
	return nil
}

func (w *exportWriter) row(values ...any) error {
	w.rows++
	if w.Format == "csv" {
		w.cells = w.cells[:0]
		for _, v := range values {
			w.cells = append(w.cells, csvCell(v))
		}
		return w.csv.Write(w.cells)
	}
	line := []byte{'{'}
	for i, v := range values {
		if i > 0 {
			line = append(line, ',')
		}
		value, err := json.Marshal(v)
		if err != nil {
			return err
		}
		line = append(append(append(line, strconv.Quote(w.columns[i])...), ':'), value...)
	}
	_, err := w.lines.Write(append(line, '}', '\n'))
	return err
}

// page ends a page: what was written leaves the memory.
func (w *exportWriter) page() error {
	w.csv.Flush()
	if w.Progress != nil {
		w.Progress(w.rows)
	}
	return w.csv.Error()
}

// csvCell returns a value as a cell that no spreadsheet runs.
func csvCell(v any) string {
	switch v := v.(type) {
	case string:
		return Defused(strings.ToValidUTF8(v, "\uFFFD"))
	case int64:
		return number(v)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return "" // not known
}

// instant returns seconds since 1970 as a time in UTC, and nil for 0.
func instant(seconds int64) any {
	if seconds == 0 {
		return nil
	}
	return time.Unix(seconds, 0).UTC()
}

// donationColumns name the columns of exported donations; those of who gave, at
// the end, are for who may see it.
func donationColumns(persons bool) []string {
	columns := []string{
		"id", "created_at", "day", "timezone", "source", "interval", "tier", "currency", "gross_minor", "refunded_minor",
		"disputed_minor", "received_minor", "settlement_currency", "fee_minor", "net_minor", "new_supporter",
	}
	if persons {
		columns = append(columns, "supporter", "email", "name")
	}
	columns = append(columns, "country", "locale", "method", "article", "placement", "campaign", "variant", "attribution", "utm_source",
		"utm_medium", "utm_campaign")
	if persons {
		columns = append(columns, "checkout", "customer", "charge", "invoice", "subscription")
	}
	return columns
}

// donationRow appends a donation's values to a row.
func (s *Service) donationRow(row []any, d *giving.Donation, persons bool) []any {
	var settlement, fee, net any
	if d.Settled.Currency != "" {
		settlement, fee, net = d.Settled.Currency, d.Settled.Fee, d.Settled.Net
	}
	row = append(row,
		d.Key, instant(d.Created), time.Unix(d.Created, 0).In(s.zone).Format(time.DateOnly), s.zone.String(), d.Source,
		string(d.Interval), d.Tier, d.Currency, d.Gross, d.Refunded, d.Disputed, d.Gross-d.Refunded-d.Disputed, settlement, fee, net, d.First,
	)
	if persons {
		row = append(row, d.Supporter, d.Email, d.Name)
	}
	row = append(row, d.Country, d.Locale, d.Method, d.Article, d.Placement, d.Campaign, d.Variant, d.Status, d.UTMSource, d.UTMMedium, d.UTMCampaign)
	if persons {
		row = append(row, d.Checkout, d.Customer, d.Charge, d.Invoice, d.Subscription)
	}
	return row
}

func (s *Service) exportDonations(ctx context.Context, w *exportWriter, from, to time.Time) error {
	if err := w.head(donationColumns(true)...); err != nil {
		return err
	}
	read := func(ctx context.Context, last *giving.Donation) ([]*giving.Donation, error) {
		var after store.Position
		if last != nil {
			after = store.Position{Created: last.Created, Key: last.Key}
		}
		return s.store.ExportDonations(ctx, from, to, after, exportPage)
	}
	var row []any
	return pages(ctx, read, func(page []*giving.Donation) error {
		for _, d := range page {
			row = s.donationRow(row[:0], d, true)
			if err := w.row(row...); err != nil {
				return err
			}
		}
		if len(page) < exportPage { // what it ends with is the export's to flush
			return nil
		}
		return w.page()
	})
}

// pages calls use with page after page, while the next one is being read. read
// gets the last of the page before; a page that is not full is the last one.
func pages[T any](ctx context.Context, read func(ctx context.Context, last *T) ([]*T, error), use func([]*T) error) error {
	reading, stop := context.WithCancel(ctx)
	var failed error // set before the channel is closed
	next := make(chan []*T)
	go func() {
		defer close(next)
		var last *T
		for full := true; full; {
			var page []*T
			if page, failed = read(reading, last); failed != nil {
				return
			}
			select {
			case next <- page:
			case <-reading.Done():
				failed = reading.Err()
				return
			}
			if full = len(page) == exportPage; full {
				last = page[len(page)-1]
			}
		}
	}()
	defer func() { // nothing is read any more once this returns
		stop()
		for range next {
		}
	}()
	for page := range next {
		if err := use(page); err != nil {
			return err
		}
	}
	return failed
}

// ExportList writes a list of donations as CSV, newest first, without what says
// who gave unless persons is set. It holds one page in memory.
func (s *Service) ExportList(ctx context.Context, w io.Writer, f store.DonationFilter, persons bool) error {
	buffered := bufio.NewWriter(w)
	out := newExportWriter(buffered, Export{Format: "csv"})
	if err := out.head(donationColumns(persons)...); err != nil {
		return err
	}
	var row []any
	for f.Limit = exportPage; ; {
		page, err := s.store.DonationList(ctx, f)
		if err != nil {
			return fmt.Errorf("export a list of donations: %w", err)
		}
		for _, d := range page.Donations {
			row = s.donationRow(row[:0], d, persons)
			if err := out.row(row...); err != nil {
				return err
			}
		}
		if err := out.page(); err != nil {
			return err
		}
		if f.At = page.Older; f.At == (store.Position{}) {
			return buffered.Flush()
		}
	}
}

func (s *Service) exportMemberships(ctx context.Context, w *exportWriter, from, to time.Time) error {
	if err := w.head("id", "created_at", "day", "timezone", "status", "counts_as_member", "ended_at", "period_end", "cancel_at_period_end",
		"currency", "amount_minor", "interval", "tier", "supporter", "email", "locale", "article", "placement", "campaign", "variant",
		"attribution", "utm_source", "utm_medium", "utm_campaign", "checkout", "customer"); err != nil {
		return err
	}
	for after := ""; ; {
		page, err := s.store.ExportMemberships(ctx, from, to, after, exportPage)
		if err != nil {
			return err
		}
		for _, m := range page {
			after = m.Subscription
			if err := w.row(m.Subscription, instant(m.Created), time.Unix(m.Created, 0).In(s.zone).Format(time.DateOnly), s.zone.String(),
				m.Status, m.Live, instant(m.Ended), instant(m.PeriodEnd), m.CancelAtEnd, m.Currency, m.Amount, string(m.Interval), m.Tier,
				m.Supporter, m.Email, m.Locale, m.Article, m.Placement, m.Campaign, m.Variant, m.Attribution.Status, m.UTMSource, m.UTMMedium,
				m.UTMCampaign, m.Checkout, m.Customer); err != nil {
				return err
			}
		}
		if len(page) < exportPage {
			return nil
		}
		if err := w.page(); err != nil {
			return err
		}
	}
}
