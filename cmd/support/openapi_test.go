package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/united24media/support/internal/web"
)

// TestAnswersAreAsDescribed compares what the running program answers with
// GET /v1/openapi.json: a member that is not described, or one that is missing,
// is a mistake in one of them.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	doc, err := openapi3.NewLoader().LoadFromData(web.OpenAPI)
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, environment(t, nil))
	wish := map[string]any{"amount_minor": 1000, "currency": "EUR", "interval": "once", "article": "x", "attempt": "one", "utm_source": "mail"}
	r.give(t, wish, "ann@example.org")
	eventually(t, "the gift is recorded", func() bool { return r.supporters(t, "x") == 1 })
	_, text, _ := runCommand(t, r.lookup, "token", "create", "test", "--role", "finance")
	bearer := []string{"Authorization", "Bearer " + strings.TrimSpace(text)}
	_, _, list := call(t, "GET", r.url+"/v1/donations?limit=1", nil, bearer...)
	var page struct{ Donations []struct{ ID string } }
	if err := json.Unmarshal([]byte(list), &page); err != nil || len(page.Donations) != 1 {
		t.Fatalf("donations: %v: %s", err, list)
	}
	const payouts = "/v1/reports/payouts?from=2020-01-01&to=2120-01-01"
	payout := r.payOut(t, payouts, bearer)

	tests := map[string]struct {
		method, path, described string
		status                  int
		body                    any
	}{
		"ask":                {"GET", "/v1/ask?article=x&placement=mid", "/v1/ask", 200, nil},
		"ask for both":       {"GET", "/v1/ask?article=x&lang=uk&country=PL", "/v1/ask", 200, nil},
		"ask of nothing":     {"GET", "/v1/ask", "/v1/ask", 400, nil},
		"count":              {"GET", "/v1/supporters", "/v1/supporters", 200, nil},
		"wall":               {"GET", "/v1/wall", "/v1/wall", 200, nil},
		"embed":              {"GET", "/v1/embed", "/v1/embed", 200, nil},
		"checkout":           {"POST", "/v1/checkouts", "/v1/checkouts", 201, map[string]any{"amount_minor": 500, "currency": "usd", "interval": "month"}},
		"checkout again":     {"POST", "/v1/checkouts", "/v1/checkouts", 200, wish},
		"checkout of less":   {"POST", "/v1/checkouts", "/v1/checkouts", 400, map[string]any{"amount_minor": 1, "currency": "usd", "interval": "month"}},
		"attempt of another": {"POST", "/v1/checkouts", "/v1/checkouts", 409, map[string]any{"amount_minor": 2000, "currency": "EUR", "interval": "once", "attempt": "one"}},
		"report":             {"GET", "/v1/reports/donations?from=2020-01-01&to=2120-01-01&by=country", "/v1/reports/donations", 200, nil},
		"report of nothing":  {"GET", "/v1/reports/donations", "/v1/reports/donations", 400, nil},
		"payouts":            {"GET", payouts, "/v1/reports/payouts", 200, nil},
		"payouts of nothing": {"GET", "/v1/reports/payouts", "/v1/reports/payouts", 400, nil},
		"one payout":         {"GET", "/v1/reports/payouts/" + payout, "/v1/reports/payouts/{id}", 200, nil},
		"no payout":          {"GET", "/v1/reports/payouts/po_none", "/v1/reports/payouts/{id}", 404, nil},
		"list":               {"GET", "/v1/donations", "/v1/donations", 200, nil},
		"one donation":       {"GET", "/v1/donations/" + page.Donations[0].ID, "/v1/donations/{id}", 200, nil},
		"no donation":        {"GET", "/v1/donations/pi_none", "/v1/donations/{id}", 404, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, header, text := call(t, tt.method, r.url+tt.path, tt.body, bearer...)
			if status != tt.status {
				t.Fatalf("status %d; want %d: %s", status, tt.status, text)
			}
			response := doc.Paths.Find(tt.described).GetOperation(tt.method).Responses.Value(fmt.Sprint(status))
			if response == nil {
				t.Fatalf("%d is not described", status)
			}
			kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
			media := response.Value.Content[kind]
			if media == nil {
				t.Fatalf("%s is not described", kind)
			}
			var value any
			if err := json.Unmarshal([]byte(text), &value); err != nil {
				t.Fatal(err)
			}
			if err := media.Schema.Value.VisitJSON(value, openapi3.EnableFormatValidation()); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}

// payOut moves the sandbox's clock until the bank is paid, and returns the
// payout's id once its lines are known.
func (r *running) payOut(t *testing.T, report string, bearer []string) (id string) {
	t.Helper()
	answer, err := http.PostForm(r.url+"/sandbox/control/clock", url.Values{"advance": {"240h"}})
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	eventually(t, "the payout and its lines are known", func() bool {
		_, _, text := call(t, "GET", r.url+report, nil, bearer...)
		var list struct{ Payouts []struct{ ID, State string } }
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if len(list.Payouts) == 1 && list.Payouts[0].State == "complete" {
			id = list.Payouts[0].ID
		}
		return id != ""
	})
	return id
}
