package deliver

import (
	"context"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	// sweepEvery is how often the engine looks through all lanes, unless it is told
	// otherwise. In one process nothing depends on it but the start; it mends what
	// a hint that was lost, or a jump of the clock, left behind. With several nodes
	// it also finds what another one left due.
	sweepEvery = 30 * time.Second
	sweepPage  = 500
)

// sweepLoop looks through all lanes at the start and then at regular times, until ctx is done.
func (e *Engine) sweepLoop(ctx context.Context) error {
	trouble := trouble{engine: e, what: "look through the lanes"}
	for {
		wait := e.Sweep
		if again := trouble.met(e.sweep(ctx)); again > 0 && ctx.Err() == nil {
			wait = again
		}
		e.tidy()
		e.tellLost()
		if !pause(ctx, wait) {
			return nil
		}
	}
}

// sweep learns of every lane with due work.
func (e *Engine) sweep(ctx context.Context) error {
	var after hook.ID
	for {
		lanes, err := e.Store.Lanes(ctx, after, sweepPage)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the engine stops
		}
		if err != nil {
			return err //nolint:wrapcheck // logged by the one caller, which says what it was doing
		}
		e.hintAll(lanes)
		if len(lanes) < sweepPage {
			return nil
		}
		after = lastWhole(lanes)
	}
}

// lastWhole gives the last endpoint of a full page of which both lanes must be
// in it: the page may have been cut between the two of the last one.
func lastWhole(lanes []hook.Lane) hook.ID {
	last := lanes[len(lanes)-1].Endpoint
	for i := len(lanes) - 2; i >= 0; i-- {
		if lanes[i].Endpoint != last {
			return lanes[i].Endpoint
		}
	}
	return last
}

// hintAll notes lanes, except those that are known to be due by then already.
func (e *Engine) hintAll(lanes []hook.Lane) {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range lanes {
		if ep := e.endpoints[l.Endpoint]; ep != nil && ep.closed == hook.ReasonNone {
			if due := ep.lanes[laneOf(l.Retry)].due; !due.IsZero() && !due.After(l.Due) {
				continue
			}
		}
		e.hint(l, t)
	}
	e.kick(t)
}

// tidy lets idle goroutines go, files every endpoint anew and forgets the idle
// ones, a few at a time so that nobody waits long for the lock.
func (e *Engine) tidy() {
	const slice = 500
	e.mu.Lock()
	e.crew.dismiss(false)
	all := make([]*endpoint, 0, len(e.endpoints))
	for _, ep := range e.endpoints {
		all = append(all, ep)
	}
	e.mu.Unlock()
	for len(all) > 0 {
		n := min(slice, len(all))
		e.tidySome(all[:n])
		all = all[n:]
	}
}

func (e *Engine) tidySome(eps []*endpoint) {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ep := range eps {
		if ep.idle(t.mono) {
			e.forget(ep)
		} else {
			e.put(ep, t)
		}
	}
	e.kick(t)
}
