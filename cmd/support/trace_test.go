package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// TestTraces: a gift can be followed from the reader's press to the record of
// it, and nothing in the traces says whose it is.
func TestTraces(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sent bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		sent.Write(body)
	}))
	t.Cleanup(collector.Close)
	r := start(t, environment(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL}))
	r.give(t, map[string]any{"amount_minor": 1500, "currency": "eur", "interval": "once", "article": "a-report", "placement": "mid"}, "reader@example.org")
	eventually(t, "the gift counts", func() bool { return r.supporters(t, "a-report") == 1 })
	if code := r.end(t); code != exitOK {
		t.Errorf("ended with %d", code)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, span := range []string{"POST /v1/checkouts", "Stripe: create a checkout session", "POST /webhooks/stripe", "ledger: record"} {
		if !bytes.Contains(sent.Bytes(), []byte(span)) {
			t.Errorf("no span %q was sent", span)
		}
	}
	for _, secret := range []string{"example.org", "127.0.0.1", "a-report"} {
		if strings.Contains(sent.String(), secret) {
			t.Errorf("the traces hold %q", secret)
		}
	}
}
