package trace

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// The names of the spans.
const (
	spanPublish = "publish"
	spanAccept  = "accept"
	spanCommit  = "commit"
	spanClaim   = "claim"
	spanAttempt = "attempt"
	spanSettle  = "settle"
)

// Caller gives a context that knows the span in which the caller sent the
// request, if its header names one.
func (t *Tracer) Caller(ctx context.Context, header http.Header) context.Context {
	if t == nil || header["Traceparent"] == nil {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(header))
}

// Call is one call of Store.Accept.
type Call struct {
	Events       []hook.NewEvent
	Accepted     []hook.Accepted // in the order of Events; nil with Err
	Err          error           // nothing was stored
	Began, Ended time.Time
}

// Accepted draws publish, if the caller has a trace, and accept and commit of each
// event. ctx is the request's, from Caller.
func (t *Tracer) Accepted(ctx context.Context, c Call) {
	if t == nil || len(c.Events) == 0 {
		return
	}
	caller := oteltrace.SpanContextFromContext(ctx)
	links := make([]oteltrace.Link, 0, len(c.Events))
	for i := range c.Events {
		var result hook.Accepted
		if c.Err == nil {
			result = c.Accepted[i]
		}
		if drawn := t.accept(c, &c.Events[i], &result, caller); drawn.IsSampled() {
			links = append(links, oteltrace.Link{SpanContext: drawn})
		}
	}
	if !caller.IsValid() {
		return
	}
	_, span := t.tracer.Start(ctx, spanPublish, oteltrace.WithTimestamp(c.Events[0].CreatedAt), oteltrace.WithLinks(links...),
		oteltrace.WithSpanKind(oteltrace.SpanKindServer), oteltrace.WithAttributes(attribute.Int("grapnel.events", len(c.Events))))
	fail(span, c.Err)
	span.End(oteltrace.WithTimestamp(c.Ended))
}

// accept draws one event and gives the span accept of its trace. A duplicate is
// drawn as one more commit in the trace of the first.
func (t *Tracer) accept(c Call, e *hook.NewEvent, result *hook.Accepted, caller oteltrace.SpanContext) oteltrace.SpanContext {
	err := errors.Join(c.Err, result.Err)
	if result.Duplicate {
		first := t.event(result.Message.ID)
		t.commit(first, c, err, attribute.Bool("grapnel.duplicate", true))
		return first
	}
	options := []oteltrace.SpanStartOption{
		oteltrace.WithNewRoot(), oteltrace.WithTimestamp(e.CreatedAt), oteltrace.WithSpanKind(oteltrace.SpanKindProducer),
	}
	if caller.IsValid() {
		options = append(options, oteltrace.WithLinks(oteltrace.Link{SpanContext: caller}))
	}
	_, span := t.tracer.Start(withIDs(context.Background(), ID(e.ID), SpanID(e.ID)), spanAccept, options...)
	if span.IsRecording() {
		span.SetAttributes(
			of("message", hook.KindMessage, e.ID), of("application", hook.KindApplication, e.App),
			attribute.String("grapnel.event.type", e.EventType), attribute.Int("grapnel.message.bytes", len(e.Body)),
			attribute.Int("grapnel.endpoints", result.Matched), attribute.Int("grapnel.leased", len(result.Leased)),
		)
		t.commit(span.SpanContext(), c, err, attribute.Int("grapnel.events", len(c.Events)))
	}
	fail(span, err)
	span.End(oteltrace.WithTimestamp(c.Ended))
	return span.SpanContext()
}

func (t *Tracer) commit(parent oteltrace.SpanContext, c Call, err error, about attribute.KeyValue) {
	_, span := t.tracer.Start(below(parent), spanCommit, oteltrace.WithTimestamp(c.Began), oteltrace.WithAttributes(about))
	fail(span, err)
	span.End(oteltrace.WithTimestamp(c.Ended))
}

// Claimed draws the claim of each lease that one call of Store.Claim gave.
func (t *Tracer) Claimed(lanes []hook.ClaimedLane, began, ended time.Time) {
	if t == nil {
		return
	}
	for i := range lanes {
		for _, l := range lanes[i].Leases {
			parent := t.event(l.Message.ID)
			if !parent.IsSampled() {
				continue
			}
			_, span := t.tracer.Start(below(parent), spanClaim, oteltrace.WithTimestamp(began), oteltrace.WithAttributes(
				of("endpoint", hook.KindEndpoint, l.Endpoint.ID), attribute.Int("grapnel.attempt.number", l.Number),
				attribute.Bool("grapnel.retry", l.Retry), milliseconds("grapnel.waited_ms", ended.Sub(l.Due)),
			))
			span.End(oteltrace.WithTimestamp(ended))
		}
	}
}

// Attempted draws an attempt when it has ended; a is complete.
func (t *Tracer) Attempted(l *hook.Lease, a hook.Attempt) {
	if t == nil {
		return
	}
	parent := t.event(a.Message)
	if !parent.IsSampled() {
		return
	}
	ended := a.StartedAt.Add(a.Timings.Total)
	_, span := t.tracer.Start(withIDs(below(parent), parent.TraceID(), SpanID(a.ID)), spanAttempt,
		oteltrace.WithTimestamp(a.StartedAt), oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithAttributes(
			of("message", hook.KindMessage, a.Message), of("application", hook.KindApplication, l.Endpoint.App),
			of("endpoint", hook.KindEndpoint, a.Endpoint), of("attempt", hook.KindAttempt, a.ID),
			attribute.Int("grapnel.attempt.number", a.Number), attribute.String("grapnel.attempt.trigger", a.Trigger.String()),
			attribute.String("grapnel.attempt.class", a.Outcome.Class.String()), attribute.Bool("grapnel.leased_at_accept", l.AtAccept),
			milliseconds("grapnel.queue_ms", a.Timings.Queue), attribute.String("http.request.method", http.MethodPost),
			attribute.String("server.address", hostOf(a.URL)),
		))
	if a.Outcome.Status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", a.Outcome.Status))
	}
	phases(span, a.Timings, a.StartedAt, ended)
	if a.Outcome.Class != hook.Success {
		span.SetAttributes(attribute.String("error.type", a.Outcome.Class.String()))
		span.SetStatus(codes.Error, a.Outcome.Detail)
	}
	span.End(oteltrace.WithTimestamp(ended))
}

// phases marks the ends of the phases that happened. Those of the connection
// follow each other from the start, those of the answer end with the attempt.
func phases(span oteltrace.Span, t hook.Timings, started, ended time.Time) {
	mark := func(name string, took time.Duration, at time.Time) {
		if took > 0 {
			span.AddEvent(name, oteltrace.WithTimestamp(at), oteltrace.WithAttributes(milliseconds("grapnel.phase_ms", took)))
		}
	}
	mark("dns", t.DNS, started.Add(t.DNS))
	mark("connect", t.Connect, started.Add(t.DNS+t.Connect))
	mark("tls", t.TLS, started.Add(t.DNS+t.Connect+t.TLS))
	mark("first_byte", t.FirstByte, ended.Add(-t.Body))
	mark("body", t.Body, ended)
}

// Settled draws how each attempt of one call of Store.Settle was recorded. What
// ended without an attempt is not drawn.
func (t *Tracer) Settled(settlements []hook.Settlement, results []hook.Settled, began, ended time.Time) {
	if t == nil {
		return
	}
	for i := range settlements {
		s, result := &settlements[i], &results[i]
		if s.Attempt.ID.IsZero() {
			continue
		}
		event := t.event(s.Attempt.Message)
		if !event.IsSampled() {
			continue
		}
		_, span := t.tracer.Start(below(event.WithSpanID(SpanID(s.Attempt.ID))), spanSettle, oteltrace.WithTimestamp(began),
			oteltrace.WithAttributes(attribute.Bool("grapnel.lost", result.Lost)))
		if result.Lost {
			span.SetStatus(codes.Error, "The lease was no longer this node's; nothing was recorded.")
		} else {
			span.SetAttributes(
				attribute.String("grapnel.delivery.state", s.Then.State.String()),
				attribute.String("grapnel.delivery.reason", s.Then.Reason.String()),
			)
			if !result.Due.IsZero() {
				span.SetAttributes(milliseconds("grapnel.next_in_ms", result.Due.Sub(s.Now)))
			}
			if result.Disabled != hook.NotDisabled {
				span.SetAttributes(attribute.String("grapnel.endpoint.disabled", result.Disabled.String()))
			}
		}
		span.End(oteltrace.WithTimestamp(ended))
	}
}

// fail marks a span as failed with the code of the error: its text may hold
// internals.
func fail(span oteltrace.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	code := hook.CodeInternal
	var known *hook.Error
	if errors.As(err, &known) {
		code = known.Code
	}
	span.SetAttributes(attribute.String("error.type", string(code)))
	span.SetStatus(codes.Error, string(code))
}

func of(what string, kind hook.Kind, id hook.ID) attribute.KeyValue {
	return attribute.String("grapnel."+what+".id", kind.Format(id))
}

func milliseconds(name string, d time.Duration) attribute.KeyValue {
	return attribute.Float64(name, float64(d.Microseconds())/1000)
}

// hostOf is all of a URL that a trace shows: the rest may hold a secret.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
