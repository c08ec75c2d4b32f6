package server

import (
	"context"
	"net/http"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/grapnelhq/grapnel/internal/deliver"
	"github.com/grapnelhq/grapnel/internal/hook"
	"github.com/grapnelhq/grapnel/internal/trace"
)

// watchEngine adds what the engine knows of itself.
func (m *metrics) watchEngine(s *Server) {
	stats := &looked[deliver.Stats]{elapsed: s.elapsed, read: func(context.Context) (deliver.Stats, error) { return s.engine.Stats(), nil }}
	for _, why := range []hook.Hold{hook.HeldCircuit, hook.HeldThrottle, hook.HeldFull, hook.HeldRateLimit} {
		m.gauge("grapnel_endpoints_held", "Endpoints whose due deliveries wait, by reason, as far as this node knows.",
			prometheus.Labels{"reason": why.String()}, func() float64 { return float64(stats.get().Held[why]) })
	}
	m.gauge("grapnel_attempts_unsettled", "Attempts that have ended and are not recorded yet.", nil,
		func() float64 { return float64(stats.get().Unsettled) })
	m.gauge("grapnel_delivery_memory_bytes", "Bodies in flight and answers not recorded yet; --delivery-memory bounds it.", nil,
		func() float64 { return float64(stats.get().Bytes) })
}

// watchDisk adds the room on the disk that holds the file of the database.
func (m *metrics) watchDisk(path string) {
	if path == "" {
		return
	}
	folder := filepath.Dir(path)
	if _, _, ok := diskSpace(folder); !ok {
		return // not told on this system
	}
	m.gauge("grapnel_disk_bytes", "Size of the disk that holds the database.", nil, func() float64 {
		size, _, _ := diskSpace(folder)
		return size
	})
	m.gauge("grapnel_disk_free_bytes", "What is left of it for this process.", nil, func() float64 {
		_, free, _ := diskSpace(folder)
		return free
	})
}

// watchTraces adds what has become of spans.
func (m *metrics) watchTraces(t *trace.Tracer) {
	spans := func(result string, read func() int64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "grapnel_trace_spans_total", ConstLabels: prometheus.Labels{"result": result},
			Help: "Spans by what became of them: exported, failed (the collector refused or did not answer), dropped (no room to wait).",
		}, func() float64 { return float64(read()) }))
	}
	spans("exported", func() int64 { n, _, _ := t.Counts(); return n })
	spans("failed", func() int64 { _, n, _ := t.Counts(); return n })
	spans("dropped", func() int64 { _, _, n := t.Counts(); return n })
}

// traced adds the steps of deliveries to what the engine's observer is told, if
// traces are exported.
func (s *Server) traced(o deliver.Observer) deliver.Observer {
	if s.traces != nil {
		o.Claimed, o.Attempted, o.Settled = s.traces.Claimed, s.traces.Attempted, s.traces.Settled
	}
	return o
}

// traceAccept draws the events of one request. took is the time of the store.
func (s *Server) traceAccept(ctx context.Context, events []hook.NewEvent, accepted []hook.Accepted, err error, took time.Duration) {
	if s.traces == nil {
		return
	}
	ended := s.now()
	s.traces.Accepted(ctx, trace.Call{Events: events, Accepted: accepted, Err: err, Began: ended.Add(-took), Ended: ended})
}

// withCaller lets the request's context know the span that its header names.
func (s *Server) withCaller(r *http.Request) *http.Request {
	if ctx := s.traces.Caller(r.Context(), r.Header); ctx != r.Context() {
		return r.WithContext(ctx)
	}
	return r
}

// traceparent gives what the sender sends on; nil if it is not asked to.
func (s *Server) traceparent() func([]byte, *hook.Lease) []byte {
	if !s.cfg.SendTraceparent {
		return nil
	}
	return s.traces.AppendParent
}
