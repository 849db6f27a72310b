package reports

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
)

// Payouts handles GET /v1/reports/payouts, in JSON or CSV.
func (s *Service) Payouts(c *gin.Context) error {
	c.Header("Vary", "Accept, Authorization")
	_, leave, err := s.authorize(c)
	if err != nil {
		return err
	}
	defer leave()
	values, err := parameters(c, func(name string) bool { return slices.Contains([]string{"from", "to"}, name) })
	if err != nil {
		return err
	}
	from, to, err := ParsePayoutDays(values.Get("from"), values.Get("to"))
	if err != nil {
		return err
	}
	report, err := s.PayoutReport(c.Request.Context(), from, to)
	if err != nil {
		return err
	}
	if !wantsCSV(c.GetHeader("Accept")) {
		c.JSON(http.StatusOK, report)
		return nil
	}
	return answerCSV(c, fmt.Sprintf("payouts_%s_%s_UTC.csv", report.From, report.To), report.WriteCSV)
}

// PayoutDetail is a payout with its lines, as the API shows it.
type PayoutDetail struct {
	Payout
	Lines []PayoutLine `json:"lines"`
}

// PayoutByID handles GET /v1/reports/payouts/ID, in JSON or CSV.
func (s *Service) PayoutByID(c *gin.Context) error {
	c.Header("Vary", "Accept, Authorization")
	token, leave, err := s.authorize(c)
	if err != nil {
		return err
	}
	defer leave()
	if _, err := parameters(c, func(string) bool { return false }); err != nil {
		return err
	}
	p, lines, err := s.Payout(c.Request.Context(), c.Param("id"))
	if err != nil {
		return err
	}
	if token.Role != RoleFinance {
		for i := range lines {
			lines[i].Source = ""
		}
	}
	detail := PayoutDetail{p, lines}
	if !wantsCSV(c.GetHeader("Accept")) {
		c.JSON(http.StatusOK, detail)
		return nil
	}
	return answerCSV(c, "payout_"+p.ID+".csv", detail.WriteCSV)
}

func answerCSV(c *gin.Context, name string, write func(io.Writer) error) error {
	var body bytes.Buffer
	if err := write(&body); err != nil {
		return err
	}
	c.Header("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	c.Data(http.StatusOK, "text/csv; charset=utf-8; header=present", body.Bytes())
	return nil
}

// WriteCSV writes a row for each part of each payout as RFC 4180 wants it; a
// payout of which no line is known has one row without a part.
func (r PayoutReport) WriteCSV(w io.Writer) error {
	lines := [][]string{{
		"payout", "arrival", "status", "automatic", "state", "currency", "payout_amount_minor",
		"kind", "lines", "amount_minor", "fee_minor", "net_minor", "note", "timezone",
	}}
	for _, p := range r.Payouts {
		head := []string{Defused(p.ID), p.Arrival, Defused(p.Status), strconv.FormatBool(p.Automatic), p.State, Defused(p.Currency), number(p.Amount)}
		add := func(cells ...string) {
			lines = append(lines, slices.Concat(head, cells, []string{Defused(p.Note), r.Timezone}))
		}
		for _, part := range p.Parts {
			add(part.Kind, number(part.Lines), number(part.Amount), number(part.Fee), number(part.Net))
		}
		if len(p.Parts) == 0 {
			add("", "", "", "", "")
		}
	}
	return writeLines(w, lines)
}

// WriteCSV writes a row for each line of the payout as RFC 4180 wants it.
func (d PayoutDetail) WriteCSV(w io.Writer) error {
	lines := [][]string{{
		"payout", "transaction", "created_at", "kind", "type", "source", "donation", "currency", "amount_minor", "fee_minor", "net_minor",
	}}
	for _, line := range d.Lines {
		lines = append(lines, []string{
			Defused(d.ID), Defused(line.ID), line.CreatedAt.Format(time.RFC3339), line.Kind, Defused(line.Type), Defused(line.Source),
			Defused(line.Donation), Defused(line.Currency), number(line.Amount), number(line.Fee), number(line.Net),
		})
	}
	return writeLines(w, lines)
}

func writeLines(w io.Writer, lines [][]string) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.WriteAll(lines); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}
