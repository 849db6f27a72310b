package web

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestAnswersFromMemoryAreCounted: rate, errors and time of each route that is
// not measured one by one.
func TestAnswersFromMemoryAreCounted(t *testing.T) {
	t.Parallel()
	h := everything()
	h.Supporters = failing(errors.New("broken"))
	metrics := prometheus.NewRegistry()
	s := New(Options{Handlers: h, PublicURL: self, Ready: func() bool { return true }, Log: slog.New(slog.DiscardHandler), Metrics: metrics})
	for range timedOne + 1 {
		send(s, http.MethodGet, "/v1/ask?article=canary", "")
	}
	send(s, http.MethodGet, "/v1/supporters", "")
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range map[string]float64{
		"support_http_fast_answers_total fine /v1/ask": timedOne + 1, "support_http_fast_answers_total failed /v1/ask": 0,
		"support_http_fast_answers_total failed /v1/supporters": 1, "support_http_fast_seconds /v1/ask": 2,
	} {
		if n, there := got[name]; !there || n != want {
			t.Errorf("%s is %v, want %v", name, n, want)
		}
	}
}
