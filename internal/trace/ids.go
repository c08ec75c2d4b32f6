package trace

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"

	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// ID is the trace of a message: the last 16 bytes of its id.
func ID(message hook.ID) oteltrace.TraceID {
	id := oteltrace.TraceID(message[len(message)-len(oteltrace.TraceID{}):])
	if !id.IsValid() {
		id[len(id)-1] = 1 // of 2^128 ids one is none
	}
	return id
}

// SpanID is the span accept of a message's id and the span attempt of an
// attempt's id: the last 8 bytes.
func SpanID(id hook.ID) oteltrace.SpanID {
	span := oteltrace.SpanID(id[len(id)-len(oteltrace.SpanID{}):])
	if !span.IsValid() {
		span[len(span)-1] = 1
	}
	return span
}

// AppendParent appends the traceparent with which an attempt is sent (W3C Trace
// Context, section 3.2): version 00, the event's trace, the span of the attempt,
// and whether it is recorded, which nothing is while tracing is off.
func (t *Tracer) AppendParent(dst []byte, l *hook.Lease) []byte {
	trace, span := ID(l.Message.ID), SpanID(l.AttemptID)
	dst = append(dst, "00-"...)
	dst = hex.AppendEncode(dst, trace[:])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, span[:])
	if t != nil && t.event(l.Message.ID).IsSampled() {
		return append(dst, "-01"...)
	}
	return append(dst, "-00"...)
}

// wantedKey is the key under which a context tells the generator which ids a
// span gets: the SDK offers no other way to name them.
type wantedKey struct{}

type wanted struct {
	trace oteltrace.TraceID
	span  oteltrace.SpanID
}

// withIDs gives the next span that is started with the context these ids.
func withIDs(ctx context.Context, trace oteltrace.TraceID, span oteltrace.SpanID) context.Context {
	return context.WithValue(ctx, wantedKey{}, wanted{trace, span})
}

// generator gives spans the ids that are wanted, else random ones.
type generator struct{}

// NewIDs implements sdktrace.IDGenerator.
func (generator) NewIDs(ctx context.Context) (oteltrace.TraceID, oteltrace.SpanID) {
	if w, ok := ctx.Value(wantedKey{}).(wanted); ok {
		return w.trace, w.span
	}
	var trace oteltrace.TraceID
	binary.BigEndian.PutUint64(trace[:8], rand.Uint64())
	binary.BigEndian.PutUint64(trace[8:], rand.Uint64()|1)
	return trace, randomSpan()
}

// NewSpanID implements sdktrace.IDGenerator.
func (generator) NewSpanID(ctx context.Context, _ oteltrace.TraceID) oteltrace.SpanID {
	if w, ok := ctx.Value(wantedKey{}).(wanted); ok {
		return w.span
	}
	return randomSpan()
}

func randomSpan() (span oteltrace.SpanID) {
	for !span.IsValid() {
		binary.BigEndian.PutUint64(span[:], rand.Uint64())
	}
	return span
}
