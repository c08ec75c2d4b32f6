package deliver

import (
	"context"
	"log/slog"
	"time"

	"github.com/grapnelhq/grapnel/internal/hook"
)

const (
	claimMost  = 512 // deliveries asked for in one claim
	claimLanes = 512 // lanes asked in one claim

	// longSleep is how long the claim loop sleeps when it waits for an event.
	longSleep = time.Hour
	// rest is the pause after a look at ready endpoints that found no place for them.
	rest = 5 * time.Millisecond
	// nap is how long lanes that were believed due are left alone when a claim
	// for them gave nothing at all.
	nap = 100 * time.Millisecond
)

// question is one claim: what the store is asked, and for whom.
type question struct {
	req   hook.ClaimRequest
	asked []askedLane // in the order of req.Lanes
}

type askedLane struct {
	ep    *endpoint
	lane  int
	max   int
	probe bool
	owes  [2]bool // by throttles: its rate was not known yet, it is charged afterwards
}

// throttles are those that a lease must pass.
func (a *askedLane) throttles() [2]*bucket { return [2]*bucket{&a.ep.throttle, &a.ep.app.throttle} }

// claimLoop claims due deliveries until ctx is done. work outlives ctx: a claim
// that is under way is not cut off, its leases would be lost.
func (e *Engine) claimLoop(ctx, work context.Context) error {
	trouble := trouble{engine: e, what: "claim"}
	timer := time.NewTimer(longSleep)
	defer timer.Stop()
	for {
		q, wait := e.pick()
		if q != nil {
			wait = trouble.met(e.claim(work, q))
		}
		if wait == 0 && ctx.Err() == nil {
			continue
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		case <-timer.C:
		}
	}
}

// pick takes places for the ready endpoints, as far as there are any, and gives
// the claim to make for them; or nil and how long to wait.
func (e *Engine) pick() (*question, time.Duration) {
	t := e.clock.Read()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sleeping = false
	e.fire(t)
	if e.turns.Len() == 0 {
		wait := e.wakeIn(t)
		e.sleeping, e.wakeAt = true, t.mono+wait
		return nil, wait
	}
	if e.phase != phaseRunning || e.places.stuffed() {
		return nil, rest
	}
	if !e.fresh() {
		e.stale = true
		return nil, longSleep // until Hear says that there was a beat
	}
	q := &question{req: hook.ClaimRequest{
		Node: e.node, Now: t.now,
		// Half of what is free, so that Accept finds room meanwhile.
		MaxBytes: int(max(1, (e.places.maxBytes-e.places.bytes)/2)),
	}}
	e.fill(q, t)
	if len(q.asked) == 0 {
		return nil, rest
	}
	e.places.bytes += int64(q.req.MaxBytes)
	return q, 0
}

// fill asks for the ready endpoints, the applications taking turns.
func (e *Engine) fill(q *question, t moment) {
	budget := min(claimMost, e.places.free())
	share := max(1, budget/max(1, e.ready))
	var fullApps []*app
	var refused []*endpoint
	for budget > 0 && len(q.asked) < claimLanes && len(refused) < claimLanes && e.turns.Len() > 0 {
		a := e.turns.Pop()
		a.queued = false
		free := e.places.freeFor(a)
		if free == 0 {
			fullApps = append(fullApps, a)
			continue
		}
		if a.ready.Len() == 0 || a.throttle.ReadyAt(t.mono) > t.mono {
			e.queue(a, t)
			continue
		}
		ep := e.next(a)
		if n := e.ask(q, ep, min(share, budget, free), t); n > 0 {
			budget -= n
		} else {
			refused = append(refused, ep)
		}
		e.queue(a, t)
	}
	for _, ep := range refused {
		e.put(ep, t)
	}
	for _, a := range fullApps {
		e.queue(a, t)
	}
}

// ask adds the lanes of one endpoint to the question and takes at most most
// places for them. It gives how many.
func (e *Engine) ask(q *question, ep *endpoint, most int, t moment) int {
	if at, ok := ep.readyAt(e.places.scarce(), t); !ok || at > t.mono {
		return 0
	}
	room := min(most, ep.throttle.Available(most, t.mono), ep.app.throttle.Available(most, t.mono))
	if !ep.known {
		room = min(room, 1) // its throttle is not known yet
	}
	if room == 0 {
		return 0
	}
	if _, open := ep.circuit.Open(); open {
		if !ep.circuit.Probe(t.mono) {
			return 0
		}
		e.askLane(q, askedLane{ep: ep, lane: ep.probeLane(), max: 1, probe: true}, t)
		return 1
	}
	room = min(room, ep.room(e.places.scarce(), t.mono))
	first, retry := ep.shares(room, e.places.freeForRetries(), t.now)
	if first > 0 {
		e.askLane(q, askedLane{ep: ep, lane: firstLane, max: first}, t)
	}
	if retry > 0 {
		e.askLane(q, askedLane{ep: ep, lane: retryLane, max: retry}, t)
	}
	return first + retry
}

func (e *Engine) askLane(q *question, a askedLane, t moment) {
	q.req.Lanes = append(q.req.Lanes, hook.ClaimLane{Endpoint: a.ep.id, Retry: a.lane == retryLane, Max: a.max})
	a.ep.asking = true
	a.ep.lanes[a.lane].asked = a.max
	for i, b := range a.throttles() {
		a.owes[i] = b.rate == 0
		b.Take(a.max)
	}
	q.asked = append(q.asked, a)
	e.places.take(a.ep, a.max, a.max*a.lane, t)
}

// claim asks the store and starts what it leases.
func (e *Engine) claim(ctx context.Context, q *question) error {
	before := e.Elapsed()
	lanes, err := e.Store.Claim(ctx, q.req)
	t := e.clock.Read()
	leases := e.claimed(q, lanes, err, t)
	if err == nil {
		e.Observer.Claim(leases, t.mono-before)
		if e.Observer.Claimed != nil && leases > 0 {
			e.Observer.Claimed(lanes, t.now.Add(before-t.mono), t.now)
		}
	}
	return err //nolint:wrapcheck // logged by the one caller, which says what it was doing
}

// claimed takes over the answer of the store, or that there is none, and starts
// what was leased. It gives how many leases there are.
func (e *Engine) claimed(q *question, lanes []hook.ClaimedLane, err error, t moment) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.places.bytes -= int64(q.req.MaxBytes)
	leases := 0
	var barren []*endpoint // those whose lane is due, but gave nothing
	for i, a := range q.asked {
		if err != nil || i >= len(lanes) {
			a.ep.lanes[a.lane].unanswered()
			e.unask(a, 0)
			continue
		}
		if next := lanes[i].Next; len(lanes[i].Leases) == 0 && !next.IsZero() && !next.After(q.req.Now) {
			barren = append(barren, a.ep)
		}
		for _, l := range lanes[i].Leases {
			f := flight{lease: l, ep: a.ep, retry: a.lane == retryLane, probe: a.probe, size: int64(l.Size())}
			a.ep.observe(l.Endpoint, e.nodes, t.mono)
			e.places.hold(a.ep.app, f.size)
			e.dispatch(f, t)
			if f.probe { // the others wait for what comes of it
				e.signalCircuit(a.ep, t.mono+e.AttemptTimeout, t)
			}
			leases++
		}
		e.unask(a, len(lanes[i].Leases))
		a.ep.lanes[a.lane].answered(lanes[i].Next)
		if lanes[i].Closed != hook.ReasonNone {
			e.close(a.ep.id, lanes[i].Closed, t)
		}
	}
	if leases == 0 {
		for _, ep := range barren {
			ep.napUntil = t.mono + nap
		}
	}
	for _, a := range q.asked {
		a.ep.asking = false
		e.put(a.ep, t)
	}
	e.kick(t)
	return leases
}

// unask gives back what was taken for a lane beyond the leases it got.
func (e *Engine) unask(a askedLane, got int) {
	unused := a.max - got
	e.places.release(a.ep, unused, unused*a.lane)
	for i, b := range a.throttles() {
		if a.owes[i] {
			b.Take(got)
		} else {
			b.Return(unused)
		}
	}
	if a.probe && got == 0 {
		a.ep.circuit.Unprobe()
	}
}

// trouble keeps a loop patient while the store fails: waits that grow, and one
// log line at the beginning and one at the end.
type trouble struct {
	engine *Engine
	what   string
	wait   time.Duration
}

const (
	troubleFirst = 50 * time.Millisecond
	troubleMost  = 5 * time.Second
)

// met takes the result of one call and gives how long to wait before the next; 0 after a success.
func (tr *trouble) met(err error) time.Duration {
	switch {
	case err == nil && tr.wait > 0:
		tr.engine.Logger.Info("the store works again", slog.String("step", tr.what))
		tr.wait = 0
	case err != nil && tr.wait == 0:
		tr.engine.Logger.Error("the store fails; trying again until it works", slog.String("step", tr.what), slog.Any("error", err))
		tr.wait = troubleFirst
	case err != nil:
		tr.wait = min(2*tr.wait, troubleMost)
	}
	return tr.wait
}
