package trace

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// scope names what makes the spans.
const scope = "github.com/grapnelhq/grapnel"

// lastWords is how long Stop waits for the collector.
const lastWords = 2 * time.Second

// Options say whose spans they are.
type Options struct {
	Version string // of the server
	Node    string // its name among the nodes
	Log     *slog.Logger
}

// Tracer makes spans. A nil *Tracer is one that is off: its methods do nothing
// and allocate nothing. Methods may be called from many goroutines and never
// wait for the collector, Stop apart.
type Tracer struct {
	tracer   oteltrace.Tracer
	provider *sdktrace.TracerProvider
	exporter *exporter
	counts   *counts
	log      *slog.Logger
}

// New makes the tracer that the environment asks for; nil if it asks for none.
// What is wrong with the environment is logged and does not keep the server from
// starting. The collector is not called before there are spans.
func New(ctx context.Context, o Options) *Tracer {
	on, problem := asked()
	if problem != "" {
		o.Log.WarnContext(ctx, "no traces are exported: "+problem)
	}
	if !on {
		return nil
	}
	adoptErrors(o.Log)
	client, err := otlptracehttp.New(ctx)
	if err != nil {
		o.Log.WarnContext(ctx, "no traces are exported", "error", cleaned(err))
		return nil
	}
	// The environment comes last: what it says wins.
	who, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "grapnel"),
		attribute.String("service.version", o.Version),
		attribute.String("service.instance.id", o.Node),
	), resource.WithFromEnv())
	if err != nil {
		o.Log.WarnContext(ctx, "a part of OTEL_RESOURCE_ATTRIBUTES cannot be used", "error", cleaned(err))
	}
	counts := &counts{}
	out := &exporter{SpanExporter: client, counts: counts, log: o.Log}
	room := queueRoom()
	queue := sdktrace.NewBatchSpanProcessor(out, sdktrace.WithMaxQueueSize(room))
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(who), sdktrace.WithIDGenerator(generator{}),
		sdktrace.WithSpanProcessor(&gate{SpanProcessor: queue, counts: counts, room: int64(room), log: o.Log}),
	)
	o.Log.InfoContext(ctx, "traces are exported", "queue", room)
	return &Tracer{
		tracer: provider.Tracer(scope, oteltrace.WithInstrumentationVersion(o.Version)), provider: provider,
		exporter: out, counts: counts, log: o.Log,
	}
}

// Stop exports what is waiting, for at most two seconds. Spans that come later
// are dropped.
func (t *Tracer) Stop(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastWords)
	defer cancel()
	err := t.provider.Shutdown(ctx)
	if err == nil {
		return
	}
	// Cuts off the export that is under way; what is left fails at once then.
	if cut := t.exporter.Shutdown(ctx); cut != nil {
		err = fmt.Errorf("%w; %w", err, cut)
	}
	t.log.WarnContext(ctx, "the last spans were not exported", "spans", t.counts.waiting.Load(), "error", cleaned(err))
}

// Counts gives what has become of spans so far. Failed are those of exports that
// the collector refused, the whole or a part, or did not answer; dropped are those
// for which the queue had no room.
func (t *Tracer) Counts() (exported, failed, dropped int64) {
	if t == nil {
		return 0, 0, 0
	}
	return t.counts.exported.Load(), t.counts.failed.Load(), t.counts.dropped.Load()
}

// event gives the span accept of a message, for others to be children of, with
// the sampler's decision. It begins a span of the same ids as the one that is
// drawn at accept, for that asks the sampler, and never ends it: only spans that
// end are exported.
func (t *Tracer) event(message hook.ID) oteltrace.SpanContext {
	ctx := withIDs(context.Background(), ID(message), SpanID(message))
	_, span := t.tracer.Start(ctx, spanAccept, oteltrace.WithNewRoot())
	return span.SpanContext()
}

// below gives a context in which a span is a child of the parent.
func below(parent oteltrace.SpanContext) context.Context {
	return oteltrace.ContextWithSpanContext(context.Background(), parent)
}
