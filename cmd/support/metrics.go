package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/united24media/support/internal/counts"
)

// newMetrics returns a registry of its own, with what Go and the system tell
// about the process.
func newMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// measureCounts tells how true the public counts are.
func measureCounts(r prometheus.Registerer, c *counts.Counts, now func() time.Time) {
	gauge := func(name, help string, value func(counts.Stats) float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value(c.Stats()) }))
	}
	counter := func(name, help string, value func(counts.Stats) uint64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value(c.Stats())) }))
	}
	gauge("support_counts_age_seconds", "Time since the public counts were last certainly the newest; -1 before the first time.", func(s counts.Stats) float64 {
		if s.AsOf.IsZero() {
			return -1
		}
		return now().Sub(s.AsOf).Seconds()
	})
	gauge("support_counts_scopes", "Scopes that hold a supporter or a member.", func(s counts.Stats) float64 { return float64(s.Scopes) })
	counter("support_counts_queries_total", "Questions of the counts to the database.", func(s counts.Stats) uint64 { return s.Queries })
	counter("support_counts_database_errors_total", "Questions of the counts that the database did not answer.", func(s counts.Stats) uint64 { return s.DatabaseErrors })
	counter("support_counts_redis_errors_total", "Calls to Redis that failed.", func(s counts.Stats) uint64 { return s.RedisErrors })
	counter("support_counts_bells_total", "Changes that other processes told of.", func(s counts.Stats) uint64 { return s.Bells })
}
