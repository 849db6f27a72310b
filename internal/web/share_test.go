package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/united24media/support/internal/account"
	"github.com/united24media/support/internal/staff"
	"github.com/united24media/support/internal/staff/desk"
)

// TestAFloodLeavesTheOthersTheirShare: whatever kind of request is flooded, its
// own are told to come back later, and all others go on: deliveries and asks
// above all.
func TestAFloodLeavesTheOthersTheirShare(t *testing.T) {
	t.Parallel()
	for flooded, most := range map[string]int{
		"POST /v1/checkouts": maxGiving, "POST /support": maxGiving, "GET /thanks": maxPages, "GET /account": maxPages,
		"GET /v1/donations": maxReports, "GET /staff/reports": maxStaff,
	} {
		t.Run(strings.ReplaceAll(flooded, "/", "_"), func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			var entered sync.WaitGroup
			entered.Add(most)
			hang := func(c *gin.Context) error {
				if c.GetHeader("Flood") != "" {
					entered.Done()
					<-release
				}
				return fine(c)
			}
			h := everything()
			h.Checkout, h.SupportForm, h.Thanks, h.Donations = hang, hang, hang, hang
			h.Account = []account.Route{{Method: http.MethodGet, Path: "/account", Handle: hang}}
			h.Staff = &staff.Pages{Routes: []desk.Mounted{{Route: desk.Route{Method: http.MethodGet, Path: "/staff/reports"}, Handle: hang}}}
			s, log := server(h)
			for _, of := range []*share{s.shares.giving, s.shares.pages, s.shares.reports, s.shares.staff} {
				of.wait = 0
			}
			method, path, _ := strings.Cut(flooded, " ")
			var flood sync.WaitGroup
			for range most {
				flood.Go(func() { send(s, method, path, "", "Flood", "1") })
			}
			entered.Wait()
			for range 5 {
				answer := send(s, method, path, "")
				if answer.StatusCode != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
					t.Errorf("one more: %d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
				}
			}
			if strings.Contains(log.String(), `"level":"ERROR"`) {
				t.Errorf("a flood fills the log with errors:\n%s", log)
			}
			kinds := map[string][]string{
				"giving": {"POST /v1/checkouts", "POST /support"}, "pages": {"GET /thanks", "GET /account", "GET /support"},
				"reports": {"GET /v1/donations", "GET /v1/reports/donations"}, "staff": {"GET /staff/reports"},
				"": {"POST /webhooks/stripe", "GET /v1/ask", "GET /v1/supporters", "POST /v1/signals", "GET /healthz", "OPTIONS /v1/checkouts"},
			}
			for _, routes := range kinds {
				same := false
				for _, route := range routes {
					same = same || route == flooded
				}
				for _, route := range routes {
					method, path, _ := strings.Cut(route, " ")
					if answer := send(s, method, path, ""); !same && answer.StatusCode >= http.StatusBadRequest {
						t.Errorf("%s meanwhile: %d", route, answer.StatusCode)
					}
				}
			}
			close(release)
			flood.Wait()
			if answer := send(s, method, path, ""); answer.StatusCode != http.StatusOK {
				t.Errorf("after the flood: %d", answer.StatusCode)
			}
		})
	}
}

// TestLongQuestionsAreEnded: what staff and programs read is asked of the
// database within a time, and who asked too much is told so; deeds, and what
// readers ask, are not ended.
func TestLongQuestionsAreEnded(t *testing.T) {
	t.Parallel()
	slow := func(*gin.Context) error { return fmt.Errorf("read sums: %w", context.DeadlineExceeded) }
	h := everything()
	h.Report, h.Donations, h.Donation, h.Payouts, h.Payout, h.Thanks = slow, slow, slow, slow, slow, slow
	h.Staff = &staff.Pages{Routes: []desk.Mounted{
		{Route: desk.Route{Method: http.MethodGet, Path: "/staff/reports"}, Handle: slow},
		{Route: desk.Route{Method: http.MethodPost, Path: "/staff/reports"}, Handle: slow},
	}}
	s, _ := server(h)
	for route, want := range map[string]int{
		"GET /v1/reports/donations": 503, "GET /v1/reports/payouts": 503, "GET /v1/reports/payouts/po_1": 503, "GET /v1/donations": 503,
		"GET /v1/donations/pi_1": 503, "GET /staff/reports": 503, "POST /staff/reports": 500, "GET /thanks": 500,
	} {
		method, path, _ := strings.Cut(route, " ")
		if answer := send(s, method, path, ""); answer.StatusCode != want {
			t.Errorf("%s: %d; want %d", route, answer.StatusCode, want)
		}
	}
}
