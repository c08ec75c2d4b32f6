package trace

import (
	"context"
	"log/slog"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// counts are what has become of spans.
type counts struct {
	waiting, exported, failed, dropped atomic.Int64
}

// gate stands before the SDK's queue and lets in no more than it has room for:
// the queue would drop the rest too, but tell nobody how many.
type gate struct {
	sdktrace.SpanProcessor
	counts *counts
	room   int64
	log    *slog.Logger
}

// OnEnd implements sdktrace.SpanProcessor.
func (g *gate) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	if g.counts.waiting.Add(1) <= g.room {
		g.SpanProcessor.OnEnd(span)
		return
	}
	g.counts.waiting.Add(-1)
	if g.counts.dropped.Add(1) == 1 {
		g.log.Warn("spans are dropped: the collector takes them more slowly than they come; grapnel_trace_spans_total counts them", "queue", g.room)
	}
}

// exporter counts what goes out and tells once when it begins to fail, and once
// when it works again.
type exporter struct {
	sdktrace.SpanExporter
	counts  *counts
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans implements sdktrace.SpanExporter. It returns no error, for it has
// told it.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	e.counts.waiting.Add(-int64(len(spans)))
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		e.counts.failed.Add(int64(len(spans)))
		if !e.failing.Swap(true) {
			e.log.WarnContext(ctx, "spans cannot be exported; their events are not held up by it", "spans", len(spans), "error", cleaned(err))
		}
		return nil
	}
	e.counts.exported.Add(int64(len(spans)))
	if e.failing.Swap(false) {
		e.log.InfoContext(ctx, "spans are exported again", "failed", e.counts.failed.Load())
	}
	return nil
}
