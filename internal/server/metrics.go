package server

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/ingest"
	"github.com/grapnelhq/grapnel/internal/store"
)

// metrics are what /metrics shows, in a registry of their own. Labels are
// closed sets; no metric carries an id.
type metrics struct {
	registry *prometheus.Registry

	events         *prometheus.CounterVec // by result
	acceptSeconds  prometheus.Histogram
	requests       *prometheus.CounterVec // by result
	ingestSeconds  prometheus.Histogram
	unrecorded     prometheus.Counter
	attempts       [][2]prometheus.Counter // by class and trigger, looked up once
	attemptSeconds [2]prometheus.Observer  // failed, succeeded
	phaseSeconds   [6]prometheus.Observer  // in the order of phases
	inFlight       atomic.Int64
	commitOps      prometheus.Histogram
	commitSeconds  prometheus.Histogram
	commitErrors   prometheus.Counter
	claims         [2]prometheus.Counter // that gave nothing, that gave leases
	claimed        prometheus.Counter
	claimSeconds   prometheus.Histogram
	settleSeconds  prometheus.Histogram
	lost           prometheus.Counter
	disabled       *prometheus.CounterVec // by reason
	expired        *prometheus.CounterVec // by kind
}

// phases are the parts of an attempt's time, as label values.
var phases = [6]string{"queue", "dns", "connect", "tls", "first_byte", "body"}

// seconds are the bounds of histograms: from 0.1 ms to a minute.
var seconds = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

func newMetrics(version string) *metrics {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.gauge("grapnel_build_info", "What runs; the value is always 1.",
		prometheus.Labels{"version": version, "go": runtime.Version()}, func() float64 { return 1 })
	m.gauge("grapnel_attempts_in_flight", "Attempts that are being made now, each with a lease.", nil,
		func() float64 { return float64(m.inFlight.Load()) })

	m.events = m.counters("grapnel_events_total", "Published events by what came of them.", "result")
	for _, result := range []string{"accepted", "duplicate", "refused", "failed"} {
		m.events.WithLabelValues(result)
	}
	m.acceptSeconds = m.histogram("grapnel_accept_seconds", "Time to store a publish with its deliveries, commit included.", seconds)

	m.requests = m.counters("grapnel_ingest_requests_total", "Requests to ingest URLs by what came of them.", "result")
	for _, result := range ingest.Results {
		m.requests.WithLabelValues(result)
	}
	m.ingestSeconds = m.histogram("grapnel_ingest_seconds", "Time from a request to an ingest URL to its answer, the reading of its body and the commit included.", seconds)
	m.unrecorded = m.counter("grapnel_ingest_unrecorded_total", "Refused and repeated requests that the request log had no room for.")

	attempts := m.counters("grapnel_attempts_total", "Attempts by outcome and by what started them.", "outcome", "trigger")
	m.attempts = make([][2]prometheus.Counter, len(hook.Classes))
	for _, class := range hook.Classes {
		for _, trigger := range []hook.Trigger{hook.TriggerScheduled, hook.TriggerManual} {
			m.attempts[class][trigger] = attempts.WithLabelValues(class.String(), trigger.String())
		}
	}
	attemptSeconds := m.histograms("grapnel_attempt_seconds", "Time of an attempt, from its start to its end.", "success")
	m.attemptSeconds = [2]prometheus.Observer{attemptSeconds.WithLabelValues("false"), attemptSeconds.WithLabelValues("true")}
	phaseSeconds := m.histograms("grapnel_attempt_phase_seconds", "Time of the phases of attempts; queue is from being due to the start. A phase that did not happen is not counted.", "phase")
	for i, phase := range phases {
		m.phaseSeconds[i] = phaseSeconds.WithLabelValues(phase)
	}

	m.commitOps = m.histogram("grapnel_commit_operations", "Operations that shared one commit.", prometheus.ExponentialBuckets(1, 2, 12))
	m.commitSeconds = m.histogram("grapnel_commit_seconds", "Time of a commit, until it is on disk.", seconds)
	m.commitErrors = m.counter("grapnel_commit_errors_total", "Commits that failed; nothing of them was accepted.")
	claims := m.counters("grapnel_claims_total", "Claims by what they gave: leases, or nothing although work was believed to be due.", "result")
	m.claims = [2]prometheus.Counter{claims.WithLabelValues("empty"), claims.WithLabelValues("leased")}
	m.claimed = m.counter("grapnel_claimed_total", "Deliveries that were leased out of the queue.")
	m.claimSeconds = m.histogram("grapnel_claim_seconds", "Time of a claim.", seconds)
	m.settleSeconds = m.histogram("grapnel_settle_seconds", "Time to record a batch of attempts.", seconds)
	m.lost = m.counter("grapnel_attempts_lost_total", "Attempts not recorded because the lease had gone to another node.")
	m.disabled = m.counters("grapnel_endpoints_disabled_total", "Endpoints disabled by their answers.", "reason")
	for _, reason := range []hook.DisableReason{hook.DisabledByGone, hook.DisabledByFailing} {
		m.disabled.WithLabelValues(reason.String())
	}
	m.expired = m.counters("grapnel_expired_total", "What retention removed.", "kind")
	m.removed(hook.Expired{}) // so that each kind is there from the beginning
	return m
}

func (m *metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *metrics) histogram(name, help string, bounds []float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds})
	m.registry.MustRegister(h)
	return h
}

func (m *metrics) histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: seconds}, labels)
	m.registry.MustRegister(h)
	return h
}

func (m *metrics) gauge(name, help string, labels prometheus.Labels, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: labels}, read))
}

// published counts events; it fits api.Deps.
func (m *metrics) published(result string, events int) {
	m.events.WithLabelValues(result).Add(float64(events))
}

// received counts a request to an ingest URL; it fits ingest.Deps.
func (m *metrics) received(result string, took time.Duration) {
	m.requests.WithLabelValues(result).Inc()
	m.ingestSeconds.Observe(took.Seconds())
}

// commit fits store.Options.
func (m *metrics) commit(c store.Commit) {
	if c.Err != nil {
		m.commitErrors.Inc()
		return
	}
	m.commitOps.Observe(float64(c.Operations))
	m.commitSeconds.Observe(c.Took.Seconds())
}

// counting counts the attempts that are under way.
func (m *metrics) counting(send deliver.SendFunc) deliver.SendFunc {
	return func(ctx context.Context, l *hook.Lease) hook.Attempt {
		m.inFlight.Add(1)
		defer m.inFlight.Add(-1)
		return send(ctx, l)
	}
}

// observer fits deliver.Options.
func (m *metrics) observer() deliver.Observer {
	return deliver.Observer{
		Attempt: m.attempt,
		Claim: func(leases int, took time.Duration) {
			m.claims[min(leases, 1)].Inc()
			m.claimed.Add(float64(leases))
			m.claimSeconds.Observe(took.Seconds())
		},
		Settle:   func(_ int, took time.Duration) { m.settleSeconds.Observe(took.Seconds()) },
		Lost:     func(attempts int) { m.lost.Add(float64(attempts)) },
		Disabled: func(reason hook.DisableReason) { m.disabled.WithLabelValues(reason.String()).Inc() },
	}
}

func (m *metrics) attempt(class hook.Class, trigger hook.Trigger, t hook.Timings) {
	m.attempts[class][trigger].Inc()
	success := 0
	if class == hook.Success {
		success = 1
	}
	m.attemptSeconds[success].Observe(t.Total.Seconds())
	m.phaseSeconds[0].Observe(t.Queue.Seconds())
	for i, d := range [...]time.Duration{t.DNS, t.Connect, t.TLS, t.FirstByte, t.Body} {
		if d > 0 {
			m.phaseSeconds[i+1].Observe(d.Seconds())
		}
	}
}

// removed fits upkeep.Retention.
func (m *metrics) removed(e hook.Expired) {
	for kind, n := range map[string]int{
		"message": e.Messages, "payload": e.Payloads, "attempt": e.Attempts, "idempotency_key": e.Keys, "unsent_delivery": e.Unsent, "request": e.Requests,
	} {
		m.expired.WithLabelValues(kind).Add(float64(n))
	}
}
