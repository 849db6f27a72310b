package trace_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/united24media/support/internal/trace"
)

// gather is an OTLP collector that keeps what it is sent.
func gather(t *testing.T) (endpoint string, sent func() []*spans.Span) {
	t.Helper()
	var mu sync.Mutex
	var all []*spans.Span
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var request collector.ExportTraceServiceRequest
		if err = errors.Join(err, proto.Unmarshal(body, &request)); err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, of := range request.ResourceSpans {
			for _, scope := range of.ScopeSpans {
				all = append(all, scope.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []*spans.Span {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func TestARequestAndItsSteps(t *testing.T) {
	t.Parallel()
	endpoint, sent := gather(t)
	tracer, err := trace.Open(t.Context(), endpoint+"/", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, answered := tracer.Request(t.Context(), http.MethodPost, "/v1/checkouts")
	below, end := trace.Step(ctx, "Stripe: open a session")
	_, deeper := trace.Step(below, "deeper")
	deeper(nil)
	end(errors.New("somebody@example.org was refused"))
	answered(http.StatusBadGateway)
	_, outside := trace.Step(t.Context(), "a step of no request")
	outside(nil)
	if err := tracer.Close(); err != nil {
		t.Fatal(err)
	}
	got := map[string]*spans.Span{}
	for _, span := range sent() {
		got[span.Name] = span
		if text, err := proto.Marshal(span); err != nil || bytes.Contains(text, []byte("example.org")) {
			t.Errorf("%s tells who it was", span.Name)
		}
	}
	request, step := got["POST /v1/checkouts"], got["Stripe: open a session"]
	if len(got) != 3 || request == nil || step == nil {
		t.Fatalf("spans %v; want the request and two steps", got)
	}
	if !bytes.Equal(step.ParentSpanId, request.SpanId) || !bytes.Equal(got["deeper"].ParentSpanId, step.SpanId) {
		t.Error("a step does not stand below what it is a step of")
	}
	if request.Status.GetCode() != spans.Status_STATUS_CODE_ERROR || step.Status.GetCode() != spans.Status_STATUS_CODE_ERROR {
		t.Errorf("status %v and %v; want errors", request.Status, step.Status)
	}
}
