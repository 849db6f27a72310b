package stripeapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestDeleteCustomer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		answer string
		fails  bool
	}{
		"deleted":         {200, `{"id":"cus_1","object":"customer","deleted":true}`, false},
		"deleted already": {404, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`, false},
		"not allowed":     {403, `{"error":{"type":"invalid_request_error","message":"no"}}`, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, asked := answering(t, test.status, test.answer)
			err := client.DeleteCustomer(t.Context(), "cus_1")
			if (err != nil) != test.fails || *asked != "DELETE /v1/customers/cus_1" {
				t.Errorf("asked %s, %v", *asked, err)
			}
		})
	}
}

// answering returns a client of a server that gives one answer to everything,
// and where it notes what it was asked last.
func answering(t *testing.T, status int, answer string) (client *Client, asked *string) {
	t.Helper()
	asked = new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = r.Method + " " + r.URL.Path
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	return New(Options{Key: "sk_test_1", BaseURL: server.URL}), asked
}
