package deliver

import (
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// Join makes the engine deliver as this node. After another node, or another epoch
// of the same, the leases of the one before are not sent any more: they have gone
// to others. What runs is settled as it ends and will come back as lost.
func (e *Engine) Join(n hook.Node) {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	if n == e.node {
		return
	}
	// A lease that the store gives to the earlier epoch only now is given back
	// like these: it may have had no owner since.
	for _, ep := range e.endpoints {
		e.flush(ep, t)
	}
	e.node, e.earlier = n, e.places.sending+e.places.unsettled
	e.resume()
}

// Hear takes over what a beat brought: how many nodes share the work, what they
// changed and what they found out about endpoints.
func (e *Engine) Hear(p hook.Pulse) {
	for _, c := range p.Changes {
		e.EndpointChanged(c.Endpoint, c.Revision, c.Closed)
	}
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.share(max(1, p.Delivering), t)
	for _, s := range p.Signals {
		e.heed(s, t)
	}
	e.resume()
	e.kick(t)
}

// fresh reports whether the node is known to live, so that its leases are its own.
func (e *Engine) fresh() bool { return e.node != hook.Node{} && e.Fresh() }

// resume wakes the claim loop if it waits for the node to be fresh again.
func (e *Engine) resume() {
	if e.stale {
		e.stale = false
		notify(e.wake)
	}
}

// share divides rates and limits by the number of nodes that deliver.
func (e *Engine) share(nodes int, t moment) {
	if nodes == e.nodes {
		return
	}
	e.nodes = nodes
	for _, a := range e.apps {
		a.throttle.SetRate(a.rate, nodes, t.mono)
	}
	for _, ep := range e.endpoints {
		ep.throttle.SetRate(ep.rate, nodes, t.mono)
		ep.limit.Share(nodes)
		e.put(ep, t)
	}
}

// heed follows what another node found out about an endpoint.
func (e *Engine) heed(s hook.Signal, t moment) {
	until := t.until(s.Until)
	if s.Hold != hook.NotHeld && until <= t.mono {
		return
	}
	ep := e.endpoints[s.Endpoint]
	if ep == nil {
		if s.Hold == hook.NotHeld || e.phase > phaseRunning {
			return
		}
		ep = e.endpoint(s.Endpoint, s.App)
	}
	ep.usedAt = t.mono
	switch s.Hold {
	case hook.HeldCircuit:
		if ep.circuit.Hear(t.mono, until) {
			ep.limit.Restart()
			e.flush(ep, t)
		}
	case hook.HeldRateLimit:
		ep.holdUntil = max(ep.holdUntil, until)
		e.flush(ep, t)
	case hook.NotHeld:
		ep.circuit.Success()
	case hook.HeldThrottle, hook.HeldFull, hook.HeldNoNode: // each node knows by itself
	}
	e.put(ep, t)
}

// signal tells the other nodes about an endpoint.
func (e *Engine) signal(ep *endpoint, why hook.Hold, until time.Time) {
	e.Signal(hook.Signal{Endpoint: ep.id, App: ep.app.id, Hold: why, Until: until})
}

// signalCircuit tells them that the circuit is open and when this node will know more.
func (e *Engine) signalCircuit(ep *endpoint, next time.Duration, t moment) {
	e.signal(ep, hook.HeldCircuit, t.at(next))
}

// tellLost writes the one line about attempts that were not recorded, when no more
// of them can come.
func (e *Engine) tellLost() {
	e.mu.Lock()
	lost := 0
	if e.earlier == 0 {
		lost, e.lost = e.lost, 0
	}
	e.mu.Unlock()
	if lost > 0 {
		e.Logger.Warn("attempts were not recorded: their deliveries had gone to other nodes, which make them again", slog.Int("attempts", lost))
	}
}
