// Package trace draws the road of one event as spans and sends them to a
// collector over OTLP/HTTP. It is off unless the standard variables of
// OpenTelemetry name a collector, and then costs nothing.
//
//	accept                    the request, until its event is on disk
//	├─ commit                 Store.Accept, shared with other callers
//	├─ claim                  Store.Claim, if the lease was not given at accept
//	├─ attempt (failed)       one request to one endpoint, phases as events
//	│  └─ settle              Store.Settle, that recorded it
//	├─ claim                  seconds or days later, on any node
//	└─ attempt (success)
//	   └─ settle
//
// # Ids
//
// All spans of an event are in one trace, whenever and wherever they are made,
// and nothing is stored for it: the ids follow from ids that are stored anyway.
//
//   - The trace is the last 16 bytes of the message's id: its 15 random bytes
//     and the fraction of a second before them.
//   - The span accept is the last 8 bytes of the message's id, the span attempt
//     those of the attempt's id. Other spans have random ids.
//
// A message keeps its id through retries, resends and recovers, so they are all
// drawn in the same trace.
//
// # Callers
//
// A caller that sends a traceparent (W3C Trace Context) has a trace already, and
// one request of it may publish many events. In the caller's trace there is one
// span more, publish, with a link to each accept; and each accept has a link to
// the caller's span.
//
// # Sampling
//
// The sampler of the environment is asked about accept as the root of the
// trace, by every node and at every step again. Those that the environment can
// name decide by the trace's id, so all come to the same answer as long as their
// settings are the same.
//
// # Time
//
// The package reads no clock: every span is drawn when its step is over, with
// the times that its room measured.
package trace
