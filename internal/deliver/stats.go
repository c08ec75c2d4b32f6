package deliver

import (
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Stats are figures of the moment, for gauges.
type Stats struct {
	Sending   int   // attempts that run
	Leased    int   // places held: attempts that run, leases that wait for one to end, claims under way
	Bytes     int64 // of bodies in flight and answers not yet recorded
	Unsettled int   // attempts that have ended and are not recorded
	Endpoints int   // endpoints that the engine knows of
	// Held counts endpoints with due deliveries that wait, by reason.
	Held map[hook.Hold]int
}

// Stats gives the figures of the moment. It takes some time per known endpoint.
func (e *Engine) Stats() Stats {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Stats{
		Sending: e.places.sending, Leased: e.places.used, Bytes: e.places.bytes, Unsettled: e.places.unsettled,
		Endpoints: len(e.endpoints), Held: map[hook.Hold]int{},
	}
	for _, ep := range e.endpoints {
		if !ep.lanes[firstLane].dueBy(t.now) && !ep.lanes[retryLane].dueBy(t.now) {
			continue
		}
		if why, _ := ep.hold(&e.places, t.mono); why != hook.NotHeld {
			s.Held[why]++
		}
	}
	return s
}

// Hold says why due deliveries of an endpoint wait, as far as this engine
// knows, and until when.
func (e *Engine) Hold(id hook.ID) hook.HoldState {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != phaseRunning {
		return hook.HoldState{Hold: hook.HeldNoNode}
	}
	ep := e.endpoints[id]
	if ep == nil {
		return hook.HoldState{}
	}
	why, until := ep.hold(&e.places, t.mono)
	s := hook.HoldState{Hold: why}
	if until > 0 {
		s.Until = t.at(until)
	}
	return s
}

// hold says why no attempt would start now, and until when on the monotonic
// clock; 0: until something happens.
func (ep *endpoint) hold(p *places, mono time.Duration) (hook.Hold, time.Duration) {
	if ep.closed != hook.ReasonNone {
		return hook.NotHeld, 0
	}
	if next, open := ep.circuit.Open(); open {
		return hook.HeldCircuit, next
	}
	if ep.holdUntil > mono {
		return hook.HeldRateLimit, ep.holdUntil
	}
	if at := max(ep.throttle.ReadyAt(mono), ep.app.throttle.ReadyAt(mono)); at > mono {
		return hook.HeldThrottle, at
	}
	if ep.full() || ep.room(p.scarce(), mono) == 0 || p.freeFor(ep.app) == 0 || p.stuffed() {
		return hook.HeldFull, 0
	}
	return hook.NotHeld, 0
}
