package stripeapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestStatementName(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		answer string
		want   string
		fails  bool
	}{
		"prefix":      {200, `{"settings":{"card_payments":{"statement_descriptor_prefix":"READERS"},"payments":{"statement_descriptor":"READERS CLUB"}}}`, "READERS", false},
		"descriptor":  {200, `{"settings":{"card_payments":{"statement_descriptor_prefix":null},"payments":{"statement_descriptor":"READERS CLUB"}}}`, "READERS CLUB", false},
		"neither":     {200, `{"settings":{}}`, "", false},
		"not allowed": {403, `{"error":{"type":"invalid_request_error","message":"no"}}`, "", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := ""
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.Method + " " + r.URL.Path
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.answer)
			}))
			defer server.Close()
			got, err := New(Options{Key: "sk_test_1", BaseURL: server.URL}).StatementName(t.Context())
			if got != test.want || (err != nil) != test.fails || asked != "GET /v1/account" {
				t.Errorf("asked %s, got %q, %v", asked, got, err)
			}
		})
	}
}
