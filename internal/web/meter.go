package web

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// One in so many quick answers is timed: a clock costs as much as an answer.
const timedOne = 64

// fastMetrics are of the routes that are answered from memory, which are too
// many and too fast to measure each.
type fastMetrics struct {
	answers *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newFastMetrics(r prometheus.Registerer) *fastMetrics {
	m := &fastMetrics{
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "support_http_fast_answers_total", Help: "Answers of the routes that are served from memory, by whether the fault was ours (failed).",
		}, []string{"route", "answer"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "support_http_fast_seconds", Help: "Time to answer on the routes that are served from memory, of one answer in 64.",
			Buckets: []float64{.00001, .0001, .001, .01, .1, 1},
		}, []string{"route"}),
	}
	r.MustRegister(m.answers, m.seconds)
	return m
}

// of returns the meter of a route.
func (m *fastMetrics) of(route string) *meter {
	if m == nil {
		return nil
	}
	return &meter{
		fine: m.answers.WithLabelValues(route, "fine"), failed: m.answers.WithLabelValues(route, "failed"), seconds: m.seconds.WithLabelValues(route),
	}
}

// A meter measures one route. A nil one measures nothing.
type meter struct {
	came         atomic.Uint64
	fine, failed prometheus.Counter
	seconds      prometheus.Observer
}

// begin returns when an answer began, the zero time if it is not timed.
func (m *meter) begin() (start time.Time) {
	if m != nil && m.came.Add(1)%timedOne == 1 {
		start = time.Now()
	}
	return start
}

func (m *meter) end(start time.Time, status int) {
	switch {
	case m == nil:
		return
	case status >= http.StatusInternalServerError:
		m.failed.Inc()
	default:
		m.fine.Inc()
	}
	if !start.IsZero() {
		m.seconds.Observe(time.Since(start).Seconds())
	}
}
