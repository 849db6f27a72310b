package reports

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// WriteCSV writes the rows, without the totals, as RFC 4180 wants it. The last
// column names the time zone of the days. Cells that a spreadsheet would run as
// a formula are defused.
func (r Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	lines := [][]string{{
		"key", "currency", "settlement_currency", "donations", "new_supporters",
		"gross_minor", "refunded_minor", "disputed_minor", "received_minor", "fee_minor", "net_minor", "timezone",
	}}
	for _, row := range r.Rows {
		settlement, fee, net := "", "", ""
		if row.SettlementCurrency != nil {
			settlement, fee, net = *row.SettlementCurrency, number(*row.Fee), number(*row.Net)
		}
		lines = append(lines, []string{
			Defused(row.Key), Defused(row.Currency), Defused(settlement), number(row.Donations), number(row.NewSupporters),
			number(row.Gross), number(row.Refunded), number(row.Disputed), number(row.Received), fee, net, r.Timezone,
		})
	}
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// formulaStarts are the characters that make spreadsheets take a text for a
// formula, in their full-width forms too, and those that they skip before one.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// Defused returns text so that no spreadsheet runs it: the apostrophe makes it
// a text, whatever follows.
func Defused(text string) string {
	first, _ := utf8.DecodeRuneInString(text)
	if text != "" && strings.ContainsRune(formulaStarts, first) {
		return "'" + text
	}
	return text
}
