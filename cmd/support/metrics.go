package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/united24media/support/internal/counts"
	"github.com/united24media/support/internal/ledger"
	"github.com/united24media/support/internal/store"
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

// measureDrift tells how many of the public counts are not as the database has
// them. It asks when metrics are read.
func measureDrift(r prometheus.Registerer, c *counts.Counts, db *store.Store) {
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "support_counts_drift", Help: "Public counts that are not as the database has them; -1 while it does not answer.",
	}, func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), collectTime)
		defer cancel()
		rows, err := db.ScopesSince(ctx, 0)
		if err != nil {
			return -1
		}
		return float64(c.Drift(rows))
	}))
}

// measureLedger returns what takes the ledger's transactions over into metrics.
func measureLedger(r prometheus.Registerer) (tell func(ledger.Commit)) {
	size := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "support_ledger_batch_size", Help: "Deliveries and answers recorded in one transaction.", Buckets: []float64{1, 2, 4, 8, 16, 32, 64},
	})
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "support_ledger_commit_seconds", Help: "Time of one of the ledger's transactions, by whether it was committed.",
		Buckets: []float64{.002, .005, .01, .02, .05, .1, .5, 2, 10},
	}, []string{"committed"})
	lag := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "support_webhook_lag_seconds", Help: "Time from when Stripe made an event until it was recorded here.",
		Buckets: []float64{.5, 1, 2, 5, 15, 60, 300, 3600, 86400},
	})
	r.MustRegister(size, took, lag)
	done, failed := took.WithLabelValues("yes"), took.WithLabelValues("no")
	return func(c ledger.Commit) {
		if c.Err != nil {
			failed.Observe(c.Took.Seconds())
			return
		}
		size.Observe(float64(c.Requests))
		done.Observe(c.Took.Seconds())
		for _, late := range c.Lags {
			lag.Observe(max(late.Seconds(), 0))
		}
	}
}

// measureContradictions tells how often Stripe contradicted itself.
func measureContradictions(r prometheus.Registerer, book *ledger.Ledger) {
	r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "support_contradictions_total", Help: "Times that Stripe set a field anew that it sets once, such as a charge's PaymentIntent.",
	}, func() float64 { return float64(book.Contradictions()) }))
}

// An outbox tells what is in the outbox, asked of the database when metrics are
// read.
type outbox struct {
	store          *store.Store
	now            func() time.Time
	mails, waiting *prometheus.Desc
}

// measureMail tells how many mails wait or were refused, and how long the
// oldest has been waiting.
func measureMail(r prometheus.Registerer, db *store.Store, now func() time.Time) {
	r.MustRegister(&outbox{
		db, now,
		prometheus.NewDesc("support_mails", "Mails that wait to be sent (queued) and that no server takes (refused).", []string{"state"}, nil),
		prometheus.NewDesc("support_mail_waiting_seconds", "How long the oldest mail that is due has been waiting; 0 if none is.", nil, nil),
	})
}

// Describe implements [prometheus.Collector].
func (o *outbox) Describe(to chan<- *prometheus.Desc) { to <- o.mails; to <- o.waiting }

// Collect implements [prometheus.Collector]. While the database does not
// answer nothing is told, which an alarm on absence shows.
func (o *outbox) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), collectTime)
	defer cancel()
	open, err := o.store.OpenMail(ctx)
	if err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(o.mails, prometheus.GaugeValue, float64(open.Queued), store.MailQueued)
	to <- prometheus.MustNewConstMetric(o.mails, prometheus.GaugeValue, float64(open.Refused), store.MailRefused)
	waiting := 0.0
	if !open.Oldest.IsZero() {
		waiting = max(o.now().Sub(open.Oldest).Seconds(), 0)
	}
	to <- prometheus.MustNewConstMetric(o.waiting, prometheus.GaugeValue, waiting)
}

// collectTime is how long a reading of metrics waits for the database.
const collectTime = 2 * time.Second
