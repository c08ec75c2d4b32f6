package deliver

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// flight is a lease that holds a place.
type flight struct {
	lease *hook.Lease
	ep    *endpoint
	retry bool  // from the retry lane
	probe bool  // of an open circuit
	size  int64 // bytes counted for the body
}

// retries is 1 if the place is one of those that retries hold, else 0.
func (f *flight) retries() int {
	if f.retry {
		return 1
	}
	return 0
}

// dispatch starts a flight, or lets it wait for an attempt of its endpoint to end.
func (e *Engine) dispatch(f flight, t moment) {
	ep := f.ep
	switch {
	case e.phase > phaseRunning || !f.probe && ep.paused(t.mono):
		e.giveBack(f, t)
	case f.probe || !ep.full() && ep.waiting.Len() == 0:
		e.takeOff(f)
	default:
		ep.waiting.Push(f)
		if ep.patience.pos == 0 {
			e.timers.Set(&ep.patience, ep.answeredAt+silentAfter+1)
		}
	}
}

// paused reports whether nothing but probes may go to the endpoint. A lease may come
// then all the same: the pause began while the store was writing it down.
func (ep *endpoint) paused(mono time.Duration) bool {
	_, open := ep.circuit.Open()
	return open || max(ep.holdUntil, ep.napUntil) > mono
}

func (e *Engine) takeOff(f flight) {
	f.ep.sending++
	e.places.sending++
	if !e.crew.call(f) {
		e.launch(f)
	}
}

// fly makes the attempt of a flight and then others, as long as there are any
// for this goroutine.
func (e *Engine) fly(ctx context.Context, f flight) {
	work := make(chan flight, 1)
	for ok := true; ok; {
		var next bool
		if f, next = e.attempt(ctx, f, work); !next {
			f, ok = <-work
		}
	}
}

// land ends a flight that took off and finds work for its goroutine: the next
// flight to the same endpoint, or else what will come on the channel, which is
// closed if nothing will.
func (e *Engine) land(f flight, r result, t moment, work chan flight) (next flight, ok bool) {
	ep := f.ep
	ep.sending--
	e.places.sending--
	e.end(f, r, t)
	if ep.waiting.Len() == 0 || ep.full() {
		if e.phase != phaseRunning || !e.crew.join(work) {
			close(work)
		}
		return flight{}, false
	}
	next = ep.waiting.Pop()
	ep.sending++
	e.places.sending++
	for ep.waiting.Len() > 0 && !ep.full() {
		e.takeOff(ep.waiting.Pop())
	}
	return next, true
}

// end frees the place of a flight and hands its result to the settlers. The
// bytes stay counted until the result is recorded.
func (e *Engine) end(f flight, r result, t moment) {
	if f.probe && r.Attempt.ID.IsZero() {
		f.ep.circuit.Unprobe()
	}
	r.ep, r.bytes = f.ep, f.size
	e.places.release(f.ep, 1, f.retries())
	e.places.hold(f.ep.app, r.extra)
	e.places.unsettled++
	f.ep.unsettled++
	f.ep.usedAt = t.mono
	e.results.Push(r)
	notify(e.settles)
	e.put(f.ep, t)
	e.kick(t)
	if e.phase > phaseRunning && e.places.used == 0 {
		notify(e.emptied)
	}
}

// unsent is the result of a flight whose lease is given back without an attempt.
func unsent(f flight, t moment) result {
	return result{Settlement: hook.Settlement{Lease: f.lease, Now: t.now}, release: true}
}

// giveBack releases the lease of a flight that did not take off.
func (e *Engine) giveBack(f flight, t moment) { e.end(f, unsent(f, t), t) }

// flush gives back the leases that wait for the endpoint: it is not to be sent to now.
func (e *Engine) flush(ep *endpoint, t moment) {
	for ep.waiting.Len() > 0 {
		e.giveBack(ep.waiting.Pop(), t)
	}
}

// losePatience gives back what waits for an endpoint that has stopped answering:
// the places are for others.
func (e *Engine) losePatience(ep *endpoint, t moment) {
	if ep.waiting.Len() == 0 {
		return
	}
	if ep.silent(t.mono) {
		e.flush(ep, t)
		return
	}
	e.timers.Set(&ep.patience, max(ep.answeredAt+silentAfter, t.mono+time.Millisecond)+1)
}

// notify sends without waiting; one signal that is not yet taken is enough.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
