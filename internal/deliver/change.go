package deliver

import (
	"context"
	"log/slog"
	"math"

	"github.com/grapnelhq/grapnel/internal/hook"
)

// cancelMost is how many deliveries one call of CancelLane cancels.
const cancelMost = 500

// EndpointChanged says that a change of an endpoint was committed and made it
// this revision. From its return on no attempt starts with an older snapshot:
// such leases are given back and claimed again. closed says that the endpoint
// takes nothing any more (ReasonEndpointDisabled or ReasonEndpointDeleted, for
// which the revision does not matter): what waits for it is canceled in the
// background. A change that opens a closed endpoint forgets its circuit and its
// hold; any other lets a probe go at once.
func (e *Engine) EndpointChanged(id hook.ID, revision int64, closed hook.Reason) {
	if closed == hook.ReasonEndpointDeleted {
		revision = math.MaxInt64
	}
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	ep := e.endpoints[id]
	if ep != nil {
		if revision < ep.minRevision || revision == ep.minRevision && closed == ep.closed {
			return // told before, or overtaken by a later change
		}
		ep.minRevision = revision
		ep.usedAt = t.mono
		e.flush(ep, t)
	}
	if closed != hook.ReasonNone {
		e.close(id, closed, t)
		return
	}
	delete(e.closing, id)
	if ep == nil {
		return
	}
	ep.known = false
	if ep.closed != hook.ReasonNone {
		ep.closed, ep.circuit, ep.limit = hook.ReasonNone, circuit{}, newLimit(e.nodes)
		ep.holdUntil, ep.napUntil = 0, 0
	}
	ep.circuit.Hurry(t.mono)
	e.put(ep, t)
	e.kick(t)
}

// close stops claims for the endpoint and lets the cancel loop work off its lanes.
func (e *Engine) close(id hook.ID, why hook.Reason, t moment) {
	if e.phase > phaseRunning {
		return
	}
	if ep := e.endpoints[id]; ep != nil {
		ep.closed = why
		e.flush(ep, t)
		e.timers.Remove(&ep.timer)
	}
	e.closing[id] = why
	e.cancelAgain = e.cancelAgain || id == e.canceling
	notify(e.cancels)
}

// cancelLoop cancels what waits for closed endpoints, a slice at a time, until
// ctx is done. What is left then is found closed by the first claim after the start.
func (e *Engine) cancelLoop(ctx context.Context) error {
	trouble := trouble{engine: e, what: "cancel"}
	for {
		id, why, ok := e.nextClosing()
		if !ok {
			select {
			case <-ctx.Done():
				return nil
			case <-e.cancels:
				continue
			}
		}
		n, err := e.Store.CancelLane(ctx, id, why, e.clock.Read().now, cancelMost)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the engine stops
		}
		if wait := trouble.met(err); wait > 0 {
			pause(ctx, wait)
			continue
		}
		if n > 0 {
			e.watchers.signalAll()
			e.Logger.Info("deliveries canceled", idOf("endpoint", hook.KindEndpoint, id),
				slog.String("reason", why.String()), slog.Int("deliveries", n))
			continue
		}
		e.endClosing(id, why)
	}
}

func (e *Engine) nextClosing() (hook.ID, hook.Reason, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, why := range e.closing {
		e.canceling, e.cancelAgain = id, false
		return id, why, true
	}
	return hook.ID{}, hook.ReasonNone, false
}

// endClosing notes that nothing is left in the lanes, so far as is known: what was
// given back while the store was being asked may not have been seen.
func (e *Engine) endClosing(id hook.ID, why hook.Reason) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closing[id] == why && !e.cancelAgain {
		delete(e.closing, id)
	}
}
