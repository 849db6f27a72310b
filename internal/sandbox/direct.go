package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Call sends a request to the API without a network, with a test key, and
// returns the body of its answer. A refusal is an error with Stripe's message.
// The path is that behind the base address, such as "/v1/customers/cus_…".
func (s *Sandbox) Call(ctx context.Context, method, path string, form url.Values) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, path+"?"+form.Encode(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	r.Header.Set("Authorization", "Bearer sk_test_sandbox")
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	s.api.ServeHTTP(w, r)
	if w.status != http.StatusOK {
		message := ""
		if refusal, err := decodeObject(w.body.Bytes()); err == nil {
			message = refusal.obj("error").str("message")
		}
		return nil, fmt.Errorf("sandbox: %s %s: %d: %s", method, path, w.status, message)
	}
	return w.body.Bytes(), nil
}

// A recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) { w.status = status }

func (w *recorder) Write(data []byte) (int, error) { return w.body.Write(data) }
