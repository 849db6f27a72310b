package reports

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
)

// Donations handles GET /v1/reports/donations, in JSON or CSV.
func (s *Service) Donations(c *gin.Context) error {
	c.Header("Vary", "Accept, Authorization")
	_, leave, err := s.authorize(c)
	if err != nil {
		return err
	}
	defer leave()
	values, err := parameters(c, func(name string) bool { return slices.Contains([]string{"from", "to", "by", "as_of"}, name) })
	if err != nil {
		return err
	}
	q, err := ParseQuery(values.Get("from"), values.Get("to"), values.Get("by"))
	if err != nil {
		return err
	}
	if q.AsOf, err = s.ParseAsOf(values.Get("as_of")); err != nil {
		return err
	}
	report, err := s.Report(c.Request.Context(), q)
	if err != nil {
		return err
	}
	if !wantsCSV(c.GetHeader("Accept")) {
		c.JSON(http.StatusOK, report)
		return nil
	}
	var body bytes.Buffer
	if err := report.WriteCSV(&body); err != nil {
		return err
	}
	c.Header("Content-Disposition", fmt.Sprintf(`attachment; filename="donations-by-%s_%s_%s_%s.csv"`,
		report.By, report.From, report.To, strings.NewReplacer("/", "-", "+", "").Replace(report.Timezone)))
	c.Data(http.StatusOK, "text/csv; charset=utf-8; header=present", body.Bytes())
	return nil
}

// wantsCSV reports whether an Accept header prefers CSV to JSON: by weight
// (RFC 9110, 12.5.1), and by order where the weights are equal.
func wantsCSV(accept string) bool {
	best, csv := 0, false
	for part := range strings.SplitSeq(accept, ",") {
		kind, parameters, _ := strings.Cut(part, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
		if kind != "text/csv" && kind != "application/json" {
			continue
		}
		if q := weight(parameters); q > best {
			best, csv = q, kind == "text/csv"
		}
	}
	return csv
}

// weight returns q of a media range's parameters in thousandths: 1000 where
// there is none, and 0 for one that is no weight.
func weight(parameters string) int {
	const decimals = "000"
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		whole, fraction, _ := strings.Cut(strings.TrimSpace(value), ".")
		q, err := strconv.Atoi(whole + (fraction + decimals)[:len(decimals)])
		if err != nil || q < 0 || q > 1000 {
			return 0
		}
		return q
	}
	return 1000
}

// parameters returns a request's query. One that is not known is refused by
// name, since a filter that is silently ignored answers another question.
func parameters(c *gin.Context, known func(name string) bool) (url.Values, error) {
	values, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The query can't be read.")
	}
	for name, all := range values {
		if !known(name) {
			return nil, fault.Field(name, "There is no such parameter.")
		}
		if len(all) > 1 {
			return nil, fault.Field(name, "Give this parameter once.")
		}
		if !utf8.ValidString(all[0]) || strings.ContainsRune(all[0], 0) {
			return nil, fault.Field(name, "The value has characters that can't be read.")
		}
	}
	return values, nil
}
