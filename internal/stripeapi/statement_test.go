package stripeapi

import "testing"

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
			client, asked := answering(t, test.status, test.answer)
			got, err := client.StatementName(t.Context())
			if got != test.want || (err != nil) != test.fails || *asked != "GET /v1/account" {
				t.Errorf("asked %s, got %q, %v", *asked, got, err)
			}
		})
	}
}
