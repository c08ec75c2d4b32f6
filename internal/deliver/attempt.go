package deliver

import (
	"context"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// goneNap is how long an endpoint is left alone after an attempt that is to
// disable it, until that is recorded.
const goneNap = time.Second

// attempt makes one attempt, if it may still be made, and lands. ctx is done when
// the engine gives up what is in flight.
func (e *Engine) attempt(ctx context.Context, f flight, work chan flight) (next flight, ok bool) {
	started := e.clock.Read()
	if !e.mayStart(f) {
		return e.abort(f, unsent(f, started), started, work)
	}
	if f.lease.Message.BodyGone {
		return e.abort(f, expired(f, e.DisableAfter, started), started, work)
	}
	f.lease.AttemptID = hook.NewID(started.now)
	a := e.send(ctx, f.lease)
	ended := e.clock.Read()
	cut := ctx.Err() != nil && a.Outcome.Class != hook.Success && a.Outcome.Status == 0
	if a.Unsent || cut {
		return e.abort(f, unsent(f, ended), ended, work) // that says nothing about the endpoint
	}
	return e.complete(ctx, f, a, started, ended, work)
}

// mayStart reports whether the lease is still good: it is of this life of the node,
// which is known to live, the endpoint was not changed since, and the engine has
// not given up. It is the last step before the send.
func (e *Engine) mayStart(f flight) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.phase < phaseEnding && f.lease.Node == e.node && f.lease.Endpoint.Revision >= f.ep.minRevision && e.fresh()
}

// abort ends a flight without an attempt.
func (e *Engine) abort(f flight, r result, t moment, work chan flight) (next flight, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.land(f, r, t, work)
}

// expired is the result of a flight whose body is gone. It has an attempt
// without an id, for which the store writes no row.
func expired(f flight, disableAfter time.Duration, t moment) result {
	d := f.lease.Tried
	then := hook.Transition{State: hook.Canceled, Reason: hook.ReasonExpired, Step: d.Step}
	if d.State.Final() {
		then.State, then.Reason = d.State, d.Reason // a resend changes nothing
	}
	return result{Settlement: hook.Settlement{Lease: f.lease, Then: then, DisableAfter: disableAfter, Now: t.now}}
}

// send calls Send with the deadline of an attempt. A panic is an outcome like
// another: one message must not take the process down.
func (e *Engine) send(ctx context.Context, l *hook.Lease) (a hook.Attempt) {
	ctx, cancel := context.WithTimeout(ctx, e.AttemptTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			e.Logger.Error("an attempt panicked", idOf("endpoint", hook.KindEndpoint, l.Endpoint.ID),
				idOf("message", hook.KindMessage, l.Message.ID), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
			a = hook.Attempt{URL: l.Endpoint.URL, Outcome: hook.Outcome{
				Class: hook.FailProtocol, Detail: "The server failed while it made this attempt; its log tells more.",
			}}
		}
	}()
	return e.Send(ctx, l)
}

// complete decides what follows from an attempt and hands it to the settlers.
func (e *Engine) complete(ctx context.Context, f flight, a hook.Attempt, started, ended moment, work chan flight) (next flight, ok bool) {
	l := f.lease
	a.ID = l.AttemptID
	a.Message, a.Endpoint, a.Number = l.Message.ID, l.Endpoint.ID, l.Number
	if l.Tried.Manual {
		a.Trigger = hook.TriggerManual
	}
	a.StartedAt = started.now
	a.Timings.Queue = max(0, started.now.Sub(l.Due))
	if a.Timings.Total == 0 {
		a.Timings.Total = ended.mono - started.mono
	}
	then := hook.Next(l.Tried, a.Outcome, e.RetryPolicy, ended.now, e.Rand())
	a.NextDue = then.Due

	e.Observer.Attempt(a.Outcome.Class, a.Trigger, a.Timings)
	if e.Observer.Attempted != nil {
		e.Observer.Attempted(l, a)
	}
	e.logAttempt(ctx, l, &a)
	r := result{
		Settlement: hook.Settlement{Lease: l, Attempt: a, Then: then, DisableAfter: e.DisableAfter, Now: ended.now},
		extra:      int64(len(a.Response) + len(a.RequestHeaders) + len(a.ResponseHeaders)),
	}
	e.mu.Lock()
	opened, closed := e.judge(f, a.Outcome, then, started, ended)
	next, ok = e.land(f, r, ended, work)
	e.mu.Unlock()
	if opened {
		e.logCircuit(l, "open")
	}
	if closed {
		e.logCircuit(l, "closed")
	}
	return next, ok
}

// judge lets the endpoint's pace follow from an outcome, and tells the other nodes
// of it. It reports whether the circuit has opened or closed by it.
func (e *Engine) judge(f flight, o hook.Outcome, then hook.Transition, started, ended moment) (opened, closed bool) {
	ep := f.ep
	ep.answered(o.Class == hook.FailTimeout, ended.mono)
	if o.Class == hook.Success {
		ep.limit.Success(ended.mono-started.mono, ep.full() || ep.waiting.Len() > 0)
		if closed = ep.circuit.Success(); closed {
			e.signal(ep, hook.NotHeld, time.Time{})
		}
		return false, closed
	}
	if o.SlowsEndpoint() {
		ep.limit.Overload(started.mono, ended.mono)
	}
	if opened = ep.circuit.Failure(ended.mono, f.probe); opened {
		ep.limit.Restart()
	}
	if next, open := ep.circuit.Open(); opened || open && f.probe {
		e.signalCircuit(ep, next, ended)
	}
	if until := ended.until(then.HoldUntil); !then.HoldUntil.IsZero() && until > ep.holdUntil {
		ep.holdUntil = until
		e.signal(ep, hook.HeldRateLimit, then.HoldUntil)
	}
	if then.Disable != hook.NotDisabled {
		// The store will say so in a moment; start nothing until then.
		ep.napUntil = max(ep.napUntil, ended.mono+goneNap)
	}
	if opened || max(ep.holdUntil, ep.napUntil) > ended.mono {
		e.flush(ep, ended)
	}
	return opened, false
}
