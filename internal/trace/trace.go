// Package trace tells where the time of a request goes, over OTLP, to whoever
// runs a collector. A span holds a route, a call's name and how it ended:
// never an address, an id of a person or a query.
package trace

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/united24media/support/internal/outward"
)

const (
	name       = "support"
	exportTime = 5 * time.Second // for one batch of spans; a collector that is away costs no more
	path       = "/v1/traces"    // of OTLP over HTTP, below the endpoint
)

// A Tracer starts the spans of requests. A nil one starts none.
type Tracer struct{ provider *sdk.TracerProvider }

// Open returns a tracer that sends to an OTLP endpoint, such as
// "http://collector:4318". Spans that can't be sent are dropped, with a warning.
func Open(ctx context.Context, endpoint string, log *slog.Logger) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(strings.TrimSuffix(endpoint, "/")+path), otlptracehttp.WithHTTPClient(outward.Client(exportTime)))
	if err != nil {
		return nil, fmt.Errorf("traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces could not be sent", "err", err) }))
	about := resource.NewSchemaless(attribute.String("service.name", name))
	return &Tracer{sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))}, nil
}

// Close sends what waits.
func (t *Tracer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), exportTime)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// Request starts the span of a request: its method and its route, with the
// parameters' names in place of what they are. What a caller says of its own
// traces is not taken over: callers are strangers.
func (t *Tracer) Request(ctx context.Context, method, route string) (context.Context, func(status int)) {
	ctx, span := t.provider.Tracer(name).Start(ctx, method+" "+route, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route)))
	return ctx, func(status int) {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= 500 {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Step starts a span below the one of ctx, and none where there is none. end
// takes how it went; the error's text stays here.
func Step(ctx context.Context, what string) (_ context.Context, end func(error)) {
	above := trace.SpanFromContext(ctx)
	if !above.IsRecording() {
		return ctx, func(error) {}
	}
	ctx, span := above.TracerProvider().Tracer(name).Start(ctx, what)
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
