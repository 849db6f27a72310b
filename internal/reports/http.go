package reports

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/fault"
)

// Donations handles GET /v1/reports/donations, in JSON or CSV.
func (s *Service) Donations(c *gin.Context) error {
	c.Header("Vary", "Accept, Authorization")
	if _, err := s.authorize(c); err != nil {
		return err
	}
	values, err := parameters(c, func(name string) bool { return slices.Contains([]string{"from", "to", "by"}, name) })
	if err != nil {
		return err
	}
	q, err := ParseQuery(values.Get("from"), values.Get("to"), values.Get("by"))
	if err != nil {
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

// wantsCSV reports whether an Accept header names CSV before JSON.
func wantsCSV(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/csv":
			return true
		case "application/json":
			return false
		}
	}
	return false
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
	}
	return values, nil
}
